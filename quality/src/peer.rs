//! Programs of other people, asked about the same numbers: the scripts of `quality/peers`, where their packages are installed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::table::home;

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

    /// One of its own that has this package, installed at the first use.
    pub(crate) fn with(package: &str) -> anyhow::Result<Self> {
        let cache = home()?.cache.join("peers/packages");
        let dir = cache.join(package.replace("==", "-"));
        let python = dir.join("bin/python");
        let run = |command: &mut Command| -> anyhow::Result<()> {
            let ran = command.output()?;
            ensure!(
                ran.status.success(),
                "cannot install {package}: {}",
                String::from_utf8_lossy(&ran.stderr)
            );
            Ok(())
        };
        if !dir.join("complete").exists() {
            std::fs::create_dir_all(&cache)?;
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&dir))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", package]))?;
            std::fs::write(dir.join("complete"), "")?;
        }
        Ok(Self { python })
    }

    /// Where a script lies.
    pub(crate) fn script(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
    }

    /// What a script prints.
    pub(crate) fn run(&self, script: &str, arguments: &[&OsStr]) -> anyhow::Result<String> {
        let ran = Command::new(&self.python).arg(Self::script(script)).args(arguments).output()?;
        ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        Ok(String::from_utf8(ran.stdout)?)
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
        let arguments: Vec<String> = arguments.iter().map(usize::to_string).collect();
        let all: Vec<&OsStr> =
            std::iter::once(folder.path().as_os_str()).chain(arguments.iter().map(OsStr::new)).collect();
        self.run(script, &all)
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
