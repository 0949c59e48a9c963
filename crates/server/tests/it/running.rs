//! A server on a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use server::{Oidc, Settings, Store, Way};
use testkit::Client;

/// Of everybody.
const PASSWORD: &str = "a long password";

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) key: Option<String>,
    stop: &'static AtomicBool,
    thread: Option<JoinHandle<()>>,
}

/// A server for one person, or for a team, with its own SQLite.
pub(crate) fn start(way: Way, dir: &Path) -> Running {
    start_on(way, dir, Place::default())
}

/// Where a server keeps what it does not keep in its folder.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) database: Option<String>,
    pub(crate) store: Option<Store>,
    pub(crate) max_rate: Option<u32>,
    pub(crate) max_connections: Option<u32>,
    pub(crate) max_examples: Option<u32>,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) max_copies: Option<u64>,
    pub(crate) oidc: Option<Oidc>,
    pub(crate) body_patience: Option<Duration>,
    /// All addresses of this machine, instead of its own.
    pub(crate) reachable: bool,
}

/// How such a server is set up.
pub(crate) fn settings(way: Way, dir: &Path, place: Place) -> Settings {
    Settings {
        listen: if place.reachable { "0.0.0.0:0" } else { "127.0.0.1:0" }.parse().expect("an address"),
        way,
        dir: dir.to_owned(),
        database: place.database,
        store: place.store,
        workers: 1,
        max_upload: 64 << 20,
        body_patience: place.body_patience.unwrap_or(Settings::BODY_PATIENCE),
        max_rate: place.max_rate,
        max_connections: place.max_connections,
        max_examples: place.max_examples,
        max_bytes: place.max_bytes,
        max_copies: place.max_copies,
        oidc: place.oidc,
    }
}

/// A server that keeps things elsewhere.
pub(crate) fn start_on(way: Way, dir: &Path, place: Place) -> Running {
    let settings = settings(way, dir, place);
    // One for each server of this process; a few bytes that live as long as the tests.
    let stop: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let (tell, told) = channel();
    let thread = std::thread::spawn(move || {
        let home = pipeline::Home::by_default().expect("a home");
        let opened = |opened: &server::Opened| {
            tell.send((opened.address.to_string(), opened.key.clone())).expect("somebody waits");
        };
        server::run(&settings, home, opened, stop).expect("the server runs");
    });
    let (address, key) = told.recv().expect("the server listens");
    Running { address: format!("http://{address}"), key, stop, thread: Some(thread) }
}

impl Running {
    pub(crate) fn nobody(&self) -> Client {
        Client::nobody(&self.address)
    }

    /// Lets it close, and does not wait for that.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The owner of a local server.
    pub(crate) fn owner(&self) -> Client {
        Client::owner(&self.address, self.key.as_deref().expect("a key"))
    }

    /// Ann, who sets a team's server up and owns it.
    pub(crate) fn set_up(&self) -> Client {
        let setup = json!({ "key": self.key, "tenant": "Works", "name": "ann", "password": PASSWORD });
        let nobody = self.nobody();
        nobody.with_session(&nobody.post("/v1/setup", &setup))
    }

    /// Somebody whom the owner lets in.
    pub(crate) fn person(&self, owner: &Client, name: &str, role: &str) -> Client {
        let new = json!({ "name": name, "role": role, "password": PASSWORD });
        assert_eq!(owner.post("/v1/people", &new).status, 200);
        let nobody = self.nobody();
        nobody.with_session(&nobody.post("/v1/login", &json!({ "name": name, "password": PASSWORD })))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server did not end well");
        }
    }
}

/// The folder of a server.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("data");
    (dir, path)
}

/// Nothing like a part, each like none of the others: black and white at random.
pub(crate) fn noise(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let picture = image::RgbImage::from_fn(64, 64, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([if state >> 31 == 0 { 0 } else { 255 }; 3])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}
