//! What an audit found, and what somebody decided about it.

use std::collections::BTreeMap;

use super::jobs::{Held, end};
use super::{Db, Tenant};
use crate::clock::now;

row! {
    /// An audit of one state of the data.
    #[derive(Debug, Clone)]
    pub(crate) struct AuditRow {
        pub(crate) seq: i64,
        pub(crate) at: i64,
        pub(crate) body: String,
    }
}

impl Db {
    /// Keeps an audit in place of the one before, whose decisions are done with, and ends its job.
    pub(crate) async fn keep_audit(
        &self,
        tenant: &Tenant,
        dataset: &str,
        seq: i64,
        body: &str,
        held: &Held,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin().await?;
        if !held.still(&mut tx).await? {
            return Ok(false);
        }
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
            .bind(seq)
            .bind(now())
            .bind(body)
            .execute(&mut *tx)
            .await?;
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
        sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_optional(&self.pool).await
    }

    /// Notes what was decided about a finding.
    pub(crate) async fn decide(
        &self,
        tenant: &Tenant,
        dataset: &str,
        number: i64,
        decision: &str,
        person: &str,
    ) -> Result<(), sqlx::Error> {
        let sql = "INSERT INTO decision (tenant, dataset, number, decision, person, at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (dataset, number) DO UPDATE SET decision = excluded.decision, person = excluded.person, at = excluded.at";
        sqlx::query(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(number)
            .bind(decision)
            .bind(person)
            .bind(now())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All decisions about the audit that is kept, by the number of the finding.
    pub(crate) async fn decisions(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<BTreeMap<i64, String>, sqlx::Error> {
        let sql = "SELECT number, decision FROM decision WHERE tenant = $1 AND dataset = $2";
        let rows: Vec<(i64, String)> =
            sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().collect())
    }
}
