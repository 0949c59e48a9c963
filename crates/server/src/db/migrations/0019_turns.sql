-- Which tenant a worker works for next: the one that fewest jobs are done for, and whose last job ended longest ago.
CREATE INDEX job_by_tenant ON job (tenant, state);
CREATE INDEX job_by_end ON job (tenant, ended_at)
