//! Asks cargo-deny whether every dependency's licence and source is allowed by `deny.toml`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

const INSTALL: &str = "cargo-deny is not installed, so licences were NOT checked\n\
    hint: cargo install cargo-deny --locked";

/// Runs `cargo deny check licenses bans sources`; a missing cargo-deny is an error that says how to get it.
pub fn check(root: &Path) -> Result<()> {
    let installed = Command::new("cargo")
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !installed.is_ok_and(|status| status.success()) {
        bail!(INSTALL);
    }
    let status = Command::new("cargo")
        .args(["deny", "--all-features", "check", "licenses", "bans", "sources"])
        .current_dir(root)
        .status()
        .context("cannot run cargo deny")?;
    if !status.success() {
        bail!("cargo deny found something that deny.toml does not allow");
    }
    Ok(())
}
