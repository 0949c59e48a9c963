//! How an attribute differs between two sides, and how probable that is by chance.

use linalg::{Seed, random};
use statrs::function::erf::erfc;

use crate::significance::permutation_p;

/// Random exchanges of the sides by which categories are judged.
const EXCHANGES: usize = 9999;

/// How an attribute differs between the two sides of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Contrast {
    /// Of a number.
    Numbers {
        /// Cliff's delta, in [-1, 1]: how much more often the larger value is on the second side than on the first.
        delta: f64,
        /// The medians of the two sides.
        medians: (f64, f64),
    },
    /// Of a category.
    Names {
        /// Cramer's V, in [0, 1]: 1 when the category says the side.
        v: f64,
        /// Each name with how often it is on the first and on the second side, the most telling first.
        counts: Vec<(String, usize, usize)>,
    },
}

impl Contrast {
    /// Cliff's delta or Cramer's V.
    pub fn size(&self) -> f64 {
        match self {
            Self::Numbers { delta, .. } => *delta,
            Self::Names { v, .. } => *v,
        }
    }
}

/// Compares numbers; the p-value is that of the test of Mann and Whitney, by its normal limit with the correction for ties and
/// for continuity. `None` when a side has no values.
pub(super) fn of_numbers(a: &[f64], b: &[f64]) -> Option<(Contrast, f64)> {
    let (n_a, n_b) = (a.len() as f64, b.len() as f64);
    let mut all: Vec<(f64, bool)> =
        a.iter().map(|x| (*x, false)).chain(b.iter().map(|x| (*x, true))).collect();
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    // Twice the number of pairs in which the second side is larger, ties counting one half.
    let (mut twice_larger, mut below_a, mut ties) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|x, y| x.0 == y.0) {
        let (in_b, size) = (equal.iter().filter(|x| x.1).count() as f64, equal.len() as f64);
        twice_larger += in_b * (2.0 * below_a + (size - in_b));
        below_a += size - in_b;
        ties += size * size * size - size;
    }
    let (n, pairs) = (n_a + n_b, n_a * n_b);
    if pairs == 0.0 {
        return None;
    }
    let variance = pairs / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)).max(1.0));
    let off = ((twice_larger - pairs).abs() / 2.0 - 0.5).max(0.0);
    let p_value = if variance > 0.0 { erfc(off / variance.sqrt() / std::f64::consts::SQRT_2) } else { 1.0 };
    let contrast = Contrast::Numbers { delta: twice_larger / pairs - 1.0, medians: (median(a), median(b)) };
    Some((contrast, p_value))
}

/// The middle value; the mean of the two in the middle of an even number. `values` is not empty.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// Compares categories; the p-value is that of chi-square among random exchanges of the sides, which is right for any number
/// of names and for rare ones. `None` when a side has no values.
pub(super) fn of_names(a: &[&str], b: &[&str], seed: Seed) -> Option<(Contrast, f64)> {
    let (contrast, seen) = size_of_names(a, b)?;
    let mut names: Vec<&str> = a.iter().chain(b).copied().collect();
    let mut rng = seed.rng();
    let distinct = distinct(a, b);
    let mut places: Vec<usize> =
        names.drain(..).map(|name| distinct.binary_search(&name).unwrap_or_default()).collect();
    let as_much = (0..EXCHANGES).filter(|_| {
        random::shuffle(&mut places, &mut rng);
        let mut counts = vec![(0, 0); distinct.len()];
        places[..a.len()].iter().for_each(|place| counts[*place].0 += 1);
        places[a.len()..].iter().for_each(|place| counts[*place].1 += 1);
        chi_square(&counts) >= seen - 1e-9
    });
    Some((contrast, permutation_p(as_much.count(), EXCHANGES)))
}

/// The contrast of categories, with chi-square.
pub(super) fn size_of_names(a: &[&str], b: &[&str]) -> Option<(Contrast, f64)> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let distinct = distinct(a, b);
    let count = |side: &[&str], name: &str| side.iter().filter(|other| **other == name).count();
    let pairs: Vec<(usize, usize)> = distinct.iter().map(|name| (count(a, name), count(b, name))).collect();
    let seen = chi_square(&pairs);
    let v = (seen / (a.len() + b.len()) as f64).sqrt().min(1.0);
    let mut counts: Vec<(String, usize, usize)> =
        distinct.iter().zip(pairs).map(|(name, (a, b))| ((*name).to_owned(), a, b)).collect();
    let telling = |in_a: usize, in_b: usize| (in_a * b.len()).abs_diff(in_b * a.len());
    counts.sort_by(|x, y| telling(y.1, y.2).cmp(&telling(x.1, x.2)).then_with(|| x.0.cmp(&y.0)));
    Some((Contrast::Names { v, counts }, seen))
}

fn distinct<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<&'a str> {
    let mut names: Vec<&str> = a.iter().chain(b).copied().collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn chi_square(counts: &[(usize, usize)]) -> f64 {
    let (a, b) = counts.iter().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let n = (a + b) as f64;
    let cell = |seen: usize, row: usize, side: usize| {
        let expected = row as f64 * side as f64 / n;
        (seen as f64 - expected).powi(2) / expected
    };
    counts.iter().map(|(in_a, in_b)| cell(*in_a, in_a + in_b, a) + cell(*in_b, in_a + in_b, b)).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Both sides compute in double precision; SciPy's tail of the normal distribution has its own approximation.
    const TOLERANCE: f64 = 1e-9;

    /// Ours is drawn, from the finitely many tables there are; SciPy's is the limit for large samples.
    const DISCRETE: f64 = 0.05;

    fn reference(part: &str) -> Vec<Value> {
        let all: Value = serde_json::from_str(include_str!("../../tests/reference/contrast.json")).unwrap();
        all[part].as_array().unwrap().clone()
    }

    fn values(case: &Value, key: &str) -> Vec<f64> {
        case[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    }

    #[test]
    fn numbers_agree_with_scipy() {
        for (place, case) in reference("numbers").iter().enumerate() {
            let (contrast, p) = of_numbers(&values(case, "a"), &values(case, "b")).unwrap();
            let (delta, expected) = (case["delta"].as_f64().unwrap(), case["p"].as_f64().unwrap());
            assert!((contrast.size() - delta).abs() < TOLERANCE, "case {place}: {contrast:?}");
            assert!((p - expected).abs() < TOLERANCE, "case {place}: {p} {expected}");
        }
    }

    #[test]
    fn names_agree_with_scipy() {
        let named = |values: Vec<f64>| {
            values.into_iter().map(|name| ["x", "y", "z"][name as usize]).collect::<Vec<_>>()
        };
        for (place, case) in reference("names").iter().enumerate() {
            let (a, b) = (named(values(case, "a")), named(values(case, "b")));
            let (contrast, p) = of_names(&a, &b, Seed(3)).unwrap();
            let (v, expected) = (case["v"].as_f64().unwrap(), case["p"].as_f64().unwrap());
            assert!((contrast.size() - v).abs() < TOLERANCE, "case {place}: {contrast:?}");
            assert!((p - expected).abs() < DISCRETE, "case {place}: {p} {expected}");
        }
    }

    #[test]
    fn empty_and_equal_sides_are_defined() {
        assert_eq!(of_numbers(&[], &[1.0]), None);
        assert_eq!(of_names(&["x"], &[], Seed(1)), None);
        let (contrast, p) = of_numbers(&[2.0, 2.0], &[2.0]).unwrap();
        assert_eq!((contrast, p), (Contrast::Numbers { delta: 0.0, medians: (2.0, 2.0) }, 1.0));
        let (contrast, p) = of_names(&["x", "x"], &["x"], Seed(1)).unwrap();
        assert_eq!((contrast.size(), p), (0.0, 1.0));
        assert_eq!(of_numbers(&[1.0], &[2.0]).unwrap().0.size(), 1.0);
    }
}
