//! The command line as a person meets it: exit codes, words and data, on good and on bad input.
//!
//! Tests that run a network use the small image base; it is fetched once into `DIANJING_CACHE`, as `make test` sets it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod across;
mod apply;
mod asking;
mod audit;
mod audit_kinds;
mod bad_input;
mod book;
mod full;
mod hard_times;
mod inner_maps;
mod inspect;
mod inspect_measured;
mod inspect_odd;
mod inspect_series;
mod inspect_told;
mod inspect_video;
mod journey;
mod kinds;
mod logs;
mod onnx;
mod onnx_inspector;
mod review;
mod run;
mod select;
mod senses;
mod series;
mod sounds;
mod studio;
mod towers;
mod video;
