//! Does a gate earn its place? A pool gives every sense one weight; a gate lets it depend on what the senses say of the example and on how
//! familiar they are. Both are fitted and asked out of fold on the same rows, and compared as the product compares ways of joining.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use evaluate::OodDetector;
use linalg::logits::{log_softmax, softplus};
use linalg::{Matrix, Seed};
use pipeline::{Home, Run};
use tune::fuse::{FuseInput, LatePool, Sense, disagreement, trust};
use tune::mean_with_error;

use super::{Bench, emoji};
use crate::table::{Table, home};

const FOLDS: usize = 5;
const REPEATS: usize = 4;
/// Pull of a gate toward the pool: what it learns beyond it is paid for; the best of them counts, which flatters the gate.
const PULLS: [f64; 3] = [1.0, 10.0, 100.0];
/// What a gate looks at besides a constant: how sure the sense is, how even, how familiar, how far the senses disagree.
const LOOKS: usize = 4;
const STEPS: usize = 400;
const RATE: f64 = 0.05;

/// Prints a line for each table; whether the pool is right: a gate nowhere earns its place.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print(data: &Path) -> anyhow::Result<bool> {
    let (folder, emoji) = emoji::read(data)?;
    let dir = std::env::temp_dir().join(format!("dianjing-gated-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let bench = Bench::new(home()?, dir.clone(), &emoji::SENSES);
    let (clean, _, broken) = emoji::tables(&dir, &folder, &emoji, 0)?;
    println!(
        "log-loss out of fold; difference to the pool with its standard error, below 0 where the gate is better"
    );
    let mut earned = false;
    for (name, table) in [("emoji", &clean), ("emoji, 30 % of the pictures broken", &broken)] {
        let said = Said::of(&bench, table)?;
        let pool = said.losses(|rows| Ok(Way::Pool(said.pool(rows)?)))?;
        println!("{name}: pool {:.4}", mean(&pool));
        for pull in PULLS {
            let gate = said.losses(|rows| Ok(Way::Gate(said.gate(rows, pull)?)))?;
            let over: Vec<f64> = gate.iter().zip(&pool).map(|(gate, pool)| gate - pool).collect();
            let (value, error) = mean_with_error(&over, FOLDS, REPEATS);
            println!("  gate, pull {pull:>5}: {:.4}  {value:+.4} ± {error:.4}", mean(&gate));
            earned |= value + error < 0.0;
        }
    }
    std::fs::remove_dir_all(&dir)?;
    println!(
        "{}",
        if earned { "a gate earns its place: it is worth building" } else { "no gate earns its place" }
    );
    Ok(!earned)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// What every sense says of the rows of a table, out of fold.
struct Said {
    /// `[n, k]` each.
    log_probs: Vec<Matrix<f64>>,
    /// `[n]` each: p-values of being familiar.
    familiar: Vec<Vec<f64>>,
    labels: Vec<u32>,
    k: usize,
}

enum Way {
    Pool(LatePool),
    Gate(Gate),
}

/// Weights that depend on the example: `softplus(c + u . looks)` for each sense, `1 + LOOKS` numbers each.
struct Gate {
    numbers: Vec<[f64; 1 + LOOKS]>,
    log_prior: Vec<f64>,
}

impl Said {
    fn of(bench: &Bench, table: &Path) -> anyhow::Result<Self> {
        let (data, _) = dataset::read(table, &bench.read(&[0, 1, 2]))?;
        let (mut log_probs, mut familiar, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for sense in &data.senses {
            let (alone, _) = data.of_sense(sense);
            let never = AtomicBool::new(false);
            let base =
                bench.home.open_base(Home::default_base(sense.modality), &Run::new(&|_| {}, &never))?;
            let table = Table::new(&bench.home.cache.join("features"), &base, &alone, alone.classes())?;
            let tuned = table.tune(0)?;
            let rows: Vec<Vec<f64>> = tuned.oof_outputs.iter_rows().map(log_softmax).collect();
            log_probs.push(Matrix::from_rows(&rows));
            familiar.push(familiarity(&table));
            labels = table.labels;
        }
        Ok(Self { log_probs, familiar, labels, k: data.classes().len() })
    }

    /// The loss of every row by what was fitted on the other folds, mean over repeats.
    fn losses(&self, fit: impl Fn(&[usize]) -> anyhow::Result<Way>) -> anyhow::Result<Vec<f64>> {
        let n = self.labels.len();
        let groups: Vec<u32> = (0..n as u32).collect();
        let mut losses = vec![0.0; n];
        for repeat in 0..REPEATS {
            let seed = Seed(1).derive("gated").nth(repeat);
            let folds = dataset::split::folds(&self.labels, &groups, FOLDS, seed);
            for fold in 0..FOLDS {
                let (held, others): (Vec<usize>, Vec<usize>) =
                    (0..n).partition(|row| usize::from(folds[*row]) == fold);
                let way = fit(&others)?;
                for row in held {
                    losses[row] -= self.answer(&way, row)[self.labels[row] as usize] / REPEATS as f64;
                }
            }
        }
        Ok(losses)
    }

    fn answer(&self, way: &Way, row: usize) -> Vec<f64> {
        match way {
            Way::Pool(pool) => {
                let said: Vec<Option<&[f64]>> =
                    self.log_probs.iter().map(|said| Some(said.row(row))).collect();
                let trust: Vec<f64> = self.familiar.iter().map(|p| trust(p[row])).collect();
                pool.log_probs(&said, &trust)
            }
            Way::Gate(gate) => gate.answer(self, row).0,
        }
    }

    fn pool(&self, rows: &[usize]) -> anyhow::Result<LatePool> {
        let parts: Vec<Matrix<f64>> = self.log_probs.iter().map(|said| said.select_rows(rows)).collect();
        let present = vec![true; rows.len()];
        let sense = |log_probs| Sense { name: "sense", log_probs, features: None, present: &present };
        let senses: Vec<Sense<'_>> = parts.iter().map(sense).collect();
        let labels: Vec<u32> = rows.iter().map(|row| self.labels[*row]).collect();
        let groups: Vec<u32> = (0..rows.len() as u32).collect();
        Ok(LatePool::fit(&FuseInput {
            senses: &senses,
            labels: &labels,
            n_classes: self.k,
            groups: &groups,
        })?)
    }

    /// Begins at the weights of the pool and goes down the slope (Adam); what it does beyond the pool is penalised.
    fn gate(&self, rows: &[usize], pull: f64) -> anyhow::Result<Gate> {
        let pool = self.pool(rows)?;
        let m = self.log_probs.len();
        let all = tune::fuse::Subset::all(m);
        let scale = pool.scale(all);
        let start: Vec<f64> =
            pool.weights(all).iter().map(|weight| inverse_softplus((scale * weight).max(1e-3))).collect();
        let numbers = start.iter().map(|start| [*start, 0.0, 0.0, 0.0, 0.0]).collect();
        let mut gate = Gate { numbers, log_prior: pool.log_prior().to_vec() };
        let mut moments = vec![[Moment::default(); 1 + LOOKS]; m];
        for step in 1..=STEPS {
            let mut slope = vec![[0.0; 1 + LOOKS]; m];
            for row in rows {
                let (answer, weights) = gate.answer(self, *row);
                let given = self.labels[*row] as usize;
                for (sense, slope) in slope.iter_mut().enumerate() {
                    // The loss by a weight: what the sense says of all classes less what it says of the given one, beyond the prior.
                    let tilt = |class: usize| self.log_probs[sense].row(*row)[class] - gate.log_prior[class];
                    let usual: f64 = (0..self.k).map(|class| answer[class].exp() * tilt(class)).sum();
                    let by_sum = (usual - tilt(given)) * (1.0 - (-weights[sense]).exp());
                    let looks = self.looks(sense, *row);
                    slope.iter_mut().zip(looks).for_each(|(sum, look)| *sum += by_sum * look);
                }
            }
            let n = rows.len() as f64;
            let parts = gate.numbers.iter_mut().zip(&start).zip(&slope).zip(&mut moments);
            for (((numbers, start), slope), moments) in parts {
                let rest = |at: usize, number: f64| if at == 0 { number - start } else { number };
                for (at, (number, moment)) in numbers.iter_mut().zip(moments).enumerate() {
                    *number -= moment.step((slope[at] + pull * rest(at, *number)) / n, step);
                }
            }
        }
        Ok(gate)
    }

    /// A constant, and what the gate looks at, each about 0 and of size 1.
    fn looks(&self, sense: usize, row: usize) -> [f64; 1 + LOOKS] {
        let said = self.log_probs[sense].row(row);
        let surest = said.iter().copied().fold(f64::NEG_INFINITY, f64::max).exp();
        let entropy: f64 = said.iter().map(|value| -value * value.exp()).sum::<f64>() / (self.k as f64).ln();
        let all: Vec<&[f64]> = self.log_probs.iter().map(|said| said.row(row)).collect();
        let apart = disagreement(&all).unwrap_or(0.0);
        [1.0, 2.0 * surest - 1.0, 2.0 * entropy - 1.0, 1.0 - trust(self.familiar[sense][row]), 2.0 * apart]
    }
}

/// What Adam knows of the slope of one number.
#[derive(Clone, Copy, Default)]
struct Moment {
    first: f64,
    second: f64,
}

impl Moment {
    /// How far to go down at this step, counted from 1.
    fn step(&mut self, slope: f64, step: usize) -> f64 {
        self.first = 0.9 * self.first + 0.1 * slope;
        self.second = 0.999 * self.second + 0.001 * slope * slope;
        let (a, b) = (1.0 - 0.9_f64.powi(step as i32), 1.0 - 0.999_f64.powi(step as i32));
        let size = RATE * (1.0 - step as f64 / STEPS as f64);
        size * (self.first / a) / ((self.second / b).sqrt() + 1e-8)
    }
}

impl Gate {
    /// Log-probabilities and the weight of each sense. A sense that is missing would be left out of the sums.
    fn answer(&self, said: &Said, row: usize) -> (Vec<f64>, Vec<f64>) {
        let weight = |sense: usize| {
            let looks = said.looks(sense, row);
            softplus(self.numbers[sense].iter().zip(looks).map(|(number, look)| number * look).sum())
        };
        let weights: Vec<f64> = (0..self.numbers.len()).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        let class = |class: usize| {
            let tilted =
                weights.iter().zip(&said.log_probs).map(|(weight, said)| weight * said.row(row)[class]);
            (1.0 - sum) * self.log_prior[class] + tilted.sum::<f64>()
        };
        (log_softmax(&(0..said.k).map(class).collect::<Vec<_>>()), weights)
    }
}

/// How familiar each row is to the others: out of fold.
fn familiarity(table: &Table) -> Vec<f64> {
    let x = &table.sets[0].x;
    let groups: Vec<u32> = (0..table.n() as u32).collect();
    let folds = OodDetector::folds(&groups, Seed(2));
    let mut found = vec![1.0; table.n()];
    for fold in 0..FOLDS as u8 {
        let (held, others): (Vec<usize>, Vec<usize>) = (0..table.n()).partition(|row| folds[*row] == fold);
        let labels: Vec<u32> = others.iter().map(|row| table.labels[*row]).collect();
        let groups: Vec<u32> = (0..others.len() as u32).collect();
        let inner = OodDetector::folds(&groups, Seed(3));
        if let Some(detector) = OodDetector::fit(x.select_rows(&others).view(), &labels, &inner) {
            held.iter().for_each(|row| found[*row] = detector.p_value(x.row(*row)));
        }
    }
    found
}

fn inverse_softplus(value: f64) -> f64 {
    value.exp_m1().ln()
}
