//! The database: SQLite on one machine, PostgreSQL for teams; the same statements on both.
//!
//! Each file beside this one holds the questions about one kind of thing. What belongs to somebody is only asked for with a [`Tenant`],
//! on a connection that sees nothing else: [`Db::of`].

/// A struct that is read from a row by the names of its fields.
macro_rules! row {
    ($(#[$about:meta])* pub(crate) struct $name:ident { $($(#[$field_about:meta])* pub(crate) $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        pub(crate) struct $name {
            $($(#[$field_about])* pub(crate) $field: $kind,)*
        }

        impl sqlx::FromRow<'_, sqlx::any::AnyRow> for $name {
            fn from_row(row: &sqlx::any::AnyRow) -> Result<Self, sqlx::Error> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    };
}

pub(crate) mod accounts;
pub(crate) mod accuracies;
pub(crate) mod arriving;
pub(crate) mod book;
pub(crate) mod datasets;
pub(crate) mod deciding;
pub(crate) mod deployments;
pub(crate) mod diffs;
pub(crate) mod entrances;
pub(crate) mod examples;
mod expiring;
pub(crate) mod jobs;
pub(crate) mod labels;
pub(crate) mod mark_pairs;
pub(crate) mod marking;
pub(crate) mod markings;
mod measuring;
pub(crate) mod milestones;
pub(crate) mod models;
pub(crate) mod monitors;
pub(crate) mod news;
pub(crate) mod people;
mod presence;
pub(crate) mod renaming;
pub(crate) mod restoring;
pub(crate) mod room;
pub(crate) mod ruling;
mod saying;
pub(crate) mod setting_up;
pub(crate) mod states;
pub(crate) mod steps;
pub(crate) mod trail;
pub(crate) mod trouble;
mod unnamed;
pub(crate) mod uploads;
pub(crate) mod votes;
mod walls;
pub(crate) mod worklists;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{Connection as _, Executor as _};

use walls::Connections;

use crate::senses;

/// What made the tables what they are, in order. What was released is never changed: a change is one more file.
const MIGRATIONS: [&str; 22] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_tasks_and_marks.sql"),
    include_str!("migrations/0003_monitoring.sql"),
    include_str!("migrations/0004_votes.sql"),
    include_str!("migrations/0005_book.sql"),
    include_str!("migrations/0006_accounts_and_bytes.sql"),
    include_str!("migrations/0007_measured.sql"),
    include_str!("migrations/0008_senses.sql"),
    include_str!("migrations/0009_history.sql"),
    include_str!("migrations/0010_chance.sql"),
    include_str!("migrations/0011_shared.sql"),
    include_str!("migrations/0012_expiring.sql"),
    include_str!("migrations/0013_lost_and_decided.sql"),
    include_str!("migrations/0014_marks.sql"),
    include_str!("migrations/0015_went.sql"),
    include_str!("migrations/0016_pieces.sql"),
    include_str!("migrations/0017_cut.sql"),
    include_str!("migrations/0018_markings.sql"),
    include_str!("migrations/0019_turns.sql"),
    include_str!("migrations/0020_votes_kept.sql"),
    include_str!("migrations/0021_watched_since.sql"),
    include_str!("migrations/0022_steps.sql"),
];
/// Connections kept open to PostgreSQL, which has those of all servers.
const CONNECTIONS: u32 = 8;
/// Connections kept open to SQLite: some of them may wait for the one that writes.
const CONNECTIONS_TO_FILE: u32 = 16;
/// How long a statement waits for another's lock: an import of 100,000 examples holds it for seconds, of a busy machine for more than ten.
const PATIENCE: Duration = Duration::from_secs(18);
/// How long somebody waits for a connection. With [`PATIENCE`] it is less than a job's lease, or whoever holds a job would lose it while waiting.
const TURN: Duration = Duration::from_secs(8);
/// SQLite: readers never wait for the writer; a commit is on the disk before it is answered.
const CAREFUL: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";

/// Whose things these are. Only made by [`people`](crate::people) of who asks, and by a worker of the job it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tenant(String);

impl Tenant {
    /// Of a row that somebody was found by: a session, a token, a job.
    pub(crate) fn of_row(id: String) -> Self {
        Self(id)
    }

    pub(crate) fn id(&self) -> &str {
        &self.0
    }
}

/// Why a database cannot be used.
#[derive(Debug)]
pub(crate) enum Unopened {
    Failed(sqlx::Error),
    /// A later version of the program changed its tables: this one would write by rules that no longer hold.
    Newer,
}

impl From<sqlx::Error> for Unopened {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

/// The connections.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    connections: Connections,
    sqlite: bool,
}

impl Db {
    /// Opens or makes the database: the file in `dir`, or what `url` names.
    pub(crate) async fn open(dir: &Path, url: Option<&str>) -> Result<Self, Unopened> {
        sqlx::any::install_default_drivers();
        let path = dir.join("studio.db").display().to_string();
        let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        let file = format!("sqlite://{path}?mode=rwc");
        let url = url.unwrap_or(&file);
        let sqlite = url.starts_with("sqlite:");
        let most = if sqlite { CONNECTIONS_TO_FILE } else { CONNECTIONS };
        let options = AnyPoolOptions::new().max_connections(most).acquire_timeout(TURN);
        // A full disk can end a transaction behind the driver's back; such a connection begins no other one.
        let options = options
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
        let options = walls::forgetful(options, sqlite);
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move {
                if sqlite {
                    let patience = format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis());
                    connection.execute(sqlx::AssertSqlSafe(patience)).await?;
                    connection.execute(CAREFUL).await?;
                }
                Ok(())
            })
        });
        let db = Self { connections: Connections::new(options.connect(url).await?), sqlite };
        db.migrate().await?;
        Ok(db)
    }

    /// Brings the tables up to date, all or nothing; of two servers that start at once one waits for the other.
    async fn migrate(&self) -> Result<(), Unopened> {
        let mut tx = self.begin_whole().await?;
        if !self.sqlite {
            tx.execute("SELECT 1 FROM pg_advisory_xact_lock(20261126)").await?;
        }
        tx.execute("CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY)").await?;
        let done: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM migration").fetch_one(&mut *tx).await?;
        if done > MIGRATIONS.len() as i64 {
            return Err(Unopened::Newer);
        }
        for (number, migration) in (1_i64..).zip(MIGRATIONS).skip(usize::try_from(done).unwrap_or(0)) {
            for statement in migration.split(";\n").filter(|statement| !statement.trim().is_empty()) {
                tx.execute(statement).await?;
            }
            sqlx::query("INSERT INTO migration (number) VALUES ($1)").bind(number).execute(&mut *tx).await?;
        }
        if !self.sqlite {
            walls::build(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The database's own name, made when it is first asked for.
    pub(crate) async fn identity(&self) -> Result<String, sqlx::Error> {
        let mut tx = self.begin_whole().await?;
        if !self.sqlite {
            tx.execute("LOCK TABLE identity IN EXCLUSIVE MODE").await?;
        }
        let known = sqlx::query_scalar("SELECT id FROM identity").fetch_optional(&mut *tx).await?;
        let id: String = known.unwrap_or_else(crate::ids::new_id);
        let sql = "INSERT INTO identity (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";
        sqlx::query(sql).bind(&id).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Whether this server is bringing something in, whose files no row names yet.
    pub(crate) async fn is_importing(&self, server: &str) -> Result<bool, sqlx::Error> {
        let sql = "SELECT COUNT(*) FROM job \
             WHERE kind = 'import' AND state IN ('waiting', 'running') AND only_on = $1";
        let n: i64 = sqlx::query_scalar(sql).bind(server).fetch_one(&mut *self.whole().await?).await?;
        Ok(n > 0)
    }

    /// What files begin with that some row names: hashes of blobs, ids of models and of uploads under way, of all tenants.
    pub(crate) async fn named_files(&self) -> Result<HashSet<String>, sqlx::Error> {
        let sql = "SELECT DISTINCT blob FROM example WHERE blob IS NOT NULL UNION SELECT id FROM model \
             UNION SELECT u.id FROM upload u LEFT JOIN job j ON j.id = u.job \
             WHERE u.job IS NULL OR j.state IN ('waiting', 'running')";
        let mut names: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *self.whole().await?).await?;
        let sql = "SELECT DISTINCT senses FROM example WHERE senses IS NOT NULL";
        let kept: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *self.whole().await?).await?;
        names.extend(kept.iter().flat_map(|kept| senses::blobs(Some(kept))));
        Ok(names.into_iter().map(|name| name.split('.').next().unwrap_or_default().to_owned()).collect())
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }

    /// Which of the two it is.
    pub(crate) fn name(&self) -> &'static str {
        if self.sqlite { "SQLite" } else { "PostgreSQL" }
    }

    /// Whether there is one writer at a time, so that rows need no locks of their own.
    pub(crate) fn is_sqlite(&self) -> bool {
        self.sqlite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets every connection that is open write so many pages and no more: to SQLite that is a full disk.
    async fn bound(db: &Db, pages: u32) {
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS_TO_FILE {
            let mut connection = db.whole().await.expect("a connection");
            let sql = format!("PRAGMA max_page_count = {pages}");
            connection.execute(sqlx::AssertSqlSafe(sql)).await.expect("bounded");
            held.push(connection);
        }
    }

    #[test]
    fn whoever_holds_a_job_hears_in_time_that_it_still_does() {
        let longest = TURN + PATIENCE + crate::jobs::RENEW;
        assert!(longest.as_millis() < jobs::LEASE as u128, "{longest:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_full_disk_spoils_no_connection() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(dir.path(), None).await.expect("a database");
        bound(&db, 60).await;
        let add = async |name: &str| {
            let mut tx = db.begin_whole().await?;
            let sql = "INSERT INTO tenant (id, name, created_at) VALUES ($1, $1, 0)";
            sqlx::query(sql).bind(name).execute(&mut *tx).await?;
            tx.commit().await
        };
        let large = "x".repeat(100_000);
        let mut failed = 0;
        for number in 0..40 {
            failed += usize::from(add(&format!("{number}{large}")).await.is_err());
        }
        // Each connection fails once, and another takes its place, which knows no bound.
        assert_eq!(failed, CONNECTIONS_TO_FILE as usize);
    }
}
