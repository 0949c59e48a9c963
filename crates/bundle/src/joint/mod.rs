//! Bundles that lay two bases over each other: what belongs together across two senses.

mod contents;
mod predictor;

pub use contents::JointBundle;
pub use predictor::{End, JointPredictor};
