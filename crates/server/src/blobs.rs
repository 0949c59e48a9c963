//! Files by what is in them: the same picture twice is one file, on a [`Shelf`].
//!
//! `blobs/<first two of the hash>/<hash>.<ending>`; names that people gave never become paths.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use store::{Hash, StoreError};

use crate::copies::InUse;
use crate::db::examples::ExampleRow;
use crate::pictures;
use crate::shelf::{Shelf, ShelfError};

/// The folder of what was made of blobs, beside theirs.
pub(crate) const DERIVED: &str = "derived";

/// All of them.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    shelf: Shelf,
    /// What was made of them: thumbnails. Each server makes its own.
    derived: PathBuf,
}

impl Blobs {
    pub(crate) fn new(shelf: Shelf, derived: PathBuf) -> Self {
        Self { shelf, derived }
    }

    /// Where a blob lies here once it is [fetched](Blobs::fetch), by the name that [`Blobs::keep`] gave it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.shelf.path(&place(name))
    }

    /// Makes sure that blobs lie here, before something reads them, as long as somebody holds what is returned.
    pub(crate) fn fetch<'n>(&self, names: impl Iterator<Item = &'n str>) -> Result<InUse, ShelfError> {
        let places: Vec<String> = names.map(place).collect();
        self.shelf.fetch_all(places.iter().map(String::as_str))
    }

    /// How large a blob is; `None` when it is nowhere.
    pub(crate) fn size(&self, name: &str) -> Result<Option<u64>, ShelfError> {
        self.shelf.size(&place(name))
    }

    /// Makes sure that the files of examples lie here.
    pub(crate) fn fetch_of(&self, rows: &[ExampleRow]) -> Result<InUse, ShelfError> {
        let names: Vec<String> = rows.iter().flat_map(ExampleRow::blobs).collect();
        self.fetch(names.iter().map(String::as_str))
    }

    /// What a file would be called here.
    pub(crate) fn name_of(&self, file: &Path) -> Result<String, ShelfError> {
        let hash = Hash::of_file(file).map_err(|source| StoreError::read(file, source))?;
        Ok(format!("{hash}{}", ending(file)))
    }

    /// Keeps a copy of a file and returns its name. What is there already is not written again.
    pub(crate) fn keep(&self, file: &Path) -> Result<String, ShelfError> {
        let name = self.name_of(file)?;
        let path = self.path(&name);
        if !path.exists() {
            let mut from = fs::File::open(file).map_err(|source| StoreError::read(file, source))?;
            store::write_atomic(&path, |mut out| io::copy(&mut from, &mut out).map(drop))?;
        } else {
            freshen(&path);
        }
        self.shelf.keep_once(&place(&name))?;
        Ok(name)
    }

    /// What bytes that came without a name would be called here; what they are tells their ending.
    pub(crate) fn name_of_bytes(bytes: &[u8]) -> String {
        format!("{}.{}", Hash::of(bytes), pictures::ending_of(bytes))
    }

    /// Keeps bytes that came without a name.
    pub(crate) fn keep_bytes(&self, bytes: &[u8]) -> Result<String, ShelfError> {
        let name = Self::name_of_bytes(bytes);
        let path = self.path(&name);
        if !path.exists() {
            store::write_atomic(&path, |out| out.write_all(bytes))?;
        } else {
            freshen(&path);
        }
        self.shelf.keep_once(&place(&name))?;
        Ok(name)
    }

    /// A file that was made of a blob; `None` where it was not yet.
    pub(crate) fn made(&self, name: &str, kind: &str) -> Result<Option<Vec<u8>>, ShelfError> {
        let path = self.made_at(name, kind);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::read(&path, source).into()),
        }
    }

    fn made_at(&self, name: &str, kind: &str) -> PathBuf {
        self.derived.join(&name[..2]).join(format!("{name}.{kind}"))
    }

    /// A file made of a blob, such as a thumbnail: made once, then found.
    pub(crate) fn derived(
        &self,
        name: &str,
        kind: &str,
        make: impl FnOnce(&Path) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, ShelfError> {
        if let Some(bytes) = self.made(name, kind)? {
            return Ok(Some(bytes));
        }
        let _here = self.shelf.fetch(&place(name))?;
        let Some(bytes) = make(&self.path(name)) else { return Ok(None) };
        store::write_atomic(&self.made_at(name, kind), |out| out.write_all(&bytes))?;
        Ok(Some(bytes))
    }
}

/// Makes a file young that is about to be named again, so that it is not swept before it is.
fn freshen(path: &Path) {
    let file = fs::OpenOptions::new().append(true).open(path);
    // One that cannot be made young is as old as it was: at worst it is brought in again.
    let _ = file.and_then(|file| file.set_modified(std::time::SystemTime::now()));
}

/// Where a blob lies on the shelf.
fn place(name: &str) -> String {
    format!("{}/{name}", &name[..2])
}

/// `.jpg`, by which readers know a file; nothing where it is no plain ending.
fn ending(file: &Path) -> String {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let plain =
        !ending.is_empty() && ending.len() <= 5 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { format!(".{ending}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_kept_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::open(dir.path().join("blobs"), None, None).expect("a folder is enough");
        let blobs = Blobs::new(shelf, dir.path().join("derived"));
        let [a, b] = ["a.JPG", "b b.jpg"].map(|name| dir.path().join(name));
        fs::write(&a, b"same").expect("a file");
        fs::write(&b, b"same").expect("a file");
        let (a, b) = (blobs.keep(&a).expect("kept"), blobs.keep(&b).expect("kept"));
        assert_eq!(a, b);
        assert!(a.ends_with(".jpg"));
        assert_eq!(fs::read(blobs.path(&a)).expect("there"), b"same");
    }

    #[test]
    fn odd_endings_are_dropped() {
        assert_eq!(ending(Path::new("x.tar.gz")), ".gz");
        assert_eq!(ending(Path::new("x.a/b")), "");
        assert_eq!(ending(Path::new("x.j p")), "");
        assert_eq!(ending(Path::new("none")), "");
    }
}
