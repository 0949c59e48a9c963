//! Ridge regression with a free intercept and its exact leave-one-out (methods 3.1b).

use linalg::decompose::eigh;
use linalg::{Matrix, MatrixView, matmul_nt, matmul_tn};

/// A centred regression problem in the eigenbasis of its features.
#[derive(Debug, Clone)]
pub struct Ridge {
    vectors: Matrix<f64>,
    values: Vec<f64>,
    /// Centred examples in that basis, `[n, r]`.
    rows: Matrix<f64>,
    /// Their inner products with the centred targets, `[r]`.
    products: Vec<f64>,
    mean_x: Vec<f64>,
    mean_y: f64,
    centred_y: Vec<f64>,
}

impl Ridge {
    /// Decomposes. `z` is `[n, r]`, `y` is `[n]`.
    pub fn new(z: MatrixView<'_, f64>, y: &[f64]) -> Self {
        let n = z.rows() as f64;
        let mut mean_x = vec![0.0; z.cols()];
        for row in z.iter_rows() {
            mean_x.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n);
        }
        let mean_y = y.iter().sum::<f64>() / n;
        let mut centred = z.to_owned();
        for row in 0..centred.rows() {
            centred.row_mut(row).iter_mut().zip(&mean_x).for_each(|(value, mean)| *value -= mean);
        }
        let centred_y: Vec<f64> = y.iter().map(|value| value - mean_y).collect();
        let (values, vectors) = eigh(matmul_tn(centred.view(), centred.view()).view());
        let rows = matmul_nt(centred.view(), vectors.view());
        let mut products = vec![0.0; rows.cols()];
        for (row, y) in rows.iter_rows().zip(&centred_y) {
            products.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * y);
        }
        let values = values.into_iter().map(|value| value.max(0.0)).collect();
        Self { vectors, values, rows, products, mean_x, mean_y, centred_y }
    }

    /// What each row is predicted to be by the model fitted without it.
    pub fn leave_one_out(&self, penalty: f64) -> Vec<f64> {
        let n = self.rows.rows() as f64;
        self.rows
            .iter_rows()
            .zip(&self.centred_y)
            .map(|(row, y)| {
                let (mut fitted, mut leverage) = (0.0, 1.0 / n);
                for ((value, eigenvalue), product) in row.iter().zip(&self.values).zip(&self.products) {
                    let share = value / (eigenvalue + penalty);
                    fitted += share * product;
                    leverage += share * value;
                }
                // A row that decides everything alone (leverage 1) is predicted by the mean of the others.
                let rest = (1.0 - leverage).max(1e-9);
                self.mean_y + (fitted - leverage * y) / rest
            })
            .collect()
    }

    /// Weights `[r]` and intercept of the model fitted on all rows.
    pub fn linear(&self, penalty: f64) -> (Vec<f64>, f64) {
        let mut weight = vec![0.0; self.mean_x.len()];
        for ((vector, eigenvalue), product) in self.vectors.iter_rows().zip(&self.values).zip(&self.products)
        {
            let share = product / (eigenvalue + penalty);
            weight.iter_mut().zip(vector).for_each(|(weight, value)| *weight += share * value);
        }
        let offset: f64 = weight.iter().zip(&self.mean_x).map(|(weight, mean)| weight * mean).sum();
        (weight, self.mean_y - offset)
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    #[test]
    fn leave_one_out_equals_fitting_without_each_row() {
        let mut rng = Seed(8).rng();
        let (n, r) = (15, 4);
        let z = Matrix::from_vec(n, r, (0..n * r).map(|_| random::normal(&mut rng)).collect());
        let y: Vec<f64> = (0..n).map(|row| z.row(row)[0] * 2.0 + random::normal(&mut rng)).collect();
        let fast = Ridge::new(z.view(), &y).leave_one_out(0.7);
        for (row, fast) in fast.into_iter().enumerate() {
            let others: Vec<usize> = (0..n).filter(|other| *other != row).collect();
            let targets: Vec<f64> = others.iter().map(|other| y[*other]).collect();
            let (weight, bias) = Ridge::new(z.select_rows(&others).view(), &targets).linear(0.7);
            let slow: f64 = bias + weight.iter().zip(z.row(row)).map(|(weight, x)| weight * x).sum::<f64>();
            assert!((fast - slow).abs() < 1e-9, "row {row}: {fast} {slow}");
        }
    }
}
