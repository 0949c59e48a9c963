//! Why a bundle could not be written, opened or used.

use std::path::PathBuf;

use crate::inspection::SightError;

/// What went wrong with a bundle. Each way of being unusable has its own message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum BundleError {
    /// The file or folder cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The bundle cannot be written.
    #[error(transparent)]
    Write(#[from] store::StoreError),
    /// Neither a bundle folder nor a `.djm` file.
    #[error("`{}` is not a bundle: {detail}", path.display())]
    NotABundle { path: PathBuf, detail: String },
    /// The archive ends early or a member is missing.
    #[error("`{}` is incomplete: {detail}", path.display())]
    Truncated { path: PathBuf, detail: String },
    /// A byte differs from what its own checksum says.
    #[error("`{file}` in `{}` is damaged: its bytes are not as they were written", path.display())]
    Damaged { path: PathBuf, file: String },
    /// A byte differs from what the manifest promises.
    #[error("`{file}` in `{}` was changed: its hash is {got}, written was {expected}", path.display())]
    Changed { path: PathBuf, file: String, expected: String, got: String },
    /// A bundle that answers another question than what was asked of it.
    #[error("`{}` {got}: it cannot be used for this", path.display())]
    OtherKind { path: PathBuf, got: &'static str },
    /// Made by a newer Dianjing.
    #[error("`{}` has format {got}; this program reads up to {supported}", path.display())]
    NewerFormat { path: PathBuf, got: u32, supported: u32 },
    /// Made by an older Dianjing, in a way that is no longer read.
    #[error("`{}` has format {got}; inspectors are read from format {needed} on", path.display())]
    OlderFormat { path: PathBuf, got: u32, needed: u32 },
    /// Made by an older Dianjing, which drew series otherwise.
    #[error("`{}` was made by an earlier version, which drew series otherwise", path.display())]
    OlderDrawing { path: PathBuf },
    /// A file in the bundle does not hold what it should.
    #[error("`{file}` in `{}` cannot be understood: {detail}", path.display())]
    Malformed { path: PathBuf, file: String, detail: String },
    /// The base at hand is not the one the head was tuned on.
    #[error("the bundle needs base `{id}` with hash {expected}, but the one at hand has {got}")]
    WrongBase { id: String, expected: String, got: String },
    /// The self-test on load gave other numbers than when the bundle was made.
    #[error(
        "self-test failed on golden input {row}: off by {difference:e}, allowed {tolerance:e} ({engine_then} then, {engine_now} now)"
    )]
    SelfTest { row: usize, difference: f64, tolerance: f64, engine_then: String, engine_now: String },
    /// The input is of another kind than the bundle takes.
    #[error("this bundle takes {expected}, not {got}")]
    WrongInput { expected: String, got: String },
    /// The base could not prepare or run the input.
    #[error(transparent)]
    Base(#[from] base::open::BaseError),
    /// The inspector cannot say anything of what was seen.
    #[error(transparent)]
    Tune(#[from] tune::TuneError),
    /// A map does not fit its photo.
    #[error(transparent)]
    Evaluate(#[from] evaluate::EvaluateError),
    /// The model cannot be written as one ONNX graph.
    #[error("cannot export to ONNX: {detail}")]
    Export { detail: String },
    /// An inspector whose way of looking is no ONNX graph.
    #[error(
        "cannot export to ONNX: before this inspector looks, it lays every photo over the median good part or paints over its background, which no ONNX graph does"
    )]
    ExportPrepared,
    /// An inspector of what is drawn first.
    #[error(
        "cannot export to ONNX: this inspector looks at pictures that are drawn of sounds, videos or series, which no ONNX graph does"
    )]
    ExportDrawn,
    /// A key or a signature is not usable.
    #[error("{detail}")]
    Signature { detail: String },
}

impl From<SightError> for BundleError {
    fn from(error: SightError) -> Self {
        match error {
            SightError::Base(error) => Self::Base(error),
            SightError::Tune(error) => Self::Tune(error),
        }
    }
}
