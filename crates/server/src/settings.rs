//! How the server is set up.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

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
    /// Where files are kept for several servers; [`Settings::dir`] holds copies then.
    pub store: Option<Store>,
    /// Workers for what takes a while; one more only brings data in.
    pub workers: usize,
    /// Most bytes of one upload.
    pub max_upload: u64,
    /// How long a body may bring next to nothing.
    pub body_patience: Duration,
    /// Requests a second of one person and their programs, and of one address before log-in, five seconds' worth at once; `None` sets no
    /// limit.
    pub max_rate: Option<u32>,
    /// Connections that one address, of IPv6 one network, may hold open; `None` sets no limit. This machine itself, and so a proxy on it,
    /// has none.
    pub max_connections: Option<u32>,
    /// Examples of one tenant; `None` sets no limit.
    pub max_examples: Option<u32>,
    /// Bytes of one tenant's files; `None` sets no limit.
    pub max_bytes: Option<u64>,
    /// Bytes of copies of what [`Settings::store`] keeps; `None` sets no limit.
    pub max_copies: Option<u64>,
    /// Whom people may log in with, besides a password.
    pub oidc: Option<Oidc>,
}

/// A provider of OpenID Connect.
#[derive(Clone)]
pub struct Oidc {
    /// Its address, as it writes it into tokens: `https://…`.
    pub issuer: String,
    /// What it calls this server.
    pub client_id: String,
    /// What it knows this server by.
    pub secret: String,
    /// What people call it.
    pub name: String,
    /// Whoever has a verified e-mail of this domain comes in and looks.
    pub domain: Option<String>,
}

impl std::fmt::Debug for Oidc {
    /// Without the secret.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = out.debug_struct("Oidc");
        out.field("issuer", &self.issuer).field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// An object store.
#[derive(Clone)]
pub struct Store {
    /// `s3://bucket/folder`, `gs://…` or `az://…`.
    pub url: String,
    /// Keys, addresses and the like, by the names of the environment variables that the providers' own tools read.
    pub options: Vec<(String, String)>,
}

impl std::fmt::Debug for Store {
    /// Without the options: there are secrets among them.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Store").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Store {
    /// At an address, with what the environment says about it.
    pub fn from_environment(url: String) -> Self {
        let ours = |name: &str| ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|start| name.starts_with(start));
        Self { url, options: std::env::vars().filter(|(name, _)| ours(name)).collect() }
    }
}

impl Settings {
    /// Most bytes of one upload unless said otherwise: 20 GiB.
    pub const MAX_UPLOAD: u64 = 20 << 30;
    /// How long a body may bring next to nothing unless said otherwise.
    pub const BODY_PATIENCE: Duration = Duration::from_secs(30);
}
