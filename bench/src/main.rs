//! Speed on this machine, as ratios against peers in the same run.
//!
//! `bench [--data DIR] [images|texts|heads]..` prints ours, and the peer's with the ratio when `BENCH_PYTHON` names a Python with
//! `quality/peers/requirements.txt` installed and `speed.py export` done. Each measurement asserts its answer.

mod ours;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// One measured line.
pub(crate) struct Measured {
    /// Step, case and implementation.
    pub(crate) name: String,
    /// What `speed.py` is asked for the same.
    pub(crate) peer: Vec<String>,
    /// Median seconds.
    pub(crate) seconds: f64,
    /// How many things were done in that time.
    pub(crate) n: usize,
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn main() -> anyhow::Result<()> {
    let mut data = PathBuf::from("../shared/data");
    let mut wanted = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--data" => data = arguments.next().context("--data needs a folder")?.into(),
            _ => wanted.push(argument),
        }
    }
    println!(
        "{:<44} {:>10} {:>12} {:>12} {:>8}",
        "step/case", "seconds", "per second", "peer/second", "ratio"
    );
    for (group, measure) in ours::ALL {
        if wanted.is_empty() || wanted.iter().any(|word| word == group) {
            for measured in measure(&data)? {
                let rate = measured.n as f64 / measured.seconds;
                let peer = peer(&measured, &data)?;
                let show = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
                println!(
                    "{:<44} {:>10.3} {rate:>12.2} {:>12} {:>8}",
                    measured.name,
                    measured.seconds,
                    show(peer),
                    show(peer.map(|peer| rate / peer))
                );
            }
        }
    }
    Ok(())
}

/// The peer's rate, measured now; `None` when no Python was named.
fn peer(measured: &Measured, data: &Path) -> anyhow::Result<Option<f64>> {
    let Some(python) = std::env::var_os("BENCH_PYTHON").filter(|_| !measured.peer.is_empty()) else {
        return Ok(None);
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quality/peers/speed.py");
    let output = Command::new(python)
        .arg(script)
        .args(&measured.peer)
        .arg("--data")
        .arg(data)
        .output()
        .context("cannot run the peer")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .last()
        .with_context(|| format!("the peer said: {}", String::from_utf8_lossy(&output.stderr)))?;
    let result: serde_json::Value = serde_json::from_str(line)?;
    Ok(result["per_second"].as_f64())
}
