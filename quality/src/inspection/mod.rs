//! Inspectors, beside their aims: with few good parts and with first defects, whether promises hold, how kinds of defects are named.

mod kinds;
mod runs;

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::made::{self, Kind};
use runs::{Given, PROMISE, Row};

/// What an inspector should reach with what it is given.
struct Aim {
    set: &'static str,
    given: Given,
    metric: &'static str,
    least: f64,
}

/// On the real set: with all good parts, and with ten marked defects of each kind.
const AIMS: [Aim; 4] = {
    const GOOD: Given = Given { good: None, defects: 0, masks: false };
    const MARKED: Given = Given { good: None, defects: 10, masks: true };
    const fn aim(given: Given, metric: &'static str, least: f64) -> Aim {
        Aim { set: "magnetic_tile", given, metric, least }
    }
    [
        aim(GOOD, "image-auroc", 0.90),
        aim(GOOD, "aupro", 0.80),
        aim(GOOD, "recall", 0.50),
        aim(MARKED, "image-auroc", 0.95),
    ]
};

/// Metrics of inspectors, in the order they are printed.
const SHOWN: [(&str, &str); 8] = [
    ("image-auroc", "image AUROC"),
    ("image-ap", "AP"),
    ("pixel-auroc", "pixel AUROC"),
    ("aupro", "AUPRO"),
    ("recall", "found"),
    ("recall-alone", "by good alone"),
    ("false-alarms", "false alarms"),
    ("good-marked", "good marked"),
];

/// One line for each set and what is given.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(words: &[String], data: &Path) -> anyhow::Result<bool> {
    let draws: u64 = words.first().and_then(|word| word.parse().ok()).unwrap_or(5);
    let sets = sets(words, data)?;
    let header: String = SHOWN.iter().map(|(_, title)| format!(" {title:>18}")).collect();
    println!(
        "{:<14} {:<36}{header}   (mean and deviation of the draws; promised 5 % false alarms)",
        "set", "given"
    );
    let mut good = true;
    for set in sets {
        let name = name_of(&set);
        for given in Given::ALL.into_iter().filter(|given| asked(words, *given)) {
            let rows: Vec<Row> = (0..draws)
                .map(|draw| runs::run(&set, given, draw).with_context(|| name.clone()))
                .collect::<Result<_, _>>()?;
            let cells: String =
                SHOWN.iter().map(|(metric, _)| format!(" {:>18}", spread(&rows, metric))).collect();
            println!("{name:<14} {:<36}{cells}", given.name());
            for (metric, least) in AIMS
                .iter()
                .filter(|aim| aim.set == name && aim.given == given)
                .map(|aim| (aim.metric, aim.least))
            {
                let reached = mean(&rows, metric);
                if reached.is_nan() || reached < least {
                    println!("{name:<14} {:<36} below its aim: {metric} {reached:.3}, {least}", given.name());
                    good = false;
                }
            }
        }
    }
    Ok(good)
}

/// Whether a row of the table is to be measured: all are, unless some are named as the table names them.
fn asked(words: &[String], given: Given) -> bool {
    let is_row = |word: &String| Given::ALL.iter().any(|row| row.name() == *word);
    !words.iter().any(is_row) || words.contains(&given.name())
}

/// Half of the good parts prove a promise, the other half show whether it holds: at most half as much again in nine of ten
/// splits.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn promise(words: &[String], data: &Path) -> anyhow::Result<bool> {
    let splits: u64 = words.first().and_then(|word| word.parse().ok()).unwrap_or(10);
    let (promised, _) = PROMISE;
    let mut kept = true;
    println!("{:<14} false alarms on the other half of the good parts; promised {promised}", "set");
    for set in sets(words, data)? {
        let rates: Vec<f64> = (0..splits)
            .map(|split| runs::false_alarms_on_other_half(&set, split).with_context(|| name_of(&set)))
            .collect::<Result<_, _>>()?;
        let within = rates.iter().filter(|rate| **rate <= 1.5 * promised).count();
        let told: Vec<String> = rates.iter().map(|rate| format!("{rate:.3}")).collect();
        println!("{:<14} {}   {within} of {splits} within 1.5 times", name_of(&set), told.join(" "));
        kept &= within * 10 >= rates.len() * 9;
    }
    Ok(kept)
}

/// The sets named, or the real one and all made ones, which are drawn beside the cache.
fn sets(words: &[String], data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_set = |word: &&String| word.parse::<u64>().is_err() && !word.contains(" good");
    let named: Vec<&String> = words.iter().filter(is_set).collect();
    let drawn = std::env::temp_dir().join("dianjing-made");
    if !drawn.exists() {
        // A drawing that was interrupted is not taken for a whole one, and of two at once one counts.
        let begun = tempfile::tempdir()?;
        made::write_all(&begun.path().join("made"))?;
        let renamed = std::fs::rename(begun.path().join("made"), &drawn);
        anyhow::ensure!(drawn.exists(), "no sets in {}: {renamed:?}", drawn.display());
    }
    let mut sets = vec![data.join("defect/magnetic_tile")];
    sets.extend(Kind::ALL.map(|kind| drawn.join(kind.name())));
    sets.retain(|set| named.is_empty() || named.iter().any(|word| name_of(set).contains(word.as_str())));
    Ok(sets)
}

fn name_of(set: &Path) -> String {
    set.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Marked defects; the kinds are named from the same places with or without marks.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn kinds(words: &[String], data: &Path) -> anyhow::Result<bool> {
    let draw: u64 = words.first().and_then(|word| word.parse().ok()).unwrap_or(0);
    println!(
        "{:<14} {:<16} {:>12} {:>24} {:>24}",
        "set", "not shown", "named right", "shown called never seen", "others called never seen"
    );
    for set in sets(words, data)? {
        for line in kinds::lines(&set, true, draw).with_context(|| name_of(&set))? {
            let of =
                |metric: &str| line.row.get(metric).map_or("-".to_owned(), |value| format!("{value:.3}"));
            println!(
                "{:<14} {:<16} {:>12} {:>24} {:>24}",
                name_of(&set),
                line.hidden.as_deref().unwrap_or("-"),
                of("kind-accuracy"),
                of("known-called-new"),
                of("new-found")
            );
        }
    }
    Ok(true)
}

/// Mean over draws; not a number where none was measured.
fn mean(rows: &[Row], metric: &str) -> f64 {
    let values: Vec<f64> = rows.iter().filter_map(|row| row.get(metric).copied()).collect();
    values.iter().sum::<f64>() / values.len() as f64
}

/// `.917 (.012)`: mean and standard deviation over draws.
fn spread(rows: &[Row], metric: &str) -> String {
    let values: Vec<f64> = rows.iter().filter_map(|row| row.get(metric).copied()).collect();
    if values.is_empty() {
        return "-".to_owned();
    }
    let mean = mean(rows, metric);
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    format!("{mean:.3} ({:.3})", variance.sqrt())
}
