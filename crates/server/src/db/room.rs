//! What a tenant has, and may have: examples, and bytes of files and texts.
//!
//! Kept as a running total that changes with what it counts, in one transaction; each start adds all of it up anew. A file that several
//! examples share counts once; so do the bundle and the reports of a model. An upload counts from its first byte to when its import ends,
//! where there is a limit.

use std::collections::{HashMap, HashSet};

use sqlx::{Any, AnyConnection, Transaction};

use super::{Db, Tenant};

/// Values of one statement: SQLite takes some thirty thousand.
const VALUES_AT_ONCE: usize = 5000;

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
    /// Blobs with their sizes, of which the tenant may have some, and the data set that is to have them.
    pub(crate) files: (&'a str, HashMap<&'a str, i64>),
    /// Beside files.
    pub(crate) bytes: i64,
}

row! {
    /// What a tenant has.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Usage {
        pub(crate) examples: i64,
        pub(crate) bytes: i64,
    }
}

/// The room that is left, with the files that take none.
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

/// All of it, added up.
const ADDED_UP: &str = "SELECT (SELECT COUNT(*) FROM example WHERE tenant = $1) AS examples, CAST(\
     COALESCE((SELECT SUM(bytes) FROM (SELECT blob, MAX(bytes) AS bytes FROM dataset_file WHERE tenant = $1 GROUP BY blob) AS files), 0) \
     + COALESCE((SELECT SUM(OCTET_LENGTH(body)) FROM example WHERE tenant = $1), 0) \
     + COALESCE((SELECT SUM(bytes) FROM model WHERE tenant = $1), 0) \
     + COALESCE((SELECT SUM(bytes) FROM upload WHERE tenant = $1), 0) AS BIGINT) AS bytes";

impl Limits {
    /// Takes room for more, unless something stands in the way: then nothing of the transaction may be kept. Until it ends nobody else of the
    /// tenant takes any.
    pub(super) async fn take(
        self,
        tx: &mut Transaction<'static, Any>,
        tenant: &Tenant,
        more: &More<'_>,
    ) -> Result<Option<Full>, sqlx::Error> {
        // An update of nothing takes the lock on either database, before it is asked which files are known.
        change(tx, tenant, 0, 0).await?;
        let (dataset, files) = &more.files;
        let known = known(tx, tenant, files.keys().copied()).await?;
        let new = files.iter().filter(|(name, _)| !known.contains(**name)).map(|(_, bytes)| bytes);
        let bytes = new.sum::<i64>().saturating_add(more.bytes);
        let usage = change(tx, tenant, more.examples, bytes).await?;
        // Who has too much already, because less is allowed than was, may still do what takes no more.
        let over = |used: i64, more: i64, most: Option<i64>| most.filter(|most| more > 0 && used > *most);
        if let Some(most) = over(usage.examples, more.examples, self.examples) {
            return Ok(Some(Full::Examples(most)));
        }
        if let Some(most) = over(usage.bytes, bytes, self.bytes) {
            return Ok(Some(Full::Bytes(most)));
        }
        list(tx, tenant, dataset, files.iter().map(|(name, bytes)| (*name, *bytes))).await?;
        Ok(None)
    }
}

impl Db {
    /// What a tenant has.
    pub(crate) async fn usage(&self, tenant: &Tenant) -> Result<Usage, sqlx::Error> {
        let sql = "SELECT examples, bytes FROM room WHERE tenant = $1";
        sqlx::query_as(sql).bind(tenant.id()).fetch_one(&mut *self.of(tenant).await?).await
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

    /// The room for what a job is about to bring in, whose upload is then gone; `None` where there is no limit.
    pub(crate) async fn room(
        &self,
        tenant: &Tenant,
        job: &str,
        limits: Limits,
    ) -> Result<Option<Room>, sqlx::Error> {
        let Some(most) = limits.bytes else { return Ok(None) };
        let used = self.usage(tenant).await?.bytes;
        let mut connection = self.of(tenant).await?;
        let sql = "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM upload WHERE tenant = $1 AND job = $2";
        let ask = sqlx::query_scalar(sql).bind(tenant.id()).bind(job);
        let uploaded: i64 = ask.fetch_one(&mut *connection).await?;
        let sql = "SELECT DISTINCT blob FROM dataset_file WHERE tenant = $1";
        let known: Vec<String> =
            sqlx::query_scalar(sql).bind(tenant.id()).fetch_all(&mut *connection).await?;
        Ok(Some(Room { left: most - (used - uploaded), most, known: known.into_iter().collect() }))
    }

    /// Adds up anew what every tenant has, in case a total is not what it should be. Returns how many were not.
    pub(crate) async fn add_up(&self) -> Result<usize, sqlx::Error> {
        let sql = "SELECT id FROM tenant ORDER BY id";
        let tenants: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *self.whole().await?).await?;
        let mut n_wrong = 0;
        for tenant in tenants.into_iter().map(Tenant::of_row) {
            let mut tx = self.begin(&tenant).await?;
            // Whoever changes something now waits here, and changes what is right then.
            let kept = change(&mut tx, &tenant, 0, 0).await?;
            let is: Usage = sqlx::query_as(ADDED_UP).bind(tenant.id()).fetch_one(&mut *tx).await?;
            if kept != is {
                change(&mut tx, &tenant, is.examples - kept.examples, is.bytes - kept.bytes).await?;
                tx.commit().await?;
                n_wrong += 1;
            }
        }
        Ok(n_wrong)
    }
}

/// Changes what a tenant has, and returns what that is now.
pub(super) async fn change(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    examples: i64,
    bytes: i64,
) -> Result<Usage, sqlx::Error> {
    let sql = "UPDATE room SET examples = examples + $2, bytes = bytes + $3 WHERE tenant = $1 RETURNING examples, bytes";
    sqlx::query_as(sql).bind(tenant.id()).bind(examples).bind(bytes).fetch_one(connection).await
}

/// Gives back what a data set takes that is about to go: its files that no other data set of the tenant has, its texts.
pub(super) async fn leave(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
) -> Result<(), sqlx::Error> {
    let sql = "SELECT (SELECT COUNT(*) FROM example WHERE tenant = $1 AND dataset = $2) AS examples, CAST(\
         COALESCE((SELECT SUM(f.bytes) FROM dataset_file f WHERE f.tenant = $1 AND f.dataset = $2 AND NOT EXISTS \
         (SELECT 1 FROM dataset_file o WHERE o.tenant = $1 AND o.blob = f.blob AND o.dataset <> $2)), 0) \
         + COALESCE((SELECT SUM(OCTET_LENGTH(body)) FROM example WHERE tenant = $1 AND dataset = $2), 0) AS BIGINT) AS bytes";
    // Nobody shares one of its files any more from here on.
    change(tx, tenant, 0, 0).await?;
    let goes: Usage = sqlx::query_as(sql).bind(tenant.id()).bind(dataset).fetch_one(&mut **tx).await?;
    change(tx, tenant, -goes.examples, -goes.bytes).await.map(drop)
}

/// Those of the files that the tenant has.
async fn known(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    names: impl Iterator<Item = &str>,
) -> Result<HashSet<String>, sqlx::Error> {
    let names: Vec<&str> = names.collect();
    let mut known = HashSet::new();
    for names in names.chunks(VALUES_AT_ONCE) {
        let places: Vec<String> = (2..names.len() + 2).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT DISTINCT blob FROM dataset_file WHERE tenant = $1 AND blob IN ({})",
            places.join(", ")
        );
        let ask = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(tenant.id());
        let found: Vec<String> =
            names.iter().fold(ask, |ask, name| ask.bind(*name)).fetch_all(&mut *connection).await?;
        known.extend(found);
    }
    Ok(known)
}

/// Writes down that a data set has files.
pub(super) async fn list(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    dataset: &str,
    files: impl Iterator<Item = (&str, i64)>,
) -> Result<(), sqlx::Error> {
    let files: Vec<(&str, i64)> = files.collect();
    for files in files.chunks(VALUES_AT_ONCE) {
        let row = |row: usize| format!("($1, $2, ${}, ${})", 2 * row + 3, 2 * row + 4);
        let rows: Vec<String> = (0..files.len()).map(row).collect();
        let sql = format!(
            "INSERT INTO dataset_file (tenant, dataset, blob, bytes) VALUES {} ON CONFLICT (dataset, blob) DO NOTHING",
            rows.join(", ")
        );
        let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        files.iter().fold(ask, |ask, (name, bytes)| ask.bind(*name).bind(*bytes)).execute(&mut *connection).await?;
    }
    Ok(())
}
