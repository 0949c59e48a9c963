//! Faults planted into real pictures and sounds, looked for through the product's own audit.

mod conflicts;
mod copies;
mod foreign;
mod recordings;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use pipeline::{Audit, AuditRequest, Fault, Run, Source, audit};

use crate::table::home;

/// Everything; whether all floors are reached.
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let work = std::env::temp_dir().join("dianjing-planted");
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    let copies = copies::print(data, &work.join("copies"))?;
    let recordings = recordings::print(data, &work.join("copies"))?;
    let foreign = foreign::print(data, &work.join("foreign"))?;
    let conflicts = conflicts::print()?;
    std::fs::remove_dir_all(&work)?;
    Ok(copies && recordings && foreign && conflicts)
}

/// Looks through a folder for a few faults only.
fn look(folder: &Path, wanted: &[Fault]) -> anyhow::Result<Audit> {
    let request = AuditRequest {
        source: Source::at(folder),
        base: None,
        skip: Fault::ALL.into_iter().filter(|fault| !wanted.contains(fault)).collect(),
        rules: None,
        seed: 0,
    };
    let cancelled = AtomicBool::new(false);
    Ok(audit(&home()?, &request, &Run::new(&|_| {}, &cancelled))?)
}

/// The files of a folder of class folders, by name; `class/file`.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let sorted = |folder: &Path| -> anyhow::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("the data is missing: `{}`", folder.display()))?;
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        paths.sort();
        Ok(paths)
    };
    let mut found = Vec::new();
    for class in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        found.extend(sorted(&class)?);
    }
    Ok(found)
}

/// Copies a file into a class folder.
fn put(file: &Path, folder: &Path, class: &str, name: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder.join(class))?;
    std::fs::copy(file, folder.join(class).join(name))?;
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn class_of(path: &Path) -> String {
    name_of(path.parent().unwrap_or(path))
}
