//! The rooms that jobs went through: who comes late, or comes back, hears of each of them.

use sqlx::{Any, Transaction};

use super::{Db, Tenant};

row! {
    /// A room, with the version of the job that entered it.
    #[derive(Debug, Clone)]
    pub(crate) struct StepRow {
        pub(crate) version: i64,
        pub(crate) step: String,
    }
}

impl Db {
    /// The rooms that a job entered between two of its versions, neither of them counted, the first one first.
    pub(crate) async fn steps(
        &self,
        tenant: &Tenant,
        job: &str,
        (after, before): (i64, i64),
    ) -> Result<Vec<StepRow>, sqlx::Error> {
        let sql = "SELECT version, step FROM job_step WHERE tenant = $1 AND job = $2 AND version > $3 AND version < $4 \
             ORDER BY version";
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(job).bind(after).bind(before);
        ask.fetch_all(&mut *self.of(tenant).await?).await
    }
}

/// Writes down which rooms a job entered, one after the other, the last one just before it had this version.
pub(super) async fn enter(
    tx: &mut Transaction<'static, Any>,
    (tenant, job, version): (&str, &str, i64),
    steps: &[&str],
) -> Result<(), sqlx::Error> {
    for (step, version) in steps.iter().rev().zip((0..version).rev()) {
        let sql = "INSERT INTO job_step (tenant, job, version, step) VALUES ($1, $2, $3, $4)";
        sqlx::query(sql).bind(tenant).bind(job).bind(version).bind(*step).execute(&mut **tx).await?;
    }
    Ok(())
}
