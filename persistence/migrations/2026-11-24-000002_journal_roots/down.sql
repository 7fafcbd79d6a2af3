DROP INDEX journal_actor;
DROP TABLE journal_root;
