-- What servers that share a database know together, and the room of tenants as running totals.

-- Log-ins with a provider that are under way, by the fingerprint of what the browser keeps.
CREATE TABLE entrance (
    hash TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    -- Where it comes back to.
    back TEXT NOT NULL,
    -- Whose account it is to be; absent for a log-in.
    links TEXT REFERENCES person (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
CREATE INDEX entrance_by_time ON entrance (created_at);
-- Two teams may invite the same e-mail, so that neither hears of the other; the first invitation counts.
DROP INDEX person_by_email;
CREATE INDEX person_by_email ON person (email, created_at);
CREATE UNIQUE INDEX person_of_team_by_email ON person (tenant, email);
-- The files of each data set, also those of several senses. A file that several data sets of a tenant share takes its room once.
CREATE TABLE dataset_file (
    tenant TEXT NOT NULL,
    dataset TEXT NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    blob TEXT NOT NULL,
    -- Absent until an older one is measured.
    bytes BIGINT,
    PRIMARY KEY (dataset, blob)
);
CREATE INDEX dataset_file_by_blob ON dataset_file (tenant, blob);
INSERT INTO dataset_file (tenant, dataset, blob, bytes)
    SELECT tenant, dataset, blob, MAX(bytes) FROM example WHERE blob IS NOT NULL GROUP BY tenant, dataset, blob;
DROP INDEX example_by_blob;
ALTER TABLE example DROP COLUMN bytes;
-- 1 where an earlier version kept several senses, whose files are not among those of the data set yet.
ALTER TABLE dataset ADD COLUMN unlisted BIGINT NOT NULL DEFAULT 0;
UPDATE dataset SET unlisted = 1 WHERE senses IS NOT NULL;
-- An upload gives its room back when its job ends.
UPDATE upload SET bytes = 0 WHERE job IN (SELECT id FROM job WHERE state NOT IN ('waiting', 'running'));
-- What a tenant has: whatever changes it changes this in the same transaction, and each start adds all of it up anew.
CREATE TABLE room (
    tenant TEXT PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    examples BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
INSERT INTO room (tenant, examples, bytes)
    SELECT t.id, (SELECT COUNT(*) FROM example e WHERE e.tenant = t.id), CAST(
    COALESCE((SELECT SUM(f.bytes) FROM (SELECT tenant, blob, MAX(bytes) AS bytes FROM dataset_file GROUP BY tenant, blob) f WHERE f.tenant = t.id), 0)
    + COALESCE((SELECT SUM(OCTET_LENGTH(e.body)) FROM example e WHERE e.tenant = t.id), 0)
    + COALESCE((SELECT SUM(m.bytes) FROM model m WHERE m.tenant = t.id), 0)
    + COALESCE((SELECT SUM(u.bytes) FROM upload u WHERE u.tenant = t.id), 0) AS BIGINT) FROM tenant t;
-- Whether what a base makes of inputs has changed, and when there was evidence enough; absent while too few came.
ALTER TABLE drift ADD COLUMN shift TEXT;
ALTER TABLE drift ADD COLUMN shifted_at BIGINT;
-- Events of one request share the number that the data set had before it; they are taken back together. Absent where that was not written down.
ALTER TABLE label_event ADD COLUMN step BIGINT;
CREATE INDEX label_event_undone ON label_event (dataset, undoes) WHERE undoes IS NOT NULL;
CREATE INDEX label_event_by_step ON label_event (dataset, step)
