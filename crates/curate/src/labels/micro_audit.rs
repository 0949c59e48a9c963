//! Twenty to thirty answers of a person say how many of the flagged labels are really wrong.
//!
//! The examples to ask about are spread evenly over the ranked list, one drawn from each equal stretch, so that their share
//! of wrong labels estimates that of the whole list. The interval inverts the hypergeometric distribution: it is exact for a
//! finite list, never narrower than promised, and closes when everything was answered.

use linalg::{Seed, random};

use crate::CurateError;

/// The share of flagged labels that are really wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// The share among the answers.
    pub value: f64,
    /// With the confidence asked for, the share in the whole list is at least this.
    pub low: f64,
    /// And at most this.
    pub high: f64,
    /// Answers it rests on.
    pub n: usize,
}

/// Places in the ranked list to ask about, ascending: `count` of them, or all where there are fewer.
pub fn places_to_ask(n_flagged: usize, count: usize, seed: Seed) -> Vec<usize> {
    let count = count.min(n_flagged);
    let mut rng = seed.derive("micro-audit").rng();
    (0..count)
        .map(|stretch| {
            let (first, end) = (stretch * n_flagged / count, (stretch + 1) * n_flagged / count);
            first + random::below(&mut rng, end - first)
        })
        .collect()
}

/// From the answers (whether each label asked about is really wrong) to the share in the whole list.
///
/// `confidence` is in (0, 1), such as 0.95.
///
/// # Errors
/// No answers, more answers than flagged labels, or a confidence outside (0, 1).
pub fn precision(answers: &[bool], n_flagged: usize, confidence: f64) -> Result<Precision, CurateError> {
    let n = answers.len();
    if n == 0 {
        return Err(CurateError::Empty { what: "answers" });
    }
    if n > n_flagged {
        return Err(CurateError::Shape { what: "answers", got: n, expected: n_flagged });
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(CurateError::NotAProbability { row: 0, value: confidence });
    }
    let wrong = answers.iter().filter(|answer| **answer).count();
    let tail = (1.0 - confidence) / 2.0;
    let list = List { all: n_flagged, asked: n, logs: log_factorials(n_flagged) };
    // The tails are monotone in the number that is assumed: fewer than answered, or more than was left, is impossible.
    let (least, most) = (wrong, n_flagged - (n - wrong));
    let low = first(least, most, |assumed| list.at_least(assumed, wrong) > tail);
    let high = first(least, most, |assumed| list.at_most(assumed, wrong) <= tail);
    let high = if list.at_most(high, wrong) <= tail { high.saturating_sub(1).max(least) } else { high };
    let share = |count: usize| count as f64 / n_flagged as f64;
    Ok(Precision { value: wrong as f64 / n as f64, low: share(low), high: share(high), n })
}

/// The first number in `least..=most` for which the condition, once true always true, holds; `most` when it never does.
fn first(least: usize, most: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (least, most);
    while low < high {
        let middle = usize::midpoint(low, high);
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// A list of flagged labels, some of which were asked about.
struct List {
    all: usize,
    asked: usize,
    logs: Vec<f64>,
}

impl List {
    /// `P(X = found)` when `wrong` of all labels are wrong.
    fn probability(&self, wrong: usize, found: usize) -> f64 {
        let choose = |n: usize, k: usize| self.logs[n] - self.logs[k] - self.logs[n - k];
        if found > wrong || self.asked - found > self.all - wrong {
            return 0.0;
        }
        (choose(wrong, found) + choose(self.all - wrong, self.asked - found) - choose(self.all, self.asked))
            .exp()
    }

    fn at_least(&self, wrong: usize, found: usize) -> f64 {
        (found..=self.asked).map(|found| self.probability(wrong, found)).sum()
    }

    fn at_most(&self, wrong: usize, found: usize) -> f64 {
        (0..=found).map(|found| self.probability(wrong, found)).sum()
    }
}

fn log_factorials(n: usize) -> Vec<f64> {
    let mut logs = vec![0.0];
    for value in 1..=n {
        logs.push(logs[value - 1] + (value as f64).ln());
    }
    logs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_are_spread_and_distinct() {
        let places = places_to_ask(1000, 25, Seed(1));
        assert_eq!(places.len(), 25);
        assert!(places.iter().enumerate().all(|(stretch, place)| place / 40 == stretch));
        assert_eq!(places_to_ask(3, 25, Seed(1)), [0, 1, 2]);
        assert!(places_to_ask(0, 25, Seed(1)).is_empty());
    }

    #[test]
    fn the_interval_covers_as_promised() {
        for wrong in [10, 60, 95] {
            let runs = 400;
            let covered = (0..runs).filter(|run| {
                let mut list: Vec<bool> = (0..100).map(|place| place < wrong).collect();
                random::shuffle(&mut list, &mut Seed(7).nth(*run).rng());
                let answers: Vec<bool> =
                    places_to_ask(100, 25, Seed(3).nth(*run)).iter().map(|place| list[*place]).collect();
                let found = precision(&answers, 100, 0.95).unwrap();
                let truth = wrong as f64 / 100.0;
                found.low <= truth && truth <= found.high
            });
            assert!(covered.count() >= 380, "{wrong}");
        }
    }

    #[test]
    fn all_answered_leaves_no_doubt_and_few_leave_much() {
        let all = precision(&[true, false, true, true], 4, 0.95).unwrap();
        assert_eq!((all.low, all.high), (0.75, 0.75));
        let one = precision(&[true], 100, 0.95).unwrap();
        assert!(one.low < 0.05 && one.high == 1.0, "{one:?}");
        let none = precision(&[false; 20], 1000, 0.95).unwrap();
        assert!(none.low == 0.0 && (0.1..0.2).contains(&none.high), "{none:?}");
    }

    #[test]
    fn broken_input_is_named() {
        assert_eq!(precision(&[], 4, 0.95).unwrap_err(), CurateError::Empty { what: "answers" });
        assert!(precision(&[true; 5], 4, 0.95).is_err());
        assert!(precision(&[true], 4, 1.0).is_err());
    }
}
