-- Several people answer about the same example, and what holds is what most of them say.

-- How many people are asked about each example.
ALTER TABLE dataset ADD COLUMN annotators BIGINT NOT NULL DEFAULT 1;
-- Whether who labels sees what others said.
ALTER TABLE dataset ADD COLUMN blind BIGINT NOT NULL DEFAULT 0;
-- Somebody decided what holds: later votes do not change it.
ALTER TABLE example ADD COLUMN decided BIGINT NOT NULL DEFAULT 0;
-- The last word of each person about each example; a label that came with the data is nobody's, the empty name.
CREATE TABLE vote (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    example TEXT NOT NULL,
    person TEXT NOT NULL,
    label TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (example, person)
);
CREATE INDEX vote_by_dataset ON vote (dataset, example);
INSERT INTO vote (tenant, dataset, example, person, label, at)
    SELECT tenant, dataset, id, COALESCE(label_by, ''), label, 0 FROM example WHERE label IS NOT NULL;
