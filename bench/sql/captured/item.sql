BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT "journal_head"."sequence", "journal_head"."hash" FROM "journal_head" WHERE ("journal_head"."id" = :v1_1) LIMIT :v1_2;
SELECT "advice"."snapshot" FROM "advice" WHERE ("advice"."id" = :v2_1) LIMIT :v2_2;
ROLLBACK;
