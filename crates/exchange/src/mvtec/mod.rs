//! The folders of MVTec AD (Bergmann et al. 2019): `train/good`, `test/good`, `test/<kind>`, and masks in
//! `ground_truth/<kind>/<name>_mask.png`.
//!
//! What an example is, is its class; the class that names good parts is called `good`. Defects are only there to measure on, so all of
//! them go to `test`; good parts go where they belong, to `train` when nothing is said.

mod read;
mod write;

pub(crate) use read::{is_there, read};
pub(crate) use write::write;

const GOOD: &str = "good";
const MASKS: &str = "ground_truth";
