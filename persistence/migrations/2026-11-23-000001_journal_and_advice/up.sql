-- Portable between SQLite and PostgreSQL. Ids and codes are text; moments are microseconds since 1970-01-01T00:00Z;
-- days (…_day) are counted since 0001-01-01, so that both databases compare and subtract them alike.

CREATE TABLE journal_head (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sequence BIGINT NOT NULL,
    moment BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO journal_head (id, sequence, moment, hash) VALUES (1, 0, 0, '');

CREATE TABLE journal (
    sequence BIGINT NOT NULL PRIMARY KEY,
    moment BIGINT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    resource TEXT NOT NULL,
    item TEXT NOT NULL,
    version BIGINT NOT NULL,
    event TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    audience_before TEXT NOT NULL,
    audience_after TEXT NOT NULL,
    seen_from TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE UNIQUE INDEX journal_item ON journal (resource, item, version);
CREATE INDEX journal_moment ON journal (moment);

-- Who may see an item: the keys it hangs out. A key that was taken in keeps its row, so that the caller who lost the
-- item can be told.
CREATE TABLE audience (
    item TEXT NOT NULL,
    audience_key TEXT NOT NULL,
    lost_at BIGINT,
    PRIMARY KEY (item, audience_key)
);
CREATE INDEX audience_by_key ON audience (audience_key, item);

-- `snapshot` is the item; the other columns are made from it at each save, to filter and sort by.
CREATE TABLE advice (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    own_modified_at BIGINT NOT NULL,
    public_modified_at BIGINT NOT NULL,
    snapshot TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    outcome TEXT,
    level TEXT NOT NULL,
    cluster TEXT,
    portfolio_holder TEXT,
    request TEXT,
    second_round_of TEXT,
    merged_into TEXT,
    letter_day INTEGER,
    listed_day INTEGER,
    submitted_day INTEGER,
    received_day INTEGER,
    answered_day INTEGER,
    words TEXT NOT NULL
);
CREATE INDEX advice_modified ON advice (modified_at);
CREATE INDEX advice_request_of ON advice (request);
CREATE INDEX advice_second_round_of ON advice (second_round_of);
CREATE INDEX advice_merged_into ON advice (merged_into);

CREATE TABLE advice_council (
    advice TEXT NOT NULL REFERENCES advice (id),
    council TEXT NOT NULL,
    is_public BOOLEAN NOT NULL,
    PRIMARY KEY (advice, council)
);
CREATE INDEX advice_council_by_council ON advice_council (council, advice);

CREATE TABLE advice_theme (
    advice TEXT NOT NULL REFERENCES advice (id),
    theme TEXT NOT NULL,
    PRIMARY KEY (advice, theme)
);

CREATE TABLE advice_reference (
    advice TEXT NOT NULL REFERENCES advice (id),
    place INTEGER NOT NULL,
    value TEXT NOT NULL,
    is_public BOOLEAN NOT NULL,
    PRIMARY KEY (advice, place)
);
CREATE INDEX advice_reference_by_value ON advice_reference (value, advice);

-- The term of an advice over all of time: one row for each stretch in which its state and due day stay the same.
CREATE TABLE advice_term (
    advice TEXT NOT NULL REFERENCES advice (id),
    from_day INTEGER NOT NULL,
    until_day INTEGER NOT NULL,
    state TEXT NOT NULL,
    due_day INTEGER,
    days_over INTEGER,
    PRIMARY KEY (advice, from_day)
);

CREATE TABLE response_draft (
    advice TEXT NOT NULL PRIMARY KEY REFERENCES advice (id),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    snapshot TEXT NOT NULL
);

CREATE TABLE advice_request (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    snapshot TEXT NOT NULL
);

-- Councils, areas, neighbourhoods, clusters, themes, terms of office, term rules, office holders, unplaced rows.
CREATE TABLE registry (
    resource TEXT NOT NULL,
    code TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    snapshot TEXT NOT NULL,
    PRIMARY KEY (resource, code)
);
CREATE INDEX registry_sequence ON registry (sequence);

-- The one place where names of persons stand; everything else knows them by id. Erasable (GDPR art. 17).
CREATE TABLE person_name (
    person TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE idempotency (
    client TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    answer TEXT,
    PRIMARY KEY (client, idempotency_key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
