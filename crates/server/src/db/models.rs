//! Models: small ones, made of data sets, with what is known of them.

use sqlx::{Any, Transaction};

use super::arriving::Brought;
use super::jobs::{Held, end};
use super::milestones::{Milestone, remember};
use super::room::{Full, Limits, More, change};
use super::{Db, Tenant};

row! {
    /// A model; its bundle and its reports are files.
    #[derive(Debug, Clone)]
    pub(crate) struct ModelRow {
        pub(crate) id: String,
        pub(crate) dataset: String,
        pub(crate) name: String,
        /// Everything that was measured, as JSON.
        pub(crate) body: String,
        /// Of its files.
        pub(crate) bytes: Option<i64>,
        pub(crate) created_at: i64,
        /// The state of the data that taught it; absent where that is not known.
        pub(crate) seq: Option<i64>,
    }
}

const MODEL: &str = "SELECT id, dataset, name, body, bytes, created_at, seq FROM model";

impl Db {
    /// Makes a model known and ends the job that made it, both or neither.
    pub(crate) async fn add_model(
        &self,
        tenant: &Tenant,
        row: &ModelRow,
        held: &Held,
        limits: Limits,
    ) -> Result<Brought, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        if !held.still(&mut tx).await? {
            return Ok(Brought::Lost);
        }
        if let Some(full) = limits.take(&mut tx, tenant, &more(row)).await? {
            return Ok(Brought::Full(full));
        }
        add(&mut tx, tenant, row).await?;
        if let Some(seq) = row.seq {
            let tuned = Milestone::Tune { model: row.id.clone(), name: row.name.clone() };
            remember(&mut tx, tenant, &row.dataset, seq, &tuned, None).await?;
        }
        let result = serde_json::json!({ "model": row.id }).to_string();
        end(&mut tx, held, "done", Some(&result), None).await?;
        tx.commit().await?;
        Ok(Brought::Came)
    }

    /// Makes a model known that was made elsewhere, unless the tenant would have more than it may.
    pub(crate) async fn bring_model(
        &self,
        tenant: &Tenant,
        row: &ModelRow,
        limits: Limits,
    ) -> Result<Option<Full>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let full = limits.take(&mut tx, tenant, &more(row)).await?;
        if full.is_none() {
            add(&mut tx, tenant, row).await?;
            tx.commit().await?;
        }
        Ok(full)
    }

    pub(crate) async fn models(
        &self,
        tenant: &Tenant,
        dataset: Option<&str>,
    ) -> Result<Vec<ModelRow>, sqlx::Error> {
        let sql = format!(
            "{MODEL} WHERE tenant = $1 AND ($2 IS NULL OR dataset = $2) ORDER BY created_at DESC, id"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    pub(crate) async fn model(&self, tenant: &Tenant, id: &str) -> Result<Option<ModelRow>, sqlx::Error> {
        let sql = format!("{MODEL} WHERE tenant = $1 AND id = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(id)
            .fetch_optional(&mut *self.of(tenant).await?)
            .await
    }

    /// Takes a model out that is not deployed; `false` when it is, or there is none.
    pub(crate) async fn remove_model(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM model WHERE tenant = $1 AND id = $2 \
             AND NOT EXISTS (SELECT 1 FROM deployment WHERE tenant = $1 AND (model = $2 OR previous = $2 OR shadow = $2)) RETURNING COALESCE(bytes, 0)";
        let mut tx = self.begin(tenant).await?;
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(id);
        let Some(bytes): Option<i64> = ask.fetch_optional(&mut *tx).await? else { return Ok(false) };
        change(&mut tx, tenant, 0, -bytes).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// What it takes.
fn more(row: &ModelRow) -> More<'static> {
    More { bytes: row.bytes.unwrap_or_default(), ..More::default() }
}

async fn add(tx: &mut Transaction<'static, Any>, tenant: &Tenant, row: &ModelRow) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO model (id, tenant, dataset, name, body, created_at, bytes, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let ask = sqlx::query(sql).bind(&row.id).bind(tenant.id()).bind(&row.dataset).bind(&row.name);
    let ask = ask.bind(&row.body).bind(row.created_at).bind(row.bytes).bind(row.seq);
    ask.execute(&mut **tx).await?;
    Ok(())
}
