//! What all requests share.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pipeline::Home;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::answers;
use crate::api::listened::Listened;
use crate::api::looked::Looks;
use crate::api::sought::Begun;
use crate::blobs::{Blobs, DERIVED};
use crate::books::Books;
use crate::counters::Counters;
use crate::db::room::Limits;
use crate::db::{Db, Tenant};
use crate::error::ApiError;
use crate::lately::Lately;
use crate::live::Lives;
use crate::making::Making;
use crate::measured;
use crate::monitoring::Monitoring;
use crate::oidc::Provider;
use crate::people::{Attempts, Keys, Pace};
use crate::places::Places;
use crate::serving::{Opened, Serving};
use crate::shelf::Shelf;
use crate::turns::Turns;
use crate::uploads::Uploads;
use crate::worklists::Readings;
use crate::{ServerError, Settings, Way, folder};

/// Files that a model may have: its bundle, its reports, what it answered about examples that it had not seen, how those looked on which an
/// inspector erred.
pub(crate) const MODEL_ENDINGS: [&str; 5] = ["djm", "en.html", "zh.html", answers::ENDING, measured::ENDING];

/// Ids that are held of lists which somebody pages through: some 60 MB.
const MOST_LISTED: usize = 1 << 20;
/// Passwords that are hashed at once.
const HASHING: usize = 2;
/// Requests whose inputs are held after they are answered; of more than that nothing comes back and nothing is compared.
const AFTERMATHS: usize = 32;
/// Exports at once; others wait for one to end.
const EXPORTS: usize = 16;
/// Questions about the past at once: each may take a connection for seconds, and who labels needs one as well.
const HISTORIES: usize = 2;
/// Texts at once that are looked through for what was marked in a thousand others.
const PHRASES: usize = 2;
/// Marks of several people that are compared at once: each time may take seconds.
const COMPARISONS: usize = 2;

/// The server's state.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) db: Db,
    pub(crate) home: Arc<Home>,
    pub(crate) blobs: Blobs,
    /// Everything that is kept in files.
    pub(crate) shelf: Shelf,
    /// Bundles and reports.
    pub(crate) models: Shelf,
    pub(crate) uploads: Uploads,
    pub(crate) lives: Lives,
    /// Ids of examples that somebody pages through, by the question: what the quick model thinks changes with every label, and the pages of
    /// one list are to fit together.
    pub(crate) lists: Lately<Begun>,
    pub(crate) making: Making,
    pub(crate) looks: Arc<Looks>,
    pub(crate) listened: Listened,
    pub(crate) books: Books,
    pub(crate) worklists: Readings,
    pub(crate) serving: Arc<Serving>,
    pub(crate) monitoring: Monitoring,
    pub(crate) counters: Counters,
    pub(crate) keys: Keys,
    /// Of strangers to log in.
    pub(crate) attempts: Attempts,
    /// Of those who are in to prove that it is them: no stranger's tries count here.
    pub(crate) proofs: Attempts,
    /// Of people and their programs, by their ids.
    pub(crate) pace: Pace<String>,
    /// Of everybody before log-in, by address.
    pub(crate) strangers: Pace<IpAddr>,
    /// Who holds how many connections.
    pub(crate) places: Arc<Places>,
    /// Turns at exports, each of which holds all of a data set, and a thread while its reader reads.
    pub(crate) exports: Arc<Semaphore>,
    /// Turns at questions about the past.
    histories: Semaphore,
    /// Turns at what was marked in other texts.
    phrases: Semaphore,
    /// Turns at comparing what several people marked.
    comparisons: Arc<Semaphore>,
    /// Turns at reckoning how far people agree in what they mark, by the data set.
    pub(crate) reckonings: Turns,
    /// Turns at pictures that inspectors look at.
    pub(crate) pictures: Arc<Semaphore>,
    /// Turns at what is done after an answer.
    pub(crate) aftermaths: Arc<Semaphore>,
    /// How long a body may bring next to nothing.
    pub(crate) body_patience: Duration,
    /// What each tenant may have.
    pub(crate) limits: Limits,
    /// Whom people may log in with, besides a password.
    pub(crate) provider: Option<Provider>,
    /// Turns at hashing passwords.
    pub(crate) hashing: Semaphore,
    pub(crate) way: Way,
    /// Where it listens, once it does.
    address: OnceLock<SocketAddr>,
    /// Tells workers that there is something to do, all of them: not each takes everything.
    pub(crate) wake: Notify,
    /// Where everything lies.
    pub(crate) dir: PathBuf,
    /// Of this server among those that share a database: stays the same as long as its folder does.
    pub(crate) name: String,
    closing: AtomicBool,
}

/// Pictures of one request that are drawn, looked at and told at once; twice as many are held of all requests.
pub(crate) fn together() -> usize {
    rayon::current_num_threads().clamp(4, 16)
}

impl App {
    pub(crate) async fn open(settings: &Settings, home: Home) -> Result<Self, ServerError> {
        let dir = &settings.dir;
        let shelf = Shelf::open(dir.clone(), settings.store.as_ref(), settings.max_copies)
            .map_err(ServerError::Store)?;
        let db = Db::open(dir, settings.database.as_deref()).await?;
        let identity = db.identity().await.map_err(ServerError::Database)?;
        shelf.check(&identity).await.map_err(ServerError::Store)?;
        folder::claim(dir, &db, &identity).await?;
        Ok(Self {
            db,
            serving: Arc::new(Serving::new(home.clone())),
            home: Arc::new(home),
            blobs: Blobs::new(shelf.folder("blobs"), dir.join("blobs").join(DERIVED)),
            models: shelf.folder("models"),
            shelf,
            uploads: Uploads::new(dir.join("uploads"), settings.max_upload),
            lives: Lives::default(),
            lists: Lately::new(MOST_LISTED),
            making: Making::default(),
            looks: Arc::default(),
            listened: Listened::default(),
            books: Books::default(),
            worklists: Readings::default(),
            monitoring: Monitoring::default(),
            counters: Counters::default(),
            keys: Keys::default(),
            attempts: Attempts::default(),
            proofs: Attempts::default(),
            pace: Pace::new(settings.max_rate),
            strangers: Pace::new(settings.max_rate),
            places: Arc::new(Places::new(settings.max_connections)),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            histories: Semaphore::new(HISTORIES),
            phrases: Semaphore::new(PHRASES),
            comparisons: Arc::new(Semaphore::new(COMPARISONS)),
            reckonings: Turns::default(),
            pictures: Arc::new(Semaphore::new(2 * together())),
            aftermaths: Arc::new(Semaphore::new(AFTERMATHS)),
            body_patience: settings.body_patience,
            limits: Limits {
                examples: settings.max_examples.map(i64::from),
                bytes: settings.max_bytes.map(|most| i64::try_from(most).unwrap_or(i64::MAX)),
            },
            provider: settings.oidc.clone().map(Provider::new).transpose()?,
            hashing: Semaphore::new(HASHING),
            way: settings.way,
            address: OnceLock::new(),
            wake: Notify::new(),
            name: folder::name_in(dir).map_err(|source| ServerError::Folder { dir: dir.clone(), source })?,
            dir: dir.clone(),
            closing: AtomicBool::new(false),
        })
    }

    /// It listens now.
    pub(crate) fn listen_at(&self, address: SocketAddr) {
        self.address.get_or_init(|| address);
    }

    /// Where it listens; nobody asks before it does.
    pub(crate) fn listening(&self) -> SocketAddr {
        *self.address.get().expect("requests come to an address")
    }

    /// Where a file of a model lies here: its bundle `djm`, its reports. Ids are ours, so they are plain.
    pub(crate) fn model_file(&self, id: &str, ending: &str) -> PathBuf {
        self.models.path(&format!("{id}.{ending}"))
    }

    /// What the files of a model take that lie here; absent where its bundle does not.
    pub(crate) fn model_bytes(&self, id: &str) -> Option<i64> {
        let size = |ending: &str| std::fs::metadata(self.model_file(id, ending)).map(|about| about.len());
        size("djm").ok()?;
        i64::try_from(MODEL_ENDINGS.into_iter().filter_map(|ending| size(ending).ok()).sum::<u64>()).ok()
    }

    /// Keeps what was written to files of a model.
    pub(crate) fn keep_model(&self, id: &str, endings: &[&str]) -> Result<(), ApiError> {
        endings.iter().try_for_each(|ending| Ok(self.models.keep(&format!("{id}.{ending}"))?))
    }

    /// A file of a model that is read; `None` where there is none.
    pub(crate) async fn read_model(
        self: &Arc<Self>,
        id: &str,
        ending: &str,
    ) -> Result<Option<Vec<u8>>, ApiError> {
        let (app, name) = (self.clone(), format!("{id}.{ending}"));
        self.blocking(move || {
            let here = app.models.fetch(&name)?;
            Ok(here.map(|_here| std::fs::read(app.models.path(&name))).transpose()?)
        })
        .await
    }

    /// Refuses what a tenant has no room for, before anything of it is written.
    pub(crate) async fn has_room(&self, tenant: &Tenant, bytes: i64) -> Result<(), ApiError> {
        match self.db.full(tenant, bytes, self.limits).await? {
            Some(full) => Err(full.into()),
            None => Ok(()),
        }
    }

    /// A turn at a question about the past, until it is dropped.
    pub(crate) async fn history_turn(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.histories.acquire().await.map_err(|error| ApiError::internal(&error))
    }

    /// A turn at what was marked in other texts, until it is dropped.
    pub(crate) async fn phrases_turn(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.phrases.acquire().await.map_err(|error| ApiError::internal(&error))
    }

    /// Compares what several people marked, in turn: also what somebody asked for who has left.
    pub(crate) async fn comparing<T: Send + 'static>(
        &self,
        compare: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = self.comparisons.clone().acquire_owned().await;
        let turn = turn.map_err(|error| ApiError::internal(&error))?;
        let work = move || {
            let compared = compare();
            drop(turn);
            Ok(compared)
        };
        self.blocking(work).await
    }

    /// Opens a model, or finds it open.
    pub(crate) async fn open_model(self: &Arc<Self>, id: &str) -> Result<Opened, ApiError> {
        let (models, name) = (self.models.clone(), format!("{id}.djm"));
        let _here = self.blocking(move || Ok(models.fetch(&name)?)).await?;
        self.serving.open(id, &self.model_file(id, "djm")).await
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
