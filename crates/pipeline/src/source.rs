//! Where labelled examples come from.

use std::path::PathBuf;

use dataset::{Dataset, InspectionOptions, InspectionSet, Problem, Purpose, ReadError, ReadOptions};

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

/// Where photos of good parts and of defects come from.
#[derive(Debug, Clone)]
pub enum InspectionSource {
    /// A folder or a table.
    At {
        /// Where it is.
        path: PathBuf,
        /// What the person said about it.
        read: InspectionOptions,
    },
    /// Photos with verdicts that somebody read already, to learn from.
    Examples(Box<InspectionSet>),
}

impl InspectionSource {
    /// See [`dataset::read_inspection`].
    pub(crate) fn read(&self) -> Result<(InspectionSet, Vec<Problem>), ReadError> {
        match self {
            Self::At { path, read } => dataset::read_inspection(path, read),
            Self::Examples(set) => Ok((InspectionSet::clone(set), Vec::new())),
        }
    }

    /// What it is read for.
    pub(crate) fn purpose(&self) -> Purpose {
        match self {
            Self::At { read, .. } => read.purpose,
            Self::Examples(_) => Purpose::Learn,
        }
    }
}
