DROP INDEX journal_resource;
DROP TABLE dossier_facet;
DROP TABLE dossier;
