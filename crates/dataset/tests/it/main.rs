//! Files and folders as people have them, read from disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod damage;
mod folders;
mod inspection;
mod masks;
mod parquet;
mod pieces;
mod tables;
mod verdicts;

use std::path::{Path, PathBuf};

use dataset::{Content, Dataset, Example, Problem, ReadError, ReadOptions, Target};

/// A folder that goes away with the test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, with the folders above it.
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    #[track_caller]
    fn read(&self, name: &str) -> (Dataset, Vec<Problem>) {
        read(&self.path(name)).unwrap()
    }

    #[track_caller]
    fn error(&self, name: &str) -> ReadError {
        read(&self.path(name)).map(|(dataset, _)| dataset.decision).unwrap_err()
    }

    /// The problems, with places below this folder.
    fn told(&self, problems: &[Problem]) -> Vec<String> {
        let root = format!("{}/", self.0.path().display());
        problems.iter().map(|problem| problem.to_string().replace(&root, "")).collect()
    }
}

fn read(path: &Path) -> Result<(Dataset, Vec<Problem>), ReadError> {
    dataset::read(path, &ReadOptions::default())
}

/// `id: label`, one for each example.
fn labels(dataset: &Dataset) -> Vec<String> {
    let name = |class: &dataset::ClassIdx| dataset.classes()[class.0 as usize].clone();
    let label = |example: &Example| match &example.target {
        Target::Unlabelled => "-".to_owned(),
        Target::Class(class) => name(class),
        Target::Classes(classes) => classes.iter().map(name).collect::<Vec<_>>().join("+"),
        Target::Number(value) => value.to_string(),
    };
    dataset.examples.iter().map(|example| format!("{}: {}", example.id, label(example))).collect()
}

fn text(example: &Example) -> &str {
    match &example.content {
        Content::Text(text) => text,
        content => panic!("{content:?} is no text"),
    }
}
