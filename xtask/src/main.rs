//! The automation's door: `cargo xtask VERB`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const HELP: &str = "\
cargo xtask VERB
  tidy                 check the house: layers, docs, file sizes, hosts and paths, decisions
  licences             check every dependency's licence and source with cargo-deny
  demo-data DIR        write the demo's pictures: 20 per class to tune on, 50 per class held out";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = repository()?;
    match words.as_slice() {
        ["tidy"] => tidy(&root),
        ["licences"] => xtask::licences::check(&root),
        ["demo-data", dir] => xtask::demo::write(Path::new(dir)),
        [] | ["help" | "--help" | "-h"] => {
            eprintln!("{HELP}");
            Ok(())
        }
        other => bail!("unknown: {}\n{HELP}", other.join(" ")),
    }
}

/// The workspace that cargo runs this in: not the one it was built in, which may be another clone with the same target folder.
fn repository() -> Result<PathBuf> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").context("run it with `cargo run -p xtask`")?;
    Ok(Path::new(&here).parent().context("xtask lies in the workspace")?.to_owned())
}

fn tidy(root: &Path) -> Result<()> {
    let findings = xtask::tidy::all(root)?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    eprintln!("The house is tidy.");
    Ok(())
}
