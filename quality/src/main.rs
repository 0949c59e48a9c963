//! Accuracy on real data, printed beside the floors: what scikit-learn gets on the same bases (`quality/peers`).
//!
//! `quality [--data DIR] [NAME..]` runs the tasks in `quality/tasks/*.toml` whose name contains one of the words. A task whose
//! data or base is missing fails as missing; it is never passed over. Exit code 1 when a floor is not reached.

mod run;
mod task;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn main() -> anyhow::Result<ExitCode> {
    let mut data = PathBuf::from("../shared/data");
    let mut words = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--data" => data = arguments.next().context("--data needs a folder")?.into(),
            _ => words.push(argument),
        }
    }
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    println!("{:<34} {:>9} {:>24} {:>8} {:>7}", "task", "labels", "accuracy (95 %)", "floor", "ratio");
    let mut below = 0;
    for task in tasks
        .iter()
        .filter(|task| words.is_empty() || words.iter().any(|word| task.name.contains(word.as_str())))
    {
        for row in run::run(task, &data).with_context(|| format!("task `{}`", task.name))? {
            let floor = row.floor.map_or("-".to_owned(), |floor| format!("{floor:.3}"));
            let ratio = row.floor.map_or("-".to_owned(), |floor| format!("{:.3}", row.accuracy / floor));
            let value = format!("{:.4} [{:.4}, {:.4}]", row.accuracy, row.low, row.high);
            println!("{:<34} {:>9} {value:>24} {floor:>8} {ratio:>7}", task.name, row.labels);
            // Floors are given to three digits.
            below += usize::from(row.floor.is_some_and(|floor| row.accuracy < floor - 0.0005));
        }
    }
    println!("{below} below their floor");
    Ok(if below == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
