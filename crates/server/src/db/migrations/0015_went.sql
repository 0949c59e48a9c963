-- The number at which examples of a data set last went for good: whoever heard of it before looks anew.
ALTER TABLE dataset ADD COLUMN went BIGINT NOT NULL DEFAULT 0
