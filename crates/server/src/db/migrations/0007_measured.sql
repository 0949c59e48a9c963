-- The quick model measures several labels and numbers as well.

-- What was measured: a share of right answers, of right labels, a mean error.
ALTER TABLE accuracy ADD COLUMN metric TEXT NOT NULL DEFAULT 'accuracy'
