//! Models: small ones, made of data sets, with what is known of them.

use sqlx::{Any, Transaction};

use super::jobs::{Held, end};
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
        pub(crate) created_at: i64,
    }
}

const MODEL: &str = "SELECT id, dataset, name, body, created_at FROM model";

impl Db {
    /// Makes a model known and ends the job that made it, both or neither.
    pub(crate) async fn add_model(
        &self,
        tenant: &Tenant,
        row: &ModelRow,
        held: &Held,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin().await?;
        if !held.still(&mut tx).await? {
            return Ok(false);
        }
        add(&mut tx, tenant, row).await?;
        let result = serde_json::json!({ "model": row.id }).to_string();
        end(&mut tx, held, "done", Some(&result), None).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Makes a model known that was made elsewhere.
    pub(crate) async fn bring_model(&self, tenant: &Tenant, row: &ModelRow) -> Result<(), sqlx::Error> {
        let mut tx = self.begin().await?;
        add(&mut tx, tenant, row).await?;
        tx.commit().await
    }

    pub(crate) async fn models(
        &self,
        tenant: &Tenant,
        dataset: Option<&str>,
    ) -> Result<Vec<ModelRow>, sqlx::Error> {
        let sql = format!(
            "{MODEL} WHERE tenant = $1 AND ($2 IS NULL OR dataset = $2) ORDER BY created_at DESC, id"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset).fetch_all(&self.pool).await
    }

    pub(crate) async fn model(&self, tenant: &Tenant, id: &str) -> Result<Option<ModelRow>, sqlx::Error> {
        let sql = format!("{MODEL} WHERE tenant = $1 AND id = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(id).fetch_optional(&self.pool).await
    }

    /// Takes a model out that is not deployed; `false` when it is, or there is none.
    pub(crate) async fn remove_model(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM model WHERE tenant = $1 AND id = $2 \
             AND NOT EXISTS (SELECT 1 FROM deployment WHERE tenant = $1 AND (model = $2 OR previous = $2 OR shadow = $2))";
        let done = sqlx::query(sql).bind(tenant.id()).bind(id).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }
}

async fn add(tx: &mut Transaction<'static, Any>, tenant: &Tenant, row: &ModelRow) -> Result<(), sqlx::Error> {
    let sql =
        "INSERT INTO model (id, tenant, dataset, name, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    let ask = sqlx::query(sql).bind(&row.id).bind(tenant.id()).bind(&row.dataset).bind(&row.name);
    ask.bind(&row.body).bind(row.created_at).execute(&mut **tx).await?;
    Ok(())
}
