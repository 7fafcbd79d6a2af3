-- Keys that this database needs and that nobody else may know: `seal` is what cursors and positions are sealed with, so that
-- every process on this database reads what another one gave. Its value is made when the tables are brought up to date.
CREATE TABLE secret (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
