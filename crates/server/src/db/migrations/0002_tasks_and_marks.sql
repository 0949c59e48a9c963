-- Answers other than one class of several, and what is marked on an example.

-- `class`, `classes` or `number`: how to read the labels.
ALTER TABLE dataset ADD COLUMN task TEXT NOT NULL DEFAULT 'class';
-- What is marked on it, as JSON; absent where nothing is.
ALTER TABLE example ADD COLUMN marks TEXT;
-- Of a picture as it is shown, in pixels.
ALTER TABLE example ADD COLUMN width BIGINT;
ALTER TABLE example ADD COLUMN height BIGINT;
-- `train`, `validation` or `test`, where the data say so themselves.
ALTER TABLE example ADD COLUMN part TEXT;
-- What an event changed: `label`, or `marks`; then `label` and `before` hold them.
ALTER TABLE label_event ADD COLUMN what TEXT NOT NULL DEFAULT 'label';
-- Marks are looked for and counted.
CREATE INDEX example_marked ON example (dataset) WHERE marks IS NOT NULL;
-- What a store is asked for, so that it never serves two databases.
CREATE TABLE identity (id TEXT PRIMARY KEY);
-- The only server that can do it: the one whose folder holds the upload.
ALTER TABLE job ADD COLUMN only_on TEXT;
