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
    /// There is too little to measure on.
    #[error("{what}: got {got}, at least {need} are needed")]
    TooFew { what: &'static str, got: usize, need: usize },
    /// A setting is outside its range.
    #[error("`{what}` is {got}, expected {expected}")]
    OutOfRange { what: &'static str, got: f64, expected: &'static str },
    /// A stored detector does not fit together.
    #[error("the stored detector is damaged: {detail}")]
    Stored { detail: String },
}
