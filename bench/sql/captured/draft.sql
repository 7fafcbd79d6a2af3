\set n random(0, 999999999999)
BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;
DELETE FROM "idempotency" WHERE ("idempotency"."created_at" < :v1_1);
SAVEPOINT diesel_savepoint_1;
INSERT INTO "idempotency" ("client", "idempotency_key", "request_hash", "created_at") VALUES (:v3_1, CAST(CAST(:v3_2 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text), :v3_3, :v3_4);
RELEASE SAVEPOINT diesel_savepoint_1;
SELECT "journal_head"."sequence", "journal_head"."hash" FROM "journal_head" WHERE ("journal_head"."id" = :v5_1) LIMIT :v5_2 \gset head_
SELECT max("registry"."sequence") FROM "registry" LIMIT :v6_1;
UPDATE "journal_head" SET "sequence" = "journal_head"."sequence" WHERE ("journal_head"."id" = :v7_1);
SELECT "journal_head"."sequence", "journal_head"."moment", "journal_head"."hash" FROM "journal_head" WHERE ("journal_head"."id" = :v8_1) LIMIT :v8_2 \gset head_
INSERT INTO "advice" ("id", "version", "created_at", "modified_at", "own_modified_at", "public_modified_at", "snapshot", "kind", "status", "outcome", "level", "cluster", "portfolio_holder", "request", "second_round_of", "merged_into", "letter_day", "listed_day", "submitted_day", "received_day", "answered_day", "words") VALUES (CAST(CAST(:v9_1 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text), :v9_2, :v9_3, :v9_4, :v9_5, :v9_6, :v9_7, :v9_8, :v9_9, DEFAULT, :v9_10, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, :v9_11);
INSERT INTO "advice_council" ("advice", "council", "is_public") VALUES (CAST(CAST(:v10_1 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text), :v10_2, :v10_3);
INSERT INTO "advice_theme" ("advice", "theme") VALUES (CAST(CAST(:v11_1 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text), :v11_2);
INSERT INTO "advice_term" ("advice", "from_day", "until_day", "state", "due_day", "days_over") VALUES (CAST(CAST(:v12_1 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text), :v12_2, :v12_3, :v12_4, NULL, NULL);
SELECT "audience"."audience_key", "audience"."lost_at" FROM "audience" WHERE ("audience"."item" = CAST(CAST(:v13_1 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text)) ORDER BY "audience"."audience_key";
INSERT INTO "audience" ("item", "audience_key") VALUES (CAST(CAST(:v14_1 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text), :v14_2);
INSERT INTO "audience" ("item", "audience_key") VALUES (CAST(CAST(:v15_1 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text), :v15_2);
INSERT INTO "journal" ("sequence", "moment", "actor", "reason", "resource", "item", "version", "event", "snapshot", "audience_before", "audience_after", "seen_from", "previous_hash", "hash") VALUES ((CAST(:head_sequence AS bigint) + 1), :v16_2, :v16_3, DEFAULT, :v16_4, CAST(CAST(:v16_5 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text), :v16_6, :v16_7, :v16_8, '', :v16_10, :v16_11, :v16_12, :v16_13);
UPDATE "journal_head" SET "sequence" = (CAST(:head_sequence AS bigint) + 1), "moment" = :v17_2, "hash" = :v17_3 WHERE ("journal_head"."id" = :v17_4);
UPDATE "idempotency" SET "answer" = :v18_1 WHERE (("idempotency"."client" = :v18_2) AND ("idempotency"."idempotency_key" = CAST(CAST(:v18_3 AS text) || lpad(CAST(CAST(:n AS bigint) AS text), 12, '0') AS text)));
COMMIT;
