//! Examples, labels, groups, splits, revisions, and the readers of every format.
//!
//! Start at [`read`](fn@read): it looks at a file or folder, decides what it is, and gives the good part as a [`Dataset`]
//! together with a list of [`Problem`]s; [`read_inspection`] does so for sets of good parts and defects. [`split`] makes the only views that training and testing accept.

mod error;
mod example;
mod fingerprint;
mod inspection;
mod label_cell;
mod problem;
pub mod read;
pub mod split;
mod task;

pub use error::ReadError;
pub use example::{
    ClassIdx, Content, Dataset, Decision, Example, ExampleId, Modality, Origin, Part, Sense, Span, Target,
    Task, Vote,
};
pub use fingerprint::{content_hash, content_hashes};
pub use inspection::{InspectionExample, InspectionSet, MeasuredOn, Role, Verdict, VerdictsBy, Why};
pub use label_cell::{join_labels, split_labels};
pub use problem::{Problem, ProblemKind};
pub use read::{
    InspectionOptions, Purpose, ReadOptions, TaskKind, name_apart, names_good_parts, read, read_held_out,
    read_held_out_senses, read_inspection, read_lines, read_pairs, read_pool, read_pool_senses, read_senses,
    read_unlabelled,
};
