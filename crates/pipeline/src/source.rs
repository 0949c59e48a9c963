//! Where labelled examples come from.

use std::path::PathBuf;

use dataset::{Dataset, Problem, ReadError, ReadOptions};

/// What to work on.
#[derive(Debug, Clone)]
pub enum Source {
    /// A folder or a table.
    At {
        /// Where it is.
        path: PathBuf,
        /// What the person said about it.
        read: ReadOptions,
    },
    /// Examples that somebody read already.
    Examples(Box<Dataset>),
}

impl Source {
    /// A folder or a table about which nothing was said.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self::At { path: path.into(), read: ReadOptions::default() }
    }

    /// To learn from: see [`dataset::read`](fn@dataset::read).
    pub(crate) fn read(&self) -> Result<(Dataset, Vec<Problem>), ReadError> {
        match self {
            Self::At { path, read } => dataset::read(path, read),
            Self::Examples(data) => Ok((Dataset::clone(data), Vec::new())),
        }
    }

    /// To look through or measure on: see [`dataset::read_held_out`].
    pub(crate) fn read_held_out(&self) -> Result<(Dataset, Vec<Problem>), ReadError> {
        match self {
            Self::At { path, read } => dataset::read_held_out(path, read),
            Self::Examples(data) => Ok((Dataset::clone(data), Vec::new())),
        }
    }
}
