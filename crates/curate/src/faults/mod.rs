//! Faults of single examples, and of the set, besides wrong labels (methods 4). Thresholds are in `docs/audit.md`.
//!
//! Each check gives every example a score, 0 is bad and 1 is good, and says which it flags.

mod imbalance;
mod leaks;
mod order;
mod outliers;
mod pictures;
mod texts;

pub use imbalance::class_imbalance;
pub use leaks::leaks;
pub use order::{Order, order};
pub use outliers::outliers;
pub use pictures::{Picture, pictures};
pub use texts::short_texts;

use serde::Serialize;

/// What can be wrong. The order is that of the harm it does: first what makes measurements false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The same example teaches and judges.
    Leak,
    /// The label is probably wrong.
    Label,
    /// The same example more than once.
    Duplicate,
    /// The example is like no other.
    Outlier,
    /// A class has far fewer examples than the others.
    ClassImbalance,
    /// Examples that follow each other are alike.
    NonIid,
    /// There is hardly anything to read.
    ShortText,
    /// Even the brightest parts are dark.
    Dark,
    /// Even the darkest parts are bright.
    Bright,
    /// There are no sharp edges, where the other pictures have some.
    Blurry,
    /// Much larger or smaller than the other pictures.
    OddSize,
    /// Much longer than wide, or the other way round.
    OddAspectRatio,
    /// Hardly anything but one tone.
    LowInformation,
    /// Grey among pictures in colour.
    Grey,
}

impl Fault {
    /// All of them, the most harmful first.
    pub const ALL: [Self; 14] = [
        Self::Leak,
        Self::Label,
        Self::Duplicate,
        Self::Outlier,
        Self::ClassImbalance,
        Self::NonIid,
        Self::ShortText,
        Self::Dark,
        Self::Bright,
        Self::Blurry,
        Self::OddSize,
        Self::OddAspectRatio,
        Self::LowInformation,
        Self::Grey,
    ];

    /// Its name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::Label => "label",
            Self::Duplicate => "duplicate",
            Self::Outlier => "outlier",
            Self::ClassImbalance => "class_imbalance",
            Self::NonIid => "non_iid",
            Self::ShortText => "short_text",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::Blurry => "blurry",
            Self::OddSize => "odd_size",
            Self::OddAspectRatio => "odd_aspect_ratio",
            Self::LowInformation => "low_information",
            Self::Grey => "grey",
        }
    }
}

/// What one check says about every example.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What was looked for.
    pub fault: Fault,
    /// `[n]`: 0 is bad, 1 is good; `None` where the question makes no sense.
    pub scores: Vec<Option<f64>>,
    /// The rows that are flagged, worst first.
    pub flagged: Vec<usize>,
}

impl Checked {
    /// Flags the rows whose score is below `limit`.
    fn below(fault: Fault, scores: Vec<f64>, limit: f64) -> Self {
        let flagged = (0..scores.len()).filter(|row| scores[*row] < limit).collect();
        Self::with(fault, scores, flagged)
    }

    /// Flags the rows given, brought into order.
    fn with(fault: Fault, scores: Vec<f64>, mut flagged: Vec<usize>) -> Self {
        flagged.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
        Self { fault, scores: scores.into_iter().map(Some).collect(), flagged }
    }
}

/// The middle of values and how far they usually are from it (median absolute deviation, in standard deviations of a normal
/// distribution); `None` without values.
fn middle_and_spread(values: &[f64]) -> Option<(f64, f64)> {
    let middle = median(values)?;
    let off: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    Some((middle, 1.4826 * median(&off)?))
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
