//! Atomic files, content hashes, locks and a feature cache on a local disk.
//!
//! Whatever is written here is either there whole or not there at all: every file and folder is made aside, flushed and
//! then renamed into place.

mod atomic;
mod error;
mod hash;
mod lock;
mod vectors;

pub use atomic::{StagedDir, write_atomic};
pub use error::StoreError;
pub use hash::{Hash, Hasher, ParseHashError};
pub use lock::FileLock;
pub use vectors::{SetAside, VectorStore};
