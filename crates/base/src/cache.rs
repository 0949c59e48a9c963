//! The folder of pulled bases.
//!
//! Each base has a folder of its own: `base.toml` (a [`Card`]) and the canonical files it lists. A folder appears whole
//! by a rename, under a lock of its own, so that any number of processes may pull and read at once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use store::{FileLock, StoreError};

use dataset::Modality;

use crate::arch;
use crate::catalogue::{Entry, Sha256, is_id};
use crate::pull::{self, PullError, PullEvent, PullOptions};

/// Name of the card in a base's folder.
pub const CARD: &str = "base.toml";
/// Name of the weights.
pub const MODEL: &str = "model.safetensors";
/// Name of the weights of the network that looks at a sound's picture.
pub const PICTURE_MODEL: &str = "picture.safetensors";
/// Name of the network of a base that exists only as ONNX.
pub const MODEL_ONNX: &str = "model.onnx";
/// Name of the tokenizer of a text base.
pub const TOKENIZER: &str = "tokenizer.json";

/// A folder of pulled bases.
#[derive(Debug, Clone)]
pub struct Cache {
    dir: PathBuf,
}

/// What `base.toml` says: the identity of a base and of each of its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its name.
    pub id: String,
    /// One line about it.
    pub title: String,
    /// What it reads.
    pub modality: Modality,
    /// SPDX name of the licence of the weights.
    pub licence: String,
    /// Where it came from.
    #[serde(default)]
    pub source: String,
    /// The network, as [`crate::arch`] reads it.
    pub network: toml::Table,
    /// What differs from the family's own pre-processing, as [`crate::prep`] reads it.
    #[serde(default)]
    pub preprocess: toml::Table,
    /// Each file of the folder but this one, by name.
    #[serde(default)]
    pub files: BTreeMap<String, Stamp>,
}

/// Length and hash of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// In bytes.
    pub size: u64,
    /// Of the whole file.
    pub sha256: Sha256,
}

/// A base in the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedBase {
    /// What it is.
    pub card: Card,
    /// Where it lies.
    pub dir: PathBuf,
}

/// Why the cache could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum CacheError {
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// `base.toml` is not sound.
    #[error("`{}` is not a sound base.toml", path.display())]
    Card {
        path: PathBuf,
        #[source]
        source: Box<toml::de::Error>,
    },
    /// `base.toml` lists a file that no base has.
    #[error("`{}` lists `{name}`, which is no file of a base", path.display())]
    Name { path: PathBuf, name: String },
    /// A file is not as long as `base.toml` says.
    #[error("`{}` has {got} bytes, expected {expected}; remove the base and pull it again", path.display())]
    Size { path: PathBuf, expected: u64, got: u64 },
    /// A file is not the one that `base.toml` was written for.
    #[error("`{}` has sha256 {got}, expected {expected}; remove the base and pull it again", path.display())]
    Checksum { path: PathBuf, expected: Sha256, got: Sha256 },
    /// There is no such base.
    #[error("base `{id}` is not in the cache")]
    Missing { id: String },
    /// Something could not be written or removed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Card {
    /// Reads the card of a base's folder and checks that every file is there and as long as it should be.
    pub fn read(dir: &Path) -> Result<Self, CacheError> {
        let card = Self::read_only(dir)?;
        for (name, stamp) in &card.files {
            let path = dir.join(name);
            let got =
                fs::metadata(&path).map_err(|source| CacheError::Read { path: path.clone(), source })?.len();
            if got != stamp.size {
                return Err(CacheError::Size { path, expected: stamp.size, got });
            }
        }
        Ok(card)
    }

    /// Reads the card without a look at the files.
    pub(crate) fn read_only(dir: &Path) -> Result<Self, CacheError> {
        let path = dir.join(CARD);
        let text =
            fs::read_to_string(&path).map_err(|source| CacheError::Read { path: path.clone(), source })?;
        let card: Self = toml::from_str(&text)
            .map_err(|source| CacheError::Card { path: path.clone(), source: source.into() })?;
        // Names become paths, so only the known ones are taken.
        match card
            .files
            .keys()
            .find(|name| ![MODEL, PICTURE_MODEL, MODEL_ONNX, TOKENIZER].contains(&name.as_str()))
        {
            Some(name) => Err(CacheError::Name { path, name: name.clone() }),
            None => Ok(card),
        }
    }

    /// The text of `base.toml`. The same card gives the same bytes.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string(self).expect("a card holds nothing that TOML cannot")
    }

    /// Whether some network of the base takes this kind of input.
    pub fn takes(&self, modality: Modality) -> bool {
        self.modality == modality || (modality == Modality::Text && arch::has_reader(&self.network))
    }

    /// Hashes every file. Reads them all: a second for each gigabyte or so.
    pub fn verify(&self, dir: &Path) -> Result<(), CacheError> {
        for (name, expected) in &self.files {
            let path = dir.join(name);
            let got = stamp(&path)?;
            if got.size != expected.size {
                return Err(CacheError::Size { path, expected: expected.size, got: got.size });
            }
            if got.sha256 != expected.sha256 {
                let expected = expected.sha256.clone();
                return Err(CacheError::Checksum { path, expected, got: got.sha256 });
            }
        }
        Ok(())
    }

    /// The bytes of all files together.
    pub fn size(&self) -> u64 {
        self.files.values().map(|stamp| stamp.size).sum()
    }
}

/// Reads a file to its end for its length and hash.
pub(crate) fn stamp(path: &Path) -> Result<Stamp, CacheError> {
    let read = |source| CacheError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(read)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let len = file.read(&mut buffer).map_err(read)?;
        if len == 0 {
            return Ok(Stamp { size, sha256: Sha256::finish(hasher) });
        }
        hasher.update(&buffer[..len]);
        size += len as u64;
    }
}

impl Cache {
    /// Names a folder; it is made when something is put there.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where a base lies or would lie.
    pub fn path_of(&self, id: &str) -> PathBuf {
        self.dir.join(id)
    }

    /// The base of that id, if it is here with all its files.
    pub fn find(&self, id: &str) -> Result<CachedBase, CacheError> {
        let dir = self.path_of(id);
        if !is_id(id) || !dir.join(CARD).exists() {
            return Err(CacheError::Missing { id: id.to_owned() });
        }
        Ok(CachedBase { card: Card::read(&dir)?, dir })
    }

    /// All bases here, by id. A damaged one is listed as the error it gives.
    pub fn list(&self) -> Result<Vec<Result<CachedBase, CacheError>>, CacheError> {
        let read = |source| CacheError::Read { path: self.dir.clone(), source };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(read)?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(read)?.file_name();
            ids.extend(name.to_str().filter(|name| is_id(name)).map(str::to_owned));
        }
        ids.sort();
        let present = ids.iter().filter(|id| self.path_of(id).join(CARD).exists());
        Ok(present.map(|id| self.find(id)).collect())
    }

    /// Hashes every file of a base.
    pub fn verify(&self, id: &str) -> Result<(), CacheError> {
        let base = self.find(id)?;
        base.card.verify(&base.dir)
    }

    /// Removes a base and what was downloaded of it.
    pub fn remove(&self, id: &str) -> Result<(), CacheError> {
        let dir = self.path_of(id);
        if !is_id(id) || !dir.exists() {
            return Err(CacheError::Missing { id: id.to_owned() });
        }
        let _lock = self.lock(id)?;
        for dir in [dir, self.parts_of(id)] {
            match fs::remove_dir_all(&dir) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::Write { path: dir, source }.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the folder of a base, fetching it first when it is not here. Of several processes that ask for the same
    /// base one fetches and the others wait.
    pub fn pull(
        &self,
        entry: &Entry,
        options: &PullOptions,
        tell: &mut dyn FnMut(PullEvent),
    ) -> Result<PathBuf, PullError> {
        pull::pull(self, entry, options, tell)
    }

    pub(crate) fn lock(&self, id: &str) -> Result<FileLock, StoreError> {
        FileLock::acquire(&self.dir.join(".locks").join(id))
    }

    pub(crate) fn try_lock(&self, id: &str) -> Result<Option<FileLock>, StoreError> {
        FileLock::try_acquire(&self.dir.join(".locks").join(id))
    }

    /// Removes folders of this base that a killed process left half-made. The caller holds the lock.
    pub(crate) fn sweep(&self, id: &str) {
        let start = format!(".{id}.");
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&start) && name.ends_with(".part") {
                // They do no harm but take room; the next pull tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Where half-finished downloads of a base wait for the next try.
    pub(crate) fn parts_of(&self, id: &str) -> PathBuf {
        self.dir.join(".parts").join(id)
    }
}
