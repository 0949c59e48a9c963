//! Good series alone: does an inspector of the made machine's vibration keep its promise about false alarms on machines drawn anew, and
//! which faults does it find?

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use evaluate::{Estimate, clopper_pearson};
use linalg::Seed;
use pipeline::Run;

use super::machine::{Dice, vibration};
use crate::run::inspect_request;
use crate::table::home;

/// Good machines to learn from, and good and faulty ones to measure on.
const SIZES: (usize, usize, usize) = (60, 60, 20);
/// At most this share of good ones may alarm, so surely.
const PROMISE: (f64, f64) = (0.1, 0.9);
/// Machines are drawn so many times.
const DRAWS: usize = 10;
/// Certainty of the interval of the share of promises that are broken: they are kept where it reaches down to what was promised.
const SURE: f64 = 0.9;
/// Least share of each fault that is found, on the mean.
const FLOOR: f64 = 0.8;
const FAULTS: [&str; 2] = ["bearing", "imbalance"];

/// Prints one line a draw, and tells whether the promise is kept and the faults are found.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print() -> anyhow::Result<bool> {
    let (rate, confidence) = PROMISE;
    println!(
        "good vibration alone: {} machines to learn from; at most {rate} false alarms with confidence {confidence}",
        SIZES.0
    );
    let (mut failed, mut found) = (0, [0.0; FAULTS.len()]);
    for draw in 0..DRAWS {
        let dir = std::env::temp_dir().join(format!("dianjing-traces-{}-{draw}", std::process::id()));
        write(&dir, draw)?;
        let measured = inspect(&dir, draw)?;
        std::fs::remove_dir_all(&dir)?;
        let told: Vec<String> = measured.1.iter().map(|share| format!("{share:.2}")).collect();
        println!(
            "draw {draw}: false alarms {:.3} (from {:.3}), found of {}: {}",
            measured.0.value,
            measured.0.low,
            FAULTS.join(", "),
            told.join(", ")
        );
        // Of so few good ones more may alarm by chance.
        failed += usize::from(measured.0.low > rate);
        found.iter_mut().zip(&measured.1).for_each(|(sum, share)| *sum += share / DRAWS as f64);
    }
    let told: Vec<String> = found.iter().map(|share| format!("{share:.2}")).collect();
    let broken = clopper_pearson(failed, DRAWS, SURE);
    println!(
        "promise broken in {failed} of {DRAWS} draws, at least {:.2} of all (promised {:.2}); found {} (floor {FLOOR})",
        broken.low,
        1.0 - confidence,
        told.join(", ")
    );
    Ok(broken.low <= 1.0 - confidence && found.iter().all(|share| *share >= FLOOR))
}

/// `train/good`, `test/good` and `test/<fault>`, of machines drawn anew.
fn write(dir: &Path, draw: usize) -> anyhow::Result<()> {
    let (learn, good, faulty) = SIZES;
    let mut folders = vec![("train/good", "fine", learn), ("test/good", "fine", good)];
    let of_faults = FAULTS.map(|fault| (format!("test/{fault}"), fault));
    folders.extend(of_faults.iter().map(|(folder, fault)| (folder.as_str(), *fault, faulty)));
    for (folder, state, n) in folders {
        std::fs::create_dir_all(dir.join("set").join(folder))?;
        for number in 0..n {
            let mut dice = Dice::new(Seed(draw as u64).derive(folder).nth(number));
            std::fs::write(
                dir.join("set").join(folder).join(format!("{number:03}.csv")),
                vibration(&mut dice, state),
            )?;
        }
    }
    Ok(())
}

/// The share of good ones that alarm, and the share of each fault that does.
fn inspect(dir: &Path, draw: usize) -> anyhow::Result<(Estimate, Vec<f64>)> {
    let request = inspect_request(dir, PROMISE, draw as u64);
    let made = pipeline::inspect(&home()?, &request, &Run::new(&|_| (), &AtomicBool::new(false)))?;
    let alarms = made.report.false_alarms.context("false alarms were not measured")?;
    let of = |fault: &&str| {
        let kind = made.report.kinds.iter().find(|kind| kind.name == *fault);
        kind.map(|kind| kind.recall.value).with_context(|| format!("`{fault}` was not measured"))
    };
    Ok((alarms, FAULTS.iter().map(of).collect::<anyhow::Result<_>>()?))
}
