-- The same over the rivals' one table, in which due day and answer stand ready. It counts only the council that leads.
\set n random(0, 365)
SELECT lead_council,
    count(*) FILTER (WHERE answered_on <= due_on) AS numerator,
    count(*) AS denominator
FROM rival.advice
WHERE due_on BETWEEN date '0001-01-01' - 1 + CAST(:first AS integer) + CAST(:n AS integer) AND date '0001-01-01' - 1 + CAST(:day AS integer)
    AND (answered_on IS NULL OR answered_on >= date '0001-01-01' - 1 + CAST(:first AS integer) + CAST(:n AS integer))
GROUP BY lead_council;
