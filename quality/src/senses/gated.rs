//! Does a gate earn its place? A pool gives every sense one weight; a gate lets it depend on what the sense shows. Where a camera now and
//! then shows an old picture, and the picture says so, the gate has to be chosen; where the camera works it must not be. On emoji, with
//! pictures whole and broken, it is told what the product chooses.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dataset::Modality;
use linalg::logits::log_softmax;
use linalg::{Matrix, Seed};
use pipeline::Run;
use tune::fuse::{Choice, FuseInput, Kind, Sense, choose};

use super::{Bench, emoji, machine};
use crate::table::{Table, home};

const N_MACHINES: usize = 800;
/// Share of the machines whose photo is an old one.
const STALE: f64 = 0.4;
const MACHINE: [(&str, Modality); 3] =
    [("photo", Modality::Image), ("vibration", Modality::Series), ("note", Modality::Text)];

/// Prints what each way of joining loses on each table; whether a gate is chosen where it should be, and only there.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print(data: &Path) -> anyhow::Result<bool> {
    let dir = std::env::temp_dir().join(format!("dianjing-gated-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    println!("log-loss out of fold, and less that of the best single sense with its standard error");
    let machines = Bench::new(home()?, dir.clone(), &MACHINE);
    let stale = machine::table_with_stale(&dir, "stale", N_MACHINES, STALE)?;
    let wins = tell("machines, 40 % of the photos old and marked as such", &choice(&machines, &stale)?);
    let works = machine::table(&dir, "whole", N_MACHINES)?;
    let stays_out = tell("machines, the camera works", &choice(&machines, &works)?);
    for (name, table) in of_emoji(data, &dir)? {
        let bench = Bench::new(home()?, dir.clone(), &emoji::SENSES);
        tell(name, &choice(&bench, &table)?);
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(wins == Kind::Gated && stays_out != Kind::Gated)
}

fn of_emoji(data: &Path, dir: &Path) -> anyhow::Result<[(&'static str, PathBuf); 2]> {
    let (folder, emoji) = emoji::read(data)?;
    let (whole, _, broken) = emoji::tables(dir, &folder, &emoji, 0)?;
    Ok([("emoji", whole), ("emoji, 30 % of the pictures broken", broken)])
}

#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn tell(name: &str, choice: &Choice) -> Kind {
    println!("{name}:");
    for tried in &choice.tried {
        let chosen = if tried.kind == choice.kind { " <- chosen" } else { "" };
        println!(
            "  {:<8} {:.4}  {:+.4} ± {:.4}  accuracy {:.3}{chosen}",
            format!("{:?}", tried.kind).to_lowercase(),
            tried.loss,
            tried.over_single.mean,
            tried.over_single.error,
            tried.accuracy
        );
    }
    choice.kind
}

/// What the product chooses of what the heads of all senses say of a table.
fn choice(bench: &Bench, table: &Path) -> anyhow::Result<Choice> {
    let all: Vec<usize> = (0..bench.senses.len()).collect();
    let (data, _) = dataset::read(table, &bench.read(&all))?;
    let never = AtomicBool::new(false);
    let (mut said, mut labels) = (Vec::new(), Vec::new());
    for sense in &data.senses {
        let (alone, _) = data.of_sense(sense);
        let base = bench.home.base_for(None, &alone, &Run::new(&|_| {}, &never))?;
        let table = Table::new(&bench.home.cache.join("features"), &base, &alone, alone.classes())?;
        let tuned = table.tune(0)?;
        let log_probs: Vec<Vec<f64>> = tuned.oof_outputs.iter_rows().map(log_softmax).collect();
        let features: Vec<Vec<f32>> = (0..table.n())
            .map(|row| {
                let sets = table.sets.iter().map(|set| (set.name.as_str(), set.x.row(row))).collect();
                tuned.head.features(&sets)
            })
            .collect();
        said.push((sense.name.clone(), Matrix::from_rows(&log_probs), Matrix::from_rows(&features)));
        labels = table.labels;
    }
    let present = vec![true; labels.len()];
    let groups: Vec<u32> = (0..labels.len() as u32).collect();
    let senses = said.iter().map(|(name, log_probs, features)| Sense {
        name,
        log_probs,
        features: Some(features),
        present: &present,
    });
    let senses: Vec<Sense<'_>> = senses.collect();
    let n_classes = data.classes().len();
    Ok(choose(&FuseInput { senses: &senses, labels: &labels, n_classes, groups: &groups }, Seed(1), &never)?)
}
