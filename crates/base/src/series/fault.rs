//! What is wrong with a series without hindering.

use std::fmt;

/// Something about a series that a person should know, though it can be used. Rows are counted as in the file, from 1.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is named by its fields")]
pub enum Fault {
    /// Cells of the channel hold something that is no number; they count as missing. The first is shown.
    NotNumbers { channel: String, count: usize, row: u64, value: String },
    /// Rows that cannot be read, or have another number of cells than the header; all their values are missing. The first is shown.
    BrokenRows { count: usize, row: u64 },
    /// Rows without a time, which were left out. The first is shown.
    NoTime { count: usize, row: u64 },
    /// The column holds nothing but text, and was left out. The first is shown.
    TextColumn { channel: String, row: u64, value: String },
    /// The clock goes back, or leaps further than gaps are bridged; the steps were joined there. The first is shown: after which
    /// step, counted from 0, and by how much, in the clock's unit.
    ClockJumps { count: usize, step: usize, by: f64 },
    /// Steps are unequal; values in between were drawn on straight lines.
    UnevenSteps { count: usize },
    /// The clock is coarser than the steps, which were taken as equal.
    CoarseClock,
    /// Values of the channel that are missing and were drawn on straight lines.
    Missing { channel: String, count: usize },
    /// The channel has no value at all.
    WhollyMissing { channel: String },
    /// The channel has one value all the time, or one within its range for long without a break; `share` of its steps.
    Flat { channel: String, value: f32, share: f32 },
    /// The channel stays at its least or greatest value for much of the time; `share` of its steps.
    Saturated { channel: String, share: f32 },
    /// The sensor has another rate than those that were learned from, so that its frequencies are not comparable; steps a second.
    OtherRate { got: f64, expected: f64 },
    /// A channel that was not there when the others were learned from, and was left out.
    Unknown { channel: String },
}

/// What of a series was lost or set right, in words; `None` where nothing was.
pub(crate) fn damage(faults: &[Fault]) -> Option<String> {
    let damage: Vec<String> = faults.iter().filter(|fault| fault.is_damage()).map(Fault::to_string).collect();
    (!damage.is_empty()).then(|| damage.join("; "))
}

impl Fault {
    /// Whether something was lost or set right for it; the others are properties of what was recorded.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::NotNumbers { .. }
            | Self::BrokenRows { .. }
            | Self::NoTime { .. }
            | Self::ClockJumps { .. }
            | Self::WhollyMissing { .. }
            | Self::OtherRate { .. } => true,
            Self::UnevenSteps { .. }
            | Self::CoarseClock
            | Self::Missing { .. }
            | Self::Flat { .. }
            | Self::Saturated { .. }
            | Self::TextColumn { .. }
            | Self::Unknown { .. } => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNumbers { channel, count, row, value } => {
                write!(
                    out,
                    "{count} cell(s) of `{channel}` are no numbers, the first in row {row}: `{value}`"
                )
            }
            Self::BrokenRows { count, row } => {
                write!(out, "{count} row(s) cannot be read, the first is row {row}")
            }
            Self::NoTime { count, row } => write!(out, "{count} row(s) have no time, the first is row {row}"),
            Self::TextColumn { channel, row, value } => {
                write!(out, "`{channel}` holds text only and is left out, the first in row {row}: `{value}`")
            }
            Self::ClockJumps { count, step, by } => {
                write!(out, "the clock jumps {count} time(s), first by {by} after step {step}")
            }
            Self::UnevenSteps { count } => {
                write!(out, "{count} step(s) are longer or shorter than the others")
            }
            Self::CoarseClock => out.write_str("the clock is coarser than the steps"),
            Self::Missing { channel, count } => write!(out, "{count} value(s) of `{channel}` are missing"),
            Self::WhollyMissing { channel } => write!(out, "`{channel}` has no value at all"),
            Self::Flat { channel, value, share } if *share >= 1.0 => {
                write!(out, "`{channel}` stands still at {value}")
            }
            Self::Flat { channel, value, share } => {
                write!(out, "`{channel}` stands still at {value} for {:.0} % of its steps", 100.0 * share)
            }
            Self::Saturated { channel, share } => {
                write!(out, "`{channel}` is at the end of its range for {:.0} % of the time", 100.0 * share)
            }
            Self::OtherRate { got, expected } => {
                write!(out, "it has {got:.6} steps a second, those that were learned from {expected:.6}")
            }
            Self::Unknown { channel } => write!(out, "`{channel}` was not there to learn from"),
        }
    }
}
