//! Why a data set could not be looked through.

/// What made an audit impossible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum CurateError {
    /// A feature or a probability is not a number.
    #[error("the features or probabilities of row {row} are not finite")]
    NotFinite { row: usize },
    /// The parts of the input do not fit together.
    #[error("{what}: got {got}, expected {expected}")]
    Shape { what: &'static str, got: usize, expected: usize },
    /// A label names a class that has no column.
    #[error("row {row} has label {label}, but the probabilities have {n_classes} columns")]
    LabelOutOfRange { row: usize, label: u32, n_classes: usize },
    /// A probability is below 0 or above 1.
    #[error("row {row} has the probability {value}, which is not between 0 and 1")]
    NotAProbability { row: usize, value: f64 },
    /// The probabilities of one row do not sum to 1: they are perhaps logits, or of several labels.
    #[error("the probabilities of row {row} sum to {sum}, not to 1; logits need a softmax first")]
    NotNormalised { row: usize, sum: f64 },
    /// Something needs at least one of these.
    #[error("there are no {what}")]
    Empty { what: &'static str },
    /// A box whose corners are not in order or not finite.
    #[error("box {place} of image {image} is not finite or has its corners swapped")]
    BadBox { image: usize, place: usize },
    /// A vote names something that does not exist.
    #[error("vote {row} names {what} {id}, but there are {end}")]
    UnknownId { row: usize, what: &'static str, id: u32, end: usize },
    /// A table that would not fit into memory.
    #[error("{what} would have {got} values, more than {limit}")]
    TooLarge { what: &'static str, got: usize, limit: usize },
    /// Uncertainty was asked for, but there is no model.
    #[error("choosing by uncertainty needs the margins of a model")]
    NoMargins,
    /// What labelling an example costs is no positive number.
    #[error("row {row} has the cost {cost}, which is not a positive number")]
    BadCost { row: usize, cost: f64 },
    /// A cost was given to a method that does not weigh it.
    #[error("the method `{method}` does not weigh costs; `facility-location` and `random` do")]
    CostsNeedFacility { method: &'static str },
}
