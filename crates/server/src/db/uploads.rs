//! Uploads that are under way.

use super::{Db, Tenant};
use crate::clock::now;
use crate::ids::new_id;

impl Db {
    /// Begins an upload; `None` when the tenant has no such data set.
    pub(crate) async fn add_upload(
        &self,
        tenant: &Tenant,
        dataset: &str,
    ) -> Result<Option<String>, sqlx::Error> {
        let id = new_id();
        let sql = "INSERT INTO upload (id, tenant, dataset, created_at) \
             SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM dataset WHERE id = $3 AND tenant = $2)";
        let done = sqlx::query(sql)
            .bind(&id)
            .bind(tenant.id())
            .bind(dataset)
            .bind(now())
            .execute(&self.pool)
            .await?;
        Ok((done.rows_affected() == 1).then_some(id))
    }

    /// The data set that an upload is for.
    pub(crate) async fn upload(&self, tenant: &Tenant, id: &str) -> Result<Option<String>, sqlx::Error> {
        let sql = "SELECT dataset FROM upload WHERE tenant = $1 AND id = $2";
        sqlx::query_scalar(sql).bind(tenant.id()).bind(id).fetch_optional(&self.pool).await
    }

    /// Forgets an upload; `false` when there is none.
    pub(crate) async fn remove_upload(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM upload WHERE tenant = $1 AND id = $2";
        let done = sqlx::query(sql).bind(tenant.id()).bind(id).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }
}
