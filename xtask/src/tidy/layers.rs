//! Edges between our crates: only those that `[workspace.metadata.layers]` names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Finding;

/// What `cargo metadata --no-deps` says, as far as it is used here.
#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    /// The workspace's own packages.
    pub packages: Vec<Package>,
    /// `[workspace.metadata]`.
    pub metadata: WorkspaceMetadata,
}

/// `[workspace.metadata]`.
#[derive(Debug, Clone, Deserialize)]
pub struct WorkspaceMetadata {
    /// Crate name to the crates of ours it may use; `*` is any.
    pub layers: BTreeMap<String, Vec<String>>,
}

/// One crate.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// Everything it depends on, ours or not.
    pub dependencies: Vec<Dependency>,
    /// Libraries, binaries, tests.
    pub targets: Vec<Target>,
}

/// One dependency as declared.
#[derive(Debug, Clone, Deserialize)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub kind: Option<String>,
    /// Set for a crate of ours.
    pub path: Option<PathBuf>,
}

/// One target.
#[derive(Debug, Clone, Deserialize)]
pub struct Target {
    /// `lib`, `bin`, `test`, ...
    pub kind: Vec<String>,
    /// Its root file.
    pub src_path: PathBuf,
}

impl Metadata {
    /// Asks cargo; needs no network.
    pub fn read(root: &Path) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .current_dir(root)
            .output()
            .context("cannot run cargo metadata")?;
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).context("cannot read what cargo metadata said")
    }
}

/// Every edge that the table does not allow, and every crate that it does not know. `testkit` may be used by any crate's tests.
pub fn check(metadata: &Metadata) -> Vec<Finding> {
    let layers = &metadata.metadata.layers;
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let Some(allowed) = layers.get(&package.name) else {
            findings.push(Finding::at(
                "Cargo.toml",
                format!("[workspace.metadata.layers] lacks `{}`", package.name),
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let for_tests = dependency.kind.as_deref() == Some("dev") && dependency.name == "testkit";
            if !for_tests && !allowed.iter().any(|name| name == "*" || *name == dependency.name) {
                let edge = format!("{} -> {}", package.name, dependency.name);
                findings.push(Finding::at(
                    format!("crates/{}/Cargo.toml", package.name),
                    format!("edge `{edge}` is not allowed by [workspace.metadata.layers]: move the code, or write a decision and add the edge"),
                ));
            }
        }
    }
    let known = |name: &String| metadata.packages.iter().any(|package| package.name == *name);
    let unknown = layers.keys().filter(|name| !known(name));
    findings.extend(unknown.map(|name| Finding::at("Cargo.toml", format!("layer `{name}` has no crate"))));
    findings
}
