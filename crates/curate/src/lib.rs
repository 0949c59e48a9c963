//! Says what looks wrong in a data set: duplicates, suspicious labels, annotators who do not agree, rules that
//! were never agreed on.
//!
//! Scores have one direction: 0 is bad, 1 is good. Every finding names its evidence: the rows that speak against it.

pub mod attributes;
pub mod book;
pub mod consensus;
pub mod consistency;
mod duplicates;
mod error;
pub mod faults;
mod fingerprint;
mod joined;
pub mod labels;
mod layout;
mod looks;
pub mod moment;
mod nearest;
mod pairing;
pub mod select;
pub mod shapley;
mod significance;
mod spectrum;

pub use duplicates::{
    Duplicates, duplicates, duplicates_among, duplicates_of_pictures, duplicates_of_sounds,
};
pub use error::CurateError;
pub use fingerprint::Fingerprint;
pub use labels::{LabelIssue, LabelQuality, label_quality};
pub use layout::lay_out;
pub use looks::Look;
pub use nearest::nearest;
pub use pairing::{Heard, HeardSense, Pairing, pairing};
