-- What a data set was at each of its numbers, and which of them mean something.

-- What held of the example after an event about its label: of several people's words that is another thing than what one of them said.
ALTER TABLE label_event ADD COLUMN holds TEXT;
UPDATE label_event SET holds = label WHERE what = 'label';
-- Where several people answer, only what holds now is known: the last of an example's events says it.
UPDATE label_event SET holds = (SELECT e.label FROM example e WHERE e.id = label_event.example)
    WHERE what = 'label' AND dataset IN (SELECT id FROM dataset WHERE annotators > 1)
    AND seq = (SELECT MAX(l.seq) FROM label_event l WHERE l.example = label_event.example AND l.what = 'label');
CREATE INDEX label_event_by_example ON label_event (example, seq);
-- The number at which it came; 0 where that was not written down.
ALTER TABLE example ADD COLUMN came BIGINT NOT NULL DEFAULT 0;
UPDATE example SET came = COALESCE((SELECT MIN(l.seq) FROM label_event l WHERE l.example = example.id AND l.act = 'import'), 0);
CREATE INDEX example_by_came ON example (dataset, came);
-- Also those that are out of sight, in their order.
CREATE INDEX example_in_order ON example (dataset, position, id);
-- An event also says that an example was taken out (`presence`, `gone`) or came back. When those that are out now went, nobody wrote
-- down: before everything else.
INSERT INTO label_event (tenant, dataset, seq, example, label, act, at, what)
    SELECT tenant, dataset, -ROW_NUMBER() OVER (PARTITION BY dataset ORDER BY position), id, 'gone', 'remove', 0, 'presence' FROM example WHERE removed = 1;
-- A number that means something: data came, a model was made, the data were looked through, a class got another name, somebody named it.
CREATE TABLE milestone (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    -- `import`, `tune`, `audit`, `rename` or `name`.
    kind TEXT NOT NULL,
    -- What came, which model, what was advised, as JSON.
    body TEXT NOT NULL,
    person TEXT,
    at BIGINT NOT NULL
);
CREATE INDEX milestone_by_dataset ON milestone (dataset, seq);
-- The state of the data that taught a model; absent where it was made elsewhere, or before this was written down.
ALTER TABLE model ADD COLUMN seq BIGINT
