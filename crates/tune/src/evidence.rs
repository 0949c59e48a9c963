//! What out-of-fold outputs say about a configuration, and when a more complex one has earned its place.

use linalg::Matrix;
use linalg::logits::fit_scale;

use crate::{Link, MemberRecipe};

/// Below this many rows the scale has a prior (methods 6.1).
const PRIOR_BELOW: usize = 100;

/// One configuration with its out-of-fold record.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    /// How to fit it; its scale is the one fitted here.
    pub(crate) recipe: MemberRecipe,
    /// Scaled out-of-fold outputs, one `[n, k]` per repeat; rows that no fold held out are zero.
    pub(crate) outputs: Vec<Matrix<f64>>,
    /// Loss of each row, mean over repeats; NaN where no fold held it out.
    pub(crate) losses: Vec<f64>,
    /// Score of each row, mean over repeats; NaN where no fold held it out.
    pub(crate) scores: Vec<f64>,
}

/// The rows a configuration is judged on.
pub(crate) struct Judge<'a> {
    pub(crate) link: Link,
    /// `[n, k]` of ones and zeros, or the numbers.
    pub(crate) targets: &'a Matrix<f32>,
    /// Class of each row; empty unless single-label.
    pub(crate) labels: &'a [u32],
    /// Rows that some fold holds out.
    pub(crate) validated: &'a [usize],
    pub(crate) folds: usize,
}

impl Judge<'_> {
    /// Fits the scale and records losses and scores.
    pub(crate) fn judge(&self, mut recipe: MemberRecipe, mut outputs: Vec<Matrix<f64>>) -> Evidence {
        if self.link == Link::Softmax && !self.validated.is_empty() {
            recipe.scale = self.fit_scale(&outputs);
            for outputs in &mut outputs {
                outputs.data_mut().iter_mut().for_each(|value| *value *= recipe.scale);
            }
        }
        let (losses, scores) = self.record(&outputs);
        Evidence { recipe, outputs, losses, scores }
    }

    /// The factor that makes these outputs, `[n, k]` per repeat, logits with the least log-loss on the held-out rows.
    pub(crate) fn fit_scale(&self, outputs: &[Matrix<f64>]) -> f64 {
        let n = self.validated.len();
        let data =
            outputs.iter().flat_map(|outputs| outputs.select_rows(self.validated).into_vec()).collect();
        let all = Matrix::from_vec(n * outputs.len(), self.targets.cols(), data);
        let labels: Vec<u32> = self.validated.iter().map(|row| self.labels[*row]).collect();
        fit_scale(all.view(), &labels.repeat(outputs.len()), n < PRIOR_BELOW)
    }

    /// Losses and scores of scaled outputs, mean over repeats.
    pub(crate) fn record(&self, outputs: &[Matrix<f64>]) -> (Vec<f64>, Vec<f64>) {
        let n = self.targets.rows();
        let (mut losses, mut scores) = (vec![f64::NAN; n], vec![f64::NAN; n]);
        let share = 1.0 / outputs.len() as f64;
        for row in self.validated {
            let target = self.targets.row(*row);
            losses[*row] =
                outputs.iter().map(|outputs| share * self.link.loss(outputs.row(*row), target)).sum();
            scores[*row] =
                outputs.iter().map(|outputs| share * self.link.score(outputs.row(*row), target)).sum();
        }
        (losses, scores)
    }

    /// Whether `complex` beats `simple` by more than one standard error of the paired difference.
    pub(crate) fn beats(&self, complex: &[f64], simple: &[f64], repeats: usize) -> bool {
        let (difference, error) = self.difference(complex, simple, repeats);
        difference + error < 0.0
    }

    /// Mean of the paired differences `a - b` over the held-out rows, and its standard error (infinite below two rows).
    ///
    /// The error is corrected for overlapping training sets after Nadeau and Bengio (methods 1.5).
    pub(crate) fn difference(&self, a: &[f64], b: &[f64], repeats: usize) -> (f64, f64) {
        let differences: Vec<f64> = self.validated.iter().map(|row| a[*row] - b[*row]).collect();
        mean_with_error(&differences, self.folds, repeats)
    }
}

/// Mean of paired out-of-fold differences and its standard error (infinite below two), corrected for training sets that overlap.
pub fn mean_with_error(differences: &[f64], folds: usize, repeats: usize) -> (f64, f64) {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    if n < 2.0 {
        return (mean, f64::INFINITY);
    }
    let variance = differences.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let (k, r) = (folds as f64, repeats as f64);
    let correction = (k * (1.0 / (k * r) + 1.0 / (k - 1.0))).sqrt();
    (mean, correction * (variance / n).sqrt())
}

/// Mean of the rows that were held out.
pub(crate) fn mean(values: &[f64], rows: &[usize]) -> f64 {
    if rows.is_empty() {
        f64::NAN
    } else {
        rows.iter().map(|row| values[*row]).sum::<f64>() / rows.len() as f64
    }
}
