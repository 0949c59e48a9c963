//! Labels made wrong on purpose, on features of real examples: three views of ours beside cleanlab on a five-fold logistic
//! regression of the same features (`quality/peers/label_errors.py`).

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use curate::labels::Judged;
use curate::labels::views::{fused, neighbour_votes};
use linalg::{Seed, random};
use serde::Deserialize;
use tune::views::{Views, views};

use super::{Found, print_line};
use crate::peer::{self, Peer, floats};
use crate::run::{pick, tables};
use crate::table::Table;
use crate::task::{self, Task};

/// Draws of the noise.
const DRAWS: usize = 3;
const FOLDS: usize = 5;
/// How far, to a tenth of a point, the share flagged may be from the share that was made wrong.
const RATE_OFF: f64 = 0.03;
/// How much better than the peer the mean F1 has to be.
const BETTER_BY: f64 = 0.10;
/// The task and how many examples of each class are taken; 0 for all.
const TASKS: [(&str, usize); 2] = [("clothing", 0), ("banking77, MiniLM", 10)];

/// How labels were made wrong.
#[derive(Debug, Clone, Copy)]
enum Noise {
    /// Any other class.
    Symmetric(f64),
    /// The next class.
    Pair(f64),
}

const NOISES: [Noise; 4] =
    [Noise::Symmetric(0.05), Noise::Symmetric(0.10), Noise::Symmetric(0.20), Noise::Pair(0.10)];

impl Noise {
    fn name(self) -> String {
        match self {
            Self::Symmetric(share) => format!("{:.0} % symmetric", 100.0 * share),
            Self::Pair(share) => format!("{:.0} % pair", 100.0 * share),
        }
    }

    fn share(self) -> f64 {
        match self {
            Self::Symmetric(share) | Self::Pair(share) => share,
        }
    }

    fn apply(self, labels: &[u32], k: usize, seed: Seed) -> Vec<u32> {
        let mut rng = seed.derive("noise").rng();
        let mut noisy = labels.to_vec();
        let count = (self.share() * labels.len() as f64).round() as usize;
        for row in random::sample_without_replacement(labels.len(), count, &mut rng) {
            let step = match self {
                Self::Symmetric(_) => 1 + random::below(&mut rng, k - 1),
                Self::Pair(_) => 1,
            };
            noisy[row] = ((labels[row] as usize + step) % k) as u32;
        }
        noisy
    }
}

/// Every task and noise; whether the mean F1 is as much better as asked and nothing ranks below.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print(data: &Path) -> anyhow::Result<bool> {
    let Some(peer) = Peer::installed()? else { return Ok(false) };
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    let mut good = true;
    for (name, shots) in TASKS {
        let task: &Task = tasks.iter().find(|task| task.name.starts_with(name)).context("a task has gone")?;
        let (train, _) = tables(task, data)?;
        let table = train.select(&pick(&train, shots, 0));
        let (mut f1, mut ranks, mut rates) = (Vec::new(), Vec::new(), Vec::new());
        for noise in NOISES {
            let pairs: Vec<(Found, Found)> = (0..DRAWS)
                .map(|draw| measure(&table, noise, Seed(draw as u64), &peer))
                .collect::<Result<_, _>>()?;
            let (ours, theirs) =
                (mean(pairs.iter().map(|pair| pair.0)), mean(pairs.iter().map(|pair| pair.1)));
            let wrong = (noise.share() * table.n() as f64).round() as usize;
            print_line(&format!("{}, {}", task.name, noise.name()), wrong, table.n(), ours, theirs);
            f1.push(ours.f1 - theirs.f1);
            ranks.push(ours.auroc - theirs.auroc);
            rates.push(ours.flagged as f64 / table.n() as f64 - noise.share());
        }
        let of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let worst_rate = rates.iter().copied().fold(0.0, |worst: f64, rate| worst.max(rate.abs()));
        println!(
            "{}: F1 {:+.3} against the peer (floor {BETTER_BY:+}), AUROC {:+.4}; share flagged at most {:.1} points off (limit 3)",
            task.name,
            of(&f1),
            of(&ranks),
            100.0 * worst_rate
        );
        good &= of(&f1) >= BETTER_BY && of(&ranks) >= 0.0 && worst_rate <= RATE_OFF + 5e-4;
    }
    Ok(good)
}

fn mean(found: impl ExactSizeIterator<Item = Found> + Clone) -> Found {
    let n = found.len() as f64;
    let of = |value: &dyn Fn(Found) -> f64| found.clone().map(value).sum::<f64>() / n;
    Found {
        flagged: of(&|found| found.flagged as f64).round() as usize,
        f1: of(&|found| found.f1),
        auroc: of(&|found| found.auroc),
        average_precision: of(&|found| found.average_precision),
    }
}

/// Ours and the peer's on one draw.
fn measure(table: &Table, noise: Noise, seed: Seed, peer: &Peer) -> anyhow::Result<(Found, Found)> {
    let k = table.n_classes;
    let labels = noise.apply(&table.labels, k, seed);
    let wrong: Vec<bool> = labels.iter().zip(&table.labels).map(|(given, truth)| given != truth).collect();
    let folds = stratified_folds(&labels, k, seed);
    let x = &table.sets[0].x;
    let groups: Vec<u32> = (0..labels.len() as u32).collect();
    let never = AtomicBool::new(false);
    let Views { logistic, gda } = views(x, &labels, k, &groups, &folds, &never)?;
    let (votes, _) = neighbour_votes(&labels, k, x.view(), &groups)?;
    let probs = fused(&labels, &[logistic.view(), gda.view(), votes.view()])?;
    let ours = Found::by_views(Judged::new(&labels, probs.view())?, &wrong)?;
    let files = [("x.f32", floats(x.data())), ("y.u32", peer::labels(&labels))];
    let Answer { flags, scores } =
        serde_json::from_str(&peer.ask("label_errors.py", &files, &[x.rows(), x.cols()])?)?;
    Ok((ours, Found::new(&flags, &scores, &wrong)?))
}

/// What cleanlab says.
#[derive(Deserialize)]
struct Answer {
    flags: Vec<bool>,
    scores: Vec<f64>,
}

/// `[n]`: the fold of each row, dealt class by class in random order.
fn stratified_folds(labels: &[u32], k: usize, seed: Seed) -> Vec<u8> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    random::shuffle(&mut order, &mut seed.derive("folds").rng());
    let mut dealt = vec![0; k];
    let mut folds = vec![0; labels.len()];
    for row in order {
        let class = labels[row] as usize;
        folds[row] = ((class + dealt[class]) % FOLDS) as u8;
        dealt[class] += 1;
    }
    folds
}
