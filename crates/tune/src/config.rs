//! The settings of tuning, each with its reason.

use serde::Deserialize;

use crate::TuneError;

/// What may be set. The defaults are what all measured results use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuneConfig {
    /// Penalties tried by logistic and ridge regression, on the summed loss. Each above 0. Default: 10^2 down to 10^-4 in
    /// half powers; with features of mean squared norm 1 the best lies inside for 1 to 1,000 examples per class.
    pub penalties: Vec<f64>,
    /// Shrinkages tried by GDA, as multiples of d / (n - 1). Each above 0. Default: 0.1 to 30 around the published value.
    pub shrinkages: Vec<f64>,
    /// Feature candidates that get the full search, after a quick ranking. At least 1. Default 4, which is all of them for
    /// the bases that come with Dianjing: which two are best is luck on few examples. From 2,000 examples on, two at most.
    pub finalists: usize,
    /// Most words and character n-grams that are counted; 0 counts none. Default 30,000: a head of 77 classes then has 9 MB.
    pub max_words: usize,
}

impl Default for TuneConfig {
    fn default() -> Self {
        Self {
            penalties: (-8..=4).rev().map(|half| 10_f64.powf(f64::from(half) / 2.0)).collect(),
            shrinkages: vec![0.1, 0.3, 1.0, 3.0, 10.0, 30.0],
            finalists: 4,
            max_words: 30_000,
        }
    }
}

/// Settings that were found to be in range.
#[derive(Debug, Clone)]
pub struct CheckedTune(pub(crate) TuneConfig);

impl TuneConfig {
    /// Checks every range once.
    pub fn check(mut self) -> Result<CheckedTune, TuneError> {
        let wrong =
            |setting: &'static str, expected: &'static str| Err(TuneError::Setting { setting, expected });
        if self.penalties.is_empty()
            || self.penalties.iter().any(|value| !(*value > 0.0 && value.is_finite()))
        {
            return wrong("penalties", "one or more numbers above 0");
        }
        if self.shrinkages.is_empty()
            || self.shrinkages.iter().any(|value| !(*value > 0.0 && value.is_finite()))
        {
            return wrong("shrinkages", "one or more numbers above 0");
        }
        if self.finalists == 0 {
            return wrong("finalists", "at least 1");
        }
        self.penalties.sort_by(|a, b| b.total_cmp(a));
        Ok(CheckedTune(self))
    }
}
