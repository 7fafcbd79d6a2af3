-- What one would click together in Directus: the tables as collections, their relations, and reading for the public.
-- A condition on the row would cost it a CASE for each column, so the list asks for what is public, as in PostGraphile.

SET search_path = directus, rival;

INSERT INTO directus_collections (collection)
SELECT unnest(ARRAY['advice', 'advice_council', 'advice_theme', 'reference', 'point', 'response', 'response_point']);

INSERT INTO directus_relations (many_collection, many_field, one_collection, one_field, one_deselect_action) VALUES
    ('advice_council', 'advice_id', 'advice', 'councils', 'nullify'),
    ('advice_theme', 'advice_id', 'advice', 'themes', 'nullify'),
    ('reference', 'advice_id', 'advice', 'references', 'nullify'),
    ('point', 'advice_id', 'advice', 'points', 'nullify'),
    ('response', 'advice_id', 'advice', 'responses', 'nullify'),
    ('response_point', 'response_id', 'response', 'points', 'nullify');
INSERT INTO directus_fields (collection, field, special) SELECT one_collection, one_field, 'o2m' FROM directus_relations
WHERE many_collection IN ('advice_council', 'advice_theme', 'reference', 'point', 'response', 'response_point');

INSERT INTO directus_permissions (collection, action, permissions, fields, policy)
SELECT collection, 'read', '{}', '*',
    (SELECT id FROM directus_policies WHERE name = '$t:public_label')
FROM directus_collections
WHERE collection IN ('advice', 'advice_council', 'advice_theme', 'reference', 'point', 'response', 'response_point');
