//! Why something could not be kept.

use std::io;
use std::path::{Path, PathBuf};

/// What went wrong on the disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum StoreError {
    /// There is no room left. Nothing half-written stays behind.
    #[error("the disk is full: cannot write `{}`", path.display())]
    DiskFull { path: PathBuf },
    /// The place may not be written to.
    #[error("not allowed to write `{}`", path.display())]
    Denied { path: PathBuf },
    /// Any other failure to write.
    #[error("cannot write `{}`", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A lock that cannot be taken, though nobody holds it: some file systems on a network keep none.
    #[error("cannot lock `{}`", path.display())]
    Lock {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A failure to read what was kept.
    #[error("cannot read `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A vector of another length than the store's.
    #[error("the vector has {got} values, this store keeps {expected}")]
    Dimension { expected: usize, got: usize },
}

impl StoreError {
    /// Sorts a failed write by what the person can do about it.
    pub fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Denied { path },
            _ => Self::Write { path, source },
        }
    }

    /// A file that could not be read.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}
