//! A task: data, base, how many labels, and the floors with their source.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

/// One table row of the claim.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    /// Shown in the table.
    pub(crate) name: String,
    /// Labelled examples to learn from, below the data folder.
    pub(crate) train: PathBuf,
    /// Labelled examples to measure on.
    pub(crate) test: PathBuf,
    /// Column of the label; absent for class folders.
    #[serde(default)]
    pub(crate) label: Option<String>,
    /// Column of the text.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// Catalogue id.
    pub(crate) base: String,
    /// Labels per class with the floor; 0 labels means all.
    pub(crate) floors: Vec<Floor>,
    /// How many examples to tune on when the coverage of the interval is measured; empty: not measured here.
    #[serde(default)]
    pub(crate) coverage: Vec<usize>,
    /// Where the floors come from.
    #[allow(dead_code, reason = "read by people, required so that no floor is without a source")]
    pub(crate) source: String,
}

/// The least accuracy at a number of labels per class, and the peer's.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floor {
    /// Labels per class; 0 for all.
    pub(crate) shots: usize,
    /// The least accuracy.
    #[serde(default)]
    pub(crate) accuracy: Option<f64>,
    /// What the best scikit-learn head reaches on the same draws.
    #[serde(default)]
    pub(crate) peer: Option<f64>,
}

/// Reads all tasks, by file name.
pub(crate) fn load(dir: &Path) -> anyhow::Result<Vec<Task>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let read = |path: &PathBuf| -> anyhow::Result<Task> {
        toml::from_str(&std::fs::read_to_string(path)?).with_context(|| path.display().to_string())
    };
    files.iter().map(read).collect()
}
