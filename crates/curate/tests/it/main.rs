//! Checks of labels against peers' own numbers, and what they find on data made for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod book;
mod consensus;
mod consistency;
mod labels;
mod pictures;
