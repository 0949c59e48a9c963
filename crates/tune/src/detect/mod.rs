//! Finds defects: patches of a photo that look like nothing on photos of good parts (methods 2).
//!
//! A base gives one feature vector for each patch of a photo. From the patches of good photos come
//!
//! | detector | where | a patch is suspicious when |
//! |---|---|---|
//! | memory | [`PatchMemory`] | no patch of a good photo is near it |
//! | subspace | [`Subspace`] | it leaves the directions in which good patches vary |
//!
//! and from the patches of photos with marked or merely known defects a third, [`PatchLogit`]. Each gives one number per patch,
//! larger for more suspicious; what a photo's number and the alarm are made of is decided elsewhere. Numbers for the photos
//! that a detector was made from are told only as `held_out`: by detectors that did not see that photo.
//!
//! What kind of defect it is, [`KindLogits`] tell after a few examples of each.
//!
//! Parts that are printed or machined to one pattern and lie alike need no base: an [`Aligner`] lays their photos over each
//! other and a [`PixelReference`] compares pixels.

mod bank;
mod folds;
mod kinds;
mod local;
mod memory;
mod mil;
mod patches;
mod reference;
mod scaling;
mod stored;
mod subspace;
mod supervised;
mod usual;

pub use bank::Bank;
pub use kinds::{KindLogits, fit_kinds};
pub use local::{LocalConfig, LocalMemory};
pub use memory::{MemoryConfig, PatchMemory, Scaling};
pub use mil::{MilInput, fit_without_masks};
pub use patches::Patches;
pub use reference::{Aligner, Evened, Fill, Grey, PIXEL_SIDE, PixelReference, Rigid, Size, photo_score};
pub use subspace::{Subspace, SubspaceKind};
pub use supervised::{PatchLogit, balanced_weights, fit_patches};

/// A detector with what detectors like it say of the photos it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored<D> {
    /// Made from all photos.
    pub detector: D,
    /// Of every patch, `[n]`, by a detector that did not see its photo.
    pub held_out: Vec<f32>,
}
