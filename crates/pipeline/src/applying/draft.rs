//! Files that appear when all of them are known to be right.

use std::path::PathBuf;

use super::ApplyError;
use crate::PipelineError;

/// A file that is not at its place yet; it goes away when it does not get there.
pub(super) struct Draft {
    pub(super) path: PathBuf,
    out: PathBuf,
}

impl Draft {
    pub(super) fn write(path: PathBuf, out: PathBuf, text: &str) -> Result<Self, PipelineError> {
        if path.exists() {
            return Err(ApplyError::Exists { path }.into());
        }
        let draft = Self { path, out };
        store::write_atomic(&draft.path, |file| file.write_all(text.as_bytes()))?;
        Ok(draft)
    }

    /// Puts it at its place.
    pub(super) fn publish(self) -> Result<(), ApplyError> {
        let (from, to) = (&self.path, &self.out);
        std::fs::rename(from, to).map_err(|source| ApplyError::Write { path: to.clone(), source })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Published, it is gone already.
        std::fs::remove_file(&self.path).ok();
    }
}
