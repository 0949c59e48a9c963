//! Multi-tenant HTTP: the studio's interface, predictions, jobs, metrics. The only crate that knows HTTP.
//!
//! Start at [`run`]. A request goes through [`answering`](mod@answering), is met by [`people::Caller`], asks the [`db`] with the
//! caller's tenant, and what takes a while becomes a job ([`jobs`]). While somebody labels, [`live`] holds a quick model of the data;
//! deployed models share bases in [`serving`]. The studio in the browser uses nothing else than what `/openapi.json` describes.

mod agreeing;
mod answering;
mod answers;
mod api;
mod app;
mod blobs;
mod books;
mod clock;
mod copies;
mod counters;
mod db;
mod error;
mod facts;
mod folder;
mod gathering;
mod ids;
mod items;
mod jobs;
mod lately;
mod listening;
mod live;
mod making;
mod marks;
mod measured;
mod member_names;
mod memory;
mod monitoring;
mod nearby;
mod oidc;
mod patience;
mod people;
mod phrases;
mod pictures;
mod places;
mod senses;
mod serving;
mod settings;
mod shelf;
mod slicing;
mod streaming;
mod studio;
mod sweeping;
mod tasks;
mod turns;
mod uploads;
mod worklists;
mod writing;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use pipeline::Home;
use store::FileLock;

pub(crate) use app::App;
use db::jobs::Work;
pub use nearby::Door;
pub use settings::{Oidc, Settings, Store, Way};

/// How often it is looked whether to close.
const LOOK: Duration = Duration::from_millis(50);
/// How long requests that are under way may go on when the server closes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Held by the server that has a folder open.
const LOCK: &str = "open.lock";

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ServerError {
    #[error("cannot listen on `{address}`")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot use the folder `{}`", dir.display())]
    Folder {
        dir: std::path::PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot open the object store")]
    Store(#[source] object_store::Error),
    #[error("cannot open the database")]
    Database(#[source] sqlx::Error),
    #[error("the database was used by a newer version of this program")]
    Newer,
    #[error("`{}` is open already", dir.display())]
    Open { dir: std::path::PathBuf },
    #[error("the files in `{}` belong to another database", dir.display())]
    Foreign { dir: std::path::PathBuf },
    #[error("`{issuer}` is no address that a secret may be sent to")]
    Issuer { issuer: String },
    #[error("cannot ask other servers")]
    Client(#[source] reqwest::Error),
    #[error("the server stopped")]
    Stopped(#[source] io::Error),
}

/// What is to be known once it listens.
#[derive(Debug)]
pub struct Opened {
    /// Address and port.
    pub address: SocketAddr,
    /// Lets the first person in: the owner of a local server, or who sets a team's server up. `None` when nobody needs it.
    pub key: Option<String>,
    /// Of a local server that others can reach: ways in for one more device, the likeliest first, all with one key that fits for ten minutes.
    pub doors: Vec<Door>,
}

/// The OpenAPI document of the interface, as JSON.
pub fn openapi() -> String {
    api::routes().1.to_pretty_json().expect("the document is plain data")
}

impl From<db::Unopened> for ServerError {
    fn from(error: db::Unopened) -> Self {
        match error {
            db::Unopened::Failed(error) => Self::Database(error),
            db::Unopened::Newer => Self::Newer,
        }
    }
}

/// Runs until `stop` becomes true, then lets requests end, gives jobs back and closes.
///
/// # Errors
/// When the folder, the database or the address cannot be used.
pub fn run(
    settings: &Settings,
    home: Home,
    opened: impl FnOnce(&Opened),
    stop: &'static AtomicBool,
) -> Result<(), ServerError> {
    memory::give_back_early();
    let dir = settings.dir.clone();
    let folder = |source| ServerError::Folder { dir: dir.clone(), source };
    make_private(&settings.dir).map_err(folder)?;
    // Two programs in one folder would write over each other's counts and uploads. The system lets go of it, however a program ends.
    let lock =
        FileLock::try_acquire(&settings.dir.join(LOCK)).map_err(|error| folder(io::Error::other(error)))?;
    let _lock = lock.ok_or_else(|| ServerError::Open { dir: dir.clone() })?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServerError::Stopped)?;
    let ended = runtime.block_on(serve(settings, home, opened, stop));
    // A blocking piece of work that does not hear is not waited for: its job is given to the next start.
    runtime.shutdown_timeout(PATIENCE);
    ended
}

async fn serve(
    settings: &Settings,
    home: Home,
    opened: impl FnOnce(&Opened),
    stop: &'static AtomicBool,
) -> Result<(), ServerError> {
    let app = Arc::new(App::open(settings, home).await?);
    let address = settings.listen;
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|source| ServerError::Listen { address, source })?;
    let address = listener.local_addr().map_err(ServerError::Stopped)?;
    let is_local = settings.way == Way::Local;
    let needs_key = is_local || !app.db.is_set_up().await.map_err(ServerError::Database)?;
    if needs_key && !is_local {
        app.db.end_sessions_of_first().await.map_err(ServerError::Database)?;
    }
    let (database, store) = (app.db.name(), settings.store.is_some());
    tracing::info!(%address, database, store, workers = settings.workers, version = env!("CARGO_PKG_VERSION"), "open");
    app.listen_at(address);
    let for_devices = is_local && nearby::is_open(address);
    opened(&Opened {
        address,
        key: needs_key.then(|| app.keys.make()),
        doors: if for_devices {
            nearby::doors(address, &app.keys.make_for(nearby::SPELL), None)
        } else {
            Vec::new()
        },
    });
    // Who brings data in does not wait for minutes of what others compute.
    let takes = std::iter::repeat_n(Work::Any, settings.workers.max(1)).chain([Work::Imports]);
    let workers: Vec<_> = takes.map(|takes| tokio::spawn(jobs::work(app.clone(), takes))).collect();
    tokio::spawn(sweeping::sweep(app.clone()));
    tokio::spawn(live::listen(app.clone()));
    tokio::spawn(sweeping::make_room(app.clone()));
    let watching = tokio::spawn(monitoring::watch(app.clone()));
    let closing = app.clone();
    let until = async move {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK).await;
        }
        tracing::info!("closing");
        closing.close();
    };
    let closed = app.clone();
    tokio::select! {
        () = listening::listen(listener, router(&app), listening::PATIENCE, app.places.clone(), until) => {}
        () = closed.closed_for(PATIENCE) => tracing::warn!("requests that did not end were cut off"),
    }
    for task in workers.into_iter().chain([watching]) {
        let _ = tokio::time::timeout(PATIENCE, task).await;
    }
    // A database that is away keeps nobody from closing.
    match tokio::time::timeout(PATIENCE, app.monitoring.write_all(&app)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = error.en, "the last counts could not be written down"),
        Err(_) => tracing::warn!("the last counts could not be written down in time"),
    }
    if tokio::time::timeout(PATIENCE, app.db.close()).await.is_err() {
        tracing::warn!("connections that were not given back were left");
    }
    tracing::info!("closed");
    Ok(())
}

fn router(app: &Arc<App>) -> Router {
    let (routes, document) = api::routes();
    let document = document.to_json().expect("the document is plain data");
    routes
        .route(
            "/openapi.json",
            get(move || async move { ([("content-type", "application/json")], document) }),
        )
        .fallback(get(studio::file))
        .layer(axum::middleware::from_fn_with_state(app.clone(), answering::answering))
        .with_state(app.clone())
}

/// Makes a folder that nobody else on this machine can read.
fn make_private(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
