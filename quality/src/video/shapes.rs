//! How well five labelled videos of each class teach moving shapes, in files of two codecs, three sizes and two rates.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use dataset::{Modality, ReadOptions};
use pipeline::{Home, Run};

use crate::run::pick;
use crate::table::{Table, home};

/// Videos of each class to learn from; the others are measured on.
const SHOTS: usize = 5;
const DRAWS: usize = 10;
/// Least mean accuracy: what the issue that asked for videos wants.
const FLOOR: f64 = 0.9;

/// Prints a line for each draw and the mean, and tells whether it reaches the floor.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print(data: &Path) -> anyhow::Result<bool> {
    let folder = data.join("video/shapes_ffmpeg");
    if !folder.exists() {
        bail!("the data is missing: `{}`", folder.display());
    }
    let home = home()?;
    let cancelled = AtomicBool::new(false);
    let base = home.open_base(Home::default_base(Modality::Video), &Run::new(&|_| {}, &cancelled))?;
    let (videos, _) = dataset::read(&folder, &ReadOptions::default())?;
    let classes = videos.classes().to_vec();
    let all = Table::new(&home.cache.join("features"), &base, &videos, &classes)?;
    let (mut accuracies, mut of_frames) = (Vec::new(), 0.0);
    for draw in 0..DRAWS {
        let learned = pick(&all, SHOTS, draw);
        let others: Vec<usize> = (0..all.n()).filter(|row| !learned.contains(row)).collect();
        let tuned = all.select(&learned).tune(draw as u64)?;
        let accuracy = all.select(&others).accuracy(&tuned.head);
        // What the mean and deviation of whole frames alone would give: nothing cut out, nothing of the course.
        let whole = |rows: &[usize]| {
            let mut table = all.select(rows);
            table.sets.truncate(1);
            table
        };
        let plain = whole(&others).accuracy(&whole(&learned).tune(draw as u64)?.head);
        println!(
            "draw {draw}: {accuracy:.3} on {} videos ({plain:.3} by whole frames alone), {}",
            others.len(),
            tuned.recipe.name()
        );
        accuracies.push(accuracy);
        of_frames += plain / DRAWS as f64;
    }
    let mean = accuracies.iter().sum::<f64>() / DRAWS as f64;
    let worst = accuracies.iter().copied().reduce(f64::min).context("there are draws")?;
    println!(
        "shapes_ffmpeg, {SHOTS} a class: mean {mean:.3} of {DRAWS} draws, worst {worst:.3}, floor {FLOOR}; whole frames alone {of_frames:.3}"
    );
    Ok(mean >= FLOOR)
}
