//! What tests of several crates share: an HTTP client, small made pictures. Nothing here is shipped.

mod client;
mod pictures;

pub use client::{Client, Told, id};
pub use pictures::{parts, photo};
