//! What an audit found, and what somebody decided about it.

use std::collections::BTreeMap;

use sqlx::{Any, Transaction};

use super::jobs::{Held, end};
use super::milestones::{Milestone, remember, remember_decided};
use super::{Db, Tenant};
use crate::clock::now;
use crate::worklists::Worklist;

row! {
    /// An audit of one state of the data.
    #[derive(Debug, Clone)]
    pub(crate) struct AuditRow {
        pub(crate) seq: i64,
        pub(crate) at: i64,
        pub(crate) body: String,
    }
}

/// An audit that is to be kept.
pub(crate) struct Audited {
    /// The data that were looked through.
    pub(crate) seq: i64,
    pub(crate) body: String,
    /// Findings that want a rule, by their numbers.
    pub(crate) cases: Vec<(i64, String)>,
    pub(crate) milestone: Milestone,
}

impl Db {
    /// Keeps an audit in place of the one before, whose decisions are done with, and ends its job.
    pub(crate) async fn keep_audit(
        &self,
        tenant: &Tenant,
        dataset: &str,
        audited: &Audited,
        held: &Held,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        if !held.still(&mut tx).await? {
            return Ok(false);
        }
        conclude(&mut tx, tenant, dataset).await?;
        remember(&mut tx, tenant, dataset, audited.seq, &audited.milestone, None).await?;
        sqlx::query("DELETE FROM decision WHERE tenant = $1 AND dataset = $2")
            .bind(tenant.id())
            .bind(dataset)
            .execute(&mut *tx)
            .await?;
        let sql = "INSERT INTO audit (dataset, tenant, seq, at, body) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (dataset) DO UPDATE SET seq = excluded.seq, at = excluded.at, body = excluded.body";
        sqlx::query(sql)
            .bind(dataset)
            .bind(tenant.id())
            .bind(audited.seq)
            .bind(now())
            .bind(&audited.body)
            .execute(&mut *tx)
            .await?;
        let sql = "DELETE FROM conflict_case WHERE tenant = $1 AND dataset = $2";
        sqlx::query(sql).bind(tenant.id()).bind(dataset).execute(&mut *tx).await?;
        for (number, case) in &audited.cases {
            let sql = "INSERT INTO conflict_case (tenant, dataset, number, body) VALUES ($1, $2, $3, $4)";
            let ask = sqlx::query(sql).bind(tenant.id()).bind(dataset).bind(number).bind(case);
            ask.execute(&mut *tx).await?;
        }
        end(&mut tx, held, "done", Some("{}"), None).await?;
        tx.commit().await?;
        Ok(true)
    }

    pub(crate) async fn audit(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Option<AuditRow>, sqlx::Error> {
        let sql = "SELECT seq, at, body FROM audit WHERE tenant = $1 AND dataset = $2";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_optional(&mut *self.of(tenant).await?).await
    }

    /// Of which data the newest audit is, by their number, and when it was.
    pub(crate) async fn audited(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Option<(i64, i64)>, sqlx::Error> {
        let sql = "SELECT seq, at FROM audit WHERE tenant = $1 AND dataset = $2";
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_optional(&mut *self.of(tenant).await?).await
    }

    /// All decisions about the audit that is kept, by the number of the finding.
    pub(crate) async fn decisions(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<BTreeMap<i64, String>, sqlx::Error> {
        let sql = "SELECT number, decision FROM decision WHERE tenant = $1 AND dataset = $2";
        let rows: Vec<(i64, String)> = sqlx::query_as(sql)
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await?;
        Ok(rows.into_iter().collect())
    }
}

/// Writes down what was decided about the audit that is kept, before it goes.
async fn conclude(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT seq, at, body FROM audit WHERE tenant = $1 AND dataset = $2";
    let ask = sqlx::query_as(sql).bind(tenant.id()).bind(dataset);
    let Some(audit): Option<AuditRow> = ask.fetch_optional(&mut **tx).await? else { return Ok(()) };
    let Ok(worklist) = serde_json::from_str::<Worklist>(&audit.body) else { return Ok(()) };
    let sql = "SELECT number, decision FROM decision WHERE tenant = $1 AND dataset = $2";
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut **tx).await?;
    remember_decided(tx, tenant, dataset, audit.seq, worklist.decided(&rows.into_iter().collect())).await
}
