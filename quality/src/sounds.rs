//! How well ten kinds of environmental sounds are told apart, beside logistic regression on each kind of feature alone.
//!
//! Clips of one recording share a fold of the set, so whole folds are held out.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use dataset::ReadOptions;
use pipeline::Run;

use crate::run::pick;
use crate::table::{Table, home};

/// What `sklearn.linear_model.LogisticRegression` on the best single kind of feature, and on any two together, reached: three folds,
/// and 5 clips of each class of two folds with the third to measure on.
const PEER_ALL: f64 = 0.879;
const PEER_FIVE: f64 = 0.803;
/// Draws of five clips a class.
const DRAWS: usize = 20;

/// Prints both; whether each is at least what the peer reached.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let (data, problems) = dataset::read(&data.join("audio/esc10"), &ReadOptions::default())?;
    anyhow::ensure!(problems.is_empty(), "{}", problems[0]);
    let fold = |example: &dataset::Example| -> anyhow::Result<u32> {
        let fold = example.details.get("fold").context("every clip has a fold")?;
        Ok(fold.parse()?)
    };
    let folds: Vec<u32> = data.examples.iter().map(fold).collect::<Result<_, _>>()?;
    let home = home()?;
    let base = home.open_base("whisper-base", &Run::new(&|_| {}, &AtomicBool::new(false)))?;
    let table = Table::new(&home.cache.join("features"), &base, &data, data.classes())?;
    let rows = |keep: &dyn Fn(u32) -> bool| -> Vec<usize> {
        (0..folds.len()).filter(|row| keep(folds[*row])).collect()
    };
    println!("{:<36} {:>8} {:>8}   what was chosen", "esc10", "accuracy", "peer");
    let mut right = 0.0;
    let mut recipes = Vec::new();
    for held_out in 1..=3 {
        let tuned = table.select(&rows(&|fold| fold != held_out)).tune(u64::from(held_out))?;
        let test = table.select(&rows(&|fold| fold == held_out));
        right += test.accuracy(&tuned.head) * test.n() as f64;
        recipes.push(tuned.recipe.name());
    }
    let all = right / table.n() as f64;
    println!(
        "{:<36} {all:>8.3} {PEER_ALL:>8.3}   {}",
        "two folds of three, each held out",
        recipes.join(" | ")
    );
    let train = table.select(&rows(&|fold| fold != 3));
    let test = table.select(&rows(&|fold| fold == 3));
    let draws: Vec<f64> = (0..DRAWS)
        .map(|draw| {
            let tuned = train.select(&pick(&train, 5, draw)).tune(draw as u64)?;
            Ok(test.accuracy(&tuned.head))
        })
        .collect::<anyhow::Result<_>>()?;
    let five = draws.iter().sum::<f64>() / DRAWS as f64;
    let spread = (draws.iter().map(|value| (value - five).powi(2)).sum::<f64>() / (DRAWS - 1) as f64).sqrt();
    println!(
        "{:<36} {five:>8.3} {PEER_FIVE:>8.3}   deviation of {DRAWS} draws {spread:.3}",
        "five a class of two folds, the third"
    );
    Ok(all >= PEER_ALL && five >= PEER_FIVE)
}
