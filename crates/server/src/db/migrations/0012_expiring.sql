-- Inputs that come back from a deployment go after a while, unless somebody says something of them.

-- Days that those of a deployment are kept.
ALTER TABLE deployment ADD COLUMN keep_days BIGINT NOT NULL DEFAULT 30;
-- When one goes. Absent for what did not come from a deployment; what an earlier version kept has its days from the first sweep on.
ALTER TABLE example ADD COLUMN goes_at BIGINT;
CREATE INDEX example_going ON example (goes_at) WHERE came_from IS NOT NULL
