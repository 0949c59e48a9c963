//! What tests of several crates share: an HTTP client, a PostgreSQL, small made pictures. Nothing here is shipped.

mod client;
mod pictures;
mod postgres;

pub use client::{Client, Told, id};
pub use pictures::{parts, photo};
pub use postgres::Postgres;
