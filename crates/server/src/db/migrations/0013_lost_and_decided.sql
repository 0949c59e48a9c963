-- What was decided can be taken back as it was, and files are kept for a while after the last row that named them.

-- What held of the example before a decision changed it, as JSON; absent where nothing changed, or where an earlier version decided.
ALTER TABLE decision ADD COLUMN before TEXT;
-- Files of the object store that no row names, and when that was first seen.
CREATE TABLE unnamed (
    file TEXT PRIMARY KEY,
    since BIGINT NOT NULL
)
