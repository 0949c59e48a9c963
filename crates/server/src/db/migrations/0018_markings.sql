-- Where several people answer about an example, what each of them marks on it is kept apart, and somebody decides which marks hold.

-- Which marks somebody decided on: `most`, those that most people found; the id of the person whose they are; empty, those that came with the
-- data. Absent while nobody decided: then those hold that came with the data, or were given first.
ALTER TABLE example ADD COLUMN marks_took TEXT;
-- What each person marks on each example, perhaps nothing; what came with the data is nobody's, the empty name.
CREATE TABLE marking (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    example TEXT NOT NULL,
    person TEXT NOT NULL,
    -- As JSON; a list of nothing where the person looked and marked nothing.
    marks TEXT NOT NULL,
    -- The numbers of the events with which the person began, and changed them last; 0 where they came with the data.
    began BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (example, person)
);
CREATE INDEX marking_by_dataset ON marking (dataset, example);
INSERT INTO marking (tenant, dataset, example, person, marks, began, seq, at)
    SELECT e.tenant, e.dataset, e.id, COALESCE(e.marks_by, ''), e.marks, e.marks_seq, e.marks_seq,
    COALESCE((SELECT l.at FROM label_event l WHERE l.dataset = e.dataset AND l.seq = e.marks_seq), d.created_at)
    FROM example e JOIN dataset d ON d.id = e.dataset WHERE d.annotators > 1 AND e.marks IS NOT NULL;
-- How far two people agree about an example, as long as both marks are those of these numbers.
CREATE TABLE mark_pair (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    example TEXT NOT NULL,
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    seq_one BIGINT NOT NULL,
    seq_other BIGINT NOT NULL,
    n_one BIGINT NOT NULL,
    n_other BIGINT NOT NULL,
    -- Marks of the one that are of the same thing as one of the other, and the sum of what they overlap; absent where it is too much to be compared.
    n_same BIGINT,
    overlap DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (example, one, other)
);
CREATE INDEX mark_pair_by_dataset ON mark_pair (dataset, example)
