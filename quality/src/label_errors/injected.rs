//! Labels made wrong on purpose, on features of real examples: three views of ours beside cleanlab on a five-fold logistic
//! regression of the same features.

use std::path::Path;

use anyhow::Context;
use curate::labels::Judged;
use curate::labels::views::{fused, neighbour_votes};
use linalg::logits::{fit_scale, log_softmax, softmax};
use linalg::{Matrix, Seed, random};
use tune::gda::Gda;
use tune::logistic::{Design, Loss, fit};

use super::{Found, print_line};
use crate::run::{pick, tables};
use crate::table::Table;
use crate::task::{self, Task};

/// Draws of the noise.
const DRAWS: usize = 3;
const FOLDS: usize = 5;
/// Penalties of the logistic view, on features of mean squared length 1; the largest first.
const PENALTIES: [f64; 5] = [1.0, 0.3, 0.1, 0.03, 0.01];
/// Ridges of the GDA view, in units of `d / (n - 1)`.
const RIDGES: [f64; 4] = [0.3, 1.0, 3.0, 10.0];
/// scikit-learn's default, `C = 1`, on the features as they are.
const PEER_PENALTY: f64 = 1.0;
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
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    let mut good = true;
    for (name, shots) in TASKS {
        let task: &Task = tasks.iter().find(|task| task.name.starts_with(name)).context("a task has gone")?;
        let (train, _) = tables(task, data)?;
        let table = train.select(&pick(&train, shots, 0));
        let (mut f1, mut ranks, mut rates) = (Vec::new(), Vec::new(), Vec::new());
        for noise in NOISES {
            let pairs: Vec<(Found, Found)> =
                (0..DRAWS).map(|draw| measure(&table, noise, Seed(draw as u64))).collect::<Result<_, _>>()?;
            let (ours, peer) = (mean(pairs.iter().map(|pair| pair.0)), mean(pairs.iter().map(|pair| pair.1)));
            let wrong = (noise.share() * table.n() as f64).round() as usize;
            print_line(&format!("{}, {}", task.name, noise.name()), wrong, table.n(), ours, peer);
            f1.push(ours.f1 - peer.f1);
            ranks.push(ours.auroc - peer.auroc);
            rates.push(ours.flagged as f64 / table.n() as f64 - noise.share());
        }
        let of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let worst_rate = rates.iter().copied().fold(0.0, |worst: f64, rate| worst.max(rate.abs()));
        println!(
            "{}: F1 {:+.3} against the peer (floor {BETTER_BY:+}), AUROC {:+.4}; share flagged at most {:.1} points off",
            task.name,
            of(&f1),
            of(&ranks),
            100.0 * worst_rate
        );
        good &= of(&f1) >= BETTER_BY && of(&ranks) >= 0.0;
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
fn measure(table: &Table, noise: Noise, seed: Seed) -> anyhow::Result<(Found, Found)> {
    let k = table.n_classes;
    let labels = noise.apply(&table.labels, k, seed);
    let wrong: Vec<bool> = labels.iter().zip(&table.labels).map(|(given, truth)| given != truth).collect();
    let folds = stratified_folds(&labels, k, seed);
    let x = &table.sets[0].x;
    let scaled = centred_and_scaled(x);
    let logistic = best_by_loss(logistic_views(&scaled, &labels, k, &folds, &PENALTIES), &labels);
    let gda = best_by_loss(gda_views(&scaled, &labels, k), &labels);
    let groups: Vec<u32> = (0..labels.len() as u32).collect();
    let (votes, _) = neighbour_votes(&labels, k, x.view(), &groups)?;
    let probs = fused(&labels, &[logistic.view(), gda.view(), votes.view()])?;
    let ours = Found::ours(Judged::new(&labels, probs.view())?, &wrong)?;
    let theirs = logistic_views(x, &labels, k, &folds, &[PEER_PENALTY]).remove(0);
    let peer = Found::peer(Judged::new(&labels, theirs.view())?, &wrong)?;
    Ok((ours, peer))
}

/// `[n]`: the fold of each row, dealt class by class in random order.
fn stratified_folds(labels: &[u32], k: usize, seed: Seed) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    random::shuffle(&mut order, &mut seed.derive("folds").rng());
    let mut dealt = vec![0; k];
    let mut folds = vec![0; labels.len()];
    for row in order {
        let class = labels[row] as usize;
        folds[row] = (class + dealt[class]) % FOLDS;
        dealt[class] += 1;
    }
    folds
}

/// Columns centred, then one scale for all: mean squared length 1.
fn centred_and_scaled(x: &Matrix) -> Matrix {
    let n = x.rows() as f64;
    let mut mean = vec![0.0; x.cols()];
    for row in x.iter_rows() {
        mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value) / n);
    }
    let mut centred = x.clone();
    for row in 0..x.rows() {
        centred.row_mut(row).iter_mut().zip(&mean).for_each(|(value, mean)| *value -= *mean as f32);
    }
    let square = centred.data().iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / n;
    let scale = (1.0 / square.sqrt()) as f32;
    centred.data_mut().iter_mut().for_each(|value| *value *= scale);
    centred
}

/// Out-of-fold probabilities, `[n, k]`, for each penalty.
fn logistic_views(
    x: &Matrix,
    labels: &[u32],
    k: usize,
    folds: &[usize],
    penalties: &[f64],
) -> Vec<Matrix<f64>> {
    let mut views = vec![Matrix::zeros(labels.len(), k); penalties.len()];
    for fold in 0..FOLDS {
        let (held, rest): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|row| folds[*row] == fold);
        let (train, test) =
            (Design::new(x.select_rows(&rest), None), Design::new(x.select_rows(&held), None));
        let mut targets = Matrix::zeros(rest.len(), k);
        for (place, row) in rest.iter().enumerate() {
            targets.row_mut(place)[labels[*row] as usize] = 1.0;
        }
        let mut start = None;
        for (view, penalty) in views.iter_mut().zip(penalties) {
            let weights = fit(&train, &targets, Loss::Softmax, *penalty, start.as_ref());
            for (place, scores) in test.scores(&weights).iter_rows().enumerate() {
                let scores: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
                view.row_mut(held[place]).copy_from_slice(&softmax(&scores));
            }
            start = Some(weights);
        }
    }
    views
}

/// Leave-one-out probabilities, `[n, k]`, for each ridge; even where a class has one row only.
fn gda_views(x: &Matrix, labels: &[u32], k: usize) -> Vec<Matrix<f64>> {
    let gda = Gda::new(x.map(f64::from).view(), labels, k);
    let usual = gda.trace() / (x.rows() - 1) as f64;
    let view = |ridge: &f64| {
        let rows = gda.leave_one_out(ridge * usual);
        let z =
            Matrix::from_rows(&rows.into_iter().map(|row| row.unwrap_or(vec![0.0; k])).collect::<Vec<_>>());
        let scale = fit_scale(z.view(), labels, false);
        let probs: Vec<Vec<f64>> = z
            .iter_rows()
            .map(|row| softmax(&row.iter().map(|value| scale * value).collect::<Vec<_>>()))
            .collect();
        Matrix::from_rows(&probs)
    };
    RIDGES.iter().map(view).collect()
}

/// The view with the least log-loss at its best certainty.
fn best_by_loss(views: Vec<Matrix<f64>>, labels: &[u32]) -> Matrix<f64> {
    let loss = |view: &Matrix<f64>| {
        let z = view.map(|p: f64| p.max(1e-12).ln());
        let scale = fit_scale(z.view(), labels, false);
        let of = |(row, label): (&[f64], &u32)| {
            -log_softmax(&row.iter().map(|value| scale * value).collect::<Vec<_>>())[*label as usize]
        };
        z.iter_rows().zip(labels).map(of).sum::<f64>()
    };
    let losses: Vec<f64> = views.iter().map(loss).collect();
    let best =
        (0..views.len()).fold(0, |best, place| if losses[place] < losses[best] { place } else { best });
    views.into_iter().nth(best).expect("there is at least one view")
}
