//! Files that appear when all of them are known to be right.

use std::path::{Path, PathBuf};

use super::ApplyError;
use crate::PipelineError;

/// A file that is not at its place yet; it goes away when it does not get there.
pub(super) struct Draft {
    path: PathBuf,
    out: PathBuf,
}

impl Draft {
    /// Writes it beside its place, under a name of this process: what a run that was broken off left behind is in nobody's way.
    pub(super) fn write(out: PathBuf, text: &str) -> Result<Self, PipelineError> {
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        let draft = Self { path: out.with_file_name(format!(".draft-{}-{name}", std::process::id())), out };
        store::write_atomic(&draft.path, |file| file.write_all(text.as_bytes()))?;
        Ok(draft)
    }

    /// Where it is until it is published.
    pub(super) fn path(&self) -> &Path {
        &self.path
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
