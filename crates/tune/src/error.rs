//! Why no head could be fitted.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::detect::Size;

/// What made tuning impossible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum TuneError {
    /// There is nothing to learn from.
    #[error("there are no examples to learn from")]
    Empty,
    /// Only one class has examples.
    #[error("all {n} examples are of one class; telling things apart needs at least two")]
    OneClass { n: usize },
    /// A feature is not a number.
    #[error("feature set `{set}` has a value that is not finite in row {row}")]
    NotFinite { set: String, row: usize },
    /// A target is not a number.
    #[error("the target of row {row} is not finite")]
    TargetNotFinite { row: usize },
    /// The parts of the input do not fit together.
    #[error("{what} has {got} rows, the targets {expected}")]
    Rows { what: String, got: usize, expected: usize },
    /// A label is not below the number of classes.
    #[error("row {row} has class {class}, but there are only {n_classes}")]
    ClassIndex { row: usize, class: u32, n_classes: usize },
    /// The parts of a set of patches do not fit together.
    #[error("{what} are {got}, the patches {expected}")]
    Patches { what: &'static str, got: usize, expected: usize },
    /// A detector is asked about features of another kind.
    #[error("the patches have {got} columns, the detector was made from {expected}")]
    PatchColumns { got: usize, expected: usize },
    /// A photo does not have one value for each of its pixels, or no pixels.
    #[error("photo {photo} has {got} values for {height} x {width} pixels")]
    PhotoPixels { photo: usize, got: usize, height: usize, width: usize },
    /// Photos that are compared pixel by pixel differ in size.
    #[error(
        "photo {photo} has {} x {} pixels, the reference {} x {}",
        got.height, got.width, expected.height, expected.width
    )]
    PhotoSize { photo: usize, got: Size, expected: Size },
    /// Nothing can be held out.
    #[error("all patches are of one photo; holding photos out needs at least two")]
    OnePhoto,
    /// A detector would store a value that half precision cannot hold.
    #[error("row {row} of the bank has a value beyond 65504, more than half precision holds")]
    TooLargeForHalf { row: usize },
    /// A soft target or a weight is out of range.
    #[error("{what} of row {row} must be {expected}")]
    Soft { what: &'static str, row: usize, expected: &'static str },
    /// Defects can only be told from good patches where there are both.
    #[error("there are no {missing} to learn from")]
    OneKind { missing: &'static str },
    /// Scores of all examples for all classes would not fit in memory.
    #[error(
        "{n} examples times {n_classes} classes are more than this machine's memory holds; merge rare classes"
    )]
    TooLarge { n: usize, n_classes: usize },
    /// There is nothing to fuse.
    #[error("there are no senses to fuse")]
    NoSense,
    /// Every subset of the senses gets a model, so there may not be many.
    #[error("there are {got} senses; at most {most} can be fused")]
    ManySenses { got: usize, most: usize },
    /// A row says nothing.
    #[error("row {row} lacks every sense")]
    SilentRow { row: usize },
    /// A sense says nothing.
    #[error("every row lacks sense `{sense}`")]
    SilentSense { sense: String },
    /// A sense was never seen with some class.
    #[error("no row of class {class} has sense `{sense}`")]
    UnseenClass { sense: String, class: u32 },
    /// The cost of a joint model grows with the cube of its columns.
    #[error("the senses have {got} columns together; at most {most} are modelled jointly")]
    ManyColumns { got: usize, most: usize },
    /// Rows are of another width.
    #[error("{what} has {got} columns, expected {expected}")]
    Columns { what: String, got: usize, expected: usize },
    /// Too few pairs to align two bases.
    #[error(
        "there are {n} pairs that do not depend on each other; aligning two bases needs at least {fewest}"
    )]
    FewPairs { n: usize, fewest: usize },
    /// A setting is out of range.
    #[error("setting `{setting}` must be {expected}")]
    Setting { setting: &'static str, expected: &'static str },
    /// The person asked to stop.
    #[error("stopped")]
    Cancelled,
    /// A stored head does not fit together.
    #[error("the head is damaged: {detail}")]
    Head { detail: String },
    /// A stored detector does not fit together.
    #[error("the detector is damaged: {detail}")]
    Detector { detail: String },
}

impl TuneError {
    /// Ends the work with [`TuneError::Cancelled`] when the person asked to stop.
    pub(crate) fn if_stopped(cancel: &AtomicBool) -> Result<(), Self> {
        if cancel.load(Ordering::Relaxed) { Err(Self::Cancelled) } else { Ok(()) }
    }
}
