//! What a base is made of, from the files it comes in to the vectors it gives.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod clip;
mod containers;
mod e5s1;
mod extract;
mod made;
mod masks;
mod npz;
mod parity;
mod parity_tokens;
mod prep;
mod pull;
mod sentencepiece;
mod sound;
mod stand_in;
mod transfer;
mod usem3;
mod whisper;
