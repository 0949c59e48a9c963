//! Foreign senses, wrong labels and honest errors on made senses.

use linalg::{Seed, random};

use super::*;

const K: usize = 4;

/// Senses that name the class with this certainty: the label of each example, and what each sense shows.
fn heard(shown: &[(u32, Vec<Option<u32>>)], sure: &[f64]) -> (Vec<u32>, Vec<HeardSense>) {
    let says = |sense: usize, row: usize| -> Vec<f64> {
        let Some(class) = shown[row].1[sense] else { return vec![f64::NAN; K] };
        let rest = (1.0 - sure[sense]) / (K - 1) as f64;
        (0..K).map(|other| if other == class as usize { sure[sense] } else { rest }).collect()
    };
    let senses = (0..sure.len()).map(|sense| HeardSense {
        probs: Matrix::from_rows(&(0..shown.len()).map(|row| says(sense, row)).collect::<Vec<_>>()),
        present: shown.iter().map(|(_, senses)| senses[sense].is_some()).collect(),
    });
    (shown.iter().map(|(label, _)| *label).collect(), senses.collect())
}

#[track_caller]
fn found(shown: &[(u32, Vec<Option<u32>>)], sure: &[f64]) -> Pairing {
    let (labels, senses) = heard(shown, sure);
    pairing(&Heard { labels: &labels, n_classes: K, senses: &senses }).unwrap()
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

/// What three heads say of points around the place of each class, who keep a little open for every class, as heads do that learned of faults. The
/// first `foreign` examples have the first sense of another class, the next `wrong` another label.
fn learned(n: usize, foreign: usize, wrong: usize, seed: u64) -> (Vec<u32>, Vec<HeardSense>) {
    const APART: f64 = 3.0;
    const FAULTS: f64 = 0.03;
    let mut rng = Seed(seed).rng();
    let mut labels: Vec<u32> = (0..n).map(|_| random::below(&mut rng, K) as u32).collect();
    let mut says = |shown: u32| -> Vec<f64> {
        let at = |class: usize| if class == shown as usize { APART } else { 0.0 };
        let likely: Vec<f64> =
            (0..K).map(|class| (APART * (at(class) + random::normal(&mut rng))).exp()).collect();
        let sum: f64 = likely.iter().sum();
        likely.iter().map(|p| (1.0 - FAULTS) * p / sum + FAULTS / K as f64).collect()
    };
    let senses = (0..3).map(|sense| {
        let other = |row: usize| u32::from(sense == 0 && row < foreign) * (1 + row % (K - 1)) as u32;
        let rows: Vec<Vec<f64>> = (0..n).map(|row| says((labels[row] + other(row)) % K as u32)).collect();
        HeardSense { probs: Matrix::from_rows(&rows), present: vec![true; n] }
    });
    let senses = senses.collect();
    labels[foreign..foreign + wrong].iter_mut().for_each(|label| *label = (*label + 1) % K as u32);
    (labels, senses)
}

#[test]
fn what_heads_learned_of_faults_does_not_hide_them() {
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..5 {
        let (labels, senses) = learned(400, 20, 20, seed);
        let found = pairing(&Heard { labels: &labels, n_classes: K, senses: &senses }).unwrap();
        let is_right = |row: &&usize| **row < 20 && found.suspects[**row] == Some(0);
        right += found.flagged.iter().filter(is_right).count();
        wrong += found.flagged.iter().filter(|row| !is_right(row)).count();
        let (labels, senses) = learned(400, 0, 0, seed);
        let none = pairing(&Heard { labels: &labels, n_classes: K, senses: &senses }).unwrap();
        assert!(none.flagged.len() <= 4, "seed {seed}: {:?}", none.flagged);
    }
    assert!(right >= 80, "{right} of 100");
    assert!(wrong <= 15, "{wrong}");
}

#[test]
fn lists_that_differ_are_refused() {
    let (labels, senses) = heard(&honest(8, &[0.9, 0.9], 0), &[0.9, 0.9]);
    let bad = |labels: &[u32], senses: &[HeardSense]| {
        pairing(&Heard { labels, n_classes: K, senses }).unwrap_err().to_string()
    };
    assert!(bad(&labels[1..], &senses).contains("rows"));
    assert!(bad(&[9; 8], &senses).contains('9'));
    let mut short = senses.clone();
    short[0].present.pop();
    assert!(bad(&labels, &short).contains("rows of a sense"));
    let none = pairing(&Heard { labels: &[], n_classes: 2, senses: &[] });
    assert!(none.is_err());
}

#[test]
fn of_one_class_no_label_and_no_sense_is_wrong() {
    let senses =
        [(); 2].map(|()| HeardSense { probs: Matrix::from_vec(6, 1, vec![1.0; 6]), present: vec![true; 6] });
    let found = pairing(&Heard { labels: &[0; 6], n_classes: 1, senses: &senses }).unwrap();
    assert!(found.flagged.is_empty());
    assert!(found.scores.iter().all(|score| score.is_some_and(|score| score > 0.5)), "{:?}", found.scores);
}
