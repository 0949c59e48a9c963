//! Twenty to thirty answers of a person say how many of the flagged labels are really wrong.
//!
//! The list is asked about in an order that is drawn, so that whenever a person stops, those asked about are a simple random
//! sample of all. The interval inverts the hypergeometric distribution: it is exact for a finite list, never narrower than
//! promised, and closes when everything was answered.

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

/// The places of a list in the order in which to ask about them, each once: every beginning is a simple random sample.
pub fn drawn_order(n_flagged: usize, seed: Seed) -> Vec<usize> {
    let mut places: Vec<usize> = (0..n_flagged).collect();
    random::shuffle(&mut places, &mut seed.derive("micro-audit").rng());
    places
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
    fn every_place_is_drawn_once_and_is_as_likely_to_come_first() {
        let mut places = drawn_order(1000, Seed(1));
        assert_ne!(places, drawn_order(1000, Seed(2)));
        places.sort_unstable();
        assert_eq!(places, (0..1000).collect::<Vec<_>>());
        assert!(drawn_order(0, Seed(1)).is_empty());
        let mut first = [0; 4];
        (0..400).for_each(|run| first[drawn_order(4, Seed(5).nth(run))[0]] += 1);
        assert!(first.iter().all(|count| (70..130).contains(count)), "{first:?}");
    }

    #[test]
    fn the_interval_covers_as_promised_wherever_one_stops() {
        for (wrong, asked) in [(10, 25), (60, 25), (95, 25), (50, 2), (50, 5)] {
            let covered = (0..400).filter(|run| {
                // The most suspicious are wrong, all others right: what is asked first must not be the top of the list.
                let order = drawn_order(100, Seed(3).nth(*run));
                let answers: Vec<bool> = order.iter().take(asked).map(|place| *place < wrong).collect();
                let found = precision(&answers, 100, 0.95).unwrap();
                let truth = wrong as f64 / 100.0;
                found.low <= truth && truth <= found.high
            });
            assert!(covered.count() >= 380, "{wrong} {asked}");
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
