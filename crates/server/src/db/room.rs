//! What a tenant has, and may have: examples, and bytes of files.
//!
//! A file that several examples share counts once; so do the bundle and the reports of a model. An upload counts from its first byte
//! to when its import ends, where there is a limit.

use std::collections::{HashMap, HashSet};

use sqlx::{Any, Transaction};

use super::{Db, Tenant};

/// What each tenant may have; `None` sets no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) examples: Option<i64>,
    pub(crate) bytes: Option<i64>,
}

/// What stands in the way: so many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Examples(i64),
    Bytes(i64),
}

/// What is to come.
#[derive(Debug, Default)]
pub(crate) struct More<'a> {
    pub(crate) examples: i64,
    /// Blobs with their sizes, of which the tenant may have some.
    pub(crate) files: HashMap<&'a str, i64>,
    /// The job that reads an upload, which is then gone.
    pub(crate) reads: &'a str,
    /// Beside files.
    pub(crate) bytes: i64,
}

row! {
    /// What a tenant has.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Usage {
        pub(crate) examples: i64,
        pub(crate) bytes: i64,
    }
}

/// The room that is left for files, with what takes none.
#[derive(Debug)]
pub(crate) struct Room {
    left: i64,
    most: i64,
    known: HashSet<String>,
}

impl Room {
    /// What stands in the way of these files, by name with their sizes.
    pub(crate) fn refuse(&self, files: &HashMap<String, i64>) -> Option<Full> {
        let new = files.iter().filter(|(name, _)| !self.known.contains(*name));
        let new: i64 = new.map(|(_, bytes)| bytes).sum();
        (new > 0 && new > self.left).then_some(Full::Bytes(self.most))
    }
}

/// All but the upload that the job `$2` reads.
const USAGE: &str = "SELECT (SELECT COUNT(*) FROM example WHERE tenant = $1) AS examples, CAST(\
     COALESCE((SELECT SUM(bytes) FROM (SELECT DISTINCT blob, bytes FROM example WHERE tenant = $1 AND blob IS NOT NULL) AS files), 0) \
     + COALESCE((SELECT SUM(bytes) FROM example WHERE tenant = $1 AND senses IS NOT NULL), 0) \
     + COALESCE((SELECT SUM(bytes) FROM model WHERE tenant = $1), 0) \
     + COALESCE((SELECT SUM(u.bytes) FROM upload u LEFT JOIN job j ON j.id = u.job WHERE u.tenant = $1 \
     AND (u.job IS NULL OR (u.job <> $2 AND j.state IN ('waiting', 'running')))), 0) AS BIGINT) AS bytes";
/// Files that take no room when they come again.
const KNOWN: &str = "SELECT DISTINCT blob FROM example WHERE tenant = $1 AND blob IS NOT NULL";

impl Limits {
    /// What stands in the way of more. Until the transaction ends nobody else of the tenant gets an answer.
    pub(super) async fn refuse(
        self,
        tx: &mut Transaction<'static, Any>,
        tenant: &Tenant,
        more: &More<'_>,
    ) -> Result<Option<Full>, sqlx::Error> {
        if self.examples.is_none() && self.bytes.is_none() {
            return Ok(None);
        }
        // An update of nothing takes the lock on either database.
        let hold = "UPDATE tenant SET name = name WHERE id = $1";
        sqlx::query(hold).bind(tenant.id()).execute(&mut **tx).await?;
        let usage: Usage =
            sqlx::query_as(USAGE).bind(tenant.id()).bind(more.reads).fetch_one(&mut **tx).await?;
        // Who has too much already, because less is allowed than was, may still do what takes no more.
        let over = |used: i64, more: i64, most: i64| more > 0 && used.saturating_add(more) > most;
        if let Some(most) = self.examples.filter(|most| over(usage.examples, more.examples, *most)) {
            return Ok(Some(Full::Examples(most)));
        }
        let Some(most) = self.bytes else { return Ok(None) };
        let mut new = more.files.clone();
        if !new.is_empty() {
            let known: Vec<String> = sqlx::query_scalar(KNOWN).bind(tenant.id()).fetch_all(&mut **tx).await?;
            let known: HashSet<&str> = known.iter().map(String::as_str).collect();
            new.retain(|name, _| !known.contains(name));
        }
        let bytes = new.values().sum::<i64>().saturating_add(more.bytes);
        Ok(over(usage.bytes, bytes, most).then_some(Full::Bytes(most)))
    }
}

impl Db {
    /// What a tenant has.
    pub(crate) async fn usage(&self, tenant: &Tenant) -> Result<Usage, sqlx::Error> {
        sqlx::query_as(USAGE).bind(tenant.id()).bind("").fetch_one(&mut *self.of(tenant).await?).await
    }

    /// What stands in the way of so many bytes more.
    pub(crate) async fn full(
        &self,
        tenant: &Tenant,
        bytes: i64,
        limits: Limits,
    ) -> Result<Option<Full>, sqlx::Error> {
        let Some(most) = limits.bytes else { return Ok(None) };
        let used = self.usage(tenant).await?.bytes;
        Ok((used.saturating_add(bytes) > most).then_some(Full::Bytes(most)))
    }

    /// The room for what a job is about to bring in; `None` where there is no limit.
    pub(crate) async fn room(
        &self,
        tenant: &Tenant,
        job: &str,
        limits: Limits,
    ) -> Result<Option<Room>, sqlx::Error> {
        let Some(most) = limits.bytes else { return Ok(None) };
        let mut connection = self.of(tenant).await?;
        let usage: Usage =
            sqlx::query_as(USAGE).bind(tenant.id()).bind(job).fetch_one(&mut *connection).await?;
        let known: Vec<String> =
            sqlx::query_scalar(KNOWN).bind(tenant.id()).fetch_all(&mut *connection).await?;
        Ok(Some(Room { left: most - usage.bytes, most, known: known.into_iter().collect() }))
    }

    /// Files that an earlier version did not measure: blobs with their tenants, some at a time.
    pub(crate) async fn unmeasured_blobs(&self) -> Result<Vec<(String, String)>, sqlx::Error> {
        let sql =
            "SELECT DISTINCT tenant, blob FROM example WHERE blob IS NOT NULL AND bytes IS NULL LIMIT 500";
        sqlx::query_as(sql).fetch_all(&mut *self.whole().await?).await
    }

    /// Models whose files an earlier version did not measure, with their tenants.
    pub(crate) async fn unmeasured_models(&self) -> Result<Vec<(String, String)>, sqlx::Error> {
        let sql = "SELECT tenant, id FROM model WHERE bytes IS NULL";
        sqlx::query_as(sql).fetch_all(&mut *self.whole().await?).await
    }

    pub(crate) async fn measure_blob(
        &self,
        tenant: &Tenant,
        blob: &str,
        bytes: i64,
    ) -> Result<(), sqlx::Error> {
        let sql = "UPDATE example SET bytes = $3 WHERE tenant = $1 AND blob = $2";
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
}
