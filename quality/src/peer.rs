//! Programs of other people, asked about the same numbers: the scripts of `quality/peers`, where their packages are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The Python that has the peers' packages.
pub(crate) struct Peer {
    python: PathBuf,
}

impl Peer {
    /// `None`, which is told, where `make peers` has not installed them.
    #[allow(clippy::print_stdout, reason = "printing is what this program is for")]
    pub(crate) fn installed() -> anyhow::Result<Option<Self>> {
        let home = std::env::home_dir().context("there is no home folder")?;
        let python = home.join(".cache/dianjing/peers/python/bin/python");
        if python.exists() {
            return Ok(Some(Self { python }));
        }
        println!("the peer is missing: `quality/peers/README.md` says how it is installed");
        Ok(None)
    }

    /// What a script prints that is given a folder with these files, and these arguments.
    pub(crate) fn ask(
        &self,
        script: &str,
        files: &[(&str, Vec<u8>)],
        arguments: &[usize],
    ) -> anyhow::Result<String> {
        let folder = tempfile::tempdir()?;
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes)?;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(script);
        let arguments = arguments.iter().map(usize::to_string);
        let ran = Command::new(&self.python).arg(script).arg(folder.path()).args(arguments).output()?;
        ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        Ok(String::from_utf8(ran.stdout)?)
    }
}

/// Numbers as numpy's `fromfile` reads them.
pub(crate) fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Labels as numpy's `fromfile` reads them.
pub(crate) fn labels(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
