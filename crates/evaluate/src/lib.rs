//! Calibration, thresholds with guarantees, metrics with intervals, learning curves.
//!
//! A number never comes alone: every metric is an [`Estimate`] with its interval and n.
//!
//! | question | where |
//! |---|---|
//! | how good is it, after paying for the choice among recipes? | [`bbc_cv`] |
//! | how good on a test set? per class? | [`metrics`] |
//! | what does a probability mean? | [`Calibration`] |
//! | when to say "I don't know"? | [`fit_reject`] |
//! | is this like anything seen before? | [`OodDetector`] |
//! | has what comes in changed? | [`DriftTest`], [`ShiftTest`] |
//! | what would more labels bring? | [`LearningCurve`] |
//! | is one of two models better? | [`paired()`], [`paired_scores`] |
//! | how wide is a number's interval? | [`half_width`] |
//! | how good is a defect detector, and where does it alarm? | [`inspect`] |

mod bbc;
mod calibration;
mod conformal;
mod curve;
mod drift;
mod error;
mod estimate;
mod familiar;
pub mod inspect;
mod martingale;
pub mod metrics;
mod paired;
mod reject;
mod shift;

pub use bbc::{bbc_accuracy, bbc_cv, for_test_of};
pub use calibration::Calibration;
pub use conformal::{half_width, normal_half_width, prediction_set_threshold};
pub use curve::{CurveDraw, LearningCurve};
pub use drift::{DriftTest, mix_p_value};
pub use error::EvaluateError;
pub use estimate::{Estimate, clopper_pearson, wilson};
pub use familiar::OodDetector;
pub use paired::{Paired, paired, paired_scores};
pub use reject::{NotProvable, RejectRule, TradeOff, fit_reject, trade_off};
pub use shift::{Compared, ShiftTest, Sketch};
