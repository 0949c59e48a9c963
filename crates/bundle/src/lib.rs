//! The package of a small model: writes, signs, checks, opens, predicts, exports.
//!
//! A bundle is a folder, or the same files stored in one `.djm` zip:
//!
//! | file | what it holds |
//! |---|---|
//! | `manifest.toml` | what this is: task, classes, base, seeds, versions, licence, and the BLAKE3 of every other file |
//! | `head.json`, `head.safetensors` | the head: its structure and its tensors |
//! | `decision.json` | calibration, thresholds with their guarantees, conformal widths |
//! | `familiar.json`, `familiar.safetensors` | what familiar examples look like, for "I have never seen such a thing" |
//! | `evaluation.json` | what was measured, each number with its interval and n |
//! | `golden.json` | inputs with their outputs: the bundle tests itself on every load |
//! | `created.toml` | when, and the manifest's hash; outside the identity, so that the same data and seed give the same one |
//!
//! A bundle over several senses has `senses.*` and `fused.*` in place of the head and what is familiar: [`SensesBundle`]. One that inspects
//! parts is an [`inspection::InspectionBundle`].
//!
//! Start at [`Bundle::open`] and [`Predictor`]; a new one is made by [`Bundle::write`].

mod archive;
mod contents;
mod error;
mod export;
mod files;
mod golden;
pub mod inspection;
mod joint;
mod manifest;
mod prediction;
mod predictor;
mod senses;
mod sign;

pub use archive::Form;
pub use contents::{Bundle, Decision, Evaluation, Measured};
pub use error::BundleError;
pub use export::export_onnx;
pub use files::{BundleKind, check, is_bundle, kind};
pub use golden::{Golden, GoldenRow, probe_image, probe_texts};
pub use joint::{End, JointBundle, JointPredictor};
pub use manifest::{
    BaseReference, DataReference, FORMAT, Manifest, PIECE_SECONDS, SenseReference, TaskReference,
};
pub use prediction::{Answer, Prediction, SenseShare, Verdict};
pub use predictor::{Predictor, Probed};
pub use senses::{Asked, SensePart, SensesBundle, SensesPredictor, Told};
pub use sign::{KeyPair, sign, verify};
