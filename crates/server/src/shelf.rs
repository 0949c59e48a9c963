//! Files that the server keeps: in a folder, and where several servers share them, in an object store. Then the folder holds copies.
//!
//! Everything here waits for the disk or the network: call it from a thread that may, such as one of `spawn_blocking`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart};
use rayon::prelude::*;
use store::StoreError;
use tokio::runtime::Handle;
use tokio_stream::StreamExt as _;
use walkdir::WalkDir;

use crate::Store;
use crate::copies::{Copies, InUse};

/// Bytes that are sent at once; S3 wants parts of 5 MiB at least.
const PART: usize = 8 << 20;
/// How long ago a file may have been sent that is not sent again when it is to be kept: long before it may be swept, and longer than any import
/// takes before that.
const FRESH: Duration = Duration::from_secs(86_400);
/// The file in which a store names its database.
const OWNER: &str = "database";

/// A folder of files by name, perhaps with a store behind it.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    dir: PathBuf,
    far: Option<Far>,
}

/// The store behind, and where in it.
#[derive(Debug, Clone)]
struct Far {
    store: Arc<dyn ObjectStore>,
    below: Key,
    runtime: Handle,
    /// Where it is bounded how much lies here.
    copies: Option<Arc<Copies>>,
}

/// Why a file could not be kept or fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShelfError {
    #[error(transparent)]
    Here(#[from] StoreError),
    #[error("the object store failed")]
    There(#[from] object_store::Error),
}

impl From<io::Error> for ShelfError {
    fn from(source: io::Error) -> Self {
        Self::Here(StoreError::read(Path::new("a file of the server"), source))
    }
}

impl Shelf {
    /// The shelf in a folder, perhaps with a store behind it, of which at most so many bytes are to lie here as copies.
    pub(crate) fn open(
        dir: PathBuf,
        store: Option<&Store>,
        max_copies: Option<u64>,
    ) -> Result<Self, object_store::Error> {
        let Some(Store { url, options }) = store else { return Ok(Self { dir, far: None }) };
        // One way of encrypting for all; a second call finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bad = |source: url::ParseError| object_store::Error::Generic {
            store: "address",
            source: source.into(),
        };
        let url = url::Url::parse(url).map_err(bad)?;
        let options = options.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let (store, below) = object_store::parse_url_opts(&url, options)?;
        let copies = max_copies.map(|most| Arc::new(Copies::new(most)));
        Ok(Self { dir, far: Some(Far { store: store.into(), below, runtime: Handle::current(), copies }) })
    }

    /// Whether the store behind answers, and belongs to this database: another one names none of its files, and would sweep them away.
    pub(crate) async fn check(&self, database: &str) -> Result<(), object_store::Error> {
        let Some(far) = &self.far else { return Ok(()) };
        let key = far.key(OWNER);
        let owner = match far.store.get(&key).await {
            Ok(got) => got.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => {
                far.store.put(&key, PutPayload::from(database.to_owned().into_bytes())).await?;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if owner == database.as_bytes() {
            return Ok(());
        }
        let source = "it belongs to another database: name an empty folder of the store, or the database it was made with";
        Err(object_store::Error::Generic { store: "object", source: source.into() })
    }

    /// A folder of it.
    pub(crate) fn folder(&self, name: &str) -> Self {
        let far = self.far.clone().map(|far| Far { below: far.below.clone().join(name), ..far });
        Self { dir: self.dir.join(name), far }
    }

    /// Where a file lies here, or will.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Keeps a file that was written to its [`Shelf::path`], so that all servers have it.
    pub(crate) fn keep(&self, name: &str) -> Result<(), ShelfError> {
        let Some(far) = &self.far else { return Ok(()) };
        let path = self.path(name);
        let mut file = std::fs::File::open(&path).map_err(|source| StoreError::read(&path, source))?;
        far.came(file.metadata()?.len());
        far.put(name, &mut file)
    }

    /// As [`Shelf::keep`], of a file that may be kept already: by another server, or by one that was interrupted. One that lies there for long
    /// is sent again, so that no server sweeps it before the row is written that names it.
    pub(crate) fn keep_once(&self, name: &str) -> Result<(), ShelfError> {
        let Some(far) = &self.far else { return Ok(()) };
        if far.sent(&far.key(name))?.is_none_or(|passed| passed > FRESH) {
            return self.keep(name);
        }
        // It lies here all the same, unless it went to make room meanwhile.
        if let Ok(about) = std::fs::metadata(self.path(name)) {
            far.came(about.len());
        }
        Ok(())
    }

    /// How large a file is, here or there; `None` when it is nowhere.
    pub(crate) fn size(&self, name: &str) -> Result<Option<u64>, ShelfError> {
        if let Ok(about) = std::fs::metadata(self.path(name)) {
            return Ok(Some(about.len()));
        }
        let Some(far) = &self.far else { return Ok(None) };
        match far.runtime.block_on(far.store.head(&far.key(name))) {
            Ok(about) => Ok(Some(about.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that a file lies here, as long as somebody holds what is returned; `None` when it is nowhere.
    pub(crate) fn fetch(&self, name: &str) -> Result<Option<InUse>, ShelfError> {
        let in_use = self.hold([name].into_iter());
        Ok(self.get(name)?.then_some(in_use))
    }

    /// Makes sure that files lie here, several at a time, as long as somebody holds what is returned. One that is nowhere is no error here, but
    /// to whoever reads it.
    pub(crate) fn fetch_all<'n>(&self, names: impl Iterator<Item = &'n str>) -> Result<InUse, ShelfError> {
        if self.far.is_none() {
            return Ok(InUse::default());
        }
        let names: Vec<&str> = names.collect();
        let in_use = self.hold(names.iter().copied());
        names.par_iter().try_for_each(|name| self.get(name).map(drop))?;
        Ok(in_use)
    }

    fn hold<'n>(&self, names: impl Iterator<Item = &'n str>) -> InUse {
        let copies = self.far.as_ref().and_then(|far| far.copies.as_ref());
        copies.map_or_else(InUse::default, |copies| copies.hold(names.map(|name| self.path(name)).collect()))
    }

    /// Brings a file here that is not; `false` when it is nowhere.
    fn get(&self, name: &str) -> Result<bool, ShelfError> {
        let path = self.path(name);
        match &self.far {
            _ if path.exists() => Ok(true),
            None => Ok(false),
            Some(far) => far.get(name, &path),
        }
    }

    /// Removes copies in these folders that were not used for longest, where more lies here than may. Only what the store has goes; nothing
    /// that lies in a folder with the name `beside` is a copy. Returns how many went.
    pub(crate) fn make_room(&self, folders: &[&str], beside: &str) -> Result<usize, ShelfError> {
        let Some((far, copies)) = self.far.as_ref().and_then(|far| Some((far, far.copies.as_ref()?))) else {
            return Ok(0);
        };
        if !copies.is_time() {
            return Ok(0);
        }
        let files = folders.iter().flat_map(|folder| {
            let all = WalkDir::new(self.dir.join(folder)).into_iter();
            all.filter_entry(|entry| entry.file_name() != beside).filter_map(Result::ok)
        });
        copies.make_room(files, |path| {
            let below = path.strip_prefix(&self.dir).unwrap_or(path);
            let parts = below.components().map(|part| part.as_os_str().to_string_lossy());
            far.has(&parts.collect::<Vec<_>>().join("/"))
        })
    }

    /// Removes a file, here and there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ShelfError> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::read(&path, source).into());
            }
            _ => {}
        }
        let Some(far) = &self.far else { return Ok(()) };
        match far.runtime.block_on(far.store.delete(&far.key(name))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The files behind that are not `named`, by where they lie in the store.
    pub(crate) fn unnamed_far(&self, named: &dyn Fn(&str) -> bool) -> Result<Vec<String>, ShelfError> {
        let Some(far) = &self.far else { return Ok(Vec::new()) };
        let mut unnamed = Vec::new();
        far.runtime.block_on(async {
            let mut files = far.store.list(Some(&far.below));
            while let Some(file) = files.next().await {
                let location = file?.location;
                if !location.parts().any(|part| named(part.as_ref())) {
                    unnamed.push(location.to_string());
                }
            }
            Ok::<(), object_store::Error>(())
        })?;
        Ok(unnamed)
    }

    /// Removes files behind, by where they lie in the store, that were sent longer ago than `age`; returns how many. One that was sent again
    /// since they were listed is about to be named.
    pub(crate) fn remove_far(&self, locations: &[String], age: Duration) -> Result<usize, ShelfError> {
        let Some(far) = &self.far else { return Ok(0) };
        let mut n_removed = 0;
        for location in locations {
            let key = Key::from(location.as_str());
            if far.sent(&key)?.is_some_and(|passed| passed > age) {
                far.runtime.block_on(far.store.delete(&key))?;
                n_removed += 1;
            }
        }
        Ok(n_removed)
    }
}

impl Far {
    fn has(&self, name: &str) -> Result<bool, ShelfError> {
        Ok(self.sent(&self.key(name))?.is_some())
    }

    /// How long ago a file was sent; `None` when it is not there.
    fn sent(&self, key: &Key) -> Result<Option<Duration>, ShelfError> {
        match self.runtime.block_on(self.store.head(key)) {
            // A clock that is behind the store's has just seen it.
            Ok(about) => Ok(Some(SystemTime::from(about.last_modified).elapsed().unwrap_or_default())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes that so many bytes lie here more.
    fn came(&self, bytes: u64) {
        if let Some(copies) = &self.copies {
            copies.came(bytes);
        }
    }

    fn key(&self, name: &str) -> Key {
        name.split('/').fold(self.below.clone(), |key, part| key.join(part))
    }

    fn put(&self, name: &str, file: &mut std::fs::File) -> Result<(), ShelfError> {
        let (key, mut bytes) = (self.key(name), Vec::new());
        Read::by_ref(file).take(PART as u64).read_to_end(&mut bytes)?;
        if bytes.len() < PART {
            self.runtime.block_on(self.store.put(&key, PutPayload::from(bytes)))?;
            return Ok(());
        }
        let mut upload =
            WriteMultipart::new_with_chunk_size(self.runtime.block_on(self.store.put_multipart(&key))?, PART);
        while !bytes.is_empty() {
            self.runtime.block_on(async {
                upload.wait_for_capacity(2).await?;
                upload.write(&bytes);
                Ok::<(), object_store::Error>(())
            })?;
            bytes.clear();
            Read::by_ref(file).take(PART as u64).read_to_end(&mut bytes)?;
        }
        self.runtime.block_on(upload.finish())?;
        Ok(())
    }

    fn get(&self, name: &str, path: &Path) -> Result<bool, ShelfError> {
        let got = match self.runtime.block_on(self.store.get(&self.key(name))) {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.came(got.meta.size);
        let mut pieces = got.into_stream();
        store::write_atomic(path, |out| {
            while let Some(piece) = self.runtime.block_on(pieces.next()) {
                out.write_all(&piece.map_err(io::Error::other)?)?;
            }
            Ok(())
        })?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shelf in a folder with a store in memory behind it.
    fn shelf(dir: &Path) -> Shelf {
        bounded(dir, None).folder("blobs")
    }

    fn bounded(dir: &Path, max_copies: Option<u64>) -> Shelf {
        let store = Store { url: "memory:///".to_owned(), options: Vec::new() };
        Shelf::open(dir.to_owned(), Some(&store), max_copies).expect("a store")
    }

    #[test]
    fn what_is_kept_comes_back_and_only_what_nobody_names_goes() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let _inside = runtime.enter();
        let dir = tempfile::tempdir().expect("a folder");
        let shelf = shelf(dir.path());
        // More than one part, so that it is sent in pieces.
        let large = vec![7; PART + 5];
        for (name, bytes) in [("ab/named.png", large.as_slice()), ("cd/gone.png", b"gone")] {
            store::write_atomic(&shelf.path(name), |out| out.write_all(bytes)).expect("written");
            shelf.keep_once(name).expect("kept");
            std::fs::remove_file(shelf.path(name)).expect("lost here");
        }
        assert!(shelf.fetch("ab/named.png").expect("fetched").is_some());
        assert_eq!(std::fs::read(shelf.path("ab/named.png")).expect("here again"), large);
        let unnamed = shelf.unnamed_far(&|part| part == "named.png").expect("listed");
        assert_eq!(unnamed, ["blobs/cd/gone.png"]);
        let young = shelf.remove_far(&unnamed, Duration::from_secs(3600)).expect("swept");
        assert_eq!(young, 0, "somebody sent it a moment ago, and is about to name it");
        assert_eq!(shelf.remove_far(&unnamed, Duration::ZERO).expect("swept"), 1);
        assert!(shelf.fetch("cd/gone.png").expect("asked").is_none(), "it is nowhere");
        shelf.remove("ab/named.png").expect("removed");
        assert!(shelf.fetch("ab/named.png").expect("asked").is_none());
    }

    #[test]
    fn copies_go_that_the_store_has_and_come_back_when_they_are_asked_for() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let _inside = runtime.enter();
        let dir = tempfile::tempdir().expect("a folder");
        let shelves = bounded(dir.path(), Some(1000));
        let shelf = shelves.folder("blobs");
        let make_room = || shelves.make_room(&["blobs"], "derived").expect("looked");
        let age = |name: &str, seconds: u64| {
            let file = std::fs::OpenOptions::new().append(true).open(shelf.path(name)).expect("it is here");
            file.set_modified(std::time::SystemTime::now() - Duration::from_secs(seconds)).expect("aged");
        };
        // What was made of copies does not count.
        store::write_atomic(&shelf.path("derived/large"), |out| out.write_all(&[7; 4500])).expect("written");
        for (name, seconds) in [("aa/kept", 900), ("bb/kept", 800), ("cc/unsent", 700)] {
            store::write_atomic(&shelf.path(name), |out| out.write_all(&[7; 450])).expect("written");
            if name != "cc/unsent" {
                shelf.keep_once(name).expect("kept");
            }
            age(name, seconds);
        }
        // Asked for a moment ago, however old it was.
        drop(shelf.fetch("aa/kept").expect("fetched"));
        let here = |name: &str| shelf.path(name).exists();
        assert_eq!(make_room(), 1);
        assert!(
            here("aa/kept") && !here("bb/kept") && here("cc/unsent"),
            "nowhere else is what was not sent"
        );
        let used = shelf.fetch_all(["bb/kept", "aa/kept"].into_iter()).expect("fetched");
        assert_eq!(std::fs::read(shelf.path("bb/kept")).expect("here again"), [7; 450]);
        age("aa/kept", 900);
        age("bb/kept", 900);
        assert_eq!(make_room(), 0, "somebody uses them");
        drop(used);
        shelf.keep("aa/kept").expect("kept");
        assert_eq!(make_room(), 1);
    }

    #[test]
    fn a_store_belongs_to_one_database() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let _inside = runtime.enter();
        let dir = tempfile::tempdir().expect("a folder");
        let shelf = shelf(dir.path());
        let check = |database: &str| runtime.block_on(shelf.check(database)).is_ok();
        assert!(check("one") && check("one") && !check("two"));
    }
}
