//! Accuracy on real data, printed beside the floors and beside what other people's tools get from the same examples (`quality/peers`).
//!
//! ```text
//! quality [--data DIR] STUDY [WORD..]    one study, see `quality help`
//! quality [--data DIR] AREA              all studies of an area: journey, inspect, curate, modalities, studio
//! quality [--data DIR] all               everything, which takes hours
//! quality made DIR                       writes made sets for defect inspection, with exact masks, below DIR
//! ```
//! Without a word it is `accuracy`. A task whose data or base is missing fails as missing; it is never passed over. Exit code 1 when an aim
//! is not reached.

mod alignment;
mod consensus;
mod formats;
mod gains;
mod inspection;
mod journey;
mod label_errors;
mod made;
mod npy;
mod peer;
mod planted;
mod quick;
mod run;
mod selection;
mod senses;
mod series;
mod sounds;
mod studies;
mod table;
mod task;
mod video;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

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
    let (name, rest) =
        words.split_first().map_or(("accuracy", &[][..]), |(name, rest)| (name.as_str(), rest));
    match name {
        "help" | "--help" => help(),
        "made" => made::write_all(rest.first().context("made needs a folder")?.as_ref())?,
        _ => {
            let Some(good) = studies::run(name, rest, &data) else {
                bail!("no study is called `{name}`; see `quality help`")
            };
            return Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn help() {
    println!("quality [--data DIR] STUDY [WORD..] | AREA | all | made DIR\n");
    for study in &studies::ALL {
        println!("{:<12} {:<14} {}", study.area, study.name, study.about);
    }
}
