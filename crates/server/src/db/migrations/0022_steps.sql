-- Which rooms a job went through, so that who comes late, or comes back, hears of each of them.
CREATE TABLE job_step (
    tenant TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    -- Of the job, when it entered.
    version BIGINT NOT NULL,
    step TEXT NOT NULL,
    PRIMARY KEY (job, version)
)
