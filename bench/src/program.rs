//! The program as a whole: its size, how fast it starts, how fast a cold process answers.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

/// Runs of each; the median counts.
const RUNS: usize = 11;

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<()> {
    let program = std::env::current_exe()?.with_file_name("dianjing");
    ensure!(program.exists(), "build it first: cargo build --release -p cli");
    let size = program.metadata()?.len() as f64 / 1e6;
    println!("release binary: {size:.1} MB (limit 40)");
    let help = median(Command::new(&program).arg("--help"))?;
    println!("--help: {:.1} ms (limit 20)", help * 1e3);
    let scratch = tempfile::tempdir()?;
    let (bundle, report) = (scratch.path().join("clothing.djm"), scratch.path().join("report.html"));
    let train = data.join("classification/clothing/train");
    let started = Instant::now();
    let tune = Command::new(&program)
        .args(["tune".as_ref(), train.as_os_str(), "--out".as_ref(), bundle.as_os_str()])
        .args(["--report".as_ref(), report.as_os_str()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    ensure!(tune.success(), "tune failed on {}", train.display());
    println!("tune on 400 pictures, features cached or not: {:.1} s", started.elapsed().as_secs_f64());
    let picture = a_picture(&data.join("classification/clothing/test"))?;
    let predict = median(Command::new(&program).arg("predict").arg(&bundle).arg(&picture))?;
    println!("predict one picture, cold process: {:.0} ms (limit 500)", predict * 1e3);
    Ok(())
}

fn median(command: &mut Command) -> anyhow::Result<f64> {
    let mut seconds = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "{command:?} failed");
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[RUNS / 2])
}

/// Any picture of any class.
fn a_picture(parts: &Path) -> anyhow::Result<PathBuf> {
    let first = |dir: &Path| -> anyhow::Result<PathBuf> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        paths.sort();
        paths.into_iter().next().with_context(|| format!("nothing in {}", dir.display()))
    };
    first(&first(parts)?)
}
