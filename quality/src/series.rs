//! How well series are told apart by their features, and how fast these are made, beside aeon's transforms of the same files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use base::series::{Series, even, features, read};
use serde::Deserialize;
use store::Hash;

use crate::npy::write;
use crate::peer::Peer;
use crate::table::home;

const SCRIPT: &str = "series.py";
/// What the script makes its sets with.
const PACKAGE: &str = "aeon==1.1.0";
/// The middle of so many times counts.
const TRIES: usize = 3;
const PARTS: [&str; 2] = ["train", "test"];

/// What the script says of a set: share of the test part that is named rightly, and seconds to transform both parts.
#[derive(Deserialize)]
struct Row {
    set: String,
    accuracy: BTreeMap<String, f64>,
    seconds: BTreeMap<String, f64>,
}

/// The columns of the table; the last is ours.
const TRANSFORMS: [&str; 3] = ["MiniRocket", "MultiRocket", "ours"];

/// Prints both; whether ours is at least as accurate as either in the mean, and as fast.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print() -> anyhow::Result<bool> {
    let peer = Peer::with(PACKAGE)?;
    // Sets of another script are others.
    let script = std::fs::read(Peer::script(SCRIPT))?;
    let dir = home()?.cache.join(format!("peers/series-{}", &Hash::of(&script).to_string()[..8]));
    if !dir.exists() {
        // A set that was written in part is not taken for a whole one.
        let begun = tempfile::tempdir_in(dir.parent().context("the cache is a folder")?)?;
        peer.run(SCRIPT, &["make".as_ref(), begun.path().as_os_str()])?;
        std::fs::rename(begun.keep(), &dir)?;
    }
    let seconds: BTreeMap<String, f64> =
        inside(&dir)?.iter().map(|set| transform(set)).collect::<anyhow::Result<_>>()?;
    println!(
        "{:<18} {:>10} {:>11} {:>6}   {:>13} {:>14} {:>8}",
        "set", "MiniRocket", "MultiRocket", "ours", "MiniRocket, s", "MultiRocket, s", "ours, s"
    );
    let told = peer.run(SCRIPT, &["score".as_ref(), dir.as_os_str()])?;
    let mut rows: Vec<Row> = told.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    for row in &mut rows {
        row.seconds.insert("ours".to_owned(), seconds[&row.set]);
    }
    let mean = |of: &dyn Fn(&Row) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
    let accuracy = TRANSFORMS.map(|name| mean(&|row| row.accuracy[name]));
    let took = TRANSFORMS.map(|name| mean(&|row| row.seconds[name]));
    for row in &rows {
        line(&row.set, TRANSFORMS.map(|name| row.accuracy[name]), TRANSFORMS.map(|name| row.seconds[name]));
    }
    line("mean", accuracy, took);
    println!("{:<18} {:>45.1} {:>14.1}", "times as slow", took[0] / took[2], took[1] / took[2]);
    let beaten = TRANSFORMS[..2].iter().map(|name| {
        let gains = rows.iter().map(|row| row.accuracy["ours"] - row.accuracy[*name]);
        let (gain, error) = mean_with_error(&gains.collect::<Vec<_>>());
        println!("ours less {name:<12} {gain:>6.3} (standard error over the sets {error:.3})");
        gain + error >= 0.0
    });
    let beaten: Vec<bool> = beaten.collect();
    Ok(beaten.iter().all(|beaten| *beaten) && took[2] <= took[0].min(took[1]))
}

/// The mean and its standard error.
fn mean_with_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn line(name: &str, accuracy: [f64; 3], seconds: [f64; 3]) {
    let ([a, b, ours], [c, d, took]) = (accuracy, seconds);
    println!("{name:<18} {a:>10.3} {b:>11.3} {ours:>6.3}   {c:>13.2} {d:>14.2} {took:>8.2}");
}

/// Writes the features of a set beside it, on one thread, and gives its name and how long that took.
fn transform(set: &Path) -> anyhow::Result<(String, f64)> {
    let mut seconds = 0.0;
    for part in PARTS {
        let mut files = Vec::new();
        for class in inside(&set.join(part))? {
            files.extend(inside(&class)?);
        }
        let series: Vec<Series> =
            files.iter().map(|file| Ok(even(read(file)?.0).0)).collect::<anyhow::Result<_>>()?;
        let transform = || -> anyhow::Result<(f64, Vec<Vec<f32>>)> {
            let start = Instant::now();
            let rows = series.iter().map(|series| features(series, series.channels.len()));
            let rows = rows.collect::<Result<_, _>>()?;
            Ok((start.elapsed().as_secs_f64(), rows))
        };
        let mut tries: Vec<(f64, Vec<Vec<f32>>)> =
            (0..TRIES).map(|_| transform()).collect::<Result<_, _>>()?;
        tries.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (took, rows) = tries.swap_remove(TRIES / 2);
        seconds += took;
        write(&set.join(format!("{part}.npy")), &rows)?;
    }
    let name = set.file_name().context("a set has a name")?;
    Ok((name.to_string_lossy().into_owned(), seconds))
}

/// The folders and tables of a folder, by name.
fn inside(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "csv"));
    paths.sort();
    Ok(paths)
}
