//! Whether an event that lasts a twentieth of a clip is seen: a spark, a drop, a lamp, or none, beside a block that never rests.

use std::sync::atomic::AtomicBool;

use dataset::{Modality, ReadOptions};
use linalg::{Seed, random};
use pipeline::{Home, Run};
use rayon::prelude::*;

use super::clips::{Place, Scene};
use crate::run::pick;
use crate::table::{Table, home};

/// Clips of each class; so many of them are learned from in each draw, the others measured on.
const CLIPS: usize = 24;
const SHOTS: usize = 8;
const DRAWS: usize = 10;
/// Length of a clip and of the event in it, in seconds.
const SECONDS: f64 = 12.0;
const EVENT: f64 = 0.6;
const KINDS: [&str; 4] = ["none", "spark", "drop", "lamp"];
/// Least mean accuracy; the shares are a quarter each.
const FLOOR: f64 = 0.8;

/// Prints a line for each draw and the means with and without the set for rare moments.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print() -> anyhow::Result<bool> {
    let place = Place::new("events")?;
    let jobs: Vec<(usize, usize)> =
        (0..KINDS.len()).flat_map(|kind| (0..CLIPS).map(move |number| (kind, number))).collect();
    jobs.par_iter().try_for_each(|(kind, number)| write(&place, KINDS[*kind], kind * CLIPS + number))?;
    let home = home()?;
    let cancelled = AtomicBool::new(false);
    let base = home.open_base(Home::default_base(Modality::Video), &Run::new(&|_| {}, &cancelled))?;
    let (videos, _) = dataset::read(&place.0, &ReadOptions::default())?;
    let all = Table::new(&place.0.join("features"), &base, &videos, videos.classes())?;
    let (mut with, mut without) = (0.0, 0.0);
    for draw in 0..DRAWS {
        let learned = pick(&all, SHOTS, draw);
        let others: Vec<usize> = (0..all.n()).filter(|row| !learned.contains(row)).collect();
        let tuned = all.select(&learned).tune(draw as u64)?;
        let accuracy = all.select(&others).accuracy(&tuned.head);
        let plain = |rows: &[usize]| {
            let mut table = all.select(rows);
            table.sets.retain(|set| set.name != "new");
            table
        };
        let before = plain(&others).accuracy(&plain(&learned).tune(draw as u64)?.head);
        println!("draw {draw}: {accuracy:.3} ({before:.3} without rare moments), {}", tuned.recipe.name());
        with += accuracy / DRAWS as f64;
        without += before / DRAWS as f64;
    }
    println!(
        "events of {:.0} % of a clip, {SHOTS} a class of {}: mean {with:.3} of {DRAWS} draws on {} clips, floor {FLOOR}; {without:.3} without rare moments",
        100.0 * EVENT / SECONDS,
        KINDS.len(),
        KINDS.len() * (CLIPS - SHOTS),
    );
    Ok(with >= FLOOR)
}

fn write(place: &Place, kind: &str, number: usize) -> anyhow::Result<()> {
    let seed = Seed(number as u64).derive("event");
    let mut rng = seed.derive("when").rng();
    let mut within = |low: f64, high: f64| low + (high - low) * random::uniform(&mut rng);
    let start = within(0.5, SECONDS - EVENT - 0.5);
    let at = [within(20.0, 140.0), within(90.0, 108.0)];
    let discs = |time: f64| {
        let since = time - start;
        let there = (0.0..EVENT).contains(&since);
        let disc = match kind {
            // It flickers where the block is at the rail's height.
            "spark" => (at, 3.0 + 2.0 * (40.0 * since).sin(), [255.0, 230.0, 60.0]),
            "drop" => ([at[0], 20.0 + 90.0 * since / EVENT], 4.0, [40.0, 35.0, 30.0]),
            _ => ([148.0, 12.0], 5.0, [60.0, 220.0, 80.0]),
        };
        (kind != "none" && there).then_some(disc)
    };
    let scene = Scene { discs: &discs, ..Scene::usual(SECONDS, 10.0) };
    scene.write(&place.0.join(format!("{kind}/{number}.mp4")), seed)
}
