//! Automation and the checks of the house itself.
//!
//! [`tidy`] holds the rules that a compiler does not know (layers, sizes, names of hosts); they run as ordinary tests, so
//! `cargo test` shows a broken rule with the line to look at. [`demo`] makes the demo's pictures, [`licences`] asks cargo-deny.

pub mod demo;
pub mod licences;
pub mod tidy;
