//! The database: SQLite on one machine, PostgreSQL for teams; the same statements on both.
//!
//! Each file beside this one holds the questions about one kind of thing. What belongs to somebody is only asked for with a [`Tenant`].

pub(crate) mod accuracies;
pub(crate) mod datasets;
pub(crate) mod deployments;
pub(crate) mod examples;
pub(crate) mod jobs;
pub(crate) mod labels;
pub(crate) mod models;
pub(crate) mod people;
pub(crate) mod trail;
pub(crate) mod uploads;
pub(crate) mod worklists;

use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyPool, Executor as _, Transaction};

/// Statements that make the tables.
const SCHEMA: &str = include_str!("schema.sql");
/// Connections kept open.
const CONNECTIONS: u32 = 8;
/// How long a statement waits for another's lock, in milliseconds.
const PATIENCE: &str = "PRAGMA busy_timeout = 10000";
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

/// The connections.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    pub(crate) pool: AnyPool,
    sqlite: bool,
}

impl Db {
    /// Opens or makes the database: the file in `dir`, or what `url` names.
    pub(crate) async fn open(dir: &Path, url: Option<&str>) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let file = format!("sqlite://{}?mode=rwc", dir.join("studio.db").display());
        let url = url.unwrap_or(&file);
        let sqlite = url.starts_with("sqlite:");
        let options =
            AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(Duration::from_secs(10));
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move {
                if sqlite {
                    connection.execute(PATIENCE).await?;
                    connection.execute(CAREFUL).await?;
                }
                Ok(())
            })
        });
        let db = Self { pool: options.connect(url).await?, sqlite };
        let mut tx = db.begin().await?;
        for statement in SCHEMA.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            tx.execute(statement).await?;
        }
        tx.commit().await?;
        Ok(db)
    }

    /// A transaction that may write. SQLite's takes its lock at once, so that it cannot fail half-way for another's sake.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        if self.sqlite { self.pool.begin_with("BEGIN IMMEDIATE").await } else { self.pool.begin().await }
    }

    /// What a subquery adds so that two workers do not wait for the same row; SQLite has one writer anyway.
    pub(crate) fn is_sqlite(&self) -> bool {
        self.sqlite
    }
}
