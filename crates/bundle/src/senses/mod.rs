//! Bundles over several senses of one thing, any of which may be missing: a head for each, and what makes one answer of them.

mod contents;
mod predictor;

pub use contents::{SensePart, SensesBundle};
pub use predictor::{Asked, SensesPredictor, Told};
