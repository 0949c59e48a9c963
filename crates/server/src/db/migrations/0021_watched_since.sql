-- When a name began to answer, or somebody last said that what it is asked about is usual: what a server saw before counts for nothing.
ALTER TABLE deployment ADD COLUMN watched_since BIGINT NOT NULL DEFAULT 0
