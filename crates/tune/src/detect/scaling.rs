//! Brings patches to a common scale.

use linalg::{Matrix, MatrixView};

use crate::TuneError;
use crate::detect::Scaling;
use crate::detect::stored::{self, Tensors};

/// A scaling with what it has learned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    pub(crate) kind: Scaling,
    /// Subtracted from and divided out of each column, `[d]`; empty unless columns are scaled.
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Scale {
    /// Learns from the rows named of `x`, `[n, d]`.
    pub(crate) fn learn(kind: Scaling, x: MatrixView<'_>, rows: &[usize]) -> Self {
        if kind != Scaling::Columns {
            return Self { kind, mean: Vec::new(), deviation: Vec::new() };
        }
        let n = rows.len().max(1) as f64;
        let mut mean = vec![0.0_f64; x.cols()];
        for row in rows {
            mean.iter_mut().zip(x.row(*row)).for_each(|(mean, value)| *mean += f64::from(*value));
        }
        mean.iter_mut().for_each(|mean| *mean /= n);
        let mut variance = vec![0.0_f64; x.cols()];
        for row in rows {
            for (variance, (value, mean)) in variance.iter_mut().zip(x.row(*row).iter().zip(&mean)) {
                *variance += (f64::from(*value) - mean).powi(2);
            }
        }
        // What rounding leaves of a constant column is no variance.
        let deviation = variance.iter().zip(&mean).map(|(variance, mean)| {
            let deviation = (variance / n).sqrt();
            if deviation > 1e-6 * mean.abs() { deviation as f32 } else { 1.0 }
        });
        let deviation = deviation.map(|value| if value > 0.0 { value } else { 1.0 }).collect();
        Self { kind, mean: mean.iter().map(|mean| *mean as f32).collect(), deviation }
    }

    /// The rows named of `x`, scaled.
    pub(crate) fn apply(&self, x: MatrixView<'_>, rows: &[usize]) -> Matrix {
        let mut scaled = Matrix::zeros(rows.len(), x.cols());
        for (place, row) in rows.iter().enumerate() {
            let to = scaled.row_mut(place);
            to.copy_from_slice(x.row(*row));
            match self.kind {
                Scaling::None => {}
                Scaling::Unit => {
                    let length = linalg::dot(to, to).sqrt();
                    if length > 0.0 {
                        to.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
                    }
                }
                Scaling::Columns => {
                    for (value, (mean, deviation)) in to.iter_mut().zip(self.mean.iter().zip(&self.deviation))
                    {
                        *value = (*value - mean) / deviation;
                    }
                }
            }
        }
        scaled
    }

    /// Adds what was learned to the tensors of a detector.
    pub(crate) fn put(&self, tensors: &mut Tensors) {
        if self.kind == Scaling::Columns {
            tensors.insert("mean".to_owned(), (vec![self.mean.len()], self.mean.clone()));
            tensors.insert("deviation".to_owned(), (vec![self.deviation.len()], self.deviation.clone()));
        }
    }

    /// The reverse of [`Scale::put`].
    pub(crate) fn get(kind: Scaling, tensors: &Tensors, dim: usize) -> Result<Self, TuneError> {
        if kind != Scaling::Columns {
            return Ok(Self { kind, mean: Vec::new(), deviation: Vec::new() });
        }
        let deviation = stored::vector(tensors, "deviation", dim)?;
        if deviation.iter().any(|value| *value <= 0.0) {
            return Err(stored::damaged("a deviation is not above 0"));
        }
        Ok(Self { kind, mean: stored::vector(tensors, "mean", dim)?, deviation })
    }
}
