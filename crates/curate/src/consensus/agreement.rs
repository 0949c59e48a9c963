//! Krippendorff's alpha: how far the annotators agree beyond chance (Krippendorff 2011). 1 is always, 0 is chance, below 0 is
//! systematic disagreement. From 0.8 on labels are good to use; below 0.667 the guideline comes first.

use std::collections::BTreeMap;

use linalg::{Seed, random};

use super::Votes;

/// Bootstrap draws of examples for the interval.
const DRAWS: usize = 500;
/// The interval holds 95 %.
const TAIL: f64 = 0.025;

/// What a difference between two classes means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale<'a> {
    /// Classes are names: any two differ as much.
    Nominal,
    /// Classes are ranks, in order of their number: what lies between counts.
    Ordinal,
    /// Classes are numbers, `[k]`, finite: the squared difference counts.
    Interval(&'a [f64]),
}

/// Agreement beyond chance, with an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Krippendorff's alpha.
    pub alpha: f64,
    /// The 95 % interval, by drawing examples again.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Examples with two or more votes: the others say nothing about agreement.
    pub n: usize,
}

/// The agreement of all annotators; `None` where no example has two votes or only one class was ever said.
pub fn krippendorff_alpha(votes: &Votes, scale: Scale<'_>, seed: Seed) -> Option<Agreement> {
    let units = units(votes);
    let differences = Differences::new(&units, votes.n_classes(), scale);
    let all: Vec<usize> = (0..units.len()).collect();
    let alpha = differences.alpha(&units, &all)?;
    let mut rng = seed.derive("alpha").rng();
    let mut draws: Vec<f64> = (0..DRAWS)
        .filter_map(|_| {
            let drawn: Vec<usize> = (0..units.len()).map(|_| random::below(&mut rng, units.len())).collect();
            differences.alpha(&units, &drawn)
        })
        .collect();
    draws.sort_by(f64::total_cmp);
    let at =
        |share: f64| draws.get((share * (draws.len().saturating_sub(1)) as f64).round() as usize).copied();
    Some(Agreement {
        alpha,
        low: at(TAIL).unwrap_or(alpha),
        high: at(1.0 - TAIL).unwrap_or(alpha),
        n: units.len(),
    })
}

/// The classes said about one example, with how often.
type Unit = Vec<(u32, f64)>;

/// Examples with two or more votes.
fn units(votes: &Votes) -> Vec<Unit> {
    let unit = |example: usize| {
        let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
        votes.of(example).iter().for_each(|vote| *counts.entry(vote.class).or_default() += 1.0);
        (votes.of(example).len() > 1).then(|| counts.into_iter().collect())
    };
    (0..votes.n_examples()).filter_map(unit).collect()
}

/// How different two classes are. Ranks take their distances from all votes, also in the bootstrap.
struct Differences<'a> {
    scale: Scale<'a>,
    /// `[k + 1]`: how many votes lie below each class.
    below: Vec<f64>,
}

impl<'a> Differences<'a> {
    fn new(units: &[Unit], n_classes: usize, scale: Scale<'a>) -> Self {
        let mut counts = vec![0.0; n_classes + 1];
        units.iter().flatten().for_each(|(class, count)| counts[*class as usize + 1] += count);
        for class in 0..n_classes {
            counts[class + 1] += counts[class];
        }
        Self { scale, below: counts }
    }

    fn squared(&self, a: u32, b: u32) -> f64 {
        let (low, high) = (a.min(b) as usize, a.max(b) as usize);
        match self.scale {
            _ if low == high => 0.0,
            Scale::Nominal => 1.0,
            Scale::Interval(values) => (values[high] - values[low]).powi(2),
            // All votes from one to the other, those at the ends counting half.
            Scale::Ordinal => {
                let half = |class: usize| (self.below[class + 1] - self.below[class]) / 2.0;
                (self.below[high + 1] - self.below[low] - half(low) - half(high)).powi(2)
            }
        }
    }

    /// `1 - observed / expected` over the units drawn.
    fn alpha(&self, units: &[Unit], drawn: &[usize]) -> Option<f64> {
        let mut observed = 0.0;
        let mut totals: BTreeMap<u32, f64> = BTreeMap::new();
        for unit in drawn.iter().map(|place| &units[*place]) {
            let size: f64 = unit.iter().map(|(_, count)| count).sum();
            observed += self.sum_over_pairs(unit) / (size - 1.0);
            unit.iter().for_each(|(class, count)| *totals.entry(*class).or_default() += count);
        }
        let n: f64 = totals.values().sum();
        let expected = self.sum_over_pairs(&totals.into_iter().collect::<Unit>()) / (n - 1.0);
        (expected > 0.0).then(|| 1.0 - observed / expected)
    }

    /// The squared difference of every ordered pair of votes.
    fn sum_over_pairs(&self, counts: &[(u32, f64)]) -> f64 {
        let pairs =
            counts.iter().enumerate().flat_map(|(place, a)| counts[..place].iter().map(move |b| (a, b)));
        pairs.map(|(a, b)| 2.0 * a.1 * b.1 * self.squared(a.0, b.0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::Vote;

    /// The example of Krippendorff (2011), four observers and twelve units, 0 for a missing value.
    const OBSERVERS: [[u32; 12]; 4] = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ];

    fn published() -> Votes {
        let mut given = Vec::new();
        for (annotator, row) in OBSERVERS.iter().enumerate() {
            for (example, value) in row.iter().enumerate().filter(|(_, value)| **value > 0) {
                given.push(Vote { example: example as u32, annotator: annotator as u32, class: value - 1 });
            }
        }
        Votes::new(&given, 12, 4, 5).unwrap().0
    }

    #[test]
    fn the_published_example_comes_out_as_published() {
        let values = Scale::Interval(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        for (scale, expected) in [(Scale::Nominal, 0.743), (Scale::Ordinal, 0.815), (values, 0.849)] {
            let found = krippendorff_alpha(&published(), scale, Seed(1)).unwrap();
            assert!((found.alpha - expected).abs() < 5e-4, "{scale:?}: {}", found.alpha);
            assert!(found.low < found.alpha && found.alpha < found.high && found.n == 11, "{found:?}");
        }
    }

    #[test]
    fn unequal_steps_between_numbers_count_as_what_they_are() {
        // By the definition, pair by pair, in another program.
        for (values, expected) in
            [([1.0, 2.0, 4.0, 8.0, 16.0], 0.934_473_265_9), ([0.0, 1.0, 10.0, 11.0, 100.0], 0.991_919_257_6)]
        {
            let found = krippendorff_alpha(&published(), Scale::Interval(&values), Seed(1)).unwrap();
            assert!((found.alpha - expected).abs() < 1e-9, "{values:?}: {}", found.alpha);
        }
    }

    #[test]
    fn what_says_nothing_gives_nothing() {
        let vote = |example, annotator, class| Vote { example, annotator, class };
        let alone = Votes::new(&[vote(0, 0, 0), vote(1, 1, 1)], 2, 2, 2).unwrap().0;
        assert_eq!(krippendorff_alpha(&alone, Scale::Nominal, Seed(1)), None);
        let same = Votes::new(&[vote(0, 0, 0), vote(0, 1, 0)], 1, 2, 2).unwrap().0;
        assert_eq!(krippendorff_alpha(&same, Scale::Nominal, Seed(1)), None);
    }
}
