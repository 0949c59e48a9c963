//! Tuning, detecting and comparing as a whole, through the crate's public doors.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod detect;
mod reference;
mod tuning;
