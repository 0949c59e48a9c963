//! Parquet tables.

mod read;
mod write;

pub(in crate::tables) use read::{columns, read};
pub(in crate::tables) use write::write;
