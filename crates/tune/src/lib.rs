//! Fits heads on few examples, with seeds and checked settings.
//!
//! [`tune`](fn@tune) tries several recipes on frozen features, compares them on out-of-fold predictions and fits the winner on all
//! examples. A recipe is a feature (a set of the base, several of them, or words counted) and a family:
//!
//! | family | where | idea |
//! |---|---|---|
//! | nearest class mean | [`means`] | one prototype per class; all there is with one example per class |
//! | GDA | [`gda`] | class means in a common, shrunken covariance; exact leave-one-out for free |
//! | logistic regression | [`logistic`] | the best straight boundaries, by L-BFGS along a path of penalties |
//! | ridge | [`ridge`] | numbers, with exact leave-one-out |
//!
//! Defects on photos of parts are another matter, with detectors of their own: see [`detect`].
//!
//! [`fuse`] makes one answer of several senses, any of which may be missing, and [`align`](mod@align) lays the features of two bases over
//! each other.
//!
//! [`views`] asks two of them about examples that they were not fitted on, for whoever doubts the labels.
//!
//! Every head ends as linear maps ([`Head`]), so serving and exporting have one thing to do.

pub mod align;
mod blend;
mod config;
pub mod detect;
mod error;
mod evidence;
pub mod fuse;
pub mod gda;
mod head;
mod input;
mod lbfgs;
pub mod logistic;
pub mod means;
mod recipe;
pub mod ridge;
mod search;
mod tfidf;
mod tuning;
pub mod views;
pub mod what_if;

pub use config::{CheckedTune, TuneConfig};
pub use error::TuneError;
pub use evidence::mean_with_error;
pub use head::{Head, Link, Member, Words};
pub use input::{FeatureSet, Targets, TuneInput};
pub use recipe::{Family, Input, MemberRecipe, Recipe};
pub use tfidf::Vocabulary;
pub use tuning::{Candidate, Tuned, refit, tune};
