-- answered-in-time by council, cohort due: of what had to be answered in [from, day], how much was.
\set n random(0, 365)
SELECT c.council,
    count(*) FILTER (WHERE a.answered_day <= t.due_day) AS numerator,
    count(*) AS denominator
FROM advice a
JOIN advice_term t ON t.advice = a.id AND t.from_day <= :day AND t.until_day > :day
JOIN advice_council c ON c.advice = a.id AND c.council <> '*'
WHERE t.due_day BETWEEN CAST(:first AS integer) + :n AND :day
GROUP BY c.council;
