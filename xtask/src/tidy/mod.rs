//! The rules of the house that a compiler does not know. Start at [`all`].

pub mod files;
pub mod layers;
pub mod papers;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// One broken rule: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Path from the repository's root.
    pub path: String,
    /// Line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// What is wrong, and what to do about it.
    pub what: String,
}

impl Finding {
    /// A finding about a whole file or folder.
    pub fn at(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, what: what.into() }
    }

    /// A finding at a line, counted from 1.
    pub fn at_line(path: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.into(), line: Some(line), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.what),
            None => write!(f, "{}: {}", self.path, self.what),
        }
    }
}

/// A text file of the tree.
#[derive(Debug, Clone)]
pub struct Source {
    /// Path from the repository's root, with `/`.
    pub path: String,
    /// The whole file.
    pub text: String,
}

/// Runs every check on the repository at `root`.
pub fn all(root: &Path) -> Result<Vec<Finding>> {
    let sources = sources(root)?;
    let allowed = files::Allowed::read(&root.join("xtask/tidy.toml"))?;
    let metadata = layers::Metadata::read(root)?;
    let mut findings = layers::check(&metadata);
    findings.extend(files::crate_roots_have_docs(&metadata, root)?);
    findings.extend(files::check(&sources, &allowed));
    findings.extend(papers::decisions(&sources));
    findings.extend(papers::readmes(&sources));
    findings.extend(papers::map(&sources, root));
    findings.extend(papers::methods(&sources));
    Ok(findings)
}

/// Every text file that git tracks or would track. Binary files and links are left out.
pub fn sources(root: &Path) -> Result<Vec<Source>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    ensure!(listed.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
    let paths = names.split('\0').filter(|name| !name.is_empty());
    Ok(paths.filter_map(|path| read(root, path)).collect())
}

/// `None` for what is gone from the working tree, and for what is not text.
fn read(root: &Path, path: &str) -> Option<Source> {
    let full: PathBuf = root.join(path);
    let bytes = full.is_file().then(|| std::fs::read(&full).ok())??;
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
    Some(Source { path: path.to_owned(), text })
}
