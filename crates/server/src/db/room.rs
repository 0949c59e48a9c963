//! What a tenant has, and may have: examples, and bytes of files and texts.
//!
//! Kept as a running total that changes with what it counts, in one transaction; each start adds all of it up anew. A file that several
//! examples share counts once; so do the bundle and the reports of a model. An upload counts from its first byte to when its import ends.

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
    /// Bytes that are left, and what stands in the way of more.
    pub(crate) fn left(&self) -> (u64, Full) {
        (u64::try_from(self.left).unwrap_or(0), Full::Bytes(self.most))
    }

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

    /// Bytes that a tenant may have beside what it has, and what stands in the way of more; `None` where there is no limit.
    pub(crate) async fn left(
        &self,
        tenant: &Tenant,
        limits: Limits,
    ) -> Result<Option<(u64, Full)>, sqlx::Error> {
        let Some(most) = limits.bytes else { return Ok(None) };
        let used = self.usage(tenant).await?.bytes;
        Ok(Some((u64::try_from(most.saturating_sub(used)).unwrap_or(0), Full::Bytes(most))))
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
        let mut n_wrong = 0;
        for tenant in self.tenants().await? {
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

/// Gives back what a few examples of a data set took that went: these files, unless another data set of the tenant has them, and bytes beside.
pub(super) async fn give_back(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
    dataset: &str,
    examples: i64,
    files: &[String],
    beside: i64,
) -> Result<(), sqlx::Error> {
    // Nobody shares one of the files any more from here on.
    change(tx, tenant, 0, 0).await?;
    let mut bytes = beside;
    for files in files.chunks(VALUES_AT_ONCE) {
        let places: Vec<String> = (3..files.len() + 3).map(|place| format!("${place}")).collect();
        let these = format!("f.tenant = $1 AND f.dataset = $2 AND f.blob IN ({})", places.join(", "));
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(f.bytes), 0) AS BIGINT) FROM dataset_file f WHERE {these} AND NOT EXISTS \
             (SELECT 1 FROM dataset_file o WHERE o.tenant = $1 AND o.blob = f.blob AND o.dataset <> $2)"
        );
        let ask = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        let freed: i64 = files.iter().fold(ask, |ask, file| ask.bind(file)).fetch_one(&mut **tx).await?;
        bytes += freed;
        let sql = format!("DELETE FROM dataset_file AS f WHERE {these}");
        let ask = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.id()).bind(dataset);
        files.iter().fold(ask, |ask, file| ask.bind(file)).execute(&mut **tx).await?;
    }
    change(tx, tenant, -examples, -bytes).await.map(drop)
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
        files
            .iter()
            .fold(ask, |ask, (name, bytes)| ask.bind(*name).bind(*bytes))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use testkit::Postgres;

    use super::*;
    use crate::db::arriving::{Arrived, Brought, Incoming};
    use crate::db::jobs::{Held, Work};
    use crate::db::models::ModelRow;
    use crate::db::uploads::Reserved;
    use crate::tasks::Task;

    const LIMITS: Limits = Limits { examples: None, bytes: Some(10_000) };
    /// Bytes of one upload.
    const MOST: i64 = 1_000_000;

    /// A team that brings things in and takes them out; after each step its total is what all of it adds up to.
    struct Team {
        db: Db,
        tenant: Tenant,
    }

    impl Team {
        async fn new(db: Db) -> Self {
            let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
            let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
            Self { db, tenant }
        }

        async fn set(&self, name: &str) -> String {
            self.db.add_dataset(&self.tenant, name, Task::Class).await.expect("added")
        }

        /// An upload of so many bytes becomes a text and these files, or what stands in the way.
        async fn bring(&self, dataset: &str, upload: i64, files: &[(&str, i64)]) -> Brought {
            let id = self.db.add_upload(&self.tenant, dataset).await.expect("asked").expect("an upload");
            let reserved = self.db.reserve(&self.tenant, &id, (upload, MOST), LIMITS).await.expect("asked");
            assert_eq!(reserved, Reserved::Taken);
            self.db.finish_upload(&self.tenant, &id, "here").await.expect("asked").job().expect("a job");
            let over = self.db.reserve(&self.tenant, &id, (1, MOST), LIMITS).await.expect("asked");
            assert_eq!(over, Reserved::Over, "nothing is added to what is finished");
            let job = self.db.claim_job("here", Work::Any).await.expect("asked").expect("a job");
            let held = Held { id: job.id, fence: job.fence };
            let name = files.iter().map(|(name, _)| *name).collect();
            let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect();
            let example = Incoming { name, body: Some("一二".to_owned()), files, ..Incoming::default() };
            let arrived = Arrived {
                modality: "text".to_owned(),
                senses: (None, None),
                task: Task::Class,
                classes: Vec::new(),
                examples: vec![example],
                left_out: Vec::new(),
            };
            let brought =
                self.db.bring_in(&self.tenant, dataset, &arrived, &held, LIMITS).await.expect("asked");
            if brought != Brought::Came {
                assert!(self.db.end_job(&held, "failed", None, None).await.expect("asked"));
            }
            brought
        }

        #[track_caller]
        fn check(&self, examples: i64, bytes: i64) -> impl Future<Output = ()> {
            let at = std::panic::Location::caller();
            async move {
                let usage = self.db.usage(&self.tenant).await.expect("asked");
                assert_eq!(usage, Usage { examples, bytes }, "{at}");
                assert_eq!(self.db.add_up().await.expect("added up"), 0, "{at}");
            }
        }
    }

    async fn come_and_go(db: Db) {
        let team = Team::new(db).await;
        let (db, tenant) = (&team.db, &team.tenant);
        let (one, two) = (team.set("one").await, team.set("two").await);
        assert_eq!(team.bring(&one, 5000, &[("a", 100), ("b", 200)]).await, Brought::Came);
        team.check(1, 306).await;
        assert_eq!(team.bring(&two, 10, &[("b", 200), ("c", 9000)]).await, Brought::Came);
        team.check(2, 9312).await;
        assert_eq!(team.bring(&two, 10, &[("d", 1000)]).await, Brought::Full(Full::Bytes(10_000)));
        team.check(2, 9312).await;
        // An upload under way, one that is dropped, one whose data set goes, one that nobody goes on with.
        let upload = async |set: &str, bytes| {
            let id = db.add_upload(tenant, set).await.expect("asked").expect("an upload");
            assert_eq!(db.reserve(tenant, &id, (bytes, MOST), LIMITS).await.expect("asked"), Reserved::Taken);
            id
        };
        let dropped = upload(&one, 50).await;
        db.release(tenant, &dropped, 20).await.expect("released");
        upload(&two, 7).await;
        team.check(2, 9349).await;
        assert!(db.remove_upload(tenant, &dropped).await.expect("asked"));
        team.check(2, 9319).await;
        assert!(db.remove_dataset(tenant, &two).await.expect("asked"));
        team.check(1, 306).await;
        upload(&one, 40).await;
        db.forget_uploads(i64::MAX).await.expect("forgotten");
        team.check(1, 306).await;
        let model = ModelRow {
            id: "m".to_owned(),
            dataset: one.clone(),
            name: "m".to_owned(),
            body: "{}".to_owned(),
            bytes: Some(77),
            created_at: 0,
            seq: None,
        };
        assert_eq!(db.bring_model(tenant, &model, LIMITS).await.expect("asked"), None);
        team.check(1, 383).await;
        // A job that is cancelled before anybody begins it.
        let waiting = upload(&one, 30).await;
        let job = db.finish_upload(tenant, &waiting, "here").await.expect("asked").job().expect("a job");
        assert!(db.cancel_job(tenant, &job).await.expect("asked"));
        team.check(1, 383).await;
        assert!(db.remove_model(tenant, "m").await.expect("asked"));
        assert!(db.remove_dataset(tenant, &one).await.expect("asked"));
        team.check(0, 0).await;
        // Whoever wrote something else into it is corrected.
        let mut tx = db.begin(tenant).await.expect("a transaction");
        change(&mut tx, tenant, 5, 5).await.expect("changed");
        tx.commit().await.expect("committed");
        assert_eq!(db.add_up().await.expect("added up"), 1);
        team.check(0, 0).await;
        at_once(&team).await;
    }

    /// Pieces that come at once take no more than there is, and none is forgotten.
    async fn at_once(team: &Team) {
        let set = team.set("three").await;
        let id = team.db.add_upload(&team.tenant, &set).await.expect("asked").expect("an upload");
        let pieces = (0..30).map(|_| {
            let (db, tenant, id) = (team.db.clone(), team.tenant.clone(), id.clone());
            tokio::spawn(async move { db.reserve(&tenant, &id, (1000, MOST), LIMITS).await.expect("asked") })
        });
        let mut taken = 0;
        for piece in pieces.collect::<Vec<_>>() {
            taken += usize::from(piece.await.expect("ended") == Reserved::Taken);
        }
        assert_eq!(taken, 10);
        team.check(0, 10_000).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_upload_has_its_bound_and_its_end_where_a_team_has_no_limit() {
        let dir = tempfile::tempdir().expect("a folder");
        let team = Team::new(Db::open(dir.path(), None).await.expect("a database")).await;
        let set = team.set("one").await;
        let id = team.db.add_upload(&team.tenant, &set).await.expect("asked").expect("an upload");
        let none = Limits { examples: None, bytes: None };
        let reserve =
            async |bytes| team.db.reserve(&team.tenant, &id, (bytes, 100), none).await.expect("asked");
        assert_eq!(reserve(60).await, Reserved::Taken);
        assert_eq!(reserve(60).await, Reserved::TooLarge, "however many files it comes in");
        assert_eq!(reserve(40).await, Reserved::Taken);
        team.check(0, 100).await;
        team.db.finish_upload(&team.tenant, &id, "here").await.expect("asked").job().expect("a job");
        assert_eq!(reserve(0).await, Reserved::Over);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_total_is_always_what_all_of_it_adds_up_to() {
        let dir = tempfile::tempdir().expect("a folder");
        come_and_go(Db::open(dir.path(), None).await.expect("a database")).await;
        let postgres = Postgres::start();
        come_and_go(Db::open(dir.path(), Some(&postgres.url())).await.expect("a database")).await;
    }
}
