//! Why something could not be measured.

/// What made a measurement impossible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum EvaluateError {
    /// The parts of the input do not fit together.
    #[error("{what}: got {got}, expected {expected}")]
    Shape { what: &'static str, got: usize, expected: usize },
    /// A value is not a number.
    #[error("{what} has a value that is not finite in row {row}")]
    NotFinite { what: &'static str, row: usize },
    /// A stored detector does not fit together.
    #[error("the stored detector is damaged: {detail}")]
    Stored { detail: String },
}
