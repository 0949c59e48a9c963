//! Files that appear when all of them are known to be right.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ApplyError;
use crate::PipelineError;

/// A file that is not at its place yet; it goes away when it does not get there.
pub(super) struct Draft {
    path: PathBuf,
    out: PathBuf,
    /// Whether it takes the place of another file.
    replaces: bool,
}

impl Draft {
    /// Writes it beside its place, under a name of this process: what a run that was broken off left behind is in nobody's way. Nothing
    /// may be at its place when it gets there.
    pub(super) fn new(out: PathBuf, text: &str) -> Result<Self, PipelineError> {
        Self::write(out, text, false)
    }

    /// The same of a file that may be there, which it then takes the place of.
    pub(super) fn over(out: PathBuf, text: &str) -> Result<Self, PipelineError> {
        Self::write(out, text, true)
    }

    fn write(out: PathBuf, text: &str, replaces: bool) -> Result<Self, PipelineError> {
        let draft = Self { path: aside(&out, "draft"), out, replaces };
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
                    let path = draft.out.clone();
                    return Err(if source.kind() == ErrorKind::AlreadyExists {
                        ApplyError::Exists { path }
                    } else {
                        ApplyError::Write { path, source }
                    });
                }
            }
        }
        placed.into_iter().for_each(Placed::keep);
        Ok(())
    }

    /// Puts it at its place at once; what it takes the place of is kept beside it until all is done.
    fn place(&self) -> std::io::Result<Placed> {
        if !self.replaces {
            // Fails where somebody else was faster.
            std::fs::hard_link(&self.path, &self.out).or_else(|error| match error.kind() {
                ErrorKind::AlreadyExists => Err(error),
                // Not every disk knows links.
                _ if self.out.exists() => Err(ErrorKind::AlreadyExists.into()),
                _ => std::fs::rename(&self.path, &self.out),
            })?;
            return Ok(Placed { out: self.out.clone(), before: None });
        }
        let before = aside(&self.out, "before");
        let was_there = self.out.exists();
        if was_there {
            std::fs::copy(&self.out, &before)?;
        }
        let placed = Placed { out: self.out.clone(), before: was_there.then_some(before) };
        if let Err(error) = std::fs::rename(&self.path, &self.out) {
            placed.keep();
            return Err(error);
        }
        Ok(placed)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Published, it is gone already, or has another name.
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
        let drafts = || {
            let new = ["record", "table"].map(|name| Draft::new(at(name), "new").unwrap());
            [Draft::over(at("book"), "new").unwrap()].into_iter().chain(new).collect::<Vec<_>>()
        };
        let names = || std::fs::read_dir(dir.path()).unwrap().count();
        let book = || std::fs::read_to_string(at("book")).unwrap();
        // Somebody else was faster.
        let late = drafts();
        std::fs::write(at("table"), "theirs").unwrap();
        assert!(matches!(Draft::publish(late), Err(ApplyError::Exists { path }) if path == at("table")));
        assert_eq!((book().as_str(), names()), ("old", 2));
        assert_eq!(std::fs::read_to_string(at("table")).unwrap(), "theirs");
        std::fs::remove_file(at("table")).unwrap();
        // A folder is nobody's file to replace.
        let folder = Draft::over(dir.path().join("page"), "new").unwrap();
        std::fs::create_dir(at("page")).unwrap();
        let mut failing = drafts();
        failing.push(folder);
        assert!(matches!(Draft::publish(failing), Err(ApplyError::Write { path, .. }) if path == at("page")));
        assert_eq!((book().as_str(), names()), ("old", 2));
        Draft::publish(drafts()).unwrap();
        assert_eq!((book().as_str(), names()), ("new", 4));
    }
}
