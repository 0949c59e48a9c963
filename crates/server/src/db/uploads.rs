//! Uploads that are under way.

use sqlx::AnyConnection;

use super::room::{Full, Limits, More};
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
            .execute(&mut *self.of(tenant).await?)
            .await?;
        Ok((done.rows_affected() == 1).then_some(id))
    }

    /// The data set that an upload is for, and the job that reads it, from when it was finished.
    pub(crate) async fn upload(
        &self,
        tenant: &Tenant,
        id: &str,
    ) -> Result<Option<(String, Option<String>)>, sqlx::Error> {
        let sql = "SELECT dataset, job FROM upload WHERE tenant = $1 AND id = $2";
        sqlx::query_as(sql).bind(tenant.id()).bind(id).fetch_optional(&mut *self.of(tenant).await?).await
    }

    /// Closes an upload and asks this server, which has its files, to read it, once: a second call gives the same job. `None` when there is no such upload.
    pub(crate) async fn finish_upload(
        &self,
        tenant: &Tenant,
        id: &str,
        server: &str,
    ) -> Result<Option<String>, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let sql =
            "UPDATE upload SET job = COALESCE(job, $3) WHERE tenant = $1 AND id = $2 RETURNING dataset, job";
        let new = new_id();
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(id).bind(&new);
        let Some((dataset, job)): Option<(String, String)> = ask.fetch_optional(&mut *tx).await? else {
            return Ok(None);
        };
        if job == new {
            let payload = serde_json::json!({ "upload": id }).to_string();
            let sql = "INSERT INTO job (id, tenant, dataset, kind, state, payload, version, created_at, only_on) \
                 VALUES ($1, $2, $3, 'import', 'waiting', $4, 1, $5, $6)";
            let ask = sqlx::query(sql).bind(&job).bind(tenant.id()).bind(&dataset).bind(payload).bind(now());
            ask.bind(server).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(Some(job))
    }

    /// Forgets the uploads of all tenants that began before `then`, but those that are being read.
    pub(crate) async fn forget_uploads(&self, then: i64) -> Result<(), sqlx::Error> {
        let sql = "DELETE FROM upload WHERE created_at < $1 AND (job IS NULL \
             OR job NOT IN (SELECT id FROM job WHERE state IN ('waiting', 'running')))";
        sqlx::query(sql).bind(then).execute(&mut *self.whole().await?).await?;
        Ok(())
    }

    /// Takes room for a piece that is about to be written, where there is a limit; what stands in the way, if anything.
    pub(crate) async fn reserve(
        &self,
        tenant: &Tenant,
        id: &str,
        bytes: i64,
        limits: Limits,
    ) -> Result<Option<Full>, sqlx::Error> {
        if limits.bytes.is_none() {
            return Ok(None);
        }
        let mut tx = self.begin(tenant).await?;
        let more = More { bytes, ..More::default() };
        if let Some(full) = limits.refuse(&mut tx, tenant, &more).await? {
            return Ok(Some(full));
        }
        grow(&mut tx, tenant, id, bytes).await?;
        tx.commit().await?;
        Ok(None)
    }

    /// Gives room back: the piece was not written.
    pub(crate) async fn release(
        &self,
        tenant: &Tenant,
        id: &str,
        bytes: i64,
        limits: Limits,
    ) -> Result<(), sqlx::Error> {
        if limits.bytes.is_none() {
            return Ok(());
        }
        grow(&mut *self.of(tenant).await?, tenant, id, -bytes).await
    }

    /// Forgets an upload; `false` when there is none.
    pub(crate) async fn remove_upload(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let sql = "DELETE FROM upload WHERE tenant = $1 AND id = $2";
        let done = sqlx::query(sql).bind(tenant.id()).bind(id).execute(&mut *self.of(tenant).await?).await?;
        Ok(done.rows_affected() == 1)
    }
}

async fn grow(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    id: &str,
    bytes: i64,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE upload SET bytes = bytes + $3 WHERE tenant = $1 AND id = $2";
    sqlx::query(sql).bind(tenant.id()).bind(id).bind(bytes).execute(connection).await?;
    Ok(())
}
