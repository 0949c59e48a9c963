//! Which of several senses of an example belongs to another one: a note beside the wrong photo, a sound of another machine.
//!
//! Start at [`pairing`]. Three things can be so of an example: all is right; its label is wrong; or one of its senses belongs to another
//! example. Each makes what was given and heard more or less probable, and how often each happens follows from the data (a mixture whose
//! parts are known, by expectation maximisation: Dempster, Laird and Rubin 1977). So a sense that contradicts the others is told from a
//! label that all senses contradict, and where nothing contradicts nothing is told.

use linalg::Matrix;

use crate::CurateError;

/// Share of examples of which a sense, or the label, is taken to be wrong before anything is known.
const USUAL: f64 = 0.02;
/// Examples that this opinion is worth.
const OPINION: f64 = 20.0;
/// Probability from which on a sense is told to be of another example.
const PROBABLE: f64 = 0.5;
/// Rounds of expectation maximisation at most; a few dozen are usual.
const ROUNDS: usize = 500;
/// The rounds end where no share changes by more.
const SETTLED: f64 = 1e-9;

/// What all senses of labelled examples say together: each out of fold. The weights by which a pool joins them may be fitted on all
/// rows; they are one number a sense.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// `[n]`: the given labels, each below `k`.
    pub labels: &'a [u32],
    /// `[n, k]`: probabilities by all senses that are there.
    pub all: &'a Matrix<f64>,
    /// What each of them says.
    pub senses: &'a [HeardSense],
}

/// What one sense says of the same examples.
#[derive(Debug, Clone)]
pub struct HeardSense {
    /// `[n, k]`: probabilities by this sense alone; whatever stands in rows without it is not read.
    pub alone: Matrix<f64>,
    /// `[n, k]`: probabilities by the others; the shares of the classes where there are none.
    pub others: Matrix<f64>,
    /// `[n]`: whether the example has it.
    pub present: Vec<bool>,
}

/// How probable it is that senses belong where they stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairing {
    /// `[n]`: the probability that no sense belongs to another example; `None` where there are fewer than two.
    pub scores: Vec<Option<f64>>,
    /// `[n]`: the sense that most probably does, by its place.
    pub suspects: Vec<Option<usize>>,
    /// Examples of which one probably does, the most probable first.
    pub flagged: Vec<usize>,
    /// The share of examples of which each sense is wrong, as estimated.
    pub shares: Vec<f64>,
    /// The share of labels that are wrong, as estimated.
    pub wrong_labels: f64,
}

/// Finds senses that belong to other examples.
///
/// With `F` the probabilities by all senses, `G_m` by all but `m`, `P_m` by `m` alone, prior `pi` and label `y`, the three are as probable as
///
/// ```text
/// all is right       F(y)
/// the label is wrong sum over k != y of F(k) pi(y) / (1 - pi(k))
/// m is another's     G_m(y) / C_m,   C_m = sum over k of G_m(k) P_m(k) / pi(k)
/// ```
///
/// `C_m` is how much more often `m` and the others come together than by chance: below 1 they contradict each other. Nobody can call
/// anything less probable than one in `2 n` on the evidence of `n` examples, so each `P_m` is mixed with that much of the prior.
///
/// # Errors
/// No rows, lists or tables that differ in length, a label without a column.
pub fn pairing(heard: &Heard<'_>) -> Result<Pairing, CurateError> {
    check(heard)?;
    let likely = likelihoods(heard);
    let shares = settle(&likely, heard.senses.len());
    let mut found = Pairing {
        scores: Vec::with_capacity(likely.len()),
        suspects: Vec::with_capacity(likely.len()),
        flagged: Vec::new(),
        wrong_labels: shares.label,
        shares: shares.senses.clone(),
    };
    for row in &likely {
        let of = shares.posterior(row);
        let known = row.senses.iter().flatten().count() > 1;
        // That a sense which is not there belongs elsewhere means nothing: then all is right.
        let there = of.senses.iter().zip(&row.senses).filter(|(_, likely)| likely.is_some());
        let of_senses: f64 = there.map(|(probability, _)| probability).sum();
        let mut suspect = None;
        for sense in (0..of.senses.len()).filter(|sense| known && row.senses[*sense].is_some()) {
            if suspect.is_none_or(|other: usize| of.senses[sense] > of.senses[other]) {
                suspect = Some(sense);
            }
        }
        found.scores.push(known.then_some((1.0 - of_senses).clamp(0.0, 1.0)));
        found.suspects.push(suspect);
    }
    let score = |row: usize| found.scores[row].unwrap_or(1.0);
    let mut flagged: Vec<usize> = (0..likely.len()).filter(|row| score(*row) < PROBABLE).collect();
    flagged.sort_by(|a, b| score(*a).total_cmp(&score(*b)).then(a.cmp(b)));
    found.flagged = flagged;
    Ok(found)
}

fn check(heard: &Heard<'_>) -> Result<(), CurateError> {
    let (n, k) = (heard.labels.len(), heard.all.cols());
    if n == 0 {
        return Err(CurateError::Empty { what: "examples" });
    }
    let tables = heard.senses.iter().flat_map(|sense| [&sense.alone, &sense.others]).chain([heard.all]);
    for table in tables {
        if table.rows() != n {
            return Err(CurateError::Shape {
                what: "rows of the probabilities",
                got: table.rows(),
                expected: n,
            });
        }
        if table.cols() != k {
            return Err(CurateError::Shape {
                what: "columns of the probabilities",
                got: table.cols(),
                expected: k,
            });
        }
    }
    if let Some(sense) = heard.senses.iter().find(|sense| sense.present.len() != n) {
        return Err(CurateError::Shape { what: "rows of a sense", got: sense.present.len(), expected: n });
    }
    match heard.labels.iter().position(|label| *label as usize >= k) {
        Some(row) => Err(CurateError::LabelOutOfRange { row, label: heard.labels[row], n_classes: k }),
        None => Ok(()),
    }
}

/// How well each explanation goes with one example.
struct Likely {
    right: f64,
    label: f64,
    /// `None` where the sense is not there.
    senses: Vec<Option<f64>>,
}

/// How often each is so.
struct Shares {
    right: f64,
    label: f64,
    senses: Vec<f64>,
}

fn likelihoods(heard: &Heard<'_>) -> Vec<Likely> {
    let (n, k) = (heard.labels.len(), heard.all.cols());
    let mut prior = vec![1.0; k];
    heard.labels.iter().for_each(|label| prior[*label as usize] += 1.0);
    prior.iter_mut().for_each(|share| *share /= (n + k) as f64);
    let doubt = 0.5 / n as f64;
    let of = |row: usize| {
        let given = heard.labels[row] as usize;
        let all = heard.all.row(row);
        let others = (0..k).filter(|class| *class != given);
        let label = others.map(|class| all[class] * prior[given] / (1.0 - prior[class])).sum();
        let foreign = |sense: &HeardSense| {
            let (others, alone) = (sense.others.row(row), sense.alone.row(row));
            let together =
                |class: usize| others[class] * ((1.0 - doubt) * alone[class] / prior[class] + doubt);
            others[given] / (0..k).map(together).sum::<f64>()
        };
        let senses = heard.senses.iter().map(|sense| sense.present[row].then(|| foreign(sense)));
        let mut senses: Vec<Option<f64>> = senses.collect();
        if senses.iter().flatten().count() < 2 {
            senses.fill(None);
        }
        Likely { right: all[given], label, senses }
    };
    (0..n).map(of).collect()
}

impl Shares {
    /// How probable each explanation of one example is. A sense that is not there would go as well with it as all else does.
    fn posterior(&self, row: &Likely) -> Self {
        let right = self.right * row.right;
        let label = self.label * row.label;
        let of = |(share, likely): (&f64, &Option<f64>)| share * likely.unwrap_or(row.right);
        let senses: Vec<f64> = self.senses.iter().zip(&row.senses).map(of).collect();
        let total = right + label + senses.iter().sum::<f64>();
        if total <= 0.0 {
            return Self { right: self.right, label: self.label, senses: self.senses.clone() };
        }
        let senses = senses.into_iter().map(|value| value / total).collect();
        Self { right: right / total, label: label / total, senses }
    }
}

/// The shares under which the examples are most probable.
fn settle(rows: &[Likely], n_senses: usize) -> Shares {
    let total = rows.len() as f64 + OPINION;
    let usual =
        Shares { right: 1.0 - USUAL * (n_senses + 1) as f64, label: USUAL, senses: vec![USUAL; n_senses] };
    let mut shares = Shares { right: usual.right, label: usual.label, senses: usual.senses.clone() };
    for _ in 0..ROUNDS {
        let mut next = Shares {
            right: OPINION * usual.right,
            label: OPINION * usual.label,
            senses: usual.senses.iter().map(|share| OPINION * share).collect(),
        };
        for row in rows {
            let of = shares.posterior(row);
            next.right += of.right;
            next.label += of.label;
            next.senses.iter_mut().zip(&of.senses).for_each(|(sum, share)| *sum += share);
        }
        next.right /= total;
        next.label /= total;
        next.senses.iter_mut().for_each(|share| *share /= total);
        let moved = next.senses.iter().zip(&shares.senses).map(|(a, b)| (a - b).abs());
        let moved = moved.fold((next.label - shares.label).abs(), f64::max);
        shares = next;
        if moved < SETTLED {
            break;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    const K: usize = 4;

    /// Senses that name the class with this certainty; `wrong` says what stands in each: the class that label and senses show.
    fn heard(shown: &[(u32, Vec<Option<u32>>)], sure: &[f64]) -> (Vec<u32>, Matrix<f64>, Vec<HeardSense>) {
        let n = shown.len();
        let says = |sense: usize, row: usize| -> Option<Vec<f64>> {
            let class = shown[row].1[sense]? as usize;
            let rest = (1.0 - sure[sense]) / (K - 1) as f64;
            Some((0..K).map(|other| if other == class { sure[sense] } else { rest }).collect())
        };
        // Independent senses and even classes: Bayes' rule is the product.
        let joined = |row: usize, left_out: Option<usize>| {
            let mut product = vec![1.0; K];
            for sense in (0..sure.len()).filter(|sense| Some(*sense) != left_out) {
                if let Some(said) = says(sense, row) {
                    product.iter_mut().zip(said).for_each(|(value, p)| *value *= p);
                }
            }
            let sum: f64 = product.iter().sum();
            product.into_iter().map(|value| value / sum).collect::<Vec<f64>>()
        };
        let table = |of: &dyn Fn(usize) -> Vec<f64>| Matrix::from_rows(&(0..n).map(of).collect::<Vec<_>>());
        let all = table(&|row| joined(row, None));
        let senses = (0..sure.len())
            .map(|sense| HeardSense {
                alone: table(&|row| says(sense, row).unwrap_or(vec![f64::NAN; K])),
                others: table(&|row| joined(row, Some(sense))),
                present: (0..n).map(|row| shown[row].1[sense].is_some()).collect(),
            })
            .collect();
        (shown.iter().map(|(label, _)| *label).collect(), all, senses)
    }

    #[track_caller]
    fn found(shown: &[(u32, Vec<Option<u32>>)], sure: &[f64]) -> Pairing {
        let (labels, all, senses) = heard(shown, sure);
        pairing(&Heard { labels: &labels, all: &all, senses: &senses }).unwrap()
    }

    /// Examples on which label and senses agree, each sense erring as often as it says.
    fn honest(n: usize, sure: &[f64], seed: u64) -> Vec<(u32, Vec<Option<u32>>)> {
        let mut rng = Seed(seed).rng();
        let mut row = |at: usize| {
            let class = (at % K) as u32;
            let mut shows = |sure: &f64| {
                if random::uniform(&mut rng) < *sure {
                    class
                } else {
                    (class + 1 + random::below(&mut rng, K - 1) as u32) % K as u32
                }
            };
            (class, sure.iter().map(|sure| Some(shows(sure))).collect())
        };
        (0..n).map(&mut row).collect()
    }

    #[test]
    fn a_foreign_sense_is_told_from_a_wrong_label_and_named() {
        let sure = [0.998, 0.998, 0.998];
        let mut shown = honest(200, &[1.0; 3], 1);
        for (row, (class, senses)) in shown.iter_mut().enumerate().take(10) {
            senses[row % 3] = Some((*class + 1) % K as u32);
        }
        for (label, _) in &mut shown[10..20] {
            *label = (*label + 1) % K as u32;
        }
        let found = found(&shown, &sure);
        let mut flagged = found.flagged.clone();
        flagged.sort_unstable();
        assert_eq!(flagged, (0..10).collect::<Vec<_>>());
        assert!((0..10).all(|row| found.suspects[row] == Some(row % 3)));
        assert!((found.wrong_labels - 0.05).abs() < 0.02, "{}", found.wrong_labels);
        assert!(found.shares.iter().all(|share| (share - 0.017).abs() < 0.01), "{:?}", found.shares);
    }

    #[test]
    fn senses_that_err_as_often_as_they_say_are_not_accused() {
        for seed in 0..5 {
            let found = found(&honest(400, &[0.9, 0.8], seed), &[0.9, 0.8]);
            assert!(found.flagged.len() <= 4, "seed {seed}: {} of 400", found.flagged.len());
        }
        // A sense that knows nothing accuses nobody and is not accused.
        let found = found(&honest(200, &[0.95, 0.25], 9), &[0.95, 0.25]);
        assert!(found.flagged.iter().all(|row| found.suspects[*row] == Some(0)));
        assert!(found.flagged.len() <= 2, "{}", found.flagged.len());
    }

    #[test]
    fn what_is_not_there_is_not_judged() {
        let mut shown = honest(60, &[1.0, 1.0], 3);
        shown[0].1[1] = None;
        shown[1].1 = vec![None, None];
        shown[2].1[0] = Some((shown[2].0 + 1) % K as u32);
        let found = found(&shown, &[0.999, 0.999]);
        assert_eq!((found.scores[0], found.suspects[0]), (None, None));
        assert_eq!((found.scores[1], found.suspects[1]), (None, None));
        assert_eq!((found.flagged.clone(), found.suspects[2]), (vec![2], Some(0)));
    }

    #[test]
    fn a_sense_that_is_often_foreign_does_not_accuse_examples_without_it() {
        let mut shown = honest(200, &[1.0; 3], 5);
        for (row, (class, senses)) in shown.iter_mut().enumerate() {
            senses[2] = match row {
                0..20 => None,
                _ if row % 5 < 3 => Some((*class + 1) % K as u32),
                _ => senses[2],
            };
        }
        let found = found(&shown, &[0.998, 0.998, 0.998]);
        assert!(found.shares[2] > 0.5, "{:?}", found.shares);
        for row in 0..20 {
            let score = found.scores[row].expect("two senses are there");
            assert!(score > 0.9, "row {row}: {score}");
        }
        assert!(found.flagged.iter().all(|row| found.suspects[*row] == Some(2)), "{:?}", found.flagged);
    }

    #[test]
    fn the_order_of_examples_and_the_names_of_classes_do_not_matter() {
        let mut shown = honest(80, &[0.95, 0.9], 4);
        shown[5].1[1] = Some((shown[5].0 + 2) % K as u32);
        let plain = found(&shown, &[0.95, 0.9]);
        let turned: Vec<_> = shown
            .iter()
            .rev()
            .map(|(label, senses)| {
                let other = |class: u32| (class + 1) % K as u32;
                (other(*label), senses.iter().map(|sense| sense.map(other)).collect())
            })
            .collect();
        let other = found(&turned, &[0.95, 0.9]);
        for row in 0..80 {
            let (a, b) = (plain.scores[row].unwrap(), other.scores[79 - row].unwrap());
            assert!((a - b).abs() < 1e-9, "row {row}: {a} and {b}");
        }
    }

    #[test]
    fn lists_that_differ_are_refused() {
        let (labels, all, senses) = heard(&honest(8, &[0.9, 0.9], 0), &[0.9, 0.9]);
        let bad = |labels: &[u32], senses: &[HeardSense]| {
            pairing(&Heard { labels, all: &all, senses }).unwrap_err().to_string()
        };
        assert!(bad(&labels[1..], &senses).contains("rows"));
        assert!(bad(&[9; 8], &senses).contains('9'));
        let mut short = senses.clone();
        short[0].present.pop();
        assert!(bad(&labels, &short).contains("rows of a sense"));
        let none = pairing(&Heard { labels: &[], all: &Matrix::zeros(0, 2), senses: &[] });
        assert!(none.is_err());
    }
}
