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
        let draft = Self { path: aside(&out, "draft"), out };
        store::write_atomic(&draft.path, |file| file.write_all(text.as_bytes()))?;
        Ok(draft)
    }

    /// Where it is until it is published.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts all at their places, in this order; where one cannot be, those before it are as they were.
    pub(super) fn publish(drafts: Vec<Self>) -> Result<(), ApplyError> {
        let mut placed = Vec::new();
        for draft in drafts {
            match draft.place() {
                Ok(done) => placed.push(done),
                Err(source) => {
                    placed.into_iter().rev().for_each(Placed::undo);
                    return Err(ApplyError::Write { path: draft.out.clone(), source });
                }
            }
        }
        placed.into_iter().for_each(Placed::keep);
        Ok(())
    }

    /// Puts it at its place, and what was there beside it.
    fn place(&self) -> std::io::Result<Placed> {
        let before = aside(&self.out, "before");
        let was_there = self.out.exists();
        if was_there {
            // A folder is nobody's file to replace.
            if self.out.is_dir() {
                return Err(std::io::ErrorKind::IsADirectory.into());
            }
            std::fs::rename(&self.out, &before)?;
        }
        let placed = Placed { out: self.out.clone(), before: was_there.then_some(before) };
        if let Err(error) = std::fs::rename(&self.path, &self.out) {
            placed.undo();
            return Err(error);
        }
        Ok(placed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Published, it is gone already.
        std::fs::remove_file(&self.path).ok();
    }
}

/// A file at its place, and where the one is that was there.
struct Placed {
    out: PathBuf,
    before: Option<PathBuf>,
}

impl Placed {
    fn undo(self) {
        match &self.before {
            Some(before) => std::fs::rename(before, &self.out).ok(),
            None => std::fs::remove_file(&self.out).ok(),
        };
    }

    fn keep(self) {
        if let Some(before) = self.before {
            std::fs::remove_file(before).ok();
        }
    }
}

/// A hidden name beside a file, of this process.
fn aside(out: &Path, what: &str) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!(".{what}-{}-{name}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_appear_or_none_does() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("book"), "old").unwrap();
        let drafts = |names: &[&str]| -> Vec<Draft> {
            names.iter().map(|name| Draft::write(at(name), "new").unwrap()).collect()
        };
        std::fs::create_dir(at("page")).unwrap();
        let failed = Draft::publish(drafts(&["book", "record", "page", "table"]));
        assert!(matches!(failed, Err(ApplyError::Write { path, .. }) if path == at("page")));
        assert_eq!(std::fs::read_to_string(at("book")).unwrap(), "old");
        let names = || std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names(), 2, "a book and a folder");
        std::fs::remove_dir(at("page")).unwrap();
        Draft::publish(drafts(&["book", "record", "page", "table"])).unwrap();
        assert_eq!((std::fs::read_to_string(at("book")).unwrap().as_str(), names()), ("new", 4));
    }
}
