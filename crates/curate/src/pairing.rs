//! Which of several senses of an example belongs to another one: a note beside the wrong photo, a sound of another machine.
//!
//! Start at [`pairing`]. Three things can be so of an example: all is right; its label is wrong; or one of its senses belongs to another
//! example. Each makes what was given and heard more or less probable, and how often each happens follows from the data (a mixture whose
//! parts are known, by expectation maximisation: Dempster, Laird and Rubin 1977). So a sense that contradicts the others is told from a
//! label that all senses contradict, and where nothing contradicts nothing is told.

use std::collections::BTreeMap;

use linalg::Matrix;
use linalg::logits::log_softmax;
use rayon::prelude::*;

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
/// How sure a sense may be: its distance from the prior times `exp` of the steps from the first to the last, as far apart as the third.
const SURE: (i32, i32, f64) = (-10, 10, 0.2);
/// Standard deviation of the opinion that a sense is as sure as it should be.
const HABIT: f64 = 1.0;
/// Shares of examples that may be wrong where this is found: where more contradict a sense, it is the sense that knows little.
const WRONG: [f64; 6] = [0.01, 0.02, 0.04, 0.08, 0.12, 0.16];

/// What the senses of labelled examples say, out of fold.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// `[n]`: the given labels, each below `n_classes`.
    pub labels: &'a [u32],
    /// `k`.
    pub n_classes: usize,
    /// `[n]`: examples that belong together have one number.
    pub groups: &'a [u32],
    /// What each sense says.
    pub senses: &'a [HeardSense],
}

/// What one sense says.
#[derive(Debug, Clone)]
pub struct HeardSense {
    /// `[n, k]`: log-probabilities by a head that did not see the example; only how sure it is, one number, may be fitted on all rows.
    /// Whatever stands in rows without it is not read.
    pub log_probs: Matrix<f64>,
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
/// With prior `pi`, label `y` and `L_m(k) = P_m(k) / pi(k)`, how much more often what sense `m` shows is seen in class `k` than
/// elsewhere, the explanations of an example are as probable as
///
/// ```text
/// all is right       pi(y) prod over j of L_j(y)
/// the label is wrong sum over k != y of pi(k) prod over j of L_j(k) pi(y) / (1 - pi(k))
/// m is another's     pi(y) prod over j != m of L_j(y)
/// ```
///
/// So a sense is suspected as far as it contradicts the label itself, and acquitted as far as the others contradict it too. How sure
/// each sense may be, one scale, is found on examples that do not belong to the one judged, beside the share `q` of those that are wrong, by
/// `log((1 - q) P(y) + q pi(y))`: wrong senses and labels would otherwise teach it to be unsure. Nobody can call anything less
/// probable than one in `2 n` on the evidence of `n` examples, so each `P_m` is mixed with that much of the prior.
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
    let (n, k) = (heard.labels.len(), heard.n_classes);
    if n == 0 {
        return Err(CurateError::Empty { what: "examples" });
    }
    let same = |what: &'static str, got: usize, expected: usize| {
        if got == expected { Ok(()) } else { Err(CurateError::Shape { what, got, expected }) }
    };
    same("the list of groups", heard.groups.len(), n)?;
    for sense in heard.senses {
        same("rows of the probabilities", sense.log_probs.rows(), n)?;
        same("columns of the probabilities", sense.log_probs.cols(), k)?;
        same("rows of a sense", sense.present.len(), n)?;
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
    let (n, k) = (heard.labels.len(), heard.n_classes);
    let mut prior = vec![1.0; k];
    heard.labels.iter().for_each(|label| prior[*label as usize] += 1.0);
    prior.iter_mut().for_each(|share| *share /= (n + k) as f64);
    let log_prior: Vec<f64> = prior.iter().map(|share| share.ln()).collect();
    let scales = heard.senses.iter().map(|sense| scales(sense, heard, &log_prior));
    let scales: Vec<Vec<f64>> = scales.collect();
    let doubt = 0.5 / n as f64;
    let of = |row: usize| {
        let given = heard.labels[row] as usize;
        // `L_m`, `[k]`, of each sense.
        let tells = |(sense, scales): (&HeardSense, &Vec<f64>)| {
            sense.present[row].then(|| {
                let said = scaled(sense.log_probs.row(row), &log_prior, scales[row]);
                let tells =
                    said.iter().zip(&prior).map(|(said, prior)| (1.0 - doubt) * said.exp() / prior + doubt);
                tells.collect::<Vec<f64>>()
            })
        };
        let tells: Vec<Option<Vec<f64>>> = heard.senses.iter().zip(&scales).map(tells).collect();
        let mut all = prior.clone();
        for tells in tells.iter().flatten() {
            all.iter_mut().zip(tells).for_each(|(product, tells)| *product *= tells);
        }
        let total: f64 = all.iter().sum();
        all.iter_mut().for_each(|product| *product /= total);
        let others = (0..k).filter(|class| *class != given);
        let label = others.map(|class| all[class] * prior[given] / (1.0 - prior[class])).sum();
        let foreign = |tells: &Option<Vec<f64>>| tells.as_ref().map(|tells| all[given] / tells[given]);
        let mut senses: Vec<Option<f64>> = tells.iter().map(foreign).collect();
        if senses.iter().flatten().count() < 2 {
            senses.fill(None);
        }
        Likely { right: all[given], label, senses }
    };
    (0..n).map(of).collect()
}

/// How sure a sense may be of each example, `[n]`, found on all that do not belong to it.
fn scales(sense: &HeardSense, heard: &Heard<'_>, log_prior: &[f64]) -> Vec<f64> {
    let (first, last, step) = SURE;
    let log_scales: Vec<f64> = (first..=last).map(|number| step * f64::from(number)).collect();
    let tried: Vec<(f64, f64)> =
        log_scales.iter().flat_map(|log_scale| WRONG.map(|wrong| (*log_scale, wrong))).collect();
    // Only how probable the label is at each scale is kept, and not in full: the shares are tried where losses are added.
    let said = |row: usize| -> Vec<f32> {
        let label = heard.labels[row] as usize;
        let at = |log_scale: &f64| scaled(sense.log_probs.row(row), log_prior, log_scale.exp())[label].exp();
        let there = if sense.present[row] { &log_scales[..] } else { &[] };
        there.iter().map(|log_scale| at(log_scale) as f32).collect()
    };
    let said: Vec<Vec<f32>> = (0..heard.labels.len()).into_par_iter().map(said).collect();
    let add = |sums: &mut [f64], row: usize| {
        let prior = log_prior[heard.labels[row] as usize].exp();
        for (sums, said) in sums.chunks_mut(WRONG.len()).zip(&said[row]) {
            for (sum, wrong) in sums.iter_mut().zip(WRONG) {
                *sum -= ((1.0 - wrong) * f64::from(*said) + wrong * prior).ln();
            }
        }
    };
    let mut all: Vec<f64> = tried.iter().map(|(log_scale, wrong)| opinion(*log_scale, *wrong)).collect();
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, group) in heard.groups.iter().enumerate() {
        add(&mut all, row);
        members.entry(*group).or_default().push(row);
    }
    let best = |members: &Vec<usize>| {
        let mut of_group = vec![0.0; tried.len()];
        members.iter().for_each(|row| add(&mut of_group, *row));
        let others = all.iter().zip(&of_group).map(|(all, of_group)| all - of_group);
        let (place, _) = others.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).expect("some were tried");
        tried[place].0.exp()
    };
    let best: BTreeMap<u32, f64> = members.iter().map(|(group, members)| (*group, best(members))).collect();
    heard.groups.iter().map(|group| best[group]).collect()
}

/// What is lost before anything is seen: as sure as it says, and twice the usual share is wrong, its own and that of labels.
fn opinion(log_scale: f64, wrong: f64) -> f64 {
    let usual = 2.0 * USUAL;
    0.5 * (log_scale / HABIT).powi(2) - OPINION * (usual * wrong.ln() + (1.0 - usual) * (1.0 - wrong).ln())
}

/// What was said, with its distance from the prior times a scale.
fn scaled(said: &[f64], log_prior: &[f64], scale: f64) -> Vec<f64> {
    let logits = said.iter().zip(log_prior).map(|(said, prior)| prior + scale * (said - prior));
    log_softmax(&logits.collect::<Vec<_>>())
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

    /// Senses that name a class with this certainty: the class that each shows stands beside the label.
    fn heard(shown: &[(u32, Vec<Option<u32>>)], sure: &[f64]) -> (Vec<u32>, Vec<u32>, Vec<HeardSense>) {
        let says = |sense: usize, row: usize| -> Vec<f64> {
            let Some(shown) = shown[row].1[sense] else { return vec![f64::NAN; K] };
            let rest = (1.0 - sure[sense]) / (K - 1) as f64;
            (0..K as u32).map(|class| if class == shown { sure[sense] } else { rest }.ln()).collect()
        };
        let of = |sense: usize| HeardSense {
            log_probs: Matrix::from_rows(&(0..shown.len()).map(|row| says(sense, row)).collect::<Vec<_>>()),
            present: shown.iter().map(|(_, senses)| senses[sense].is_some()).collect(),
        };
        let labels = shown.iter().map(|(label, _)| *label).collect();
        (labels, (0..shown.len() as u32).collect(), (0..sure.len()).map(of).collect())
    }

    #[track_caller]
    fn found(shown: &[(u32, Vec<Option<u32>>)], sure: &[f64]) -> Pairing {
        let (labels, groups, senses) = heard(shown, sure);
        pairing(&Heard { labels: &labels, n_classes: K, groups: &groups, senses: &senses }).unwrap()
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
                _ if row % 12 == 0 => Some((*class + 1) % K as u32),
                _ => senses[2],
            };
        }
        let found = found(&shown, &[0.998, 0.998, 0.998]);
        assert!(found.shares[2] > 0.03, "{:?}", found.shares);
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

    /// Three senses that see their class in noise, as far from the others as `apart`, by heads that are less sure than they could be; one
    /// in twenty has the second sense of another one, as many another label.
    fn planted(n: usize, apart: f64, seed: u64) -> (Pairing, Vec<bool>) {
        let mut rng = Seed(seed).rng();
        let class = |row: usize| row % K;
        let foreign = |row: usize| row % 20 == 3;
        let of = |sense: usize| {
            let shown =
                |row: usize| if sense == 1 && foreign(row) { class((row + 21) % n) } else { class(row) };
            let mut said = Matrix::zeros(n, K);
            for row in 0..n {
                let mut seen = [0.0; K];
                seen.iter_mut().for_each(|value| *value = random::normal(&mut rng));
                seen[shown(row)] += apart;
                let logits: Vec<f64> = seen.iter().map(|value| 0.5 * apart * value).collect();
                said.row_mut(row).copy_from_slice(&log_softmax(&logits));
            }
            HeardSense { log_probs: said, present: vec![true; n] }
        };
        let senses: Vec<HeardSense> = (0..3).map(of).collect();
        let label = |row: usize| (class(row) + usize::from(row % 20 == 7)) % K;
        let labels: Vec<u32> = (0..n).map(|row| label(row) as u32).collect();
        let groups: Vec<u32> = (0..n as u32).collect();
        let heard = Heard { labels: &labels, n_classes: K, groups: &groups, senses: &senses };
        (pairing(&heard).unwrap(), (0..n).map(foreign).collect())
    }

    #[test]
    fn foreign_senses_are_found_beside_as_many_wrong_labels_where_senses_know_enough() {
        let (mut caught, mut flagged) = (0, 0);
        for seed in 0..4 {
            let (found, foreign) = planted(200, 5.0, seed);
            flagged += found.flagged.len();
            let is_it = |row: &&usize| foreign[**row] && found.suspects[**row] == Some(1);
            caught += found.flagged.iter().filter(is_it).count();
        }
        assert!(caught >= 28 && flagged - caught <= 4, "{caught} of 40, {flagged} flagged");
        // Senses that know little accuse hardly anybody.
        let flagged: usize = (0..4).map(|seed| planted(200, 1.2, seed).0.flagged.len()).sum();
        assert!(flagged <= 8, "{flagged} of 800");
    }

    #[test]
    fn lists_that_differ_are_refused() {
        let (labels, groups, senses) = heard(&honest(8, &[0.9, 0.9], 0), &[0.9, 0.9]);
        let bad = |labels: &[u32], groups: &[u32], senses: &[HeardSense]| {
            pairing(&Heard { labels, n_classes: K, groups, senses }).unwrap_err().to_string()
        };
        assert!(bad(&labels[1..], &groups[1..], &senses).contains("rows"));
        assert!(bad(&labels, &groups[1..], &senses).contains("groups"));
        assert!(bad(&[9; 8], &groups, &senses).contains('9'));
        let mut short = senses.clone();
        short[0].present.pop();
        assert!(bad(&labels, &groups, &short).contains("rows of a sense"));
        assert!(pairing(&Heard { labels: &[], n_classes: 2, groups: &[], senses: &[] }).is_err());
    }
}
