//! Why nothing could be written or read.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Format, Kind, MarkError};

/// What made writing or reading impossible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ExchangeError {
    /// The next example could not be had.
    #[error("cannot get the next example")]
    Source(#[source] io::Error),
    /// What is written cannot be passed on.
    #[error("cannot write the export")]
    Write(#[source] io::Error),
    /// The file of an example cannot be read.
    #[error("cannot read the file of `{name}`")]
    Content {
        name: String,
        #[source]
        source: io::Error,
    },
    /// A text in a file that is no UTF-8.
    #[error("the text `{name}` is not UTF-8")]
    NotText { name: String },
    /// The format holds nothing of this kind.
    #[error("{} cannot hold {}", format.title(), kind.plural())]
    OtherKind { format: Format, kind: Kind },
    /// A mark that is none.
    #[error("a mark on `{name}` cannot be written")]
    Mark {
        name: String,
        #[source]
        source: MarkError,
    },
    /// A picture of unknown size, where marks are written as fractions of it.
    #[error("the size of the picture `{name}` is not known")]
    NoSize { name: String },
    /// A brush that becomes too long when it is written column by column.
    #[error("a brush on `{name}` is too finely divided to be written column by column")]
    TooFine { name: String },
    /// A Parquet file that cannot be written or read.
    #[error("cannot write the table")]
    Table(#[from] parquet::errors::ParquetError),
    /// A path that cannot be opened.
    #[error("cannot read `{}`", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file as a whole cannot be parsed.
    #[error("`{}` cannot be parsed: {detail}", path.display())]
    Malformed { path: PathBuf, detail: String },
    /// More than the documented limits.
    #[error("`{}` has more than {limit} {what}", path.display())]
    TooMuch { path: PathBuf, what: &'static str, limit: u64 },
    /// Nothing of this format is there.
    #[error("`{}` holds nothing in the form of {}", path.display(), format.title())]
    NotThere { path: PathBuf, format: Format },
    /// The folders of an inspection set cannot be read.
    #[error(transparent)]
    Dataset(#[from] dataset::ReadError),
}

impl ExchangeError {
    /// What to try next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Source(_) | Self::Write(_) | Self::Table(_) => {
                "try again; free some space if the disk is full"
            }
            Self::Content { .. } => "export without the files, or upload the file again",
            Self::NotText { .. } => "save it as UTF-8 and upload it again",
            Self::OtherKind { .. } => "export as JSONL, CSV, Parquet or for Label Studio",
            Self::Mark { .. } => "take the mark away",
            Self::NoSize { .. } => "export as JSONL, or upload the picture again",
            Self::TooFine { .. } => "export as JSONL, or mark the area with fewer strokes",
            Self::Open { .. } => "check the path and the permissions",
            Self::Malformed { .. } => "open it in the program that wrote it and save it again",
            Self::TooMuch { .. } => "split it into several sets",
            Self::NotThere { .. } => "check that the whole folder was given",
            Self::Dataset(error) => error.hint(),
        }
    }

    pub(crate) fn open(path: &Path, source: io::Error) -> Self {
        Self::Open { path: path.to_owned(), source }
    }

    pub(crate) fn malformed(path: &Path, detail: impl ToString) -> Self {
        Self::Malformed { path: path.to_owned(), detail: detail.to_string() }
    }
}
