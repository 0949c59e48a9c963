//! How the server is set up.

use std::net::SocketAddr;
use std::path::PathBuf;

/// For whom it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One person on their own machine: whoever has the key of this start is the owner.
    Local,
    /// A team: people log in.
    Team,
}

/// Where it listens and where it keeps things.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// For whom.
    pub way: Way,
    /// The folder of the database, the blobs and the models.
    pub dir: PathBuf,
    /// `postgres://…` instead of the file in [`Settings::dir`].
    pub database: Option<String>,
    /// Workers for what takes a while.
    pub workers: usize,
    /// Most bytes of one upload.
    pub max_upload: u64,
}

impl Settings {
    /// Most bytes of one upload unless said otherwise: 20 GiB.
    pub const MAX_UPLOAD: u64 = 20 << 30;
}
