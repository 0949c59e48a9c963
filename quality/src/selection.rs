//! What chosen labels bring, beside labels drawn at random and beside plain margin and plain k-centre, which are what others
//! offer: accuracy of one GDA head on held-out examples.
//!
//! The first labels are five a class, chosen without any. Then labelling goes on to ten and to twenty a class, each time by what
//! the head has learned so far. How many classes there are sets the budgets, and nothing else.

use std::path::Path;

use anyhow::Context;
use curate::select::{Budget, Half, Halves, Method, Pool, select};
use linalg::decompose::row_space;
use linalg::logits::{fit_scale, softmax};
use linalg::{Matrix, MatrixView, Seed, dot, matmul, matmul_nt};
use tune::gda::Gda;

use crate::run::tables;
use crate::table::Table;
use crate::task::{self, Task};

/// Labels a class: the first ones, and where a round of choosing ends.
const SHOTS: [usize; 3] = [5, 10, 20];
/// Better than at random by at least this, with the first labels and with the last.
const FLOORS: [f64; 2] = [0.03, 0.01];
/// The sets, how often everything is drawn (small sets have noisy accuracies), whether their test part is chosen from and the other
/// one judges, and whether the floors hold.
const SETS: [(&str, usize, bool, bool); 4] = [
    ("clothing", 40, false, true),
    ("banking77, MiniLM", 5, false, true),
    ("fashion", 40, true, false),
    ("crosswoz domain, multilingual-E5", 5, false, false),
];

/// How examples come to be labelled.
#[derive(Debug, Clone, Copy)]
enum Way {
    Random,
    /// The first by one method, the others by another.
    Chosen(Method, Method, Halves),
    /// The first at random, then the smallest margins.
    PlainMargin,
}

/// What is printed, the first one at random, the second one ours as it comes.
const WAYS: [(&str, Way); 7] = [
    ("random", Way::Random),
    ("ours, half random", Way::Chosen(Method::Centroids, Method::Margin, Halves::Mixed)),
    ("ours, all chosen", Way::Chosen(Method::Centroids, Method::Margin, Halves::Chosen)),
    ("centroids only", Way::Chosen(Method::Centroids, Method::Centroids, Halves::Chosen)),
    ("typiclust only", Way::Chosen(Method::Typiclust, Method::Typiclust, Halves::Chosen)),
    ("plain margin", Way::PlainMargin),
    ("plain k-centre", Way::Chosen(Method::KCentre, Method::KCentre, Halves::Chosen)),
];

/// Every set; whether both floors are reached where they hold.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(names: &[String], data: &Path) -> anyhow::Result<bool> {
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    let mut good = true;
    println!("{:<34} {:<20}  mean (deviation of the draws), difference from random", "set, draws", "way");
    for (name, n_draws, swapped, counts) in SETS {
        if !names.is_empty() && !names.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let task: &Task = tasks.iter().find(|task| task.name.starts_with(name)).context("a task has gone")?;
        let (train, test) = tables(task, data)?;
        let (pool, judge) = if swapped { (test, train) } else { (train, test) };
        let gains = ways(&format!("{name}, {n_draws}"), &pool, &judge, n_draws)?;
        // Floors are given to three digits.
        let reached = gains.into_iter().zip(FLOORS).all(|(gain, floor)| gain >= floor - 0.0005);
        if counts {
            let told = if reached { "reached" } else { "MISSED" };
            println!(
                "{name}: {:+.3} with {} and {:+.3} with {} a class: {told}",
                FLOORS[0], SHOTS[0], FLOORS[1], SHOTS[2]
            );
            good &= reached;
        }
    }
    Ok(good)
}

/// One line a way; by how much ours as it comes is better than random, with the first labels and with the last.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
fn ways(name: &str, pool: &Table, judge: &Table, n_draws: usize) -> anyhow::Result<[f64; 2]> {
    let mut all: Vec<Vec<f64>> = Vec::new();
    for (label, way) in WAYS {
        let draws: Vec<Vec<f64>> =
            (0..n_draws).map(|draw| run(pool, judge, way, Seed(draw as u64))).collect::<Result<_, _>>()?;
        let mean = |at: usize| draws.iter().map(|draw| draw[at]).sum::<f64>() / n_draws as f64;
        all.push((0..SHOTS.len()).map(mean).collect());
        let means = &all[all.len() - 1];
        let cell = |at: usize| {
            let squares = draws.iter().map(|draw| (draw[at] - means[at]).powi(2)).sum::<f64>();
            let deviation = (squares / (n_draws - 1) as f64).sqrt();
            format!("  {}/class {:.3} ({deviation:.3}) {:+.3}", SHOTS[at], means[at], means[at] - all[0][at])
        };
        println!("{name:<34} {label:<20}{}", (0..SHOTS.len()).map(cell).collect::<String>());
    }
    let last = SHOTS.len() - 1;
    Ok([all[1][0] - all[0][0], all[1][last] - all[0][last]])
}

/// Accuracy after each round.
fn run(pool: &Table, judge: &Table, way: Way, seed: Seed) -> anyhow::Result<Vec<f64>> {
    let mut known = vec![false; pool.n()];
    let mut accuracies = Vec::new();
    let x = &pool.sets[0].x;
    for (round, shots) in SHOTS.into_iter().enumerate() {
        let labelled = known.iter().filter(|known| **known).count();
        let count = (shots * pool.n_classes).min(pool.n()) - labelled;
        let head = (round > 0).then(|| Fitted::new(pool, &known));
        let margins = head.map(|head| head.margins(x));
        let asked =
            Pool { x: x.view(), known: &known, margins: margins.as_deref(), n_classes: Some(pool.n_classes) };
        let seed = seed.nth(round);
        let by = |method, halves| -> anyhow::Result<Vec<usize>> {
            let found = select(asked, method, Budget::Examples(count), halves, seed)?;
            debug_assert!(
                halves == Halves::Mixed
                    || found.picks.iter().all(|pick| pick.half != Half::Random || method == Method::Random)
            );
            Ok(found.picks.iter().map(|pick| pick.row).collect())
        };
        let picks = match (way, round) {
            (Way::Random, _) | (Way::PlainMargin, 0) => by(Method::Random, Halves::Chosen)?,
            (Way::Chosen(first, _, _), 0) => by(first, Halves::Chosen)?,
            (Way::Chosen(_, then, halves), _) => by(then, halves)?,
            (Way::PlainMargin, _) => {
                least_sure(&known, margins.as_deref().context("there is a head")?, count)
            }
        };
        picks.into_iter().for_each(|row| known[row] = true);
        accuracies.push(Fitted::new(pool, &known).accuracy(judge));
    }
    Ok(accuracies)
}

/// The smallest margins, whatever they are of.
fn least_sure(known: &[bool], margins: &[f64], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..known.len()).filter(|row| !known[*row]).collect();
    order.sort_by(|a, b| margins[*a].total_cmp(&margins[*b]));
    order.truncate(count);
    order
}

/// GDA on unit vectors with its usual ridge; only the classes that were met.
pub(crate) struct Fitted {
    /// `[k, d]`.
    weight: Matrix,
    bias: Vec<f64>,
    classes: Vec<u32>,
    /// Turns scores into log-probabilities.
    scale: f64,
}

impl Fitted {
    pub(crate) fn new(table: &Table, known: &[bool]) -> Self {
        let rows: Vec<usize> = (0..table.n()).filter(|row| known[*row]).collect();
        let mut classes: Vec<u32> = rows.iter().map(|row| table.labels[*row]).collect();
        classes.sort_unstable();
        classes.dedup();
        let labels: Vec<u32> = rows
            .iter()
            .map(|row| classes.binary_search(&table.labels[*row]).expect("its class was met") as u32)
            .collect();
        let x = unit(table.sets[0].x.select_rows(&rows).view()).map(f64::from);
        // What the rows do not span tells none of them apart.
        let space = row_space(x.view());
        let gda = Gda::new(space.coordinates.view(), &labels, classes.len());
        let ridge = (gda.trace() / rows.len().saturating_sub(1).max(1) as f64).max(1e-12);
        let linear = gda.linear(ridge);
        let left_out = gda.leave_one_out(ridge);
        let judged: Vec<usize> = (0..rows.len()).filter(|row| left_out[*row].is_some()).collect();
        let scores: Vec<Vec<f64>> = left_out.into_iter().flatten().collect();
        let truth: Vec<u32> = judged.iter().map(|row| labels[*row]).collect();
        let scale =
            if scores.is_empty() { 1.0 } else { fit_scale(Matrix::from_rows(&scores).view(), &truth, true) };
        let weight = matmul(linear.weight.view(), space.basis.view()).map(|value| value as f32);
        Self { weight, bias: linear.bias, classes, scale }
    }

    /// `[n, k]`.
    fn scores(&self, x: &Matrix) -> Vec<Vec<f64>> {
        let products = matmul_nt(unit(x.view()).view(), self.weight.view());
        let score =
            |row: &[f32]| row.iter().zip(&self.bias).map(|(p, b)| self.scale * (f64::from(*p) + b)).collect();
        products.iter_rows().map(score).collect()
    }

    fn margins(&self, x: &Matrix) -> Vec<f64> {
        let margin = |scores: Vec<f64>| {
            let mut probs = softmax(&scores);
            probs.sort_by(|a, b| b.total_cmp(a));
            (probs[0] - probs.get(1).copied().unwrap_or(0.0)).clamp(0.0, 1.0)
        };
        self.scores(x).into_iter().map(margin).collect()
    }

    pub(crate) fn accuracy(&self, judge: &Table) -> f64 {
        let right = self.right(judge);
        right.iter().filter(|right| **right).count() as f64 / judge.n() as f64
    }

    /// Which examples it answers right.
    pub(crate) fn right(&self, judge: &Table) -> Vec<bool> {
        let first = |scores: &[f64]| {
            (0..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
        };
        let scores = self.scores(&judge.sets[0].x);
        scores
            .iter()
            .zip(&judge.labels)
            .map(|(scores, label)| self.classes[first(scores)] == *label)
            .collect()
    }
}

fn unit(x: MatrixView<'_>) -> Matrix {
    let mut unit = x.to_owned();
    for row in 0..unit.rows() {
        let length = dot(unit.row(row), unit.row(row)).sqrt().max(1e-12);
        unit.row_mut(row).iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
    }
    unit
}
