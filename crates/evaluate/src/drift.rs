//! Has what comes in changed? A test that may be looked at after every input.
//!
//! A conformal test martingale (Vovk et al. 2003, "Testing exchangeability on-line") with three bettors that jump (Vovk et al. 2021,
//! "Retrain or not retrain: conformal test martingales for change-point detection"): while inputs are exchangeable with those
//! that came before, the chance that the evidence ever exceeds `1 / level` is at most `level`, whatever the familiarities are.
//! What the model learned from is no part of it: its familiarities were measured by models that had not seen it, those of new
//! inputs by one that saw all, and the two are not distributed alike.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF as _};

use crate::martingale::play;

/// Degrees of strangeness that are told apart.
const DEGREES: usize = 1000;
/// How much of the wealth is dealt anew at each step: so a bettor that was right late is not poor by then.
const JUMP: f64 = 0.01;
/// What each bettor believes: inputs become stranger, stay, become more usual.
const BELIEFS: [f64; 3] = [-1.0, 0.0, 1.0];
/// Below this many expected examples the chi-square distribution does not hold.
const LEAST_EXPECTED: f64 = 5.0;

/// Watches a stream of inputs by how familiar each is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftTest {
    /// How many were how strange so far, the most usual first.
    seen: Vec<u64>,
    n: u64,
    wealth: [f64; 3],
    /// The most evidence that there ever was.
    most: f64,
}

impl Default for DriftTest {
    fn default() -> Self {
        Self::new()
    }
}

impl DriftTest {
    /// Nothing came yet.
    pub fn new() -> Self {
        Self { seen: vec![0; DEGREES], n: 0, wealth: [1.0 / 3.0; 3], most: 1.0 }
    }

    /// Takes an input in by its `familiarity`, a p-value in (0, 1], as an [`OodDetector`](crate::OodDetector) gives it; `u` is uniform in [0, 1).
    pub fn observe(&mut self, familiarity: f64, u: f64) {
        let degree = (((1.0 - familiarity) * DEGREES as f64) as usize).min(DEGREES - 1);
        let stranger: u64 = self.seen[degree + 1..].iter().sum();
        let p = (stranger as f64 + u * (self.seen[degree] + 1) as f64) / (self.n + 1) as f64;
        play(&mut self.wealth, &mut self.most, JUMP, BELIEFS.map(|belief| 1.0 + belief * (p - 0.5)));
        self.seen[degree] += 1;
        self.n += 1;
    }

    /// How many inputs came.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The evidence against "nothing changed" now: 1 at the beginning, 20 is one in twenty.
    pub fn evidence(&self) -> f64 {
        self.wealth.iter().sum()
    }

    /// Whether there was ever evidence enough; wrong with a chance of at most `level`, however long it is watched.
    pub fn has_changed(&self, level: f64) -> bool {
        self.most > 1.0 / level
    }
}

/// Whether two counts over the same classes come from one mix of them: the p-value of a chi-square test of homogeneity. Classes that
/// are too rare to tell (fewer than 5 expected on either side) are taken together.
///
/// `None` when less than two groups of classes are left.
pub fn mix_p_value(before: &[u64], now: &[u64]) -> Option<f64> {
    let total = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
    let (n_before, n_now) = (total(before), total(now));
    let smaller = n_before.min(n_now) / (n_before + n_now);
    let (mut groups, mut rest) = (Vec::new(), (0.0, 0.0));
    for (before, now) in before.iter().zip(now) {
        let (before, now) = (*before as f64, *now as f64);
        if (before + now) * smaller >= LEAST_EXPECTED {
            groups.push((before, now));
        } else {
            rest = (rest.0 + before, rest.1 + now);
        }
    }
    if (rest.0 + rest.1) * smaller >= LEAST_EXPECTED {
        groups.push(rest);
    }
    if groups.len() < 2 {
        return None;
    }
    // Of what is compared: a rest that is too small to tell is left out.
    let (n_before, n_now) = groups.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let part = |(before, now): &(f64, f64)| {
        let [expected_before, expected_now] =
            [n_before, n_now].map(|n| (before + now) * n / (n_before + n_now));
        (before - expected_before).powi(2) / expected_before + (now - expected_now).powi(2) / expected_now
    };
    let statistic: f64 = groups.iter().map(part).sum();
    let distribution = ChiSquared::new((groups.len() - 1) as f64).ok()?;
    Some(distribution.sf(statistic))
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    /// Inputs until it says that something changed; those before `change` are like what was learned from.
    fn noticed(seed: u64, change: usize, shift: f64, length: usize) -> Option<usize> {
        let mut rng = Seed(seed).rng();
        let mut test = DriftTest::new();
        for at in 0..length {
            let z = random::normal(&mut rng) + if at < change { 0.0 } else { shift };
            // The share of learned inputs that are stranger: the upper tail of a normal distribution.
            let familiarity = 0.5 * (1.0 - (z * 0.797_884_6 * (1.0 + 0.044_715 * z * z)).tanh());
            // Not uniform, and in few steps, as those of a model that was taught by few examples are.
            let familiarity = ((30.0 * familiarity.powi(2)).ceil() / 30.0).clamp(1.0 / 31.0, 1.0);
            test.observe(familiarity, random::uniform(&mut rng));
            if test.has_changed(0.05) {
                return Some(at);
            }
        }
        None
    }

    #[test]
    fn false_alarms_stay_within_the_level() {
        let alarms = (0..400).filter(|seed| noticed(*seed, usize::MAX, 0.0, 2000).is_some()).count();
        // 5 % of 400 are 20; 29 is the 98th percentile of what chance makes of that.
        assert!(alarms <= 29, "{alarms} of 400");
    }

    #[test]
    fn a_shift_is_noticed_soon() {
        let mut delays: Vec<usize> = (0..40)
            .map(|seed| noticed(1000 + seed, 300, 1.0, 1500).map_or(1200, |at| at.saturating_sub(300)))
            .collect();
        delays.sort_unstable();
        assert!(delays[20] < 80 && delays[38] < 250, "{delays:?}");
    }

    #[test]
    fn a_mix_is_told_from_another_and_not_from_itself() {
        // By hand: groups (30, 50) and (70, 50), all expected 40 or 60; 4 (10 * 10) / 40 ... = 8.3333, one degree of freedom.
        let p = mix_p_value(&[30, 70], &[50, 50]).expect("two groups");
        assert!((p - 0.003_892_417).abs() < 1e-6, "{p}");
        assert_eq!(mix_p_value(&[40, 60], &[400, 600]), Some(1.0));
        assert_eq!(mix_p_value(&[100, 2], &[90, 1]), None, "the rare class tells nothing");
        let mut rng = Seed(9).rng();
        let small = (0..1000).filter(|_| {
            let mut draw = |n: usize| {
                (0..n).fold([0; 3], |mut counts, _| {
                    counts[random::below(&mut rng, 10).min(2)] += 1;
                    counts
                })
            };
            mix_p_value(&draw(150), &draw(300)).is_some_and(|p| p < 0.05)
        });
        let small = small.count();
        assert!((30..75).contains(&small), "{small} of 1000 at 5 %");
    }

    #[test]
    fn evidence_stays_finite_and_comes_back_from_storage() {
        let mut test = DriftTest::new();
        (0..20_000).for_each(|at| test.observe(if at < 100 { 1.0 } else { 1e-6 / f64::from(at) }, 0.01));
        assert!(test.evidence().is_finite() && test.has_changed(1e-6));
        let stored = serde_json::to_string(&test).expect("plain data");
        assert_eq!(serde_json::from_str::<DriftTest>(&stored).expect("as it was"), test);
    }
}
