//! What every file obeys: short, documented, nothing of one machine in it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::layers::Metadata;
use super::{Finding, Source};

/// A file at or above this many lines is split, or stands in `xtask/tidy.toml` with its reason.
pub const LONGEST: usize = 500;

/// Kinds of file that people write and read.
const WRITTEN: [&str; 10] = ["rs", "py", "md", "toml", "html", "css", "js", "sh", "yml", "mk"];

/// Parts of host names of package registries: the user's own client knows where its registry is. Written in halves, so
/// that this file obeys its own rule.
const HOSTS: [&str; 5] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("npm", "js."),
    concat!("deb.", "debian.org"),
];

/// Starts of paths that exist on one machine only.
const PLACES: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/tmp", "/w/")];

/// The list of exceptions, each with a reason.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allowed {
    /// Path to the reason why the file is long.
    pub long_files: BTreeMap<String, String>,
    /// Path to the reason why the file names a registry's host or a machine's path.
    pub hosts_and_places: BTreeMap<String, String>,
}

impl Allowed {
    /// Reads the list.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        toml::from_str(&text).with_context(|| format!("cannot read `{}`", path.display()))
    }
}

/// All rules about single files, and exceptions that nothing needs any more.
pub fn check(sources: &[Source], allowed: &Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        findings.extend(long(source, allowed));
        findings.extend(of_one_machine(source, allowed));
        findings.extend(skipped_tests(source));
    }
    let exists = |path: &String| sources.iter().any(|source| source.path == *path);
    let named = allowed.long_files.keys().chain(allowed.hosts_and_places.keys());
    let stale = named.filter(|path| !exists(path));
    findings.extend(
        stale.map(|path| Finding::at("xtask/tidy.toml", format!("`{path}` does not exist: remove it"))),
    );
    findings
}

fn long(source: &Source, allowed: &Allowed) -> Option<Finding> {
    let extension = Path::new(&source.path).extension()?.to_str()?;
    let lines = source.text.lines().count();
    let written = WRITTEN.contains(&extension) && !source.path.contains("/snapshots/");
    let listed = allowed.long_files.contains_key(&source.path);
    match (written && lines >= LONGEST, listed) {
        (true, false) => {
            let what = format!(
                "{lines} lines, {LONGEST} are too many: split it, or give a reason in xtask/tidy.toml"
            );
            Some(Finding::at(&source.path, what))
        }
        (false, true) => Some(Finding::at(&source.path, "short again: remove it from xtask/tidy.toml")),
        _ => None,
    }
}

fn of_one_machine(source: &Source, allowed: &Allowed) -> Vec<Finding> {
    if allowed.hosts_and_places.contains_key(&source.path) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let mut tell = |what: String| findings.push(Finding::at_line(&source.path, index + 1, what));
        if let Some(host) = HOSTS.iter().find(|host| line.contains(**host)) {
            tell(format!("names the registry host `{host}`: leave it to the user's own client"));
        }
        if let Some(place) = PLACES.iter().find(|place| starts_a_path(line, place)) {
            tell(format!("names `{place}`, a path of one machine"));
        }
    }
    findings
}

/// Whether `place` occurs as the start of a path, not in the middle of one (as in `https://example.org/home/`).
fn starts_a_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|char| char.is_alphanumeric() || "._-})~".contains(char))
    })
}

fn skipped_tests(source: &Source) -> Vec<Finding> {
    let attribute = concat!("#[", "ignore");
    let is_rust = source.path.ends_with(".rs");
    let lines =
        source.text.lines().enumerate().filter(|(_, line)| is_rust && line.trim().starts_with(attribute));
    lines
        .map(|(index, _)| {
            Finding::at_line(
                &source.path,
                index + 1,
                "ignored test: fix it, or assert today's answer with a FIXME",
            )
        })
        .collect()
}

/// Every library's and binary's root file starts with what the crate is for.
pub fn crate_roots_have_docs(metadata: &Metadata, root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let targets = metadata.packages.iter().flat_map(|package| &package.targets);
    for target in targets.filter(|target| target.kind.iter().any(|kind| kind == "lib" || kind == "bin")) {
        let text = std::fs::read_to_string(&target.src_path)
            .with_context(|| format!("cannot read `{}`", target.src_path.display()))?;
        if !text.starts_with("//!") {
            let path = target.src_path.strip_prefix(root).unwrap_or(&target.src_path);
            findings.push(Finding::at(
                path.display().to_string(),
                "does not start with `//!` and what it is for",
            ));
        }
    }
    Ok(findings)
}
