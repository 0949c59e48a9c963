//! Nearest class mean: what GDA becomes when the shrinkage is infinite, and all there is with one example per class.

use linalg::{Matrix, MatrixView};

use crate::gda::{Linear, class_means};

/// Scores `x m_k - |m_k|^2 / 2`, which order like minus the distance to the mean.
pub fn linear(z: MatrixView<'_, f64>, labels: &[u32], k: usize) -> Linear {
    let (means, _) = class_means(z, labels, k);
    let bias =
        means.iter_rows().map(|mean| -0.5 * mean.iter().map(|value| value * value).sum::<f64>()).collect();
    Linear { weight: means, bias }
}

/// The same for every row with its own contribution taken out of its class; `None` where nothing is left.
pub fn leave_one_out(z: MatrixView<'_, f64>, labels: &[u32], k: usize) -> Vec<Option<Vec<f64>>> {
    let (means, counts) = class_means(z, labels, k);
    let without = |row: usize| {
        let own = labels[row] as usize;
        let n = counts[own] as f64;
        let x = z.row(row);
        (counts[own] > 1)
            .then(|| (0..k).map(|class| score(x, &means, class, (class == own).then_some(n))).collect())
    };
    (0..z.rows()).map(without).collect()
}

fn score(x: &[f64], means: &Matrix<f64>, class: usize, own: Option<f64>) -> f64 {
    let mut distance = 0.0;
    for (x, mean) in x.iter().zip(means.row(class)) {
        let mean = own.map_or(*mean, |n| (n * mean - x) / (n - 1.0));
        distance += (x - mean) * (x - mean);
    }
    -0.5 * distance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mean_wins() {
        let z = Matrix::from_rows(&[[0.0, 0.0], [4.0, 0.0]]);
        let model = linear(z.view(), &[0, 1], 2);
        let score = |x: [f64; 2], class: usize| {
            x.iter().zip(model.weight.row(class)).map(|(x, w)| x * w).sum::<f64>() + model.bias[class]
        };
        assert!(score([1.0, 0.0], 0) > score([1.0, 0.0], 1));
        assert!(score([3.0, 0.0], 1) > score([3.0, 0.0], 0));
    }

    #[test]
    fn leaving_out_moves_only_the_own_mean() {
        let z = Matrix::from_rows(&[[0.0], [2.0], [10.0]]);
        let left = leave_one_out(z.view(), &[0, 0, 1], 2);
        assert_eq!(left[0], Some(vec![-2.0, -50.0]));
        assert_eq!(left[2], None);
    }
}
