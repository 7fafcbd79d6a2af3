-- The last entry of each Amsterdam day on which something was written, once a later day has begun: what it says of that day is
-- published, so that the past cannot be rewritten unseen. Days count from 0001-01-01.

CREATE TABLE journal_root (
    day INTEGER NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    moment BIGINT NOT NULL,
    hash TEXT NOT NULL
);

-- Auditors ask what somebody did.
CREATE INDEX journal_actor ON journal (actor, sequence);
