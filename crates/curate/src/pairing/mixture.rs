//! How often each explanation is so, and how sure each sense is: both follow from the data.
//!
//! With label `y`, classes as common as `pi`, and what the senses say independent given the class, the explanations are as probable as
//!
//! ```text
//! all is right       product over m of r_m(y)
//! the label is wrong sum over k != y of pi(k) / (1 - pi(y)) product over m of r_m(k)
//! m is another's     product over the others of r(y)
//! ```
//!
//! each times how often it is so. `r_m(k)` is `q_m(k) / pi(k)`, and `q_m` what a sense would say had its head learned no faults:
//! in proportion to `pi(k) ((P_m(k) - e_m pi(k)) / pi(k))^b_m`. Where a share `e_m` of what it learned from was wrong, its or the label's, a
//! head that is calibrated keeps that much open for any class; and it is as sure as it says but for a power `b_m` near 1. The shares are
//! found by expectation maximisation (Dempster, Laird and Rubin 1977), the powers one at a time in between.

use linalg::Matrix;

use super::evidence::{Evidence, Likely, Reading};

/// Share of examples of which a sense, or the label, is taken to be wrong before anything is known.
const USUAL: f64 = 0.02;
/// Examples that this opinion is worth.
const OPINION: f64 = 20.0;
/// Usual deviation of the logarithm of a power.
const POWERS: f64 = 0.5;
/// The logarithm of a power is looked for so far from where it was, and no farther than twice that from 0.
const REACH: f64 = 0.75;
/// Steps of a search for a power: each narrows the reach to 0.62 of it.
const STEPS: usize = 12;
/// Rounds at most; a dozen are usual.
const ROUNDS: usize = 30;
/// Steps of expectation maximisation in a round.
const SETTLING: usize = 25;
/// The rounds end where no share and no logarithm of a power changes by more.
const SETTLED: f64 = 1e-3;

/// What the data say.
pub(super) struct Mixture {
    pub(super) shares: Shares,
    /// Of each sense.
    pub(super) readings: Vec<Reading>,
}

/// How often each explanation is so, or how probable each is for one example.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    pub(super) right: f64,
    pub(super) label: f64,
    pub(super) senses: Vec<f64>,
}

/// The shares and powers under which examples and opinion are most probable.
pub(super) fn fit(evidence: &Evidence<'_>) -> Mixture {
    let usual = Shares::usual(evidence.n_senses());
    let mut shares = usual.clone();
    let mut powers = vec![0.0_f64; evidence.n_senses()];
    let reading = |sense: usize, power: f64, shares: &Shares| Reading {
        power: power.exp(),
        faults: shares.label + shares.senses[sense],
    };
    for _ in 0..ROUNDS {
        let before = (shares.clone(), powers.clone());
        let read = |sense: usize, power: f64| evidence.log_ratios(sense, reading(sense, power, &before.0));
        let mut ratios: Vec<Matrix<f64>> =
            powers.iter().enumerate().map(|(sense, power)| read(sense, *power)).collect();
        let likely = evidence.likely(&ratios);
        (0..SETTLING).for_each(|_| shares = shares.step(&likely, &usual));
        for sense in 0..powers.len() {
            let mut goodness = |power: f64| {
                ratios[sense] = read(sense, power);
                shares.log_likelihood(&evidence.likely(&ratios)) - 0.5 * (power / POWERS).powi(2)
            };
            powers[sense] = best(&mut goodness, powers[sense]);
            ratios[sense] = read(sense, powers[sense]);
        }
        let moved = powers.iter().zip(&before.1).map(|(a, b)| (a - b).abs());
        if moved.fold(shares.distance(&before.0), f64::max) < SETTLED {
            break;
        }
    }
    let readings = powers.iter().enumerate().map(|(sense, power)| reading(sense, *power, &shares));
    Mixture { readings: readings.collect(), shares }
}

/// The argument near `start` at which a function is largest that rises and then falls (golden section).
fn best(of: &mut impl FnMut(f64) -> f64, start: f64) -> f64 {
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    let (mut low, mut high) = ((start - REACH).max(-2.0 * REACH), (start + REACH).min(2.0 * REACH));
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_left, mut at_right) = (of(left), of(right));
    for _ in 0..STEPS {
        if at_left < at_right {
            (low, left, at_left) = (left, right, at_right);
            right = low + golden * (high - low);
            at_right = of(right);
        } else {
            (high, right, at_right) = (right, left, at_left);
            left = high - golden * (high - low);
            at_left = of(left);
        }
    }
    0.5 * (low + high)
}

impl Shares {
    fn usual(n_senses: usize) -> Self {
        Self { right: 1.0 - USUAL * (n_senses + 1) as f64, label: USUAL, senses: vec![USUAL; n_senses] }
    }

    /// How probable each explanation of one example is.
    pub(super) fn posterior(&self, row: &Likely) -> Self {
        let right = self.right * row.right;
        let label = self.label * row.label;
        let senses: Vec<f64> =
            self.senses.iter().zip(&row.senses).map(|(share, likely)| share * likely).collect();
        let total = right + label + senses.iter().sum::<f64>();
        if total <= 0.0 {
            return self.clone();
        }
        let senses = senses.into_iter().map(|value| value / total).collect();
        Self { right: right / total, label: label / total, senses }
    }

    /// One step of expectation maximisation.
    fn step(&self, rows: &[Likely], usual: &Self) -> Self {
        let mut next = Self {
            right: OPINION * usual.right,
            label: OPINION * usual.label,
            senses: usual.senses.iter().map(|share| OPINION * share).collect(),
        };
        for row in rows {
            let of = self.posterior(row);
            next.right += of.right;
            next.label += of.label;
            next.senses.iter_mut().zip(&of.senses).for_each(|(sum, share)| *sum += share);
        }
        let total = rows.len() as f64 + OPINION;
        next.right /= total;
        next.label /= total;
        next.senses.iter_mut().for_each(|share| *share /= total);
        next
    }

    fn log_likelihood(&self, rows: &[Likely]) -> f64 {
        let of = |row: &Likely| {
            let senses: f64 = self.senses.iter().zip(&row.senses).map(|(share, likely)| share * likely).sum();
            (self.right * row.right + self.label * row.label + senses).max(f64::MIN_POSITIVE).ln()
        };
        rows.iter().map(of).sum()
    }

    fn distance(&self, other: &Self) -> f64 {
        let senses = self.senses.iter().zip(&other.senses).map(|(a, b)| (a - b).abs());
        senses.fold((self.label - other.label).abs(), f64::max)
    }
}
