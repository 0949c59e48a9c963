//! Maps from raw outputs to probabilities that mean what they say (methods 6.1). Always fitted on out-of-fold outputs.

use linalg::MatrixView;
use linalg::logits::{fit_scale, sigmoid, softmax};
use serde::{Deserialize, Serialize};

/// Below this many rows the temperature has a prior around 1.
const PRIOR_BELOW: usize = 100;

/// A calibration map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Calibration {
    /// Outputs are used as they are: nothing could be fitted.
    Identity,
    /// Logits are multiplied with `scale` (the inverse temperature).
    Temperature {
        /// Above 0.
        scale: f64,
    },
    /// One logit becomes `slope * z + offset`.
    Platt {
        /// Slope.
        slope: f64,
        /// Offset.
        offset: f64,
    },
}

impl Calibration {
    /// Fits a temperature. `logits` is `[n, k]`, `labels` is `[n]`; no rows give the identity.
    pub fn temperature(logits: MatrixView<'_, f64>, labels: &[u32]) -> Self {
        if labels.is_empty() {
            return Self::Identity;
        }
        Self::Temperature { scale: fit_scale(logits, labels, labels.len() < PRIOR_BELOW) }
    }

    /// Fits Platt's map of one logit, with his smoothed targets. One kind of label only gives the identity.
    ///
    /// Source: Platt 1999 with Newton's method as in Lin, Lin and Weng 2007.
    pub fn platt(logits: &[f64], positive: &[bool]) -> Self {
        let n_positive = positive.iter().filter(|label| **label).count() as f64;
        let n_negative = positive.len() as f64 - n_positive;
        if n_positive == 0.0 || n_negative == 0.0 {
            return Self::Identity;
        }
        let (high, low) = ((n_positive + 1.0) / (n_positive + 2.0), 1.0 / (n_negative + 2.0));
        let (mut slope, mut offset) = (1.0, 0.0);
        for _ in 0..50 {
            // A weak pull toward the identity keeps separable labels finite.
            let mut gradient = [1e-3 * (slope - 1.0), 1e-3 * offset];
            let mut hessian = [1e-3, 0.0, 1e-3];
            for (z, label) in logits.iter().zip(positive) {
                let p = sigmoid(slope * z + offset);
                let (off, bend) = (p - if *label { high } else { low }, p * (1.0 - p));
                gradient[0] += off * z;
                gradient[1] += off;
                hessian[0] += bend * z * z;
                hessian[1] += bend * z;
                hessian[2] += bend;
            }
            let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
            let step = [
                (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
                (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
            ];
            let length = (step[0].abs() + step[1].abs()).max(1.0);
            slope -= step[0] / length;
            offset -= step[1] / length;
            if step[0].abs() + step[1].abs() < 1e-10 {
                break;
            }
        }
        if slope > 0.0 { Self::Platt { slope, offset } } else { Self::Identity }
    }

    /// Probabilities of one class of several.
    pub fn probs(&self, logits: &[f64]) -> Vec<f64> {
        match self {
            Self::Temperature { scale } => softmax(&logits.iter().map(|z| scale * z).collect::<Vec<_>>()),
            Self::Identity | Self::Platt { .. } => softmax(logits),
        }
    }

    /// Probability of one label by itself.
    pub fn probability(&self, logit: f64) -> f64 {
        match self {
            Self::Identity => sigmoid(logit),
            Self::Temperature { scale } => sigmoid(scale * logit),
            Self::Platt { slope, offset } => sigmoid(slope * logit + offset),
        }
    }
}

#[cfg(test)]
mod tests {
    use linalg::{Matrix, Seed, random};

    use super::*;

    #[test]
    fn overconfident_labels_are_cooled() {
        let mut rng = Seed(2).rng();
        let logits: Vec<f64> = (0..4000).map(|_| 4.0 * random::normal(&mut rng)).collect();
        let positive: Vec<bool> =
            logits.iter().map(|z| random::uniform(&mut rng) < sigmoid(0.5 * z - 0.3)).collect();
        let Calibration::Platt { slope, offset } = Calibration::platt(&logits, &positive) else {
            panic!("a map")
        };
        assert!((slope - 0.5).abs() < 0.05 && (offset + 0.3).abs() < 0.1, "{slope} {offset}");
    }

    #[test]
    fn degenerate_labels_are_defined() {
        assert_eq!(Calibration::platt(&[1.0, 2.0], &[true, true]), Calibration::Identity);
        assert_eq!(Calibration::temperature(Matrix::zeros(0, 3).view(), &[]), Calibration::Identity);
        assert!(
            matches!(Calibration::platt(&[-1.0, 1.0], &[false, true]), Calibration::Platt { slope, .. } if slope.is_finite())
        );
    }
}
