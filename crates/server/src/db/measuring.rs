//! What earlier versions kept without counting it: files that are measured, and files of several senses that are listed, at the next start.

use super::room::list;
use super::{Db, Tenant};

impl Db {
    /// Files that an earlier version did not measure, with their tenants, some at a time.
    pub(crate) async fn unmeasured_blobs(&self) -> Result<Vec<(String, String)>, sqlx::Error> {
        let sql = "SELECT DISTINCT tenant, blob FROM dataset_file WHERE bytes IS NULL LIMIT 500";
        sqlx::query_as(sql).fetch_all(&mut *self.whole().await?).await
    }

    /// Models whose files an earlier version did not measure, with their tenants.
    pub(crate) async fn unmeasured_models(&self) -> Result<Vec<(String, String)>, sqlx::Error> {
        let sql = "SELECT tenant, id FROM model WHERE bytes IS NULL";
        sqlx::query_as(sql).fetch_all(&mut *self.whole().await?).await
    }

    /// Data sets of several senses whose files an earlier version did not list, with their tenants.
    pub(crate) async fn unlisted_datasets(&self) -> Result<Vec<(String, String)>, sqlx::Error> {
        let sql = "SELECT tenant, id FROM dataset WHERE unlisted = 1";
        sqlx::query_as(sql).fetch_all(&mut *self.whole().await?).await
    }

    /// What the examples of a data set know, of several senses, as JSON.
    pub(crate) async fn senses_of(&self, tenant: &Tenant, dataset: &str) -> Result<Vec<String>, sqlx::Error> {
        let sql =
            "SELECT DISTINCT senses FROM example WHERE tenant = $1 AND dataset = $2 AND senses IS NOT NULL";
        sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut *self.of(tenant).await?).await
    }

    pub(crate) async fn measure_blob(
        &self,
        tenant: &Tenant,
        blob: &str,
        bytes: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE dataset_file SET bytes = $3 WHERE tenant = $1 AND blob = $2";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(blob).bind(bytes);
        ask.execute(&mut *self.of(tenant).await?).await.map(drop)
    }

    pub(crate) async fn measure_model(
        &self,
        tenant: &Tenant,
        id: &str,
        bytes: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE model SET bytes = $3 WHERE tenant = $1 AND id = $2";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(id).bind(bytes);
        ask.execute(&mut *self.of(tenant).await?).await.map(drop)
    }

    /// Lists the files of a data set of several senses, with their sizes.
    pub(crate) async fn list_files(
        &self,
        tenant: &Tenant,
        dataset: &str,
        files: &[(String, i64)],
    ) -> Result<(), sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        list(&mut tx, tenant, dataset, files.iter().map(|(name, bytes)| (name.as_str(), *bytes))).await?;
        let sql = "UPDATE dataset SET unlisted = 0 WHERE tenant = $1 AND id = $2";
        sqlx::query(sql).bind(tenant.id()).bind(dataset).execute(&mut *tx).await?;
        tx.commit().await
    }
}
