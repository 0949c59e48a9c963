//! Why a data set could not be looked through.

/// What made an audit impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum CurateError {
    /// A feature or a probability is not a number.
    #[error("the features or probabilities of row {row} are not finite")]
    NotFinite { row: usize },
    /// The parts of the input do not fit together.
    #[error("{what}: got {got}, expected {expected}")]
    Shape { what: &'static str, got: usize, expected: usize },
}
