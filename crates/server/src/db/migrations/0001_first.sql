-- What the server knows. Works on SQLite and on PostgreSQL: times are milliseconds since 1970, truths are 0 or 1, lists are JSON.
-- Every row that belongs to somebody names its tenant, and every query asks for it.

CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE person (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    password TEXT,
    created_at BIGINT NOT NULL
);
CREATE TABLE session (
    hash TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE TABLE token (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE TABLE dataset (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    modality TEXT,
    -- Counts what was changed: examples that came, labels that were given. Two equal numbers mean the same data.
    seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE TABLE class (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (dataset, name)
);
CREATE TABLE example (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- The file among the blobs; absent for a text.
    blob TEXT,
    body TEXT,
    part_group TEXT,
    -- What the events add up to.
    label TEXT,
    label_by TEXT,
    -- Whether it was labelled because it was drawn at random, or came with its label: only such examples say how good a model is.
    drawn BIGINT NOT NULL DEFAULT 0,
    -- The deployment that was asked about it and was in doubt.
    came_from TEXT,
    removed BIGINT NOT NULL DEFAULT 0,
    UNIQUE (dataset, name)
);
CREATE INDEX example_by_position ON example (dataset, removed, position);
CREATE INDEX example_by_label ON example (dataset, removed, label, position);
-- The truth about labels: nothing is ever changed here, corrections are more events.
CREATE TABLE label_event (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    example TEXT NOT NULL,
    person TEXT,
    label TEXT,
    before TEXT,
    milliseconds BIGINT,
    -- Why: import, give, rename, decide or undo.
    act TEXT NOT NULL,
    -- The event that this one takes back.
    undoes BIGINT,
    at BIGINT NOT NULL,
    PRIMARY KEY (dataset, seq)
);
CREATE INDEX label_event_by_person ON label_event (dataset, person, seq);
CREATE TABLE problem (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    place TEXT NOT NULL,
    en TEXT NOT NULL,
    zh TEXT NOT NULL,
    PRIMARY KEY (dataset, seq)
);
CREATE TABLE accuracy (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    n_labelled BIGINT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    low DOUBLE PRECISION NOT NULL,
    high DOUBLE PRECISION NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (dataset, n_labelled)
);
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    -- The job that reads it; from then on nothing is added.
    job TEXT,
    created_at BIGINT NOT NULL
);
CREATE TABLE job (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    payload TEXT NOT NULL,
    -- Grows with every change, so that a listener knows what it has not heard.
    version BIGINT NOT NULL,
    step TEXT,
    done BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    error TEXT,
    result TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- Who holds it and until when: a worker that lost its lease finds another fence and may not write.
    fence BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    cancelled BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX job_by_state ON job (state, created_at);
CREATE INDEX job_by_dataset ON job (dataset, created_at);
CREATE TABLE audit (
    dataset TEXT PRIMARY KEY REFERENCES dataset (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    -- The data that were looked through.
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE decision (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    decision TEXT NOT NULL,
    person TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (dataset, number)
);
CREATE TABLE model (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    -- Models outlive the data they were made of.
    dataset TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX model_by_tenant ON model (tenant, created_at);
CREATE TABLE deployment (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    model TEXT NOT NULL,
    previous TEXT,
    -- The data set that doubtful inputs come back to as work; absent when nobody asked for that.
    collects TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);
-- Who did what. Each entry holds the hash of the one before, so that a changed entry shows.
CREATE TABLE audit_log (
    tenant TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    person TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant, seq)
)
