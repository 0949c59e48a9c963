//! Labels that are probably wrong (methods 3).
//!
//! Start at [`label_quality`], or at [`errors::label_errors`] with probabilities alone. [`Judged`] holds labels and out-of-fold
//! probabilities, checked once; [`score`] and [`filter`] are cleanlab's scores and rules on them, [`micro_audit`] asks a person. [`multilabel`], [`tokens`], [`regression`], [`boxes`] and [`pixels`] are the other
//! kinds of labels.

pub mod boxes;
mod boxes_flagged;
pub mod confident;
pub mod errors;
pub mod filter;
mod judged;
pub mod micro_audit;
pub mod multilabel;
pub mod pixels;
mod quality;
pub mod regression;
pub mod score;
pub mod seen;
pub mod tokens;
pub mod views;
pub mod votes;

pub use judged::{FEWEST, FEWEST_OF_CLASS, Judged, Note};
pub use quality::{LabelIssue, LabelQuality, label_quality, label_quality_by_views};

pub(crate) use judged::{SUM_TOLERANCE, argmax, check_probabilities};

/// The mean of scores, weighted toward the smallest: `sum s softmax((1 - s) / temperature)`; 1 when there are none.
pub(crate) fn softmin(scores: &[f64], temperature: f64) -> f64 {
    let smallest = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let weight = |score: f64| ((smallest - score) / temperature).exp();
    let all: f64 = scores.iter().map(|score| weight(*score)).sum();
    if scores.is_empty() { 1.0 } else { scores.iter().map(|score| score * weight(*score)).sum::<f64>() / all }
}
