//! Which model answers under which name.

use super::{Db, Tenant};
use crate::clock::now;

/// A name that answers.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct DeploymentRow {
    pub(crate) name: String,
    pub(crate) model: String,
    pub(crate) previous: Option<String>,
    pub(crate) created_at: i64,
}

const DEPLOYMENT: &str = "SELECT name, model, previous, created_at FROM deployment";

impl Db {
    pub(crate) async fn deployments(&self, tenant: &Tenant) -> Result<Vec<DeploymentRow>, sqlx::Error> {
        let sql = format!("{DEPLOYMENT} WHERE tenant = $1 ORDER BY created_at DESC, name");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).fetch_all(&self.pool).await
    }

    pub(crate) async fn deployment(
        &self,
        tenant: &Tenant,
        name: &str,
    ) -> Result<Option<DeploymentRow>, sqlx::Error> {
        let sql = format!("{DEPLOYMENT} WHERE tenant = $1 AND name = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(name).fetch_optional(&self.pool).await
    }

    /// Lets a model answer under a name; what answered before is remembered. `false` when the tenant has no such model.
    pub(crate) async fn deploy(&self, tenant: &Tenant, name: &str, model: &str) -> Result<bool, sqlx::Error> {
        let sql = "INSERT INTO deployment (tenant, name, model, previous, created_at) \
             SELECT $1, $2, $3, NULL, $4 WHERE EXISTS (SELECT 1 FROM model WHERE id = $3 AND tenant = $1) \
             ON CONFLICT (tenant, name) DO UPDATE SET \
             previous = CASE WHEN deployment.model = excluded.model THEN deployment.previous ELSE deployment.model END, \
             model = excluded.model, created_at = excluded.created_at";
        let done =
            sqlx::query(sql).bind(tenant.id()).bind(name).bind(model).bind(now()).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Lets the model before answer again; `false` when there is none.
    pub(crate) async fn roll_back(&self, tenant: &Tenant, name: &str) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE deployment SET model = previous, previous = model, created_at = $3 \
             WHERE tenant = $1 AND name = $2 AND previous IS NOT NULL";
        let done = sqlx::query(sql).bind(tenant.id()).bind(name).bind(now()).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    pub(crate) async fn remove_deployment(&self, tenant: &Tenant, name: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM deployment WHERE tenant = $1 AND name = $2";
        let done = sqlx::query(sql).bind(tenant.id()).bind(name).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }
}
