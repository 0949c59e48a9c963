//! What several annotators say together (methods 3.9). Everything works on sparse votes.
//!
//! Start at [`consensus`](fn@consensus), which chooses by evidence; [`consensus_by`] does as it is told. The methods by name: [`majority()`], [`dawid_skene()`],
//! [`one_coin()`], [`glad()`], [`mace()`], [`crowdlab()`]. [`annotators()`] and [`drift`] describe who voted,
//! [`krippendorff_alpha`] how far they agree, [`active_scores`] and [`next_questions`] what to ask next, and whom. [`marks`] is about
//! what several people mark on one example.

mod active;
mod agreement;
mod annotators;
mod combine;
mod crowdlab;
mod dawid_skene;
mod em;
mod glad;
mod mace;
mod majority;
pub mod marks;
mod one_coin;
mod votes;

pub use active::{ActiveScores, Question, active_scores, next_questions};
pub use agreement::{Agreement, Scale, krippendorff_alpha};
pub use annotators::{Annotator, Drift, annotators, drift};
pub use combine::{Consensus, Evidence, Model, Part, consensus, consensus_by};
pub use crowdlab::{Crowdlab, JudgedVotes, crowdlab};
pub use dawid_skene::{DawidSkene, dawid_skene};
pub use glad::{Glad, glad};
pub use mace::{Mace, mace};
pub use majority::{Majority, majority, vote_shares};
pub use one_coin::{OneCoin, one_coin};
pub use votes::{Vote, VoteProblem, Votes};
