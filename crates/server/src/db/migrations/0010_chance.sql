-- Chance asks for examples by their ids, which are random, also before anything was looked at.

CREATE INDEX example_by_chance ON example (dataset, removed, id)
