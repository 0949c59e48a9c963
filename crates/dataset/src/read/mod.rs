//! Readers: what a path holds is recognised, and every format ends as the same [`Dataset`].
//!
//! Limits, so that a hostile or mistaken input fails with words instead of filling the memory:
//! [`MAX_EXAMPLES`], [`MAX_FILE_BYTES`], [`MAX_CELL_BYTES`], [`MAX_COLUMNS`].

mod columns;
mod contents;
mod encoding;
mod folders;
mod ids;
mod inspection;
mod json;
mod layout;
mod names;
mod parquet;
mod records;
mod rows;
mod separated;
mod table;
mod votes;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use inspection::{InspectionOptions, Purpose, names_good_parts, read_inspection};
pub use json::parse_json;
use rows::Source;
pub use separated::parse_separated;
pub use table::{Cell, Row, Table};

use crate::{Dataset, Modality, Problem, ProblemKind, ReadError, Sense};

/// Most examples in one data set.
pub const MAX_EXAMPLES: usize = 2_000_000;
/// Largest table that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 4 << 30;
/// Longest cell, in bytes; a longer text is a document, not an example.
pub const MAX_CELL_BYTES: usize = 4 << 20;
/// Most columns in a table.
pub const MAX_COLUMNS: usize = 4096;

/// What the person said about the data; whatever is absent is detected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// Columns with what examples look, read or sound like: several make examples of several senses.
    pub contents: Vec<Sense>,
    /// Column with the label.
    pub label: Option<String>,
    /// Column whose equal values stay together in every split.
    pub group: Option<String>,
    /// Column with who labelled.
    pub annotator: Option<String>,
    /// Column with train, validation or test.
    pub part: Option<String>,
    /// The kind of task.
    pub task: Option<TaskKind>,
    /// What splits several labels in one cell.
    pub separator: Option<char>,
    /// The kind of example that is wanted, where files alone do not tell: a table may be a list of examples or one series.
    pub wanted: Option<Modality>,
}

impl ReadOptions {
    /// With one column named as what examples are.
    pub fn content(modality: Modality, column: impl Into<String>) -> Self {
        Self { contents: vec![Sense { name: column.into(), modality }], ..Self::default() }
    }

    /// The same, with what `other` says where this says nothing.
    pub fn or(self, other: &Self) -> Self {
        Self {
            contents: if self.contents.is_empty() { other.contents.clone() } else { self.contents },
            label: self.label.or_else(|| other.label.clone()),
            group: self.group.or_else(|| other.group.clone()),
            annotator: self.annotator.or_else(|| other.annotator.clone()),
            part: self.part.or_else(|| other.part.clone()),
            task: self.task.or(other.task),
            separator: self.separator.or(other.separator),
            wanted: self.wanted.or(other.wanted),
        }
    }
}

/// The kinds of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// One class of several.
    SingleLabel,
    /// Any number of labels.
    MultiLabel,
    /// A number.
    Regression,
}

/// Reads labelled examples from a folder or a table.
///
/// Returns the good part and the problems. `Err` means that nothing can be done; [`ReadError::hint`] says what to try.
pub fn read(path: &Path, options: &ReadOptions) -> Result<(Dataset, Vec<Problem>), ReadError> {
    read_any(path, options, Labels::Needed)
}

/// Reads labelled examples to measure on: as [`read`](fn@read), but one class is enough.
///
/// A held-out set may be all `good`; it is the bundle that knows the other classes.
///
/// # Errors
/// Those of [`read`](fn@read) but [`ReadError::OneClass`].
pub fn read_held_out(path: &Path, options: &ReadOptions) -> Result<(Dataset, Vec<Problem>), ReadError> {
    read_any(path, options, Labels::Measured)
}

/// Reads examples of which some, all or none are labelled, to choose among those that are not.
///
/// Rows with an empty label have none; nor have files that lie directly in the folder, or in one called `unlabelled`. Only
/// columns that are named for labels, or that the person names, hold labels.
///
/// # Errors
/// Those of [`read`](fn@read) but [`ReadError::OneClass`] and those about labels that are missing.
pub fn read_pool(path: &Path, options: &ReadOptions) -> Result<(Dataset, Vec<Problem>), ReadError> {
    read_any(path, options, Labels::Optional)
}

/// Makes ids unique among examples that were read one path after the other: below no folder, their whole path tells them apart.
pub fn name_apart(examples: &mut [crate::Example]) {
    ids::make_unique(Path::new(""), examples);
}

/// Reads examples whose labels, if any, do not matter: files, folders (at any depth) and tables, in the order given.
pub fn read_unlabelled(
    paths: &[PathBuf],
    options: &ReadOptions,
) -> Result<(Vec<crate::Example>, Vec<Problem>), ReadError> {
    let mut examples = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        // One name too many costs a row; when it is the only one, nothing can be done.
        if paths.len() > 1 && !path.exists() {
            let kind = ProblemKind::MissingFile { name: path.display().to_string() };
            problems.push(Problem::in_file(kind, path));
            continue;
        }
        if path.is_file() && (Format::of(path).is_none() || is_one_series(path, options)?) {
            examples.push(folders::single_file(path));
            continue;
        }
        let (dataset, mut more) = read_any(path, options, Labels::Ignored)?;
        examples.extend(dataset.examples);
        problems.append(&mut more);
    }
    // Two of the paths may hold files of the same name.
    name_apart(&mut examples);
    Ok((examples, problems))
}

/// Whether a table is one series rather than a list of examples, when series are wanted.
fn is_one_series(path: &Path, options: &ReadOptions) -> Result<bool, ReadError> {
    if options.wanted != Some(Modality::Series) || !options.contents.is_empty() {
        return Ok(false);
    }
    match single_table(path) {
        Ok((source, ..)) => Ok(!contents::lists_files_of(&source.table, Modality::Series)),
        // It lists nothing. What is wrong with it is told where it is read as a series, and costs its own row only.
        Err(ReadError::NoRows { .. } | ReadError::Malformed { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Reads examples of several senses from tables, by the columns of these names, or from files and folders of files of a kind that exactly one
/// of the senses has; labels do not matter.
///
/// A sense whose column or cell is not there is missing, and so is one whose file is: that is told as a problem.
///
/// # Errors
/// [`ReadError::NoSense`] when a table has none of the columns, [`ReadError::NotOneSense`] when files say not which sense they are of, and those
/// of [`read_unlabelled`] that are about the tables themselves.
pub fn read_senses(
    paths: &[PathBuf],
    senses: &[Sense],
) -> Result<(Vec<crate::Example>, Vec<Problem>), ReadError> {
    let mut examples = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        let (found, mut more) = match is_folder(path)? || Format::of(path).is_none() {
            true => files_of_one_sense(path, senses)?,
            false => {
                let (dataset, more) =
                    table_of_senses(path, senses, &ReadOptions::default(), Labels::Ignored)?;
                (dataset.examples, more)
            }
        };
        problems.append(&mut more);
        examples.extend(found);
    }
    name_apart(&mut examples);
    Ok((examples, problems))
}

/// A file, or a folder of files, of a kind that exactly one of the senses has.
fn files_of_one_sense(
    path: &Path,
    senses: &[Sense],
) -> Result<(Vec<crate::Example>, Vec<Problem>), ReadError> {
    let of_kind = |modality: Modality| {
        let mut of_kind = senses.iter().filter(|sense| sense.modality == modality);
        of_kind.next().filter(|_| of_kind.next().is_none())
    };
    let names = || senses.iter().map(|sense| sense.name.clone()).collect();
    let not_one = || ReadError::NotOneSense { path: path.to_owned(), senses: names() };
    let (examples, problems, modality) = if is_folder(path)? {
        let (dataset, problems) = read_any(path, &ReadOptions::default(), Labels::Ignored)?;
        (dataset.examples, problems, Some(dataset.modality))
    } else {
        (vec![folders::single_file(path)], Vec::new(), folders::modality_of_name(path))
    };
    let sense = modality.and_then(of_kind).ok_or_else(not_one)?;
    let of_it = |example| rows::of_senses(example, std::slice::from_ref(sense));
    Ok((examples.into_iter().map(of_it).collect(), problems))
}

/// Reads pairs: rows with two senses of one thing, by the columns of these names, or by the first two that hold any.
///
/// Columns of files are taken by the kind of the files, all others as texts. Rows that lack one of both are kept: they are no pairs.
///
/// # Errors
/// [`ReadError::NotTwoSenses`] when there are no two, [`ReadError::UnknownFiles`] when one names files of a kind that cannot be read,
/// [`ReadError::NoColumn`], and those that are about the table itself.
pub fn read_pairs(
    path: &Path,
    names: [Option<&str>; 2],
    group: Option<String>,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    if is_folder(path)? {
        return Err(ReadError::UnknownFormat { path: path.to_owned() });
    }
    let (source, format, mut problems) = single_table(path)?;
    let contents = contents::pair(path, &source.table, names)?;
    let options = ReadOptions { contents, group, ..ReadOptions::default() };
    let (dataset, more) = rows::dataset(path, &[source], format.name(), &options, Labels::Ignored)?;
    problems.extend(more);
    Ok((dataset, problems))
}

/// Reads labelled examples of several senses to measure on, by the columns of these names. See [`read_held_out`] and [`read_senses`].
///
/// # Errors
/// Those of both.
pub fn read_held_out_senses(
    path: &Path,
    senses: &[Sense],
    options: &ReadOptions,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    table_of_senses(path, senses, options, Labels::Measured)
}

/// Reads examples of several senses, some of them labelled, by the columns of these names. See [`read_pool`] and [`read_senses`].
///
/// # Errors
/// Those of both.
pub fn read_pool_senses(
    path: &Path,
    senses: &[Sense],
    options: &ReadOptions,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    table_of_senses(path, senses, options, Labels::Optional)
}

fn table_of_senses(
    path: &Path,
    senses: &[Sense],
    options: &ReadOptions,
    labels: Labels,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    if is_folder(path)? || Format::of(path).is_none() {
        let senses = senses.iter().map(|sense| sense.name.clone()).collect();
        return Err(ReadError::NotOneSense { path: path.to_owned(), senses });
    }
    let (source, format, mut problems) = single_table(path)?;
    let there = senses.iter().filter(|sense| source.table.column(&sense.name).is_some());
    let options = ReadOptions { contents: there.cloned().collect(), ..options.clone() };
    if options.contents.is_empty() {
        let senses = senses.iter().map(|sense| sense.name.clone()).collect();
        return Err(ReadError::NoSense { path: path.to_owned(), senses, existing: source.table.columns });
    }
    let (mut dataset, more) = rows::dataset(path, &[source], format.name(), &options, labels)?;
    problems.extend(more);
    let examples = dataset.examples.into_iter();
    dataset.examples = examples.map(|example| rows::of_senses(example, &options.contents)).collect();
    (dataset.modality, dataset.senses) = (Modality::Senses, options.contents);
    Ok((dataset, problems))
}

/// Reads one text a line, in any encoding that files may have; `name` stands for the source in ids and messages.
pub fn read_lines(name: &str, bytes: &[u8]) -> (Vec<crate::Example>, Vec<Problem>) {
    let Some(decoded) = encoding::decode(bytes) else {
        let kind = ProblemKind::Unreadable { detail: encoding::NOT_TEXT.to_owned() };
        return (Vec::new(), vec![Problem::in_file(kind, name)]);
    };
    let (mut examples, mut problems) = (Vec::new(), Vec::new());
    for (row, line) in (1..).zip(decoded.text.lines()) {
        if line.trim().is_empty() {
            problems.push(Problem::in_row(ProblemKind::EmptyCell, name, row));
        } else if decoded.damages(line) {
            let kind = ProblemKind::BadText { encoding: decoded.encoding.to_owned() };
            problems.push(Problem::in_row(kind, name, row));
        } else {
            examples.push(folders::line(name, row, line.trim()));
        }
    }
    (examples, problems)
}

/// The kind of what lies in a file, as its name says; a table may be a series.
pub fn modality_of_file(path: &Path) -> Option<Modality> {
    let series = || folders::is_series_name(path).then_some(Modality::Series);
    folders::modality_of_name(path).or_else(series)
}

/// Reads a table as it stands, without deciding what its columns mean.
///
/// # Errors
/// As [`read`](fn@read), where they are about the file itself.
pub fn read_rows(path: &Path) -> Result<(Table, Vec<Problem>), ReadError> {
    if is_folder(path)? {
        return Err(ReadError::UnknownFormat { path: path.to_owned() });
    }
    let (source, _, problems) = single_table(path)?;
    Ok((source.table, problems))
}

/// What the labels are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Labels {
    /// To learn from: there must be some, of two classes.
    Needed,
    /// To measure on: there must be some.
    Measured,
    /// To know what need not be labelled; there may be none.
    Optional,
    /// Nothing; there may be none.
    Ignored,
}

impl Labels {
    fn are_required(self) -> bool {
        matches!(self, Self::Needed | Self::Measured)
    }
}

fn read_any(
    path: &Path,
    options: &ReadOptions,
    labels: Labels,
) -> Result<(Dataset, Vec<Problem>), ReadError> {
    if is_folder(path)? {
        return folders::read(path, options, labels);
    }
    let (source, format, mut problems) = single_table(path)?;
    let (dataset, more) = rows::dataset(path, &[source], format.name(), options, labels)?;
    problems.extend(more);
    Ok((dataset, problems))
}

fn is_folder(path: &Path) -> Result<bool, ReadError> {
    let metadata = std::fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ReadError::Missing { path: path.to_owned() },
        _ => ReadError::Open { path: path.to_owned(), source },
    })?;
    Ok(metadata.is_dir())
}

fn single_table(path: &Path) -> Result<(Source, Format, Vec<Problem>), ReadError> {
    let Some(format) = Format::of(path) else {
        return Err(ReadError::UnknownFormat { path: path.to_owned() });
    };
    let (table, problems) = read_table(path, format)?;
    Ok((Source { table, file: path.to_owned(), part: None }, format, problems))
}

/// The formats of single files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Separated,
    Json,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" | "tab" => Some(Self::Separated),
            "json" | "jsonl" | "ndjson" => Some(Self::Json),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Separated => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
        }
    }
}

fn read_table(path: &Path, format: Format) -> Result<(Table, Vec<Problem>), ReadError> {
    let open = |source| ReadError::Open { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(open)?.len();
    if size > MAX_FILE_BYTES {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "bytes", limit: MAX_FILE_BYTES });
    }
    match format {
        Format::Parquet => parquet::read(path),
        Format::Separated => separated::parse_separated(path, &std::fs::read(path).map_err(open)?),
        Format::Json => json::parse_json(path, &std::fs::read(path).map_err(open)?),
    }
}
