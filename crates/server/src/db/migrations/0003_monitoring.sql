-- What deployments answered, and whether what they are asked about has changed.

CREATE TABLE monitor (
    tenant TEXT NOT NULL,
    deployment TEXT NOT NULL,
    day TEXT NOT NULL,
    -- Each server counts what it answers itself.
    server TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, deployment, day, server)
);
CREATE TABLE drift (
    tenant TEXT NOT NULL,
    deployment TEXT NOT NULL,
    model TEXT NOT NULL,
    server TEXT NOT NULL,
    body TEXT NOT NULL,
    -- When there was evidence enough; absent while there is none.
    changed_at BIGINT,
    PRIMARY KEY (tenant, deployment, model, server)
);
-- A model that is asked as well and never answers, to be compared.
ALTER TABLE deployment ADD COLUMN shadow TEXT;
