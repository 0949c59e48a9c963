//! Telling kinds of defects apart from a few examples of each: discriminant analysis with a fixed, weak shrinkage.
//!
//! With ten examples of a kind and a thousand features leave-one-out cannot choose the shrinkage: its choice lost up to seven
//! points of accuracy against the fixed one. What it can do is say how sure the answers are, so scores leave as logits whose
//! scale leave-one-out has set (methods 6.1).

use linalg::decompose::row_space;
use linalg::logits::{fit_scale, log_softmax};
use linalg::{Matrix, MatrixView};

use crate::TuneError;
use crate::detect::patches::check_finite;
use crate::detect::stored::{self, Tensors, damaged, tensor};
use crate::gda::Gda;

/// Shrinkage as a share of the mean variance within kinds.
const SHRINKAGE: f64 = 0.3;
/// Added to standard deviations: a column that does not vary says nothing.
const LEAST_SPREAD: f64 = 1e-6;
/// Below this many examples the scale has a prior around 1.
const PRIOR_BELOW: usize = 100;

/// One logit for each kind: `weight x + bias`.
#[derive(Debug, Clone, PartialEq)]
pub struct KindLogits {
    /// `[k, d]`.
    pub weight: Matrix<f32>,
    /// `[k]`.
    pub bias: Vec<f32>,
}

/// Fits on `x`, `[n, d]`, with `labels`, `[n]`, each below `k` and each kind at least once.
///
/// The second result is the mean leave-one-out log-loss over the examples whose kind has another one; infinite when there are
/// none.
///
/// Errors: no rows or columns, a single kind, labels that do not fit, values that are not finite.
pub fn fit_kinds(x: MatrixView<'_>, labels: &[u32], k: usize) -> Result<(KindLogits, f64), TuneError> {
    check(x, labels, k)?;
    let (mean, spread) = moments(x);
    let scaled = x.iter_rows().flat_map(|row| {
        row.iter()
            .zip(mean.iter().zip(&spread))
            .map(|(value, (mean, spread))| (f64::from(*value) - mean) / spread)
    });
    let scaled = Matrix::from_vec(x.rows(), x.cols(), scaled.collect());
    let space = row_space(scaled.view());
    let dims = space.basis.rows();
    if dims == 0 {
        // All examples are the same: nothing tells them apart.
        let flat = KindLogits { weight: Matrix::zeros(k, x.cols()), bias: vec![0.0; k] };
        return Ok((flat, f64::INFINITY));
    }
    let gda = Gda::new(space.coordinates.view(), labels, k);
    let ridge = (SHRINKAGE * gda.trace() / dims as f64).max(1e-9);
    let (scale, loss) = held_out(&gda, ridge, labels);
    let linear = gda.linear(ridge);
    let mut weight = linalg::matmul(linear.weight.view(), space.basis.view());
    let mut bias = linear.bias;
    for (class, bias) in bias.iter_mut().enumerate() {
        let row = weight.row_mut(class);
        row.iter_mut().zip(&spread).for_each(|(value, spread)| *value *= scale / spread);
        let shift: f64 = row.iter().zip(&mean).map(|(value, mean)| value * mean).sum();
        *bias = *bias * scale - shift;
    }
    let bias = bias.into_iter().map(|value| value as f32).collect();
    Ok((KindLogits { weight: weight.map(|value| value as f32), bias }, loss))
}

impl KindLogits {
    /// The logits of an example, `[d]`, summed in double precision.
    ///
    /// Errors: another number of columns, values that are not finite.
    pub fn logits(&self, x: &[f32]) -> Result<Vec<f64>, TuneError> {
        crate::detect::patches::check_asked(MatrixView::new(1, x.len(), x), self.weight.cols())?;
        let classes = self.weight.iter_rows().zip(&self.bias);
        Ok(classes.map(|(weight, bias)| linalg::dot(weight, x) + f64::from(*bias)).collect())
    }

    /// Tensors, for storing.
    pub fn to_tensors(&self) -> Tensors {
        Tensors::from([
            ("weight".to_owned(), tensor(&self.weight)),
            ("bias".to_owned(), (vec![self.bias.len()], self.bias.clone())),
        ])
    }

    /// The reverse of [`KindLogits::to_tensors`] for `k` kinds; everything that came from a file is checked.
    pub fn from_tensors(tensors: &Tensors, k: usize) -> Result<Self, TuneError> {
        let weight = stored::matrix(tensors, "weight")?;
        if weight.rows() != k || weight.cols() == 0 {
            return Err(damaged("it tells another number of kinds apart"));
        }
        Ok(Self { weight, bias: stored::vector(tensors, "bias", k)? })
    }
}

fn check(x: MatrixView<'_>, labels: &[u32], k: usize) -> Result<(), TuneError> {
    if x.rows() == 0 || x.cols() == 0 {
        return Err(TuneError::Empty);
    }
    if labels.len() != x.rows() {
        return Err(TuneError::Rows {
            what: "the features".to_owned(),
            got: x.rows(),
            expected: labels.len(),
        });
    }
    if let Some(row) = labels.iter().position(|label| *label as usize >= k) {
        return Err(TuneError::ClassIndex { row, class: labels[row], n_classes: k });
    }
    if k < 2 || (0..k as u32).any(|class| !labels.contains(&class)) {
        return Err(TuneError::OneKind { missing: "examples of some kind of defect" });
    }
    check_finite(x)
}

/// Mean and standard deviation of each column.
fn moments(x: MatrixView<'_>) -> (Vec<f64>, Vec<f64>) {
    let n = x.rows() as f64;
    let (mut mean, mut square) = (vec![0.0_f64; x.cols()], vec![0.0_f64; x.cols()]);
    for row in x.iter_rows() {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / n);
    }
    for row in x.iter_rows() {
        for ((square, mean), value) in square.iter_mut().zip(&mean).zip(row) {
            *square += (f64::from(*value) - mean).powi(2) / n;
        }
    }
    (mean, square.into_iter().map(|square| square.sqrt() + LEAST_SPREAD).collect())
}

/// The scale that makes leave-one-out scores logits, and their mean log-loss with it.
fn held_out(gda: &Gda, ridge: f64, labels: &[u32]) -> (f64, f64) {
    let scores = gda.leave_one_out(ridge).into_iter().zip(labels);
    let (rows, labels): (Vec<Vec<f64>>, Vec<u32>) =
        scores.filter_map(|(scores, label)| Some((scores?, *label))).unzip();
    if rows.is_empty() {
        return (1.0, f64::INFINITY);
    }
    let scale = fit_scale(Matrix::from_rows(&rows).view(), &labels, rows.len() < PRIOR_BELOW);
    let loss = |(row, label): (&Vec<f64>, &u32)| {
        -log_softmax(&row.iter().map(|score| scale * score).collect::<Vec<_>>())[*label as usize]
    };
    (scale, rows.iter().zip(&labels).map(loss).sum::<f64>() / rows.len() as f64)
}

#[cfg(test)]
mod tests {
    use linalg::logits::softmax;
    use linalg::{Seed, random};

    use super::*;

    /// Kinds a distance apart along an axis each, `[n, 12]`.
    fn kinds(n: usize, k: usize, apart: f64, seed: u64) -> (Matrix<f32>, Vec<u32>) {
        let mut rng = Seed(seed).rng();
        let labels: Vec<u32> = (0..n).map(|row| (row % k) as u32).collect();
        let value = |at: usize, noise: f64| {
            let own = at % 12 == labels[at / 12] as usize;
            (noise + if own { apart } else { 0.0 }) as f32
        };
        let x = (0..n * 12).map(|at| value(at, random::normal(&mut rng))).collect();
        (Matrix::from_vec(n, 12, x), labels)
    }

    fn right(head: &KindLogits, x: &Matrix<f32>, labels: &[u32]) -> f64 {
        let is_right = |(row, label): (&[f32], &u32)| {
            let logits = head.logits(row).unwrap();
            (0..logits.len()).all(|class| logits[class] <= logits[*label as usize])
        };
        x.iter_rows().zip(labels).filter(|(row, label)| is_right((row, label))).count() as f64
            / labels.len() as f64
    }

    #[test]
    fn distinct_kinds_are_told_apart_and_equal_ones_are_not() {
        let ((x, labels), (fresh, given)) = (kinds(30, 3, 5.0, 1), kinds(300, 3, 5.0, 2));
        let (head, loss) = fit_kinds(x.view(), &labels, 3).unwrap();
        assert!(right(&head, &fresh, &given) > 0.9 && loss < 0.5, "{loss}");
        let ((x, labels), (fresh, given)) = (kinds(30, 3, 0.0, 1), kinds(300, 3, 0.0, 2));
        let (head, loss) = fit_kinds(x.view(), &labels, 3).unwrap();
        assert!((0.2..0.5).contains(&right(&head, &fresh, &given)) && loss > 0.8, "{loss}");
    }

    #[test]
    fn what_is_sure_is_right_about_as_often() {
        let ((x, labels), (fresh, given)) = (kinds(60, 3, 2.0, 3), kinds(900, 3, 2.0, 4));
        let (head, _) = fit_kinds(x.view(), &labels, 3).unwrap();
        let sure = |row: &[f32]| softmax(&head.logits(row).unwrap()).into_iter().fold(0.0, f64::max);
        let mean = fresh.iter_rows().map(sure).sum::<f64>() / given.len() as f64;
        let right = right(&head, &fresh, &given);
        assert!((mean - right).abs() < 0.08, "{mean} {right}");
    }

    #[test]
    fn little_or_equal_data_is_defined() {
        let (x, _) = kinds(4, 2, 1.0, 1);
        let (_, loss) = fit_kinds(x.select_rows(&[0, 1]).view(), &[0, 1], 2).unwrap();
        assert_eq!(loss, f64::INFINITY);
        let equal = Matrix::from_vec(4, 3, vec![1.0; 12]);
        let (head, _) = fit_kinds(equal.view(), &[0, 0, 1, 1], 2).unwrap();
        assert_eq!(head.logits(&[1.0; 3]).unwrap(), [0.0, 0.0]);
        for (labels, k) in [(&[0, 0, 0, 0][..], 1), (&[0, 0, 0, 0], 2), (&[0, 1, 2, 0], 2), (&[0, 1], 2)] {
            assert!(fit_kinds(x.view(), labels, k).is_err(), "{labels:?}");
        }
        let mut broken = x.clone();
        broken.row_mut(2)[1] = f32::NAN;
        assert!(fit_kinds(broken.view(), &[0, 0, 1, 1], 2).is_err());
        assert!(head.logits(&[1.0; 2]).is_err());
    }

    #[test]
    fn storing_changes_nothing() {
        let (x, labels) = kinds(30, 3, 2.0, 5);
        let (head, _) = fit_kinds(x.view(), &labels, 3).unwrap();
        assert_eq!(KindLogits::from_tensors(&head.to_tensors(), 3).unwrap(), head);
        assert!(KindLogits::from_tensors(&head.to_tensors(), 2).is_err());
        assert!(KindLogits::from_tensors(&Tensors::new(), 3).is_err());
    }
}
