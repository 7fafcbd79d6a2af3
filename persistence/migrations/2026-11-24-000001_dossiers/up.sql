-- Accords, agreements, policy tracks, participation plans, commitments, talks, assignments and collegetargets: kept whole.
-- `snapshot` is the item; its facets are made from it at each save, to filter by.

CREATE TABLE dossier (
    id TEXT NOT NULL PRIMARY KEY,
    resource TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    snapshot TEXT NOT NULL
);
CREATE INDEX dossier_by_resource ON dossier (resource, id);

CREATE TABLE dossier_facet (
    dossier TEXT NOT NULL REFERENCES dossier (id),
    facet TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (dossier, facet, value)
);
CREATE INDEX dossier_facet_by_value ON dossier_facet (facet, value, dossier);

-- Figures read the journal by resource: the last entry of each item up to a place.
CREATE INDEX journal_resource ON journal (resource, item, sequence);
