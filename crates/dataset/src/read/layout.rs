//! What a folder holds: its files, its tables and the parts they declare.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::folders::{folders_between, modality_of_name};
use super::{Format, MAX_EXAMPLES};
use crate::{Modality, Part, Problem, ProblemKind, ReadError};

/// Folders deeper than this are not looked into.
const MAX_DEPTH: usize = 12;
/// What systems and archives leave behind beside people's files.
const LITTER: &[&str] = &["__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"];

/// A table with the part it is, if its name or its folder says so.
pub(super) type PartFile = (PathBuf, Option<Part>);

fn is_hidden(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_lowercase();
    name.starts_with('.') || LITTER.contains(&name.as_str())
}

/// Every file below a folder, sorted; hidden ones and those behind links to folders are passed over.
pub(super) fn list(root: &Path) -> Result<(Vec<PathBuf>, Vec<Problem>), ReadError> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    let visible = |entry: &walkdir::DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name());
    for entry in WalkDir::new(root).max_depth(MAX_DEPTH).sort_by_file_name().into_iter().filter_entry(visible)
    {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) if entry.path().is_dir() => {}
            Ok(entry) => files.push(entry.into_path()),
            Err(error) if error.depth() == 0 => {
                let source =
                    error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links"));
                return Err(ReadError::Open { path: root.to_owned(), source });
            }
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                problems.push(Problem::in_file(ProblemKind::Unreadable { detail: error.to_string() }, path));
            }
        }
        if files.len() > MAX_EXAMPLES {
            let limit = MAX_EXAMPLES as u64;
            return Err(ReadError::TooMuch { path: root.to_owned(), what: "files", limit });
        }
    }
    Ok((files, problems))
}

/// The visible files and folders directly in a folder, sorted.
struct Inside {
    tables: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    has_media: bool,
}

fn inside(folder: &Path) -> Result<Inside, ReadError> {
    let open = |source| ReadError::Open { path: folder.to_owned(), source };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(open)?
        .filter_map(Result::ok)
        .filter(|entry| !is_hidden(&entry.file_name()))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| path.is_dir());
    let is_notes = |path: &Path| stem(path) == "readme" || stem(path).starts_with("license");
    Ok(Inside {
        has_media: files.iter().any(|path| match modality_of_name(path) {
            Some(Modality::Text) => !is_notes(path),
            modality => modality.is_some(),
        }),
        tables: files.into_iter().filter(|path| Format::of(path).is_some() && path.is_file()).collect(),
        folders,
    })
}

/// The tables that are the data set, `None` when its files are:
///
/// - `metadata.*` beside pictures, or in the folder of each part (`train/metadata.csv`),
/// - one for each part (`train.csv`), or several (`train-00000-of-00002.parquet`), also in one folder below (`data/`),
/// - tables in the folder of each part (`train/0000.parquet`),
/// - a single table with nothing beside it.
pub(super) fn tables_in(root: &Path) -> Result<Option<Vec<PartFile>>, ReadError> {
    let here = inside(root)?;
    if let Some(metadata) = metadata_of(&here.tables) {
        return Ok(Some(vec![(metadata, None)]));
    }
    let parts = named_parts(&here.tables);
    if !parts.is_empty() {
        return Ok(Some(parts));
    }
    let mut below = Vec::new();
    for folder in &here.folders {
        if let Some(part) = Part::from_name(&file_name(folder)) {
            let there = inside(folder)?;
            let tables = match metadata_of(&there.tables) {
                Some(metadata) => vec![metadata],
                None if there.has_media || !there.folders.is_empty() => Vec::new(),
                None => there.tables,
            };
            below.extend(tables.into_iter().map(|table| (table, Some(part))));
        }
    }
    if !below.is_empty() {
        return Ok(Some(below));
    }
    match (&here.folders[..], &here.tables[..]) {
        ([folder], []) if !here.has_media => {
            let parts = named_parts(&inside(folder)?.tables);
            Ok((!parts.is_empty()).then_some(parts))
        }
        ([], [only]) if !here.has_media => Ok(Some(vec![(only.clone(), None)])),
        _ => Ok(None),
    }
}

fn metadata_of(tables: &[PathBuf]) -> Option<PathBuf> {
    tables.iter().find(|table| stem(table) == "metadata").cloned()
}

fn named_parts(tables: &[PathBuf]) -> Vec<PartFile> {
    let part = |table: &PathBuf| {
        let stem = stem(table);
        let part = Part::from_name(without_shard(&stem))?;
        Some((table.clone(), Some(part)))
    };
    tables.iter().filter_map(part).collect()
}

/// `train-00000-of-00002` is a piece of `train`.
fn without_shard(stem: &str) -> &str {
    let mut pieces = stem.rsplitn(4, '-');
    let is_number = |piece: Option<&str>| {
        piece.is_some_and(|piece| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_shard = is_number(pieces.next()) && pieces.next() == Some("of") && is_number(pieces.next());
    pieces.next().filter(|_| is_shard).unwrap_or(stem)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// How the first folders below the root divide the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TopLevel {
    /// They are parts; others among them do not belong.
    Parts,
    /// They are classes.
    Classes,
}

/// The first folders are parts if all of them are called so, or if there are some to learn from and some to measure on.
pub(super) fn top_level(root: &Path, files: &[PathBuf]) -> TopLevel {
    let names: BTreeSet<String> =
        files.iter().filter_map(|file| folders_between(root, file).into_iter().next()).collect();
    let parts: BTreeSet<Part> = names.iter().filter_map(|name| Part::from_name(name)).collect();
    let all = !names.is_empty() && names.iter().all(|name| Part::from_name(name).is_some());
    let both = parts.contains(&Part::Train) && parts.len() > 1;
    if all || both { TopLevel::Parts } else { TopLevel::Classes }
}

/// The folder `ground_truth`, with the masks of a defect inspection set.
pub(super) fn is_mask(root: &Path, file: &Path) -> bool {
    let folders = folders_between(root, file);
    folders.iter().take(2).any(|name| name.eq_ignore_ascii_case("ground_truth"))
}

/// Whether this is the layout of defect inspection sets (MVTec AD, Bergmann et al. 2019), or a folder of such sets: only good
/// parts in `train`, defects in `test`, masks in `ground_truth`. Gives the only class to learn from.
pub(super) fn inspection_class(root: &Path, files: &[PathBuf]) -> Option<String> {
    let folders: Vec<Vec<String>> = files.iter().map(|file| folders_between(root, file)).collect();
    (0..=1).find_map(|above| {
        let below = |part: Part| -> BTreeSet<&String> {
            let of_part =
                |names: &&Vec<String>| names.get(above).and_then(|name| Part::from_name(name)) == Some(part);
            folders.iter().filter(of_part).filter_map(|names| names.get(above + 1)).collect()
        };
        let (train, test) = (below(Part::Train), below(Part::Test));
        let only = train.first().filter(|_| train.len() == 1)?;
        test.iter().any(|name| name != only).then(|| (*only).clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_belong_to_their_part() {
        for (stem, expect) in [
            ("train-00000-of-00002", "train"),
            ("train", "train"),
            ("train-1-of-x", "train-1-of-x"),
            ("a-b-1-of-2", "a-b"),
            ("-1-of-2", ""),
        ] {
            assert_eq!(without_shard(stem), expect);
        }
    }
}
