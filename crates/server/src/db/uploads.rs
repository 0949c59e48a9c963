//! Uploads that are under way, and the room that they take.

use sqlx::{Any, AnyConnection, Transaction};

use super::datasets::hold;
use super::jobs::{Added, has_enough};
use super::room::{Full, Limits, More, change};
use super::{Db, Tenant};
use crate::clock::now;
use crate::ids::new_id;

/// How taking room for a piece ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reserved {
    Taken,
    Full(Full),
    /// The upload would be larger than one may be.
    TooLarge,
    /// The upload was finished or forgotten meanwhile.
    Over,
}

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

    /// Closes an upload and asks this server, which has its files, to read it, once: a second call gives the same job.
    pub(crate) async fn finish_upload(
        &self,
        tenant: &Tenant,
        id: &str,
        server: &str,
    ) -> Result<Added, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        // Nobody takes the data set away meanwhile: it is held before what belongs to it.
        let sql = "SELECT dataset FROM upload WHERE tenant = $1 AND id = $2";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(id);
        let Some(of): Option<String> = ask.fetch_optional(&mut *tx).await? else { return Ok(Added::Missing) };
        hold(&mut tx, tenant, &of).await?;
        let sql =
            "UPDATE upload SET job = COALESCE(job, $3) WHERE tenant = $1 AND id = $2 RETURNING dataset, job";
        let new = new_id();
        let ask = sqlx::query_as(sql).bind(tenant.id()).bind(id).bind(&new);
        let Some((dataset, job)): Option<(String, String)> = ask.fetch_optional(&mut *tx).await? else {
            return Ok(Added::Missing);
        };
        if job == new {
            if has_enough(&mut tx, tenant).await? {
                return Ok(Added::TooMany);
            }
            let payload = serde_json::json!({ "upload": id }).to_string();
            let sql = "INSERT INTO job (id, tenant, dataset, kind, state, payload, version, created_at, only_on) \
                 VALUES ($1, $2, $3, 'import', 'waiting', $4, 1, $5, $6)";
            let ask = sqlx::query(sql).bind(&job).bind(tenant.id()).bind(&dataset).bind(payload).bind(now());
            ask.bind(server).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(Added::Job(job))
    }

    /// Forgets the uploads of all tenants that began before `then`, but those that are being read.
    pub(crate) async fn forget_uploads(&self, then: i64) -> Result<(), sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        let sql = "DELETE FROM upload WHERE created_at < $1 AND (job IS NULL \
             OR job NOT IN (SELECT id FROM job WHERE state IN ('waiting', 'running'))) RETURNING tenant, bytes";
        let mut gone: Vec<(String, i64)> = sqlx::query_as(sql).bind(then).fetch_all(&mut *tx).await?;
        // Whoever holds the rooms of several tenants holds them in this order.
        gone.sort();
        for (tenant, bytes) in gone {
            change(&mut tx, &Tenant::of_row(tenant), 0, -bytes).await?;
        }
        tx.commit().await
    }

    /// Takes room for a piece that is about to be written; of one upload there may be `most` bytes.
    pub(crate) async fn reserve(
        &self,
        tenant: &Tenant,
        id: &str,
        (bytes, most): (i64, i64),
        limits: Limits,
    ) -> Result<Reserved, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let sql = "UPDATE upload SET bytes = bytes + $3 WHERE tenant = $1 AND id = $2 AND job IS NULL RETURNING bytes";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(id).bind(bytes);
        let Some(all): Option<i64> = ask.fetch_optional(&mut *tx).await? else {
            return Ok(Reserved::Over);
        };
        if all > most {
            return Ok(Reserved::TooLarge);
        }
        let more = More { bytes, ..More::default() };
        if let Some(full) = limits.take(&mut tx, tenant, &more).await? {
            return Ok(Reserved::Full(full));
        }
        tx.commit().await?;
        Ok(Reserved::Taken)
    }

    /// Gives room back: the piece was not written. What an upload that ended gave back already is not given back again.
    pub(crate) async fn release(&self, tenant: &Tenant, id: &str, bytes: i64) -> Result<(), sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let sql = "UPDATE upload SET bytes = bytes - $3 WHERE tenant = $1 AND id = $2 AND bytes >= $3";
        let ask = sqlx::query(sql).bind(tenant.id()).bind(id).bind(bytes);
        if ask.execute(&mut *tx).await?.rows_affected() == 1 {
            change(&mut tx, tenant, 0, -bytes).await?;
        }
        tx.commit().await
    }

    /// Forgets an upload; `false` when there is none.
    pub(crate) async fn remove_upload(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        let sql = "DELETE FROM upload WHERE tenant = $1 AND id = $2 RETURNING bytes";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(id);
        let Some(bytes): Option<i64> = ask.fetch_optional(&mut *tx).await? else { return Ok(false) };
        change(&mut tx, tenant, 0, -bytes).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Gives back the room of the upload that a job read, when the job is over.
pub(super) async fn give_back(connection: &mut AnyConnection, job: &str) -> Result<(), sqlx::Error> {
    let sql = "SELECT u.id, u.tenant, u.bytes FROM upload u JOIN job j ON j.id = u.job \
         WHERE u.job = $1 AND u.bytes > 0 AND j.state NOT IN ('waiting', 'running')";
    let ask = sqlx::query_as(sql).bind(job);
    let over: Option<(String, String, i64)> = ask.fetch_optional(&mut *connection).await?;
    let Some((id, tenant, bytes)) = over else { return Ok(()) };
    // Nothing is added to what was finished: the number is still the same, or somebody gave it back meanwhile.
    let sql = "UPDATE upload SET bytes = 0 WHERE id = $1 AND bytes = $2";
    let ask = sqlx::query(sql).bind(id).bind(bytes);
    if ask.execute(&mut *connection).await?.rows_affected() == 1 {
        change(connection, &Tenant::of_row(tenant), 0, -bytes).await?;
    }
    Ok(())
}

/// Forgets the uploads for a data set that is about to go.
pub(super) async fn forget_of(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM upload WHERE tenant = $1 AND dataset = $2 RETURNING bytes";
    let gone: Vec<i64> = sqlx::query_scalar(sql).bind(tenant.id()).bind(dataset).fetch_all(&mut **tx).await?;
    change(tx, tenant, 0, -gone.iter().sum::<i64>()).await.map(drop)
}
