//! What all requests share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pipeline::Home;
use tokio::sync::{Notify, Semaphore};

use crate::blobs::Blobs;
use crate::counters::Counters;
use crate::db::Db;
use crate::error::ApiError;
use crate::live::Lives;
use crate::people::{Attempts, Keys};
use crate::serving::Serving;
use crate::uploads::Uploads;
use crate::usage::Usage;
use crate::{Settings, Way};

/// Passwords that are hashed at once.
const HASHING: usize = 2;

/// The server's state.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) db: Db,
    pub(crate) home: Arc<Home>,
    pub(crate) blobs: Blobs,
    pub(crate) uploads: Uploads,
    pub(crate) lives: Lives,
    pub(crate) serving: Serving,
    pub(crate) usage: Usage,
    pub(crate) counters: Counters,
    pub(crate) keys: Keys,
    pub(crate) attempts: Attempts,
    /// Turns at hashing passwords.
    pub(crate) hashing: Semaphore,
    pub(crate) way: Way,
    /// Tells a worker that there is something to do.
    pub(crate) wake: Notify,
    /// Where everything lies.
    pub(crate) dir: PathBuf,
    closing: AtomicBool,
}

impl App {
    pub(crate) async fn open(settings: &Settings, home: Home) -> Result<Self, sqlx::Error> {
        let dir = &settings.dir;
        Ok(Self {
            db: Db::open(dir, settings.database.as_deref()).await?,
            serving: Serving::new(home.clone()),
            home: Arc::new(home),
            blobs: Blobs::new(dir.join("blobs")),
            uploads: Uploads::new(dir.join("uploads"), settings.max_upload),
            lives: Lives::default(),
            usage: Usage::default(),
            counters: Counters::default(),
            keys: Keys::default(),
            attempts: Attempts::default(),
            hashing: Semaphore::new(HASHING),
            way: settings.way,
            wake: Notify::new(),
            dir: dir.clone(),
            closing: AtomicBool::new(false),
        })
    }

    /// A file of a model: its bundle `djm`, its reports. Ids are ours, so they are plain.
    pub(crate) fn model_file(&self, id: &str, ending: &str) -> PathBuf {
        self.dir.join("models").join(format!("{id}.{ending}"))
    }

    /// Does something that may take a while away from the threads that answer.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Waits until the server has been closing for so long.
    pub(crate) async fn closed_for(&self, patience: Duration) {
        while !self.is_closing() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(patience).await;
    }

    /// Stops what is under way.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.lives.stop();
        self.wake.notify_waiters();
    }
}
