-- answered-in-time by council, cohort due: of what had to be answered in [from, day], how much was.
\set n random(0, 365)
SELECT c.council,
    count(*) FILTER (WHERE a.answered_day <= t.due_day) AS numerator,
    count(*) AS denominator
FROM advice a
JOIN advice_term t ON t.advice = a.id AND t.from_day <= :day AND t.until_day > :day
JOIN advice_council c ON c.advice = a.id AND c.council <> '*'
WHERE t.due_day BETWEEN CAST(:first AS integer) + CAST(:n AS integer) AND :day
    -- What was answered before the period is not of its population.
    AND (a.answered_day IS NULL OR a.answered_day >= CAST(:first AS integer) + CAST(:n AS integer))
GROUP BY c.council;
