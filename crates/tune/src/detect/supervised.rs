//! Telling defect patches from good ones where defects are marked: logistic regression on patches (methods 2.8, S2).
//!
//! Targets are soft, the share of a patch that the mark covers, and each row has a weight, so that a long scratch on one photo
//! counts no more than a small dent on another.

use linalg::logits::exp_f32;
use linalg::{Matrix, MatrixView, matmul, matmul_tn};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::TuneError;
use crate::detect::patches::{check_asked, check_finite};
use crate::detect::stored::{self, Tensors, damaged};
use crate::lbfgs::{self, Stop};

/// `logit = weight . x + bias` for each patch.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchLogit {
    /// `[d]`.
    pub weight: Vec<f32>,
    /// The logit of a patch of zeros.
    pub bias: f32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    dim: usize,
}

/// Weights that make each photo with defects count 1 and all good patches together as much as all these photos.
///
/// `targets`, `[n]`, is above 0 on defect patches; `photos`, `[n]`, is the photo of each patch. Within a photo its defect
/// patches count alike; so do all good patches, those of photos with defects included.
pub fn balanced_weights(targets: &[f32], photos: &[u32]) -> Vec<f32> {
    let mut defects: Vec<u32> =
        photos.iter().zip(targets).filter(|(_, target)| **target > 0.0).map(|(photo, _)| *photo).collect();
    let good = (targets.len() - defects.len()).max(1) as f64;
    defects.sort_unstable();
    let count = |photo: u32| {
        defects.partition_point(|other| *other <= photo) - defects.partition_point(|other| *other < photo)
    };
    let n_photos = defects.chunk_by(|a, b| a == b).count() as f64;
    let weight = |(target, photo): (&f32, &u32)| {
        (if *target > 0.0 { 1.0 / count(*photo) as f64 } else { n_photos / good }) as f32
    };
    targets.iter().zip(photos).map(weight).collect()
}

/// Fits the weighted logistic regression of `targets`, `[n]` in [0, 1], on `x`, `[n, d]`.
///
/// `J = sum_i weights_i loss_i + penalty / 2 |w|^2` with w in units of features of mean squared length 1 (methods 0.2), so that
/// one penalty suits every base. With [`balanced_weights`] the losses sum over photos, not patches; penalties from 0.01 to 10
/// are then worth trying. Leave out rows that shall not count, or give them weight 0.
///
/// Errors: no rows, sizes that do not fit together, values out of range, no defect or no good patches of weight above 0.
pub fn fit_patches(
    x: MatrixView<'_>,
    targets: &[f32],
    weights: &[f32],
    penalty: f64,
) -> Result<PatchLogit, TuneError> {
    check(x, targets, weights)?;
    check_penalty(penalty)?;
    let scaled = Scaled::new(x);
    let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    let share = targets.iter().zip(weights).map(|(t, w)| f64::from(*t) * f64::from(*w)).sum::<f64>() / total;
    let mut w = vec![0.0; x.cols() + 1];
    w[x.cols()] = (share / (1.0 - share)).ln() as f32;
    let curvature = scaled.curvature(weights, share * (1.0 - share), penalty);
    lbfgs::minimise(&mut w, &curvature, Stop { iterations: 200, decrease: 1e-6 }, |w, gradient| {
        let mut residuals = scaled.logits(w);
        let loss = residuals_of(&mut residuals, targets, weights);
        loss + scaled.gradient(w, &residuals, penalty, gradient)
    });
    Ok(scaled.unscaled(&w))
}

impl PatchLogit {
    /// The logit of each patch, `[n, d]`, summed in double precision.
    ///
    /// Errors: another number of columns, values that are not finite.
    pub fn logits(&self, x: MatrixView<'_>) -> Result<Vec<f32>, TuneError> {
        check_asked(x, self.weight.len())?;
        let logit = |row: usize| (linalg::dot(x.row(row), &self.weight) + f64::from(self.bias)) as f32;
        Ok((0..x.rows()).into_par_iter().map(logit).collect())
    }

    /// Structure and tensors, for storing.
    pub fn to_tensors(&self) -> (serde_json::Value, Tensors) {
        let dim = self.weight.len();
        let tensors = Tensors::from([
            ("weight".to_owned(), (vec![dim], self.weight.clone())),
            ("bias".to_owned(), (vec![1], vec![self.bias])),
        ]);
        (serde_json::to_value(Stored { dim }).expect("a size is a whole number"), tensors)
    }

    /// The reverse of [`PatchLogit::to_tensors`]; everything that came from a file is checked.
    pub fn from_tensors(structure: &serde_json::Value, tensors: &Tensors) -> Result<Self, TuneError> {
        let Stored { dim } = stored::structure(structure)?;
        if dim == 0 {
            return Err(damaged("it looks at no columns"));
        }
        let bias = stored::vector(tensors, "bias", 1)?[0];
        Ok(Self { weight: stored::vector(tensors, "weight", dim)?, bias })
    }
}

fn check(x: MatrixView<'_>, targets: &[f32], weights: &[f32]) -> Result<(), TuneError> {
    let expected = x.rows();
    for (what, got) in [("the targets", targets.len()), ("the weights", weights.len())] {
        if got != expected {
            return Err(TuneError::Patches { what, got, expected });
        }
    }
    if expected == 0 || x.cols() == 0 {
        return Err(TuneError::Empty);
    }
    if let Some(row) = targets.iter().position(|target| !(0.0..=1.0).contains(target)) {
        return Err(TuneError::Soft { what: "the target", row, expected: "in [0, 1]" });
    }
    if let Some(row) = weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
        return Err(TuneError::Soft { what: "the weight", row, expected: "at least 0" });
    }
    let counts = || targets.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    if !counts().any(|(target, _)| *target > 0.0) {
        return Err(TuneError::OneKind { missing: "defect patches" });
    }
    if !counts().any(|(target, _)| *target < 1.0) {
        return Err(TuneError::OneKind { missing: "good patches" });
    }
    check_finite(x)
}

pub(crate) fn check_penalty(penalty: f64) -> Result<(), TuneError> {
    if penalty > 0.0 && penalty.is_finite() {
        Ok(())
    } else {
        Err(TuneError::Setting { setting: "penalty", expected: "above 0" })
    }
}

/// Turns logits into `weight (p - target)` in place; returns the weighted loss.
fn residuals_of(logits: &mut [f32], targets: &[f32], weights: &[f32]) -> f64 {
    let mut loss = 0.0;
    for (logit, (target, weight)) in logits.iter_mut().zip(targets.iter().zip(weights)) {
        let small = exp_f32(-logit.abs());
        let row = f64::from(logit.max(0.0) - *logit * target) + f64::from(small).ln_1p();
        loss += f64::from(*weight) * row;
        let p = if *logit >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
        *logit = weight * (p - target);
    }
    loss
}

/// Features moved to mean 0 and mean squared length 1, with what undoes it.
pub(crate) struct Scaled {
    /// `[n, d]`.
    pub(crate) x: Matrix,
    mean: Vec<f64>,
    length: f64,
}

impl Scaled {
    pub(crate) fn new(x: MatrixView<'_>) -> Self {
        let n = x.rows().max(1) as f64;
        let mut mean = vec![0.0_f64; x.cols()];
        for row in x.iter_rows() {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value) / n);
        }
        let square = |row: &[f32]| -> f64 {
            row.iter().zip(&mean).map(|(value, mean)| (f64::from(*value) - mean).powi(2)).sum()
        };
        let length = (x.iter_rows().map(square).sum::<f64>() / n).sqrt();
        // Patches that are all the same have no scale of their own.
        let length = if length > 0.0 { length } else { 1.0 };
        let mut scaled = x.to_owned();
        for row in 0..scaled.rows() {
            let row = scaled.row_mut(row).iter_mut();
            row.zip(&mean).for_each(|(value, mean)| *value = ((f64::from(*value) - mean) / length) as f32);
        }
        Self { x: scaled, mean, length }
    }

    /// Logits of all rows; `w` is the weights and, last, the bias.
    pub(crate) fn logits(&self, w: &[f32]) -> Vec<f32> {
        let d = self.x.cols();
        let mut logits = matmul(self.x.view(), MatrixView::new(d, 1, &w[..d])).into_vec();
        logits.iter_mut().for_each(|logit| *logit += w[d]);
        logits
    }

    /// Writes the gradient of loss and penalty; returns the penalty.
    pub(crate) fn gradient(&self, w: &[f32], residuals: &[f32], penalty: f64, gradient: &mut [f32]) -> f64 {
        let d = self.x.cols();
        let slopes = matmul_tn(self.x.view(), MatrixView::new(residuals.len(), 1, residuals));
        for ((to, slope), w) in gradient.iter_mut().zip(slopes.data()).zip(&w[..d]) {
            *to = slope + penalty as f32 * w;
        }
        gradient[d] = residuals.iter().map(|value| f64::from(*value)).sum::<f64>() as f32;
        0.5 * penalty * linalg::dot(&w[..d], &w[..d])
    }

    /// A diagonal estimate of the curvature: `bend`, the curvature of a loss, times the weighted squares of each column.
    pub(crate) fn curvature(&self, weights: &[f32], bend: f64, penalty: f64) -> Vec<f32> {
        let mut squares = vec![0.0_f64; self.x.cols() + 1];
        for (row, weight) in self.x.iter_rows().zip(weights) {
            for (square, value) in squares.iter_mut().zip(row.iter().chain(&[1.0])) {
                *square += f64::from(*weight) * f64::from(*value) * f64::from(*value);
            }
        }
        let last = self.x.cols();
        let curve = |(col, square): (usize, &f64)| {
            (bend * square + if col < last { penalty } else { 0.0 }).max(1e-12) as f32
        };
        squares.iter().enumerate().map(curve).collect()
    }

    /// The same model in terms of the features as they came.
    pub(crate) fn unscaled(&self, w: &[f32]) -> PatchLogit {
        let d = self.x.cols();
        let weight: Vec<f64> = w[..d].iter().map(|w| f64::from(*w) / self.length).collect();
        let shift: f64 = weight.iter().zip(&self.mean).map(|(w, mean)| w * mean).sum();
        PatchLogit {
            bias: (f64::from(w[d]) - shift) as f32,
            weight: weight.into_iter().map(|w| w as f32).collect(),
        }
    }
}
