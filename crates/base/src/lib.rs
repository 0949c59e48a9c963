//! Finds, checks and loads pretrained bases, prepares images and text for them, runs them.
//!
//! A base goes through four rooms, in this order:
//! 1. [`catalogue`] names it; [`pull`] brings it into the [`cache`] and checks it by hash; [`transfer`] carries it to machines without a network;
//! 2. [`containers`] read whatever file the weights came in and give [`weights`];
//! 3. [`arch`] writes the network once, as a [`graph`]; [`emit`] turns it into ONNX; an [`engine`] runs it;
//! 4. [`prep`] turns files and text into the network's input, [`sound`] and [`video`] do so for sounds and videos; [`extract`] runs it over many examples, with the feature cache.
//!
//! [`series`] needs no network: it turns series of sensors into features by itself; [`Base::of_series`] makes a base of it.

pub mod arch;
mod base64;
pub mod cache;
pub mod catalogue;
pub mod checkpoint;
pub mod containers;
pub mod depict;
pub mod emit;
pub mod engine;
pub mod extract;
mod following;
pub mod graph;
mod hearing;
pub mod onnx;
pub mod open;
pub mod patches;
pub mod prep;
pub mod pull;
pub mod series;
pub mod sound;
pub mod tokenizer;
pub mod transfer;
pub mod video;
mod watching;
pub mod weights;

pub use following::SERIES_BASE;
pub use open::Base;
