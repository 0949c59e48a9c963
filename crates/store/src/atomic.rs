//! Files and folders that appear whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::StoreError;

/// Tells apart the temporary names of one process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Writes a file aside, flushes it to the disk and renames it into place. Missing parent folders are made.
///
/// When anything fails the old file, if any, stays as it was and the temporary one is removed.
pub fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StoreError> {
    let failed = |source| StoreError::write(path, source);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let aside = Aside { path: aside(path) };
    let file = OpenOptions::new().write(true).create_new(true).open(&aside.path).map_err(failed)?;
    let mut out = BufWriter::new(file);
    write(&mut out).map_err(failed)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    fs::rename(&aside.path, path).map_err(failed)?;
    sync_parent(path);
    Ok(())
}

/// Removes the temporary file unless it was renamed away.
struct Aside {
    path: PathBuf,
}

impl Drop for Aside {
    fn drop(&mut self) {
        // After a successful rename there is nothing to remove, and that is the usual case.
        let _ = fs::remove_file(&self.path);
    }
}

/// A folder built aside that appears whole under its name, or never.
#[derive(Debug)]
pub struct StagedDir {
    dest: PathBuf,
    path: PathBuf,
}

impl StagedDir {
    /// Makes an empty folder beside `dest`, on the same file system.
    pub fn new_beside(dest: &Path) -> Result<Self, StoreError> {
        let path = aside(dest);
        fs::create_dir_all(&path).map_err(|source| StoreError::write(dest, source))?;
        Ok(Self { dest: dest.to_owned(), path })
    }

    /// Where to put the files.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the folder its name. A folder of that name that was there before is replaced.
    pub fn publish(self) -> Result<(), StoreError> {
        let failed = |source| StoreError::write(&self.dest, source);
        let old = aside(&self.dest);
        let replaced = match fs::rename(&self.dest, &old) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        if let Err(error) = fs::rename(&self.path, &self.dest) {
            if replaced {
                // Best effort: the first error is the one to tell.
                let _ = fs::rename(&old, &self.dest);
            }
            return Err(failed(error));
        }
        if replaced {
            remove(&old);
        }
        sync_parent(&self.dest);
        Ok(())
    }
}

impl Drop for StagedDir {
    fn drop(&mut self) {
        // Nothing is left here after `publish`.
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "could not remove a temporary file");
    }
}

/// A hidden name beside `path` that no other process or thread uses.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{}-{number}.part", process::id()))
}

/// A rename is only durable once its folder is; failing to say so loses nothing that was there before.
fn sync_parent(path: &Path) {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(parent) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept.txt");
        write_atomic(&path, |out| out.write_all(b"old")).unwrap();
        let error = write_atomic(&path, |out| {
            out.write_all(b"new")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(matches!(error, Err(StoreError::DiskFull { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_staged_folder_appears_whole_and_replaces_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let dest = dir.path().join("model");
        for version in ["one", "two"] {
            let staged = StagedDir::new_beside(&dest).unwrap();
            fs::write(staged.path().join(version), version).unwrap();
            staged.publish().unwrap();
        }
        assert!(dest.join("two").exists() && !dest.join("one").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_unpublished_folder_vanishes() {
        let dir = tempfile::tempdir().unwrap();
        let staged = StagedDir::new_beside(&dir.path().join("model")).unwrap();
        fs::write(staged.path().join("half"), "x").unwrap();
        drop(staged);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
