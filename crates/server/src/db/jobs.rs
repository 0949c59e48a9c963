//! Jobs under leases. A worker claims one for a while and says again and again that it lives; one that falls silent loses the
//! job to another, and its fence no longer fits: whatever it still wants to write is refused.

use sqlx::{Any, Transaction};

use super::people::hold_tenant;
use super::uploads::give_back;
use super::{Db, Tenant, steps};
use crate::clock::now;
use crate::ids::new_id;

/// How long a worker may be silent.
pub(crate) const LEASE: i64 = 30_000;
/// How often a job is begun before it is given up.
pub(crate) const ATTEMPTS: i64 = 3;
/// Jobs of one tenant that wait or run.
const MOST_OPEN: i64 = 50;

/// How asking for a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Added {
    /// Its id.
    Job(String),
    /// The tenant has nothing that it could be done with.
    Missing,
    /// As many of the tenant's jobs wait or run as may.
    TooMany,
}

/// What a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Any,
    /// Only what brings data in, for which somebody waits.
    Imports,
}

row! {
    /// A job as it stands.
    #[derive(Debug, Clone)]
    pub(crate) struct JobRow {
        pub(crate) id: String,
        pub(crate) tenant: String,
        pub(crate) dataset: String,
        pub(crate) kind: String,
        pub(crate) state: String,
        pub(crate) payload: String,
        pub(crate) version: i64,
        pub(crate) step: Option<String>,
        pub(crate) done: i64,
        pub(crate) total: i64,
        pub(crate) error: Option<String>,
        pub(crate) result: Option<String>,
        pub(crate) created_at: i64,
        pub(crate) ended_at: Option<i64>,
        pub(crate) fence: i64,
        pub(crate) attempts: i64,
    }
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Far {
    pub(crate) step: Option<&'static str>,
    pub(crate) done: i64,
    pub(crate) total: i64,
    /// Rooms that it entered since that was said last, in order.
    pub(crate) entered: Vec<&'static str>,
}

/// The right to write for a job.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) fence: i64,
}

impl Held {
    /// Whether the job is still held; the answer holds until the transaction ends, and so does the data set. Everybody takes them in this
    /// order, so that none waits for each other: a data set, its jobs, their uploads, the room.
    pub(crate) async fn still(&self, tx: &mut Transaction<'static, Any>) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE dataset SET seq = seq WHERE id = (SELECT dataset FROM job WHERE id = $1)";
        sqlx::query(sql).bind(&self.id).execute(&mut **tx).await?;
        let sql = "UPDATE job SET lease_until = $3 WHERE id = $1 AND fence = $2 AND state = 'running' AND cancelled = 0";
        let done =
            sqlx::query(sql).bind(&self.id).bind(self.fence).bind(now() + LEASE).execute(&mut **tx).await?;
        Ok(done.rows_affected() == 1)
    }
}

const JOB: &str = "id, tenant, dataset, kind, state, payload, version, step, done, total, error, result, created_at, ended_at, \
     fence, attempts";

impl Db {
    /// Asks for something to be done with a data set.
    pub(crate) async fn add_job(
        &self,
        tenant: &Tenant,
        dataset: &str,
        kind: &str,
        payload: &str,
    ) -> Result<Added, sqlx::Error> {
        let mut tx = self.begin(tenant).await?;
        if has_enough(&mut tx, tenant).await? {
            return Ok(Added::TooMany);
        }
        let id = new_id();
        let sql = "INSERT INTO job (id, tenant, dataset, kind, state, payload, version, created_at) \
             SELECT $1, $2, $3, $4, 'waiting', $5, 1, $6 WHERE EXISTS (SELECT 1 FROM dataset WHERE id = $3 AND tenant = $2)";
        let done = sqlx::query(sql)
            .bind(&id)
            .bind(tenant.id())
            .bind(dataset)
            .bind(kind)
            .bind(payload)
            .bind(now())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(if done.rows_affected() == 1 { Added::Job(id) } else { Added::Missing })
    }

    pub(crate) async fn job(&self, tenant: &Tenant, id: &str) -> Result<Option<JobRow>, sqlx::Error> {
        let sql = format!("SELECT {JOB} FROM job WHERE tenant = $1 AND id = $2");
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(id)
            .fetch_optional(&mut *self.of(tenant).await?)
            .await
    }

    /// The last jobs, the newest first.
    pub(crate) async fn jobs(
        &self,
        tenant: &Tenant,
        dataset: Option<&str>,
    ) -> Result<Vec<JobRow>, sqlx::Error> {
        let sql = format!(
            "SELECT {JOB} FROM job WHERE tenant = $1 AND ($2 IS NULL OR dataset = $2) ORDER BY created_at DESC, id LIMIT 100"
        );
        sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(tenant.id())
            .bind(dataset)
            .fetch_all(&mut *self.of(tenant).await?)
            .await
    }

    /// A job of this kind that waits or runs.
    pub(crate) async fn open_job(
        &self,
        tenant: &Tenant,
        dataset: &str,
        kind: &str,
    ) -> Result<Option<String>, sqlx::Error> {
        let sql = "SELECT id FROM job WHERE tenant = $1 AND dataset = $2 AND kind = $3 AND state IN ('waiting', 'running') \
             AND cancelled = 0 ORDER BY created_at LIMIT 1";
        sqlx::query_scalar(sql)
            .bind(tenant.id())
            .bind(dataset)
            .bind(kind)
            .fetch_optional(&mut *self.of(tenant).await?)
            .await
    }

    /// Takes a job that waits, or whose worker fell silent: of the tenant that fewest are done for, then of the one whose last job ended
    /// longest ago, the oldest. One that was begun too often is given up instead.
    pub(crate) async fn claim_job(&self, server: &str, work: Work) -> Result<Option<JobRow>, sqlx::Error> {
        let given_up = r#"{"code":"given_up","en":"the work was begun several times and never ended","zh":"该任务多次开始但都未完成","hint":null}"#;
        // Two workers of PostgreSQL take different rows, and wait for nobody; SQLite has one writer at a time.
        let skip = if self.is_sqlite() { "" } else { "FOR UPDATE SKIP LOCKED" };
        let sql = format!(
            "UPDATE job SET state = 'failed', error = $1, ended_at = $2, version = version + 1 WHERE id IN \
             (SELECT id FROM job WHERE state = 'running' AND lease_until < $2 AND attempts >= $3 {skip}) RETURNING tenant, id"
        );
        let mut tx = self.begin_whole().await?;
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(given_up).bind(now()).bind(ATTEMPTS);
        let mut over: Vec<(String, String)> = ask.fetch_all(&mut *tx).await?;
        // Whoever holds the rooms of several tenants holds them in this order.
        over.sort();
        for (_, job) in over {
            give_back(&mut tx, &job).await?;
        }
        tx.commit().await?;
        let sql = format!(
            "UPDATE job SET state = 'running', fence = fence + 1, attempts = attempts + 1, lease_until = $1, version = version + 1 \
             WHERE id = (SELECT j.id FROM job j WHERE (j.state = 'waiting' OR (j.state = 'running' AND j.lease_until < $2)) \
             AND (j.only_on IS NULL OR j.only_on = $3) AND (j.kind = $4 OR $4 = '') ORDER BY \
             (SELECT COUNT(*) FROM job r WHERE r.tenant = j.tenant AND r.state = 'running' AND r.lease_until >= $2), \
             COALESCE((SELECT MAX(r.ended_at) FROM job r WHERE r.tenant = j.tenant), 0), \
             j.created_at, j.id LIMIT 1 {skip}) RETURNING {JOB}"
        );
        let kind = match work {
            Work::Any => "",
            Work::Imports => "import",
        };
        let ask = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(now() + LEASE).bind(now());
        let ask = ask.bind(server).bind(kind);
        ask.fetch_optional(&mut *self.whole().await?).await
    }

    /// Says how far a job is, which rooms it entered since that was said last, and that its worker lives. `false` when it is no longer
    /// held, or should stop.
    pub(crate) async fn progress(&self, held: &Held, far: &Far) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE job SET step = $3, done = $4, total = $5, lease_until = $6, version = version + $7 \
             WHERE id = $1 AND fence = $2 AND state = 'running' AND cancelled = 0 RETURNING tenant, version";
        // Each room has a version of its own.
        let versions = i64::try_from(far.entered.len()).unwrap_or(0) + 1;
        let mut tx = self.begin_whole().await?;
        let ask = sqlx::query_as(sql).bind(&held.id).bind(held.fence).bind(far.step).bind(far.done);
        let ask = ask.bind(far.total).bind(now() + LEASE).bind(versions);
        let Some((tenant, version)): Option<(String, i64)> = ask.fetch_optional(&mut *tx).await? else {
            return Ok(false);
        };
        steps::enter(&mut tx, (&tenant, &held.id, version), &far.entered).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends a job that is still held.
    pub(crate) async fn end_job(
        &self,
        held: &Held,
        state: &str,
        result: Option<&str>,
        error: Option<&str>,
    ) -> Result<bool, sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        let ended = end(&mut tx, held, state, result, error).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Gives a job back, to be begun again by the next worker: the server is closing.
    pub(crate) async fn give_back(&self, held: &Held) -> Result<(), sqlx::Error> {
        let sql = "UPDATE job SET state = 'waiting', attempts = attempts - 1, version = version + 1 \
             WHERE id = $1 AND fence = $2 AND state = 'running'";
        sqlx::query(sql).bind(&held.id).bind(held.fence).execute(&mut *self.whole().await?).await?;
        Ok(())
    }

    /// Asks a job to stop. One that waits has stopped at once.
    pub(crate) async fn cancel_job(&self, tenant: &Tenant, id: &str) -> Result<bool, sqlx::Error> {
        let sql = "UPDATE job SET cancelled = 1, version = version + 1, \
             ended_at = CASE WHEN state = 'waiting' THEN $3 ELSE ended_at END, \
             state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END \
             WHERE tenant = $1 AND id = $2 AND state IN ('waiting', 'running')";
        let mut tx = self.begin(tenant).await?;
        let done = sqlx::query(sql).bind(tenant.id()).bind(id).bind(now()).execute(&mut *tx).await?;
        give_back(&mut tx, id).await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Whether a tenant has as many jobs that wait or run as it may. Nobody else adds one until the transaction ends.
pub(super) async fn has_enough(
    tx: &mut Transaction<'static, Any>,
    tenant: &Tenant,
) -> Result<bool, sqlx::Error> {
    hold_tenant(tx, tenant).await?;
    let sql = "SELECT COUNT(*) FROM job WHERE tenant = $1 AND state IN ('waiting', 'running')";
    let n: i64 = sqlx::query_scalar(sql).bind(tenant.id()).fetch_one(&mut **tx).await?;
    Ok(n >= MOST_OPEN)
}

/// Ends a job within a transaction that also writes what came of it. The room of an upload that it read is free from then on.
pub(super) async fn end(
    tx: &mut Transaction<'static, Any>,
    held: &Held,
    state: &str,
    result: Option<&str>,
    error: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE job SET state = $3, result = $4, error = $5, ended_at = $6, version = version + 1 \
         WHERE id = $1 AND fence = $2 AND state = 'running'";
    let done = sqlx::query(sql)
        .bind(&held.id)
        .bind(held.fence)
        .bind(state)
        .bind(result)
        .bind(error)
        .bind(now())
        .execute(&mut **tx)
        .await?;
    give_back(tx, &held.id).await?;
    Ok(done.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use testkit::Postgres;

    use super::*;
    use crate::db::datasets::hold;
    use crate::db::room::change;
    use crate::tasks::Task;

    /// Waits until so many connections wait for what others hold.
    async fn until_waiting(db: &Db, n: i64) {
        let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        loop {
            let mut connection = db.whole().await.expect("a connection");
            let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&mut *connection).await.expect("asked");
            if waiting == n {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_data_set_that_goes_and_a_job_that_came_meanwhile_do_not_wait_for_each_other() {
        let (dir, postgres) = (tempfile::tempdir().expect("a folder"), Postgres::start());
        let db = Db::open(dir.path(), Some(&postgres.url())).await.expect("a database");
        let ann = db.found("ours", "ann").await.expect("asked").expect("an owner");
        let tenant = Tenant::of_row(db.person(&ann).await.expect("asked").expect("ann").tenant);
        let set = db.add_dataset(&tenant, "set", Task::Class).await.expect("added");
        // Whoever holds the room keeps the removal from ending.
        let mut room = db.begin(&tenant).await.expect("a transaction");
        change(&mut room, &tenant, 0, 0).await.expect("held");
        let removing = tokio::spawn({
            let (db, tenant, set) = (db.clone(), tenant.clone(), set.clone());
            async move { db.remove_dataset(&tenant, &set).await }
        });
        until_waiting(&db, 1).await;
        db.add_job(&tenant, &set, "tune", "{}").await.expect("asked").job().expect("a job");
        let job = db.claim_job("here", Work::Any).await.expect("asked").expect("a job");
        let ending = tokio::spawn({
            let (db, tenant, held) = (db.clone(), tenant.clone(), Held { id: job.id, fence: job.fence });
            async move {
                let mut tx = db.begin(&tenant).await?;
                let still = held.still(&mut tx).await?;
                hold(&mut tx, &tenant, &set).await?;
                Ok::<bool, sqlx::Error>(still)
            }
        });
        until_waiting(&db, 2).await;
        room.commit().await.expect("committed");
        assert!(removing.await.expect("ended").expect("no deadlock"), "it is gone");
        assert!(!ending.await.expect("ended").expect("no deadlock"), "the job went with it");
    }

    /// A tenant with a data set.
    async fn team(db: &Db, owner: &str) -> (Tenant, String) {
        let id = match db.found(owner, owner).await.expect("asked") {
            Some(first) => first,
            None => db.add_tenant(owner, owner, "a hash").await.expect("asked").expect("another"),
        };
        let tenant = Tenant::of_row(db.person(&id).await.expect("asked").expect("an owner").tenant);
        let set = db.add_dataset(&tenant, "set", Task::Class).await.expect("added");
        (tenant, set)
    }

    async fn take_turns(db: &Db) {
        let ((ann, anns), (bob, bobs)) = (team(db, "ann").await, team(db, "bob").await);
        let add =
            async |tenant: &Tenant, set: &str| db.add_job(tenant, set, "tune", "{}").await.expect("asked");
        let mut waiting = Vec::new();
        for _ in 0..MOST_OPEN {
            waiting.push(add(&ann, &anns).await.job().expect("a job"));
        }
        let upload = db.add_upload(&ann, &anns).await.expect("asked").expect("an upload");
        let finish = async || db.finish_upload(&ann, &upload, "here").await.expect("asked");
        assert_eq!((add(&ann, &anns).await, finish().await), (Added::TooMany, Added::TooMany));
        assert!(db.cancel_job(&ann, &waiting[0]).await.expect("asked"));
        let import = finish().await.job().expect("there is room again, and the upload is still open");
        assert_eq!(finish().await, Added::Job(import.clone()), "it is there already");
        let last = add(&bob, &bobs).await.job().expect("a job");
        // Who waits for data does not wait for what takes long.
        let claim = async |work| db.claim_job("here", work).await.expect("asked");
        assert_eq!(claim(Work::Imports).await.expect("a job").id, import);
        assert!(claim(Work::Imports).await.is_none());
        // Something is done for ann: it is bob's turn, however late he came.
        let job = claim(Work::Any).await.expect("a job");
        assert_eq!(job.id, last);
        // Nothing is done for either: it is the turn of whose last job ended longer ago.
        add(&bob, &bobs).await.job().expect("a job");
        for held in [(import, 1), (job.id, job.fence)].map(|(id, fence)| Held { id, fence }) {
            assert!(db.end_job(&held, "done", None, None).await.expect("asked"));
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let next = claim(Work::Any).await.expect("a job");
        assert_eq!(next.tenant, ann.id());
        assert_eq!(claim(Work::Any).await.expect("a job").tenant, bob.id());
        // A worker that fell silent does nothing for anybody.
        let mut connection = db.whole().await.expect("a connection");
        let sql = "UPDATE job SET lease_until = 0 WHERE id = $1";
        sqlx::query(sql).bind(&next.id).execute(&mut *connection).await.expect("silent");
        drop(connection);
        let again = claim(Work::Any).await.expect("a job");
        assert_eq!((again.id, again.fence), (next.id, next.fence + 1));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tenants_take_turns_however_much_one_of_them_asks_for() {
        let dir = tempfile::tempdir().expect("a folder");
        take_turns(&Db::open(dir.path(), None).await.expect("a database")).await;
        let postgres = Postgres::start();
        take_turns(&Db::open(dir.path(), Some(&postgres.url())).await.expect("a database")).await;
    }
}
