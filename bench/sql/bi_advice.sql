\copy (SELECT * FROM rival.advice WHERE is_public ORDER BY id) TO STDOUT (FORMAT csv, HEADER)
