//! An inspector of clips, from good ones alone: faults in how things look, move and when.

use std::sync::atomic::AtomicBool;

use anyhow::Context;
use linalg::{Seed, random};
use pipeline::{Home, Run};
use rayon::prelude::*;

use super::clips::{Place, Scene};
use crate::run::inspect_request;

/// Good clips to learn from and to measure on, and clips of each fault.
const GOOD: (usize, usize) = (60, 30);
const FAULTY: usize = 10;
const SECONDS: f64 = 3.0;
/// The promise: false alarms and confidence.
const PROMISE: (f64, f64) = (0.05, 0.95);
const FAULTS: [&str; 6] = ["colour", "stall", "slow", "flicker", "wobble", "stranger"];
/// Least image AUROC.
const FLOOR: f64 = 0.9;

/// Prints what was found of each fault, and tells whether the floor is reached.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print() -> anyhow::Result<bool> {
    let place = Place::new("clips")?;
    let good = (0..GOOD.0 + GOOD.1).map(|number| ("good", if number < GOOD.0 { "train" } else { "test" }));
    let faulty = FAULTS.iter().flat_map(|fault| std::iter::repeat_n((*fault, "test"), FAULTY));
    let jobs: Vec<(&str, &str)> = good.chain(faulty).collect();
    jobs.par_iter().enumerate().try_for_each(|(number, (fault, part))| {
        let name = format!("set/{part}/{fault}/{number}.mp4");
        write(&place, &name, fault, number as u64)
    })?;
    let home = Home::by_default().context("no home folder and no DIANJING_CACHE")?;
    let request = inspect_request(&place.0, PROMISE, 0);
    let made = pipeline::inspect(&home, &request, &Run::new(&|_| (), &AtomicBool::new(false)))?;
    for kind in &made.report.kinds {
        let auroc = kind.others.iter().find(|(metric, _)| metric == "image-auroc");
        let auroc = auroc.map_or(f64::NAN, |(_, auroc)| auroc.value);
        println!("{}: AUROC {auroc:.3}, {:.2} found", kind.name, kind.recall.value);
    }
    let measured = |name: &str| {
        let found = made.bundle.evaluation.measured.iter().find(|measured| measured.metric == name);
        found.map(|measured| measured.estimate.value).context("it is measured where there is a test part")
    };
    let auroc = measured("image-auroc")?;
    println!(
        "clips of {SECONDS} s, {} good: AUROC {auroc:.3} on {} good and {} faulty, floor {FLOOR}; {:.2} found and {:.2} false alarms under {:.0} %",
        GOOD.0,
        GOOD.1,
        FAULTS.len() * FAULTY,
        measured("recall")?,
        measured("false-alarms")?,
        100.0 * PROMISE.0
    );
    Ok(auroc >= FLOOR)
}

fn write(place: &Place, name: &str, fault: &str, number: u64) -> anyhow::Result<()> {
    let seed = Seed(number).derive("clip");
    let mut rng = seed.derive("when").rng();
    let start = 0.3 + 1.9 * random::uniform(&mut rng);
    let during = |time: f64, length: f64| (start..start + length).contains(&time);
    let usual = Scene::usual(SECONDS, 20.0);
    let path = place.0.join(name);
    match fault {
        // A shade between blue and violet.
        "colour" => Scene { colour: [110.0, 60.0, 170.0], ..usual }.write(&path, seed),
        "stall" => Scene { time: &|time| time - (time - start).clamp(0.0, 0.4), ..usual }.write(&path, seed),
        "slow" => Scene { time: &|time| 0.75 * time, ..usual }.write(&path, seed),
        "flicker" => {
            let light = |time| if during(time, 0.1) { 0.75 } else { 1.0 };
            Scene { light: &light, ..usual }.write(&path, seed)
        }
        "wobble" => Scene { off: &|time| 3.0 * (50.0 * time).sin(), ..usual }.write(&path, seed),
        "stranger" => {
            let disc = |time| {
                during(time, 0.5).then_some(([30.0 + 200.0 * (time - start), 104.0], 5.0, [60.0, 50.0, 40.0]))
            };
            Scene { discs: &disc, ..usual }.write(&path, seed)
        }
        _ => usual.write(&path, seed),
    }
}
