//! What each labelled example is worth to those that look like it: exact Shapley values of a nearest-neighbour vote (Jia et al.
//! 2019, arXiv 1908.08619, theorem 1; methods 4.7).
//!
//! The worth of a set of examples, for one target, is the share of the target's ten nearest among them that have its label; an
//! example's value is what it adds to that on average over all orders in which the set could have been collected, and over all
//! targets. Values rank examples; their size means little.

use std::collections::BTreeMap;

use linalg::{MatrixView, Neighbours, dot, matmul_nt};
use rayon::prelude::*;

use crate::CurateError;
use crate::faults::{Checked, Evidence, Fault};
use crate::nearest::{check_finite, unit_rows};

/// Neighbours that vote.
const VOTERS: usize = 10;
/// Targets whose distances are held at a time.
const BLOCK: usize = 64;
/// Standard errors by which a value must be below zero for its example to be flagged: on made sets with a tenth of the labels wrong
/// that flags seven to ten of ten of these, and hardly any other where classes stand apart.
const SURE: f64 = 1.0;

/// The values of all examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapley {
    /// `[n]`; `None` for targets and for rows without a label.
    pub values: Vec<Option<Worth>>,
    /// Examples that have a value.
    pub n_valued: usize,
    /// The largest error of a value: 0 where computed exactly.
    pub error_bound: f64,
}

/// The value of one example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// Mean over the targets, in [-1, 1]; below zero it misleads.
    pub value: f64,
    /// Standard error of that mean.
    pub standard_error: f64,
}

/// Values against targets. `x` is `[n, d]`, `labels` `[n]`; `targets` are rows with a label, such as those of the validation part,
/// and have no value themselves. Costs `O(n log n)` a target. Distances are those of [`crate::nearest`]; of equally far rows
/// the first counts as nearer.
///
/// # Errors
/// When a feature is not finite, the parts differ in length, or a target has no label.
pub fn knn_shapley(
    x: MatrixView<'_>,
    labels: &[Option<u32>],
    targets: &[usize],
) -> Result<Shapley, CurateError> {
    let mut is_target = vec![false; labels.len()];
    for row in targets {
        if labels.get(*row).copied().flatten().is_none() {
            return Err(CurateError::Empty { what: "labels of the targets" });
        }
        is_target[*row] = true;
    }
    let valued: Vec<usize> =
        (0..labels.len()).filter(|row| labels[*row].is_some() && !is_target[*row]).collect();
    exact(x, labels, targets, &valued)
}

/// Values where every labelled example is in turn the target of all others. Costs `O(n^2 log n)`.
///
/// # Errors
/// As [`knn_shapley`].
pub fn knn_shapley_leave_one_out(x: MatrixView<'_>, labels: &[Option<u32>]) -> Result<Shapley, CurateError> {
    let labelled: Vec<usize> = (0..labels.len()).filter(|row| labels[*row].is_some()).collect();
    exact(x, labels, &labelled, &labelled)
}

/// As [`knn_shapley_leave_one_out`], from the nearest neighbours alone: fast, and nearly as good to rank by.
///
/// Of the examples farther from a target than its neighbours, as many are taken to match as there are of its class, and they count
/// as worth nothing to it. With `k` labelled neighbours that makes an error of at most `1 / max(k, 10)` a target.
///
/// # Panics
/// When there are not as many labels as rows with neighbours.
pub fn knn_shapley_truncated(near: &Neighbours, labels: &[Option<u32>]) -> Shapley {
    assert_eq!(near.indices.len(), labels.len() * near.k, "every row has neighbours and a label, or none");
    let valued: Vec<usize> = (0..labels.len()).filter(|row| labels[*row].is_some()).collect();
    let n = valued.len().saturating_sub(1);
    let mut counts: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    valued.iter().for_each(|row| *counts.entry(labels[*row]).or_default() += 1);
    let mut sums = Sums::new(labels.len());
    let mut error_bound = 0.0_f64;
    for target in &valued {
        let order: Vec<usize> =
            near.of(*target).map(|(row, _)| row).filter(|row| labels[*row].is_some()).collect();
        let matches: Vec<bool> = order.iter().map(|row| labels[*row] == labels[*target]).collect();
        if order.len() < n {
            error_bound = error_bound.max(1.0 / order.len().max(VOTERS) as f64);
        }
        let near_ones = matches.iter().filter(|matches| **matches).count();
        let far_share = (counts[&labels[*target]] - 1 - near_ones) as f64 / (n - order.len()).max(1) as f64;
        for (row, value) in order.iter().zip(of_target(&matches, n, far_share)) {
            sums.add(*row, value);
        }
    }
    sums.finish(&valued, n, error_bound)
}

/// Flags examples whose value is surely below zero. The score is the logistic function of the value times the number of
/// valued examples: one half for a value of zero.
pub fn low_value(found: &Shapley) -> Checked {
    let n = found.n_valued as f64;
    let score = |worth: &Option<Worth>| worth.map(|worth| 1.0 / (1.0 + (-worth.value * n).exp()));
    let misleads = |worth: Worth| worth.value + SURE * worth.standard_error < 0.0;
    let mut low: Vec<(f64, usize)> = (0..found.values.len())
        .filter_map(|row| found.values[row].filter(|worth| misleads(*worth)).map(|worth| (worth.value, row)))
        .collect();
    low.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let flagged = low.into_iter().map(|(_, row)| row).collect();
    Checked::new(Fault::LowValue, found.values.iter().map(score).collect(), flagged).because(|row| {
        let (value, error) =
            found.values[row].map_or((0.0, 0.0), |worth| (worth.value, worth.standard_error));
        Evidence::Limit { value: value * n, limit: -SURE * error * n }
    })
}

/// The values for one target of the examples nearest to it, nearest first, of `n` in all, when of those farther a share
/// `far_share` has the label of the target.
///
/// With `m(i)` whether the i-th matches, `s(i) = s(i + 1) + (m(i) - m(i + 1)) / max(i, K)`. Unrolled from the k-th on,
/// `s(k) = m(k) / max(k, K)` minus what the farther ones add: `m(j) / (j (j - 1))` each for j above `max(k, K)`.
fn of_target(matches: &[bool], n: usize, far_share: f64) -> Vec<f64> {
    let one = |place: usize| f64::from(u8::from(matches[place]));
    let over = |rank: usize| 1.0 / rank.max(VOTERS) as f64;
    let mut values = vec![0.0; matches.len()];
    for place in (0..matches.len()).rev() {
        values[place] = match values.get(place + 1) {
            Some(next) => next + (one(place) - one(place + 1)) * over(place + 1),
            None => one(place) * over(matches.len()) - far_share * (over(matches.len()) - over(n)),
        };
    }
    values
}

fn exact(
    x: MatrixView<'_>,
    labels: &[Option<u32>],
    targets: &[usize],
    valued: &[usize],
) -> Result<Shapley, CurateError> {
    if x.rows() != labels.len() {
        return Err(CurateError::Shape { what: "labels", got: labels.len(), expected: x.rows() });
    }
    check_finite(x)?;
    let unit = unit_rows(x);
    let bank = unit.select_rows(valued);
    let squares: Vec<f32> = bank.iter_rows().map(|row| dot(row, row) as f32).collect();
    let mut sums = Sums::new(labels.len());
    for block in targets.chunks(BLOCK) {
        let products = matmul_nt(unit.select_rows(block).view(), bank.view());
        let values: Vec<Vec<f64>> = block
            .par_iter()
            .enumerate()
            .map(|(place, target)| {
                let keys =
                    products.row(place).iter().zip(&squares).map(|(product, square)| square - 2.0 * product);
                one_target(keys, labels, *target, valued)
            })
            .collect();
        for values in values {
            valued.iter().zip(values).for_each(|(row, value)| sums.add(*row, value));
        }
    }
    // Leaving one out, an example is never its own target.
    let own = usize::from(targets.first().is_some_and(|target| valued.binary_search(target).is_ok()));
    Ok(sums.finish(valued, targets.len() - own, 0.0))
}

/// The values of all examples for one target, in the order of `valued`; zero for the target itself.
fn one_target(
    keys: impl Iterator<Item = f32>,
    labels: &[Option<u32>],
    target: usize,
    valued: &[usize],
) -> Vec<f64> {
    // Distance above, place below: whole numbers sort faster than pairs, and ties go to the smaller place.
    let mut order: Vec<u64> = keys
        .enumerate()
        .filter(|(place, _)| valued[*place] != target)
        .map(|(place, key)| (u64::from(ascending(key)) << 32) | place as u64)
        .collect();
    order.sort_unstable();
    let place = |packed: &u64| (packed & u64::from(u32::MAX)) as usize;
    let matches: Vec<bool> =
        order.iter().map(|packed| labels[valued[place(packed)]] == labels[target]).collect();
    let mut values = vec![0.0; valued.len()];
    for (packed, value) in order.iter().zip(of_target(&matches, order.len(), 0.0)) {
        values[place(packed)] = value;
    }
    values
}

/// Whole numbers that order as the numbers do.
fn ascending(key: f32) -> u32 {
    let bits = key.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | (1 << 31) }
}

/// Sums over targets.
struct Sums {
    of_values: Vec<f64>,
    of_squares: Vec<f64>,
}

impl Sums {
    fn new(n: usize) -> Self {
        Self { of_values: vec![0.0; n], of_squares: vec![0.0; n] }
    }

    fn add(&mut self, row: usize, value: f64) {
        self.of_values[row] += value;
        self.of_squares[row] += value * value;
    }

    /// Means over `n_targets`; no values without a target.
    fn finish(self, valued: &[usize], n_targets: usize, error_bound: f64) -> Shapley {
        let mut values = vec![None; self.of_values.len()];
        for row in valued.iter().filter(|_| n_targets > 0) {
            let n = n_targets as f64;
            let value = self.of_values[*row] / n;
            let variance = (self.of_squares[*row] / n - value * value).max(0.0);
            values[*row] = Some(Worth { value, standard_error: (variance / n).sqrt() });
        }
        Shapley { values, n_valued: valued.len(), error_bound }
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Matrix, Seed, random};

    use super::*;
    use crate::nearest;

    /// Two blobs, with the labels of `wrong` rows turned around.
    fn made(n: usize, wrong: &[usize]) -> (Matrix, Vec<Option<u32>>) {
        let mut rng = Seed(9).rng();
        let mut x = Matrix::zeros(n, 5);
        for row in 0..n {
            x.row_mut(row).iter_mut().for_each(|value| *value = random::normal(&mut rng) as f32);
            x.row_mut(row)[row % 2] += 5.0;
        }
        let labels = (0..n).map(|row| Some((row as u32 + u32::from(wrong.contains(&row))) % 2)).collect();
        (x, labels)
    }

    /// The definition: what a row adds to the worth of every set of the others, weighed by how often that set comes before it.
    fn brute_force(order: &[usize], labels: &[Option<u32>], target: usize) -> Vec<f64> {
        let n = order.len();
        let worth = |set: usize| {
            let nearest = (0..n).filter(|place| set >> place & 1 == 1).take(VOTERS);
            nearest.filter(|place| labels[order[*place]] == labels[target]).count() as f64 / VOTERS as f64
        };
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        let of = |place: usize| -> f64 {
            (0..1_usize << n)
                .filter(|set| set >> place & 1 == 0)
                .map(|set| {
                    let size = set.count_ones() as usize;
                    let share = factorial(size) * factorial(n - size - 1) / factorial(n);
                    share * (worth(set | 1 << place) - worth(set))
                })
                .sum()
        };
        (0..n).map(of).collect()
    }

    #[test]
    fn values_are_those_of_the_definition() {
        // Fewer rows than voters, as many, and more.
        for n in [4, 11, 14] {
            let (x, labels) = made(n, &[1, 3]);
            let near = nearest(x.view()).unwrap();
            let mut expected = vec![0.0; n];
            for target in 0..n {
                let order: Vec<usize> = near.of(target).map(|(row, _)| row).collect();
                for (row, value) in order.iter().zip(brute_force(&order, &labels, target)) {
                    expected[*row] += value / (n - 1) as f64;
                }
            }
            for found in
                [knn_shapley_leave_one_out(x.view(), &labels).unwrap(), knn_shapley_truncated(&near, &labels)]
            {
                assert_eq!(found.error_bound, 0.0);
                for (row, expected) in expected.iter().enumerate() {
                    let value = found.values[row].unwrap().value;
                    assert!((value - expected).abs() < 1e-12, "{n} {row}: {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn wrong_labels_have_low_values() {
        let wrong: Vec<usize> = (0..20).map(|place| place * 10 + 3 + place % 2).collect();
        let (x, labels) = made(200, &wrong);
        let exact = knn_shapley_leave_one_out(x.view(), &labels).unwrap();
        let near = nearest(x.view()).unwrap();
        for found in [&exact, &knn_shapley_truncated(&near, &labels)] {
            let value = |row: &usize| found.values[*row].unwrap().value;
            let mut order: Vec<usize> = (0..200).collect();
            order.sort_by(|a, b| value(a).total_cmp(&value(b)));
            let first = order[..20].iter().filter(|row| wrong.contains(row)).count();
            assert!(first >= 19, "{first} of 20");
            let checked = low_value(found);
            let right = checked.flagged.iter().filter(|row| wrong.contains(row)).count();
            assert!(right >= 13 && checked.flagged.len() - right <= 1, "{right} of {:?}", checked.flagged);
            assert!(checked.flagged.iter().all(|row| checked.scores[*row].unwrap() < 0.5));
        }
    }

    #[test]
    fn the_truncated_form_errs_less_than_it_says() {
        let (x, labels) = made(120, &[5, 50, 77]);
        let exact = knn_shapley_leave_one_out(x.view(), &labels).unwrap();
        let truncated = knn_shapley_truncated(&nearest(x.view()).unwrap(), &labels);
        assert_eq!(truncated.error_bound, 1.0 / 20.0);
        for (exact, truncated) in exact.values.iter().zip(&truncated.values) {
            assert!((exact.unwrap().value - truncated.unwrap().value).abs() <= 1.0 / 20.0);
        }
    }

    #[test]
    fn targets_have_no_value_and_values_sum_to_what_the_vote_is_worth() {
        let (x, mut labels) = made(80, &[7]);
        labels[31] = None;
        let targets: Vec<usize> = (10..30).collect();
        let found = knn_shapley(x.view(), &labels, &targets).unwrap();
        assert!((10..30).chain([31]).all(|row| found.values[row].is_none()) && found.n_valued == 59);
        // Every example comes in, so the values sum to the share of right votes: here all are right.
        let sum: f64 = found.values.iter().flatten().map(|worth| worth.value).sum();
        assert!((sum - 1.0).abs() < 0.07, "{sum}");
        assert!(found.values[7].unwrap().value < 0.0);
    }

    #[test]
    fn bad_input_is_refused_and_few_rows_are_defined() {
        let (x, labels) = made(3, &[]);
        assert!(knn_shapley(x.view(), &labels, &[9]).is_err());
        assert!(knn_shapley(x.view(), &labels[..2], &[0]).is_err());
        let one = knn_shapley_leave_one_out(Matrix::zeros(1, 4).view(), &[Some(0)]).unwrap();
        assert_eq!((one.values, one.n_valued), (vec![None], 1));
        let bad = Matrix::from_vec(1, 1, vec![f32::NAN]);
        assert_eq!(knn_shapley_leave_one_out(bad.view(), &[Some(0)]), Err(CurateError::NotFinite { row: 0 }));
    }
}
