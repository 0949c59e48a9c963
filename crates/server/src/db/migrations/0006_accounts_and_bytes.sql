-- People who come in by way of a provider of OpenID Connect, and how much room tenants take.

-- Whom an invitation is for, in small letters.
ALTER TABLE person ADD COLUMN email TEXT;
CREATE UNIQUE INDEX person_by_email ON person (email);
-- What the provider calls them: it stays the same and is never given to somebody else, which an e-mail may be.
CREATE TABLE account (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    tenant TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (person, issuer)
);
-- Of the file; absent for a text, and until an older one is measured.
ALTER TABLE example ADD COLUMN bytes BIGINT;
CREATE INDEX example_by_blob ON example (tenant, blob, bytes);
-- Of the bundle and its reports; absent until an older one is measured.
ALTER TABLE model ADD COLUMN bytes BIGINT;
-- What has arrived, where there is a limit.
ALTER TABLE upload ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0
