-- A list is read in its order from one index, and so costs what it shows: under each council, and once under '*' for all of them,
-- an advice stands with what the usual lists ask and sort by. What has no day stands last from high to low.

ALTER TABLE advice_council ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE advice_council ADD COLUMN submitted_day INTEGER;
ALTER TABLE advice_council ADD COLUMN received_day INTEGER;

UPDATE advice_council
SET status = advice.status, submitted_day = advice.submitted_day, received_day = advice.received_day
FROM advice WHERE advice.id = advice_council.advice;

INSERT INTO advice_council (advice, council, is_public, status, submitted_day, received_day)
SELECT id, '*', TRUE, status, submitted_day, received_day FROM advice;

CREATE INDEX advice_council_received ON advice_council (council, COALESCE(received_day, -1000000000) DESC, advice);
CREATE INDEX advice_council_submitted ON advice_council (council, COALESCE(submitted_day, -1000000000) DESC, advice);
CREATE INDEX advice_council_status_received
    ON advice_council (council, status, COALESCE(received_day, -1000000000) DESC, advice);
CREATE INDEX advice_council_status_submitted
    ON advice_council (council, status, COALESCE(submitted_day, -1000000000) DESC, advice);

-- Who is late today is a few of all who ever were.
CREATE INDEX advice_term_state ON advice_term (state, until_day, days_over);

-- The longest overdue of all, in order: those that stay so until somebody answers. `IS TRUE` keeps the index before this one away.
CREATE INDEX advice_term_overdue ON advice_term (due_day, advice)
    WHERE until_day = 2147483647 AND days_over IS NULL AND (state IN ('late', 'very_late')) IS TRUE;

-- What somebody lost since a moment.
CREATE INDEX audience_lost ON audience (lost_at) WHERE lost_at IS NOT NULL;
