//! Late fusion: a log-linear pool of what the senses say, with the prior counted once (methods 7.1).
//!
//! `log p(k | x_S) = (1 - sum a_m) log prior_k + sum a_m log p_m(k | x_m) - log Z`, the sums over the senses `S` that are
//! there. With `a_m = 1` senses are independent given the class and the pool is Bayes' rule; with `1 / M` each says the same
//! and the pool is their geometric mean. A sense that tells nothing gets 0. How loud a sense should be depends on who else speaks, so
//! every set of senses has weights and a scale of its own. A sense alone is its own head, with a scale: a weight would tilt it toward the
//! prior or away from it, and cost answers that its head has right.

use std::collections::BTreeMap;

use linalg::Matrix;
use linalg::decompose::{cholesky, solve_lower, solve_lower_transposed};
use linalg::logits::{fit_scale, log_softmax};
use serde::{Deserialize, Serialize};

use super::{FuseInput, Subset};
use crate::TuneError;

/// Strength of the pull of the weights toward one over the number of senses.
const RIDGE: f64 = 1.0;
/// Steps of the fit at most; a handful is usual.
const STEPS: usize = 100;
/// The fit ends where no slope per row is above this.
const FLAT: f64 = 1e-10;
/// Below this many rows a scale has a prior (methods 6.1).
const PRIOR_BELOW: usize = 100;

/// Weights and a scale for every set of senses, and the prior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatePool {
    n_senses: usize,
    /// By the bits of the subset.
    voices: BTreeMap<u8, Voices>,
    /// `[k]`.
    log_prior: Vec<f64>,
}

/// How loud the senses of one subset are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Voices {
    /// Of its senses, ascending; at least 0.
    weights: Vec<f64>,
    /// Inverse temperature, above 0.
    scale: f64,
}

impl LatePool {
    /// Fits weights and scales on out-of-fold log-probabilities, for every set of senses on all rows that have them.
    ///
    /// # Errors
    /// [`TuneError`] names the row or the sense at fault.
    pub fn fit(input: &FuseInput<'_>) -> Result<Self, TuneError> {
        input.check()?;
        let subsets: Vec<Subset> = Subset::every(input.senses.len()).collect();
        Ok(Self::fit_rows(input, &(0..input.n()).collect::<Vec<_>>(), &subsets))
    }

    /// Fits on some rows, for some subsets.
    pub(crate) fn fit_rows(input: &FuseInput<'_>, rows: &[usize], subsets: &[Subset]) -> Self {
        let log_prior = log_prior(input, rows);
        let voices =
            subsets.iter().map(|subset| (subset.bits(), Voices::fit(input, rows, *subset, &log_prior)));
        Self { n_senses: input.senses.len(), voices: voices.collect(), log_prior }
    }

    /// Number of senses.
    pub fn n_senses(&self) -> usize {
        self.n_senses
    }

    /// How loud each sense of a set is, ascending: 1 where it adds what no other of them says, one over their number where all say the
    /// same. Those of a set that was not fitted are all heard alike.
    pub fn weights(&self, subset: Subset) -> Vec<f64> {
        let alike = || vec![1.0 / subset.len().max(1) as f64; subset.len()];
        self.voices.get(&subset.bits()).map_or_else(alike, |voices| voices.weights.clone())
    }

    /// The inverse temperature of a set; 1 where it was not fitted.
    pub fn scale(&self, subset: Subset) -> f64 {
        self.voices.get(&subset.bits()).map_or(1.0, |voices| voices.scale)
    }

    /// The logarithms of the class shares, `[k]`: the answer when there is no sense.
    pub fn log_prior(&self) -> &[f64] {
        &self.log_prior
    }

    /// Log-probabilities, `[k]`, of one example; `said` is `[M]`, `trust`, `[M]`, multiplies the weights and is 1 where a sense is
    /// as familiar as usual. A sense that is not trusted at all counts as missing.
    ///
    /// # Panics
    /// When lengths differ from what was fitted.
    pub fn log_probs(&self, said: &[Option<&[f64]>], trust: &[f64]) -> Vec<f64> {
        let weights = self.effective(said, trust);
        if weights.iter().flatten().all(|weight| *weight == 0.0) {
            return self.log_prior.clone();
        }
        let scale = self.scale(speaking(said, trust));
        let heard = said.iter().zip(&weights).filter_map(|(said, weight)| Some(((*said)?, (*weight)?)));
        let logits = pooled(&self.log_prior, heard);
        log_softmax(&logits.into_iter().map(|value| scale * value).collect::<Vec<_>>())
    }

    /// The weight of each sense that is there, times its trust.
    pub(crate) fn effective(&self, said: &[Option<&[f64]>], trust: &[f64]) -> Vec<Option<f64>> {
        assert_eq!((said.len(), trust.len()), (self.n_senses, self.n_senses), "one value for each sense");
        let subset = speaking(said, trust);
        let mut weights: Vec<Option<f64>> = said.iter().map(|said| said.map(|_| 0.0)).collect();
        for (sense, weight) in subset.senses().zip(self.weights(subset)) {
            weights[sense] = Some(weight * trust[sense]);
        }
        weights
    }

    /// Whether the parts of a stored pool fit together.
    pub(crate) fn fits(&self) -> bool {
        let voices_fit = |(bits, voices): (&u8, &Voices)| {
            Subset::from_bits(*bits, self.n_senses).is_some_and(|subset| {
                voices.weights.len() == subset.len()
                    && voices.weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0)
                    && voices.scale.is_finite()
                    && voices.scale > 0.0
            })
        };
        (1..=Subset::MOST).contains(&self.n_senses)
            && self.log_prior.len() > 1
            && self.log_prior.iter().all(|value| value.is_finite())
            && self.voices.iter().all(voices_fit)
    }
}

/// The senses that are there and trusted.
fn speaking(said: &[Option<&[f64]>], trust: &[f64]) -> Subset {
    Subset::of(said.iter().zip(trust).map(|(said, trust)| said.is_some() && *trust > 0.0))
}

/// The prior, tilted by what is said, as loud as its weight.
fn pooled<'s>(log_prior: &[f64], said: impl Iterator<Item = (&'s [f64], f64)>) -> Vec<f64> {
    let mut logits = log_prior.to_vec();
    for (said, weight) in said {
        for ((logit, said), prior) in logits.iter_mut().zip(said).zip(log_prior) {
            *logit += weight * (said - prior);
        }
    }
    logits
}

impl Voices {
    /// Of one subset, on the rows that have it. Rows with more senses teach as well: what else they have is not heard.
    fn fit(input: &FuseInput<'_>, rows: &[usize], subset: Subset, log_prior: &[f64]) -> Self {
        let there: Vec<usize> =
            rows.iter().copied().filter(|row| subset.within(input.subset(*row))).collect();
        let tilts: Vec<Tilt<'_>> =
            there.iter().map(|row| Tilt::new(input, *row, subset, log_prior)).collect();
        let weights = fit_weights(&tilts, subset.len());
        if there.is_empty() {
            return Self { weights, scale: 1.0 };
        }
        let logits = |row: &usize| {
            let said = subset.senses().map(|sense| input.senses[sense].log_probs.row(*row));
            pooled(log_prior, said.zip(weights.iter().copied()))
        };
        let logits: Vec<f64> = there.iter().flat_map(logits).collect();
        let labels: Vec<u32> = there.iter().map(|row| input.labels[*row]).collect();
        let logits = Matrix::from_vec(labels.len(), log_prior.len(), logits);
        let scale = fit_scale(logits.view(), &labels, there.len() < PRIOR_BELOW);
        Self { weights, scale }
    }
}

/// `log((n_k + 1) / (n + k))`, `[k]`.
pub(crate) fn log_prior(input: &FuseInput<'_>, rows: &[usize]) -> Vec<f64> {
    let mut counts = vec![1.0; input.n_classes];
    rows.iter().for_each(|row| counts[input.labels[*row] as usize] += 1.0);
    let total: f64 = counts.iter().sum();
    counts.into_iter().map(|count: f64| (count / total).ln()).collect()
}

/// How each sense of a subset tilts the prior on one row.
struct Tilt<'a> {
    label: usize,
    /// By the place of the sense in the subset.
    senses: Vec<(usize, Vec<f64>)>,
    log_prior: &'a [f64],
}

impl<'a> Tilt<'a> {
    fn new(input: &FuseInput<'_>, row: usize, subset: Subset, log_prior: &'a [f64]) -> Self {
        let tilt = |(place, sense): (usize, usize)| {
            let said = input.senses[sense].log_probs.row(row);
            (place, said.iter().zip(log_prior).map(|(said, prior)| said - prior).collect())
        };
        let senses = subset.senses().enumerate().map(tilt).collect();
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
    if m == 1 {
        return weights;
    }
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
