//! The files below a folder, and the one that a name means; links and names that leave the folder are not followed.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use dataset::{Part, Problem, ProblemKind};
use walkdir::WalkDir;

use crate::ExchangeError;
use crate::names::split;

/// Folders deeper than this are not looked into.
const MOST_DEPTH: usize = 12;
/// Most files of one set.
const MOST_FILES: usize = 2_000_000;
/// Largest document that is read whole.
pub(crate) const MOST_BYTES: u64 = 1 << 30;
/// Most folders with nothing but one folder in them that are passed on the way to the set.
const MOST_WRAPPERS: usize = 4;
/// What systems leave behind beside people's files.
const LITTER: &[&str] = &["__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"];

/// All files of a set by their paths, which have `/` between folders.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    /// Sorted.
    paths: Vec<String>,
    /// Names without folders, in lower case, with where they stand above.
    by_name: HashMap<String, Vec<usize>>,
}

impl Files {
    /// Lists a folder, sorted. Hidden files, litter and links are passed over.
    ///
    /// Where there is only one folder in it, that one is listed.
    pub(crate) fn list(root: &Path) -> Result<Self, ExchangeError> {
        Self::list_as_is(&unwrapped(root))
    }

    /// Lists a folder even when there is only one in it.
    pub(crate) fn list_as_is(root: &Path) -> Result<Self, ExchangeError> {
        let root = root.to_owned();
        let failed = |error: walkdir::Error| {
            let source = error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links"));
            ExchangeError::open(&root, source)
        };
        let mut paths = Vec::new();
        let walk = WalkDir::new(&root).max_depth(MOST_DEPTH).sort_by_file_name();
        let is_visible = |entry: &walkdir::DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name());
        for entry in walk.into_iter().filter_entry(is_visible) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() == 0 => return Err(failed(error)),
                // A folder that cannot be opened holds nothing that could be used.
                Err(_) => continue,
            };
            let path = entry.path().strip_prefix(&root).ok().and_then(Path::to_str);
            if let (true, Some(path)) = (entry.file_type().is_file(), path) {
                paths.push(path.replace(std::path::MAIN_SEPARATOR, "/"));
            }
            if paths.len() > MOST_FILES {
                return Err(ExchangeError::TooMuch { path: root, what: "files", limit: MOST_FILES as u64 });
            }
        }
        paths.sort();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, path) in paths.iter().enumerate() {
            by_name.entry(name(path).to_lowercase()).or_default().push(at);
        }
        Ok(Self { root, paths, by_name })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Those with one of these endings, in lower case and with the dot.
    pub(crate) fn ending(&self, endings: &[&str]) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str).filter(|path| endings.contains(&ending(path).as_str()))
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.binary_search_by(|other| other.as_str().cmp(path)).is_ok()
    }

    /// Whether a folder of this path has a file in it.
    pub(crate) fn has_folder(&self, folder: &str) -> bool {
        let start = format!("{folder}/");
        let at = self.paths.partition_point(|path| path.as_str() < start.as_str());
        self.paths.get(at).is_some_and(|path| path.starts_with(&start))
    }

    pub(crate) fn full(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The file that a document means by a name: beside the document, in one of the folders beside it or at the root, else the
    /// only one with that name anywhere.
    pub(crate) fn meant(&self, name: &str, document: &str, folders: &[&str]) -> Result<&str, ProblemKind> {
        let missing = || ProblemKind::MissingFile { name: name.chars().take(200).collect() };
        let Some(plain) = plain(name) else {
            return Err(ProblemKind::OutsideRoot { name: name.chars().take(200).collect() });
        };
        let beside = document.rfind('/').map_or("", |slash| &document[..=slash]);
        let above = beside.trim_end_matches('/').rfind('/').map_or("", |slash| &beside[..=slash]);
        for start in [beside, above, ""] {
            for folder in std::iter::once("").chain(folders.iter().copied()) {
                let slash = if folder.is_empty() { "" } else { "/" };
                let path = format!("{start}{folder}{slash}{plain}");
                if let Ok(at) = self.paths.binary_search(&path) {
                    return Ok(&self.paths[at]);
                }
            }
        }
        match self.by_name.get(&self::name(&plain).to_lowercase()).map(Vec::as_slice) {
            Some([only]) => Ok(&self.paths[*only]),
            _ => Err(missing()),
        }
    }

    /// The bytes of a document; the limit is [`MOST_BYTES`].
    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, ExchangeError> {
        read(&self.full(path), MOST_BYTES)
    }
}

/// The bytes of a file, if it is not larger than `most`.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, ExchangeError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|source| ExchangeError::open(path, source))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|source| ExchangeError::open(path, source))?;
    if bytes.len() as u64 > most {
        return Err(ExchangeError::TooMuch { path: path.to_owned(), what: "bytes", limit: most });
    }
    Ok(bytes)
}

/// A file that could not be used, as a problem of the set.
pub(crate) fn problem(error: ExchangeError, path: &Path) -> Problem {
    let kind = match error {
        ExchangeError::TooMuch { what, limit, .. } => {
            ProblemKind::BadRow { detail: format!("more than {limit} {what}") }
        }
        ExchangeError::Malformed { detail, .. } => ProblemKind::BadRow { detail },
        ExchangeError::Open { source, .. } => ProblemKind::Unreadable { detail: source.to_string() },
        other => ProblemKind::BadRow { detail: other.to_string() },
    };
    Problem::in_file(kind, path)
}

/// The ending of a path in lower case, with its dot; empty when there is none.
pub(crate) fn ending(path: &str) -> String {
    split(path).1.to_lowercase()
}

/// The path without its ending.
pub(crate) fn stem(path: &str) -> &str {
    split(path).0
}

/// The last part of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A relative path without `.`; `None` when it would leave its folder.
pub(crate) fn plain(path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with('/') || is_drive || path.contains('\0') {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

/// Archives often hold one folder in which everything lies.
fn unwrapped(root: &Path) -> PathBuf {
    let mut root = root.to_owned();
    for _ in 0..MOST_WRAPPERS {
        let Ok(entries) = std::fs::read_dir(&root) else { break };
        let mut visible =
            entries.filter_map(Result::ok).filter(|entry| !is_hidden(&entry.file_name())).take(2);
        match (visible.next(), visible.next()) {
            (Some(only), None) if is_wrapper(&only) => root = only.path(),
            _ => break,
        }
    }
    root
}

/// Whether it is a folder whose name says nothing about what is in it.
fn is_wrapper(entry: &std::fs::DirEntry) -> bool {
    let says_part = Part::from_name(&entry.file_name().to_string_lossy()).is_some();
    !says_part && entry.file_type().is_ok_and(|kind| kind.is_dir())
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    name.starts_with('.') || LITTER.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in ["../a", "/etc/passwd", "a/../../b", "C:\\a", "", "."] {
            assert_eq!(plain(name), None, "{name}");
        }
        assert_eq!(plain("./a//b\\c.png").as_deref(), Some("a/b/c.png"));
    }

    #[test]
    fn a_name_is_found_beside_its_document_first() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("one");
        for path in
            ["x/a.json", "x/1.png", "images/1.png", "images/2.png", "deep/er/3.png", "p/4.png", "q/4.png"]
        {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), "").unwrap();
        }
        let files = Files::list(dir.path()).unwrap();
        assert_eq!(files.root(), root, "the only folder is passed");
        let meant = |name: &str| files.meant(name, "x/a.json", &["images"]);
        assert_eq!(meant("1.png"), Ok("x/1.png"));
        assert_eq!(meant("2.png"), Ok("images/2.png"));
        assert_eq!(meant("elsewhere/3.png"), Ok("deep/er/3.png"));
        assert_eq!(meant("4.png"), Err(ProblemKind::MissingFile { name: "4.png".into() }));
        assert_eq!(meant("../1.png"), Err(ProblemKind::OutsideRoot { name: "../1.png".into() }));
        assert!(
            files.has("x/1.png")
                && !files.has("x/2.png")
                && files.has_folder("deep")
                && !files.has_folder("dee")
        );
    }
}
