//! Targets, and how far outputs are from them.

use linalg::Matrix;
use linalg::logits::{log_sum_exp, softplus};
use rayon::prelude::*;

use crate::Targets;
use crate::loss::Loss;

/// Rows that one task sums; part of the definition of the rounding.
const BLOCK: usize = 256;

/// The targets of all rows in the form that training and validation share.
#[derive(Debug, Clone)]
pub(crate) enum Truth {
    /// The class of each row, below the number of classes.
    Classes { labels: Vec<u32>, n_classes: usize },
    /// 0 or 1 for each row and label, `[n, k]`.
    Sets(Matrix<f32>),
    /// Numbers with mean 0 and variance 1, `[n, 1]`.
    Numbers(Matrix<f32>),
}

impl Truth {
    /// Takes the targets as they are; numbers are standardised with [`spread`].
    pub(crate) fn new(targets: Targets<'_>) -> Self {
        match targets {
            Targets::Single { labels, n_classes } => Self::Classes { labels: labels.to_vec(), n_classes },
            Targets::Multi { labels, n_classes } => {
                let mut sets = Matrix::zeros(labels.len(), n_classes);
                for (row, labels) in labels.iter().enumerate() {
                    labels.iter().for_each(|label| sets.row_mut(row)[*label as usize] = 1.0);
                }
                Self::Sets(sets)
            }
            Targets::Numbers(numbers) => {
                let (mean, deviation) = spread(numbers);
                let numbers = numbers.iter().map(|number| ((number - mean) / deviation) as f32).collect::<Vec<_>>();
                Self::Numbers(Matrix::from_vec(numbers.len(), 1, numbers))
            }
        }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Sets(y) | Self::Numbers(y) => y.rows(),
        }
    }

    /// Number of outputs.
    pub(crate) fn n_outputs(&self) -> usize {
        match self {
            Self::Classes { n_classes, .. } => *n_classes,
            Self::Sets(y) | Self::Numbers(y) => y.cols(),
        }
    }

    /// The classes by which a basis is built: those of the task, or one for all.
    pub(crate) fn classes(&self) -> (Vec<u32>, usize) {
        match self {
            Self::Classes { labels, n_classes } => (labels.clone(), *n_classes),
            Self::Sets(y) | Self::Numbers(y) => (vec![0; y.rows()], 1),
        }
    }

    /// What training minimises.
    pub(crate) fn training_loss(&self) -> Loss {
        match self {
            Self::Classes { labels, .. } => Loss::Softmax(labels.clone()),
            Self::Sets(y) => Loss::Sigmoid(y.clone()),
            Self::Numbers(y) => Loss::Square(y.clone()),
        }
    }

    /// The loss of one row by which candidates are compared: log-loss (for several labels their mean), or squared error.
    pub(crate) fn loss(&self, row: usize, logits: &[f64]) -> f64 {
        match self {
            Self::Classes { labels, .. } => log_sum_exp(logits) - logits[labels[row] as usize],
            Self::Sets(y) => {
                let losses = logits.iter().zip(y.row(row)).map(|(z, y)| softplus(*z) - f64::from(*y) * z);
                losses.sum::<f64>() / logits.len().max(1) as f64
            }
            Self::Numbers(y) => (logits[0] - f64::from(y.row(row)[0])).powi(2),
        }
    }

    /// The score of one row that people read: whether the answer is right (for several labels: all of them), or the
    /// absolute error.
    pub(crate) fn score(&self, row: usize, logits: &[f64]) -> f64 {
        match self {
            Self::Classes { labels, .. } => f64::from(u8::from(first_largest(logits) == labels[row] as usize)),
            Self::Sets(y) => {
                let right = logits.iter().zip(y.row(row)).all(|(z, y)| (*z >= 0.0) == (*y > 0.5));
                f64::from(u8::from(right))
            }
            Self::Numbers(y) => (logits[0] - f64::from(y.row(row)[0])).abs(),
        }
    }

    /// The factor s > 0 for which `s * raw + offset` has the least loss on out-of-fold outputs; `rows` names the row of each.
    ///
    /// Perfect separation would ask for an infinite factor. One more example, whose right answer came second, is shared
    /// out among all rows, as Platt's targets `(N + 1) / (N + 2)` do for two classes.
    pub(crate) fn fit_scale(&self, raw: &Matrix<f64>, offset: &[f64], rows: &[usize]) -> f64 {
        if matches!(self, Self::Numbers(_)) || rows.is_empty() {
            return 1.0;
        }
        let share = 1.0 / (rows.len() as f64 + 2.0);
        let derivatives = |log_scale: f64| {
            let scale = log_scale.exp();
            let blocks: Vec<(f64, f64)> = rows
                .par_chunks(BLOCK)
                .enumerate()
                .map(|(block, chunk)| {
                    let pairs = chunk.iter().enumerate().map(|(place, row)| {
                        self.scale_derivatives(*row, raw.row(block * BLOCK + place), offset, scale, share)
                    });
                    pairs.fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
                })
                .collect();
            blocks.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
        };
        newton(derivatives).exp()
    }

    /// First and second derivative of a row's loss in the logarithm of the scale.
    fn scale_derivatives(&self, row: usize, raw: &[f64], offset: &[f64], scale: f64, share: f64) -> (f64, f64) {
        match self {
            Self::Classes { labels, .. } => {
                let label = labels[row] as usize;
                let logits: Vec<f64> = raw.iter().zip(offset).map(|(raw, offset)| scale * raw + offset).collect();
                let total = log_sum_exp(&logits);
                let (mut mean, mut square) = (0.0, 0.0);
                for (raw, logit) in raw.iter().zip(&logits) {
                    let p = (logit - total).exp();
                    mean += p * scale * raw;
                    square += p * (scale * raw).powi(2);
                }
                let other = raw.iter().enumerate().filter(|(class, _)| *class != label).map(|(_, raw)| *raw);
                let second = other.fold(f64::NEG_INFINITY, f64::max);
                let second = if second.is_finite() { second } else { raw[label] };
                let slope = mean - scale * ((1.0 - share) * raw[label] + share * second);
                (slope, slope + square - mean * mean)
            }
            Self::Sets(y) => {
                let (mut slope, mut curvature) = (0.0, 0.0);
                for ((raw, offset), y) in raw.iter().zip(offset).zip(y.row(row)) {
                    let p = linalg::logits::sigmoid(scale * raw + offset);
                    let y = f64::from(*y) * (1.0 - share) + 0.5 * share;
                    slope += (p - y) * scale * raw;
                    curvature += (p - y) * scale * raw + p * (1.0 - p) * (scale * raw).powi(2);
                }
                (slope, curvature)
            }
            Self::Numbers(_) => (0.0, 0.0),
        }
    }
}

/// Mean and standard deviation; the latter is 1 when all numbers are equal.
pub(crate) fn spread(numbers: &[f64]) -> (f64, f64) {
    let n = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / n;
    let deviation = variance.sqrt();
    (mean, if deviation > 1e-12 * mean.abs() && deviation > 0.0 { deviation } else { 1.0 })
}

/// The first of the largest values.
pub(crate) fn first_largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// The zero of a rising slope in [-10, 10] by Newton's method with bisection as its guard.
fn newton(derivatives: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high) = (-10.0_f64, 10.0_f64);
    let mut at = 0.0_f64;
    for _ in 0..60 {
        let (slope, curvature) = derivatives(at);
        if slope == 0.0 {
            break;
        }
        if slope > 0.0 {
            high = at;
        } else {
            low = at;
        }
        let guess = if curvature > 0.0 { at - slope / curvature } else { f64::NAN };
        let next = if guess > low && guess < high { guess } else { 0.5 * (low + high) };
        if (next - at).abs() < 1e-7 {
            return next;
        }
        at = next;
    }
    at
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    #[test]
    fn the_scale_that_made_the_labels_is_found() {
        let mut rng = Seed(5).rng();
        let n = 20_000;
        let raw = Matrix::from_vec(n, 2, (0..n * 2).map(|_| 3.0 * random::normal(&mut rng)).collect());
        let offset = [0.0, 1.0];
        let truth = |row: &[f64], rng: &mut _| {
            let p = linalg::logits::softmax(&[0.4 * row[0], 0.4 * row[1] + 1.0]);
            u32::from(random::uniform(rng) > p[0])
        };
        let labels: Vec<u32> = raw.iter_rows().map(|row| truth(row, &mut rng)).collect();
        let rows: Vec<usize> = (0..n).collect();
        let scale = Truth::Classes { labels, n_classes: 2 }.fit_scale(&raw, &offset, &rows);
        assert!((scale - 0.4).abs() < 0.02, "{scale}");
    }

    #[test]
    fn perfect_separation_has_a_finite_scale() {
        let truth = Truth::Classes { labels: vec![0, 1], n_classes: 2 };
        let raw = Matrix::from_rows(&[[1.0, -1.0], [-1.0, 1.0]]);
        let scale = truth.fit_scale(&raw, &[0.0; 2], &[0, 1]);
        // The probability of the right class is 3/4, as two examples and one that was missed would give.
        assert!((linalg::logits::sigmoid(2.0 * scale) - 0.75).abs() < 1e-6, "{scale}");
        let truth = Truth::Sets(Matrix::from_rows(&[[1.0_f32, 0.0]]));
        assert!(truth.fit_scale(&Matrix::from_rows(&[[1.0, -1.0]]), &[0.0; 2], &[0]).is_finite());
    }

    #[test]
    fn equal_outputs_leave_the_scale_alone() {
        let truth = Truth::Classes { labels: vec![0, 1], n_classes: 2 };
        assert_eq!(truth.fit_scale(&Matrix::zeros(2, 2), &[0.0; 2], &[0, 1]), 1.0);
    }

    #[test]
    fn losses_are_what_their_names_say() {
        let classes = Truth::new(Targets::Single { labels: &[1], n_classes: 2 });
        assert!((classes.loss(0, &[0.0, 0.0]) - 2_f64.ln()).abs() < 1e-12);
        assert_eq!((classes.score(0, &[0.0, 1.0]), classes.score(0, &[0.0, 0.0])), (1.0, 0.0));
        let sets = Truth::new(Targets::Multi { labels: &[vec![0, 2]], n_classes: 3 });
        assert!((sets.loss(0, &[0.0; 3]) - 2_f64.ln()).abs() < 1e-12);
        assert_eq!((sets.score(0, &[1.0, -1.0, 1.0]), sets.score(0, &[1.0; 3])), (1.0, 0.0));
        let numbers = Truth::new(Targets::Numbers(&[1.0, 3.0]));
        assert_eq!((numbers.loss(1, &[-1.0]), numbers.score(1, &[-1.0])), (4.0, 2.0));
        assert_eq!(spread(&[7.0, 7.0]), (7.0, 1.0));
    }
}
