//! Late fusion: a log-linear pool of what the senses say, with the prior counted once (methods 7.1).
//!
//! `log p(k | x_S) = (1 - sum a_m) log prior_k + sum a_m log p_m(k | x_m) - log Z`, the sums over the senses `S` that are
//! there. With `a_m = 1` senses are independent given the class and the pool is Bayes' rule; with `1 / M` each says the same
//! and the pool is their geometric mean. A sense that tells nothing gets 0.

use linalg::Matrix;
use linalg::decompose::{cholesky, solve_lower, solve_lower_transposed};
use linalg::logits::{fit_scale, log_softmax};
use serde::{Deserialize, Serialize};

use super::{FuseInput, Subset};
use crate::TuneError;

/// Strength of the pull of the weights toward `1 / M`.
const RIDGE: f64 = 1.0;
/// Steps of the fit at most; a handful is usual.
const STEPS: usize = 100;
/// The fit ends where no slope per row is above this.
const FLAT: f64 = 1e-10;
/// Below this many rows a scale has a prior (methods 6.1).
const PRIOR_BELOW: usize = 100;

/// Weights of the senses, one scale for each number of senses present, and the prior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatePool {
    /// `[M]`, at least 0.
    weights: Vec<f64>,
    /// Inverse temperatures, `[M]`: with one sense, with two, and so on.
    scales: Vec<f64>,
    /// `[k]`.
    log_prior: Vec<f64>,
}

impl LatePool {
    /// Fits weights and scales on out-of-fold log-probabilities, each row with the senses it has.
    ///
    /// # Errors
    /// [`TuneError`] names the row or the sense at fault.
    pub fn fit(input: &FuseInput<'_>) -> Result<Self, TuneError> {
        input.check()?;
        Ok(Self::fit_rows(input, &(0..input.n()).collect::<Vec<_>>()))
    }

    pub(crate) fn fit_rows(input: &FuseInput<'_>, rows: &[usize]) -> Self {
        let log_prior = log_prior(input, rows);
        let m = input.senses.len();
        let tilts: Vec<Tilt<'_>> = rows.iter().map(|row| Tilt::new(input, *row, &log_prior)).collect();
        let weights = fit_weights(&tilts, m);
        let mut pool = Self { weights, scales: vec![1.0; m], log_prior };
        pool.scales = (1..=m).map(|present| pool.fit_scale(input, rows, present)).collect();
        pool
    }

    /// The scale for so many senses. A row that has more counts once for each choice of them.
    fn fit_scale(&self, input: &FuseInput<'_>, rows: &[usize], present: usize) -> f64 {
        let choices: Vec<Subset> =
            Subset::every(input.senses.len()).filter(|subset| subset.len() == present).collect();
        let (mut logits, mut labels) = (Vec::new(), Vec::new());
        for row in rows {
            for subset in choices.iter().filter(|subset| subset.within(input.subset(*row))) {
                logits.extend(self.logits(&input.said(*row, *subset), &self.weights));
                labels.push(input.labels[*row]);
            }
        }
        if labels.is_empty() {
            return 1.0;
        }
        let logits = Matrix::from_vec(labels.len(), self.log_prior.len(), logits);
        fit_scale(logits.view(), &labels, rows.len() < PRIOR_BELOW)
    }

    /// How loud each sense is, `[M]`: 1 where it adds what no other says, `1 / M` where all say the same.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The inverse temperatures with one sense, with two, and so on, `[M]`.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// The logarithms of the class shares, `[k]`: the answer when there is no sense.
    pub fn log_prior(&self) -> &[f64] {
        &self.log_prior
    }

    /// Log-probabilities, `[k]`, of one example; `said` is `[M]`, `trust`, `[M]`, multiplies the weights and is 1 where a sense is
    /// as familiar as usual.
    ///
    /// # Panics
    /// When lengths differ from what was fitted.
    pub fn log_probs(&self, said: &[Option<&[f64]>], trust: &[f64]) -> Vec<f64> {
        let weights = self.effective(said, trust);
        let present = weights.iter().flatten().filter(|weight| **weight > 0.0).count();
        let speaking = said.iter().zip(trust).filter(|(said, trust)| said.is_some() && **trust > 0.0).count();
        if present == 0 {
            return self.log_prior.clone();
        }
        let scale = self.scales[speaking - 1];
        let weights: Vec<f64> = weights.into_iter().map(Option::unwrap_or_default).collect();
        let logits = self.logits(said, &weights);
        log_softmax(&logits.into_iter().map(|value| scale * value).collect::<Vec<_>>())
    }

    /// The weight of each sense that is there, times its trust.
    pub(crate) fn effective(&self, said: &[Option<&[f64]>], trust: &[f64]) -> Vec<Option<f64>> {
        assert_eq!(
            (said.len(), trust.len()),
            (self.weights.len(), self.weights.len()),
            "one value for each sense"
        );
        let senses = said.iter().zip(&self.weights).zip(trust);
        senses.map(|((said, weight), trust)| said.map(|_| weight * trust)).collect()
    }

    fn logits(&self, said: &[Option<&[f64]>], weights: &[f64]) -> Vec<f64> {
        let mut logits = self.log_prior.clone();
        for (said, weight) in said.iter().zip(weights) {
            let Some(said) = said else { continue };
            for ((logit, said), prior) in logits.iter_mut().zip(*said).zip(&self.log_prior) {
                *logit += weight * (said - prior);
            }
        }
        logits
    }

    /// Whether the parts of a stored pool fit together.
    pub(crate) fn fits(&self) -> bool {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        (1..=Subset::MOST).contains(&self.weights.len())
            && self.scales.len() == self.weights.len()
            && self.log_prior.len() > 1
            && [&self.weights, &self.scales, &self.log_prior].iter().all(|values| finite(values))
            && self.weights.iter().all(|weight| *weight >= 0.0)
            && self.scales.iter().all(|scale| *scale > 0.0)
    }
}

/// `log((n_k + 1) / (n + k))`, `[k]`.
pub(crate) fn log_prior(input: &FuseInput<'_>, rows: &[usize]) -> Vec<f64> {
    let mut counts = vec![1.0; input.n_classes];
    rows.iter().for_each(|row| counts[input.labels[*row] as usize] += 1.0);
    let total: f64 = counts.iter().sum();
    counts.into_iter().map(|count: f64| (count / total).ln()).collect()
}

/// How each sense of one row tilts the prior.
struct Tilt<'a> {
    label: usize,
    senses: Vec<(usize, Vec<f64>)>,
    log_prior: &'a [f64],
}

impl<'a> Tilt<'a> {
    fn new(input: &FuseInput<'_>, row: usize, log_prior: &'a [f64]) -> Self {
        let tilt = |sense: usize| {
            let said = input.senses[sense].log_probs.row(row);
            (sense, said.iter().zip(log_prior).map(|(said, prior)| said - prior).collect())
        };
        let senses = input.subset(row).senses().map(tilt).collect();
        Self { label: input.labels[row] as usize, senses, log_prior }
    }

    fn log_probs(&self, weights: &[f64]) -> Vec<f64> {
        let mut logits = self.log_prior.to_vec();
        for (sense, tilt) in &self.senses {
            logits.iter_mut().zip(tilt).for_each(|(logit, tilt)| *logit += weights[*sense] * tilt);
        }
        log_softmax(&logits)
    }
}

/// The penalised log-loss at some weights, with its slopes, `[M]`, and curvatures, `[M, M]`.
struct Bowl {
    value: f64,
    slope: Vec<f64>,
    curvature: Matrix<f64>,
}

fn value(tilts: &[Tilt<'_>], weights: &[f64]) -> f64 {
    let even = 1.0 / weights.len() as f64;
    let pull: f64 = weights.iter().map(|weight| (weight - even).powi(2)).sum();
    0.5 * RIDGE * pull - tilts.iter().map(|tilt| tilt.log_probs(weights)[tilt.label]).sum::<f64>()
}

fn bowl(tilts: &[Tilt<'_>], weights: &[f64]) -> Bowl {
    let m = weights.len();
    let mut slope: Vec<f64> = weights.iter().map(|weight| RIDGE * (weight - 1.0 / m as f64)).collect();
    let mut curvature = Matrix::zeros(m, m);
    (0..m).for_each(|sense| curvature.row_mut(sense)[sense] = RIDGE);
    for tilt in tilts {
        let probs: Vec<f64> = tilt.log_probs(weights).iter().map(|value| value.exp()).collect();
        let mean = |tilt: &[f64]| tilt.iter().zip(&probs).map(|(tilt, p)| tilt * p).sum::<f64>();
        let means: Vec<f64> = tilt.senses.iter().map(|(_, tilt)| mean(tilt)).collect();
        for ((a, of_a), mean_a) in tilt.senses.iter().zip(&means) {
            slope[*a] += mean_a - of_a[tilt.label];
            for ((b, of_b), mean_b) in tilt.senses.iter().zip(&means) {
                let product: f64 = of_a.iter().zip(of_b).zip(&probs).map(|((a, b), p)| a * b * p).sum();
                curvature.row_mut(*a)[*b] += product - mean_a * mean_b;
            }
        }
    }
    Bowl { value: value(tilts, weights), slope, curvature }
}

/// Newton's method on the weights that are not held at zero, with a step that is cut at zero (Bertsekas 1982).
fn fit_weights(tilts: &[Tilt<'_>], m: usize) -> Vec<f64> {
    let mut weights = vec![1.0 / m as f64; m];
    for _ in 0..STEPS {
        let bowl = bowl(tilts, &weights);
        let free: Vec<usize> =
            (0..m).filter(|sense| weights[*sense] > 0.0 || bowl.slope[*sense] < 0.0).collect();
        if free.iter().all(|sense| bowl.slope[*sense].abs() <= FLAT * (1.0 + tilts.len() as f64)) {
            break;
        }
        let steepest: f64 = (0..m).map(|sense| bowl.curvature.row(sense)[sense]).sum();
        let down = bowl.slope.iter().map(|slope| -slope / steepest).collect();
        // Where the step of Newton leads out of the allowed weights and up, the plain slope still leads down.
        let next =
            [newton(&bowl, &free), down].iter().find_map(|step| shortened(tilts, &weights, &bowl, step));
        match next {
            Some(next) => weights = next,
            None => break,
        }
    }
    weights
}

/// Minus the inverse curvature of the free weights times their slope.
fn newton(bowl: &Bowl, free: &[usize]) -> Vec<f64> {
    let rows: Vec<Vec<f64>> =
        free.iter().map(|a| free.iter().map(|b| bowl.curvature.row(*a)[*b]).collect()).collect();
    let factor = cholesky(Matrix::from_rows(&rows).view()).expect("the ridge makes the curvature positive");
    let mut step: Vec<f64> = free.iter().map(|sense| -bowl.slope[*sense]).collect();
    solve_lower(factor.view(), &mut step);
    solve_lower_transposed(factor.view(), &mut step);
    let mut all = vec![0.0; bowl.slope.len()];
    free.iter().zip(step).for_each(|(sense, step)| all[*sense] = step);
    all
}

/// Halves a step until the value falls by a fair part of what the slope promises; `None` when it does not fall.
fn shortened(tilts: &[Tilt<'_>], weights: &[f64], bowl: &Bowl, step: &[f64]) -> Option<Vec<f64>> {
    (0..40).map(|halvings| 0.5_f64.powi(halvings)).find_map(|length| {
        let next: Vec<f64> =
            weights.iter().zip(step).map(|(weight, step)| (weight + length * step).max(0.0)).collect();
        let promised: f64 =
            next.iter().zip(weights).zip(&bowl.slope).map(|((to, from), g)| (to - from) * g).sum();
        (promised < 0.0 && value(tilts, &next) <= bowl.value + 1e-4 * promised).then_some(next)
    })
}
