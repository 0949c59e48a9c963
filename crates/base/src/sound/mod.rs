//! Sounds: from a file's bytes to the numbers that pretrained networks take.
//!
//! A sound goes through [`Decoder`] (blocks of samples, as the file has them), [`Resampler`] (16 kHz, one channel), [`Windows`] (pieces of
//! equal length) and [`LogMel`] (frames of 80 bands). From there [`whisper`] makes a speech network's input, [`picture`] a vision
//! network's, and [`Statistics`] the numbers for learning without a network.

mod decode;
mod mel;
mod mix;
mod picture;
mod piece;
mod resample;
mod signature;
mod statistics;
mod wav;
mod windows;

pub use decode::{Damage, Decoder, MAX_CHANNELS, MAX_RATE, MAX_SECONDS, Recording, decode_whole, is_guarded};
pub use mel::{BANDS, HOP, LogMel, whisper};
pub use mix::Mixer;
pub use picture::picture;
pub use piece::{Piece, piece};
pub use resample::{RATE, Resampler};
pub use statistics::{STATISTICS, Statistics};
pub use wav::{wav, wav_of};
pub use windows::{Cut, Window, Windows};
