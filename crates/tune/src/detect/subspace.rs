//! The directions in which good patches vary, and what leaves them (methods 2.4, after SubspaceAD).
//!
//! Both kinds are one formula, `|map (x - mean)|^2`: the rows of `map` are eigenvectors of the covariance, each divided by what
//! good patches vary along it, or only those along which they hardly vary.

use linalg::decompose::eigh;
use linalg::{Matrix, MatrixView, matmul_nt, matmul_tn};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::TuneError;
use crate::detect::folds::Parts;
use crate::detect::patches::check_asked;
use crate::detect::stored::{self, Tensors, damaged};
use crate::detect::{Patches, Scored};

/// Rows that are worked on at a time: a constant, since pieces of a sum are added in order.
const BLOCK: usize = 4096;

/// What counts as leaving the directions of good patches.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SubspaceKind {
    /// The squared length of what the strongest directions leave out.
    Residual {
        /// Share of the variance that the strongest directions explain, in (0, 1). SubspaceAD uses 0.99.
        explained: f64,
    },
    /// The squared Mahalanobis distance, `sum_j (v_j . (x - mean))^2 / (lambda_j + shrinkage * mean lambda)`.
    Mahalanobis {
        /// Above 0. 0.01 is what methods 2.4 proposes.
        shrinkage: f64,
    },
}

/// Where good patches are and how they vary.
#[derive(Debug, Clone, PartialEq)]
pub struct Subspace {
    /// `[d]`.
    mean: Vec<f32>,
    /// `[r, d]`.
    map: Matrix<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    dim: usize,
}

impl Subspace {
    /// Learns from the patches of good photos. Needs no more patches than columns, but then says little about directions that
    /// none of them takes.
    ///
    /// Errors: no patches, sizes that do not fit together, values that are not finite, settings out of range.
    pub fn fit(patches: &Patches<'_>, kind: SubspaceKind) -> Result<Self, TuneError> {
        kind.check()?;
        patches.check()?;
        Ok(Self::of(patches.x, kind))
    }

    /// Learns from all rows of `x`, `[n, d]`, which is finite and has at least one.
    pub(crate) fn of(x: MatrixView<'_>, kind: SubspaceKind) -> Self {
        let rows: Vec<usize> = (0..x.rows()).collect();
        Self::from_moments(&Moments::of(x, &rows, &centre(x)), kind)
    }

    /// `transpose(map) map v`, `[d]`: a direction turned away from where good patches vary.
    pub(crate) fn turned(&self, v: &[f64]) -> Vec<f64> {
        let mut turned = vec![0.0; self.dim()];
        for row in self.map.iter_rows() {
            let along: f64 = row.iter().zip(v).map(|(a, b)| f64::from(*a) * b).sum();
            turned.iter_mut().zip(row).for_each(|(to, value)| *to += along * f64::from(*value));
        }
        turned
    }

    /// As [`Subspace::fit`], with the score of every patch by a subspace learned without its photo: of up to 16 photos without
    /// just that one, of more without its part of ten.
    ///
    /// Errors: as `fit`; one photo only.
    pub fn fit_scored(patches: &Patches<'_>, kind: SubspaceKind) -> Result<Scored<Self>, TuneError> {
        kind.check()?;
        patches.check()?;
        let parts = Parts::deal(patches)?;
        let rows: Vec<Vec<usize>> = (0..parts.count).map(|part| parts.rows(part)).collect();
        let centre = centre(patches.x);
        let moments: Vec<Moments> = rows.iter().map(|rows| Moments::of(patches.x, rows, &centre)).collect();
        let sum = |left_out: Option<usize>| {
            let mut sum = Moments::zero(&centre);
            let kept = moments.iter().enumerate().filter(|(part, _)| Some(*part) != left_out);
            kept.for_each(|(_, moments)| sum.add(moments));
            sum
        };
        let scores: Vec<Vec<f32>> = (0..parts.count)
            .into_par_iter()
            .map(|part| Self::from_moments(&sum(Some(part)), kind).of_rows(patches.x, &rows[part]))
            .collect();
        let mut held_out = vec![0.0; patches.len()];
        for (row, score) in rows.iter().flatten().zip(scores.iter().flatten()) {
            held_out[*row] = *score;
        }
        Ok(Scored { detector: Self::from_moments(&sum(None), kind), held_out })
    }

    fn from_moments(moments: &Moments, kind: SubspaceKind) -> Self {
        let (values, vectors) = eigh(moments.covariance().view());
        let values: Vec<f64> = values.into_iter().map(|value| value.max(0.0)).collect();
        let total: f64 = values.iter().sum();
        let d = values.len();
        let map = match kind {
            SubspaceKind::Residual { explained } => {
                // Ascending: the weak directions come first, and what they hold together is what stays unexplained.
                let mut held = 0.0;
                let weak = values.iter().take_while(|value| {
                    held += **value;
                    held <= (1.0 - explained) * total
                });
                let weak = weak.count().max(1);
                vectors.select_rows(&(0..weak).collect::<Vec<_>>())
            }
            SubspaceKind::Mahalanobis { shrinkage } => {
                let mut map = vectors;
                for (row, value) in values.iter().enumerate() {
                    // Patches that are all the same have no scale of their own.
                    let variance = if total > 0.0 { value + shrinkage * total / d as f64 } else { 1.0 };
                    map.row_mut(row).iter_mut().for_each(|entry| *entry /= variance.sqrt());
                }
                map
            }
        };
        let mean = moments.mean().iter().map(|value| *value as f32).collect();
        Self { mean, map: map.map(|value| value as f32) }
    }

    /// Subtracted from each feature vector, `[d]`.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// `[r, d]`: scores are squared lengths after this.
    pub fn map(&self) -> &Matrix {
        &self.map
    }

    /// The score of each patch, `[n, d]`: a squared length, at least 0.
    ///
    /// Errors: another number of columns, values that are not finite.
    pub fn scores(&self, x: MatrixView<'_>) -> Result<Vec<f32>, TuneError> {
        check_asked(x, self.dim())?;
        Ok(self.of_rows(x, &(0..x.rows()).collect::<Vec<_>>()))
    }

    fn of_rows(&self, x: MatrixView<'_>, rows: &[usize]) -> Vec<f32> {
        let mut scores = Vec::with_capacity(rows.len());
        for rows in rows.chunks(BLOCK) {
            let mut centred = Matrix::zeros(rows.len(), x.cols());
            for (place, row) in rows.iter().enumerate() {
                for (to, (value, mean)) in
                    centred.row_mut(place).iter_mut().zip(x.row(*row).iter().zip(&self.mean))
                {
                    *to = value - mean;
                }
            }
            let along = matmul_nt(centred.view(), self.map.view());
            scores.extend(along.iter_rows().map(|row| linalg::dot(row, row) as f32));
        }
        scores
    }

    /// Number of columns of the features.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Structure and tensors, for storing.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let tensors = Tensors::from([
            ("mean".to_owned(), (vec![self.dim()], self.mean.clone())),
            ("map".to_owned(), stored::tensor(&self.map)),
        ]);
        (serde_json::to_value(Stored { dim: self.dim() }).expect("a size is a whole number"), tensors)
    }

    /// The reverse of [`Subspace::to_tensors`]; everything that came from a file is checked.
    pub fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let Stored { dim } = stored::structure(structure)?;
        let (mean, map) = (stored::vector(tensors, "mean", dim)?, stored::matrix(tensors, "map")?);
        if dim == 0 || map.cols() != dim || map.rows() == 0 {
            return Err(damaged("the mean and the map do not fit together"));
        }
        Ok(Self { mean, map })
    }
}

impl SubspaceKind {
    fn check(self) -> Result<(), TuneError> {
        match self {
            Self::Residual { explained } if !(explained > 0.0 && explained < 1.0) => {
                Err(TuneError::Setting { setting: "explained", expected: "above 0 and below 1" })
            }
            Self::Mahalanobis { shrinkage } if !(shrinkage > 0.0 && shrinkage.is_finite()) => {
                Err(TuneError::Setting { setting: "shrinkage", expected: "above 0" })
            }
            _ => Ok(()),
        }
    }
}

/// Sums of rows and of their products, measured from a centre.
struct Moments {
    centre: Vec<f64>,
    count: usize,
    sum: Vec<f64>,
    /// `[d, d]`.
    products: Matrix<f64>,
}

impl Moments {
    fn zero(centre: &[f64]) -> Self {
        let d = centre.len();
        Self { centre: centre.to_vec(), count: 0, sum: vec![0.0; d], products: Matrix::zeros(d, d) }
    }

    /// Of the rows named of `x`, `[n, d]`.
    fn of(x: MatrixView<'_>, rows: &[usize], centre: &[f64]) -> Self {
        let mut moments = Self::zero(centre);
        for rows in rows.chunks(BLOCK) {
            let mut centred = Matrix::zeros(rows.len(), x.cols());
            for (place, row) in rows.iter().enumerate() {
                let to = centred.row_mut(place);
                for (to, (value, centre)) in to.iter_mut().zip(x.row(*row).iter().zip(centre)) {
                    *to = f64::from(*value) - centre;
                }
                moments.sum.iter_mut().zip(&*to).for_each(|(sum, value)| *sum += value);
            }
            moments.count += rows.len();
            let products = matmul_tn(centred.view(), centred.view());
            add(moments.products.data_mut(), products.data());
        }
        moments
    }

    /// Adds what was measured from the same centre.
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        add(&mut self.sum, &other.sum);
        add(self.products.data_mut(), other.products.data());
    }

    fn mean(&self) -> Vec<f64> {
        let n = self.count.max(1) as f64;
        self.centre.iter().zip(&self.sum).map(|(centre, sum)| centre + sum / n).collect()
    }

    fn covariance(&self) -> Matrix<f64> {
        let n = self.count.max(1) as f64;
        let mut covariance = self.products.map(|value| value / n);
        for (row, a) in self.sum.iter().enumerate() {
            let to = covariance.row_mut(row);
            to.iter_mut().zip(&self.sum).for_each(|(to, b)| *to -= (a / n) * (b / n));
        }
        covariance
    }
}

/// The mean of all rows: products are measured from it, so that no large numbers cancel.
fn centre(x: MatrixView<'_>) -> Vec<f64> {
    let mut sum = vec![0.0; x.cols()];
    for row in x.iter_rows() {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    sum.iter().map(|sum| sum / x.rows().max(1) as f64).collect()
}

fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
