//! The journey from examples to a model, task by task: accuracy beside the floors, how far intervals hold, how pictures are prepared.

mod coverage;
mod preprocessing;

use std::path::Path;

use anyhow::Context;

use crate::run;
use crate::task::{self, Task};

/// Accuracy of all tasks, or of those whose name contains one of the words.
pub(crate) fn accuracy(words: &[String], data: &Path) -> anyhow::Result<bool> {
    print_accuracy(&named(words, &tasks()?), data)
}

/// How often the stated interval contains the accuracy on a test set.
pub(crate) fn coverage(words: &[String], data: &Path) -> anyhow::Result<bool> {
    print_coverage(&named(words, &tasks()?), data)
}

/// Which normalisation, crop and filter suits the vision base.
pub(crate) fn preprocessing(words: &[String], data: &Path) -> anyhow::Result<bool> {
    print_preprocessing(&named(words, &tasks()?), data)
}

fn tasks() -> anyhow::Result<Vec<Task>> {
    task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))
}

fn named<'a>(words: &[String], all: &'a [Task]) -> Vec<&'a Task> {
    let is_named =
        |task: &&Task| words.is_empty() || words.iter().any(|word| task.name.contains(word.as_str()));
    all.iter().filter(is_named).collect()
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn print_accuracy(tasks: &[&Task], data: &Path) -> anyhow::Result<bool> {
    println!(
        "{:<34} {:>9} {:>24} {:>7} {:>7} {:>9} {:>7}",
        "task", "labels", "accuracy (95 %)", "floor", "ratio", "sklearn*", "ratio"
    );
    let mut below = 0;
    for task in tasks {
        for row in run::run(task, data).with_context(|| format!("task `{}`", task.name))? {
            let beside = |other: Option<f64>| {
                other.map_or(("-".to_owned(), "-".to_owned()), |other| {
                    (format!("{other:.3}"), format!("{:.3}", row.accuracy / other))
                })
            };
            let ((floor, ratio), (peer, peer_ratio)) = (beside(row.floor.accuracy), beside(row.floor.peer));
            let value = format!("{:.4} [{:.4}, {:.4}]", row.accuracy, row.low, row.high);
            println!(
                "{:<34} {:>9} {value:>24} {floor:>7} {ratio:>7} {peer:>9} {peer_ratio:>7}",
                task.name, row.labels
            );
            // Floors are given to three digits.
            below += usize::from(row.floor.accuracy.is_some_and(|floor| row.accuracy < floor - 0.0005));
        }
    }
    println!(
        "* the best of six scikit-learn heads, picked on the test set, on the very same draws (quality/peers/table.py)"
    );
    println!("{below} below their floor");
    Ok(below == 0)
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn print_coverage(tasks: &[&Task], data: &Path) -> anyhow::Result<bool> {
    println!("{:<34} {:>7} {:>10} {:>8} {:>7} {:>7}", "task", "labels", "covered", "bias", "width", "alarms");
    let mut good = true;
    for task in tasks {
        for n_train in &task.coverage {
            let found =
                coverage::coverage(task, data, *n_train).with_context(|| format!("task `{}`", task.name))?;
            good &= found.holds();
            println!(
                "{:<34} {:>7} {:>7}/{} {:>+8.3} {:>7.3} {:>7.3}",
                task.name, found.n_train, found.covered, found.splits, found.bias, found.width, found.alarms
            );
        }
    }
    Ok(good)
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn print_preprocessing(tasks: &[&Task], data: &Path) -> anyhow::Result<bool> {
    println!("{:<34} {:<20} {:>18} {:>9}", "task", "variant", "loss (se)", "accuracy");
    for task in tasks.iter().filter(|task| task.text.is_none()) {
        for row in preprocessing::compare(task, data).with_context(|| format!("task `{}`", task.name))? {
            let loss = format!("{:.4} ({:.4})", row.loss, row.error);
            println!("{:<34} {:<20} {loss:>18} {:>9.4}", task.name, row.variant, row.accuracy);
        }
    }
    Ok(true)
}
