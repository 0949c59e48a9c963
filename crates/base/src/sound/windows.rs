//! A sound in pieces of equal length, at 16 kHz with one channel.

use std::path::Path;

use super::{Damage, Decoder, Mixer, RATE, Resampler};
use crate::prep::PrepError;

/// A last piece that would bring less new sound than this is left out where there are others: 0.1 s.
const LEAST_NEW: usize = RATE as usize / 10;

/// How a sound is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    length: usize,
    hop: usize,
}

impl Cut {
    /// Thirty seconds, one after the other: what Whisper takes.
    pub const WHISPER: Self = Self::seconds(30.0, 30.0);

    /// Pieces of `length` seconds, one every `hop` seconds.
    ///
    /// # Panics
    /// Unless `0 < hop <= length`, and both are a sample at least.
    pub const fn seconds(length: f64, hop: f64) -> Self {
        let (length, hop) = ((length * RATE as f64).round() as usize, (hop * RATE as f64).round() as usize);
        assert!(hop > 0 && hop <= length, "pieces follow each other without a gap");
        Self { length, hop }
    }
}

/// One piece of a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Where it begins, in samples at 16 kHz.
    pub start: u64,
    /// At 16 kHz, full scale at 1; shorter than the rest where the sound ends.
    pub samples: Vec<f32>,
}

/// The pieces of a sound in order, in memory that does not grow with its length.
///
/// A sound shorter than one piece is one short piece. After an error there is nothing more.
pub struct Windows<'s> {
    decoder: Decoder<'s>,
    /// `None` once the sound is over.
    resampler: Option<Resampler>,
    cut: Cut,
    mixer: Mixer,
    mono: Vec<f32>,
    /// Samples from `start` on.
    held: Vec<f32>,
    start: u64,
    /// How many of `held` the piece before had too.
    seen: usize,
}

impl<'s> Windows<'s> {
    /// Cuts what a decoder gives.
    pub fn new(decoder: Decoder<'s>, cut: Cut) -> Self {
        let resampler = Some(Resampler::new(decoder.rate()));
        let (mixer, mono, held) = (Mixer::default(), Vec::new(), Vec::new());
        Self { decoder, resampler, cut, mixer, mono, held, start: 0, seen: 0 }
    }

    /// What could not be decoded, or not be heard as it is; complete after the last piece.
    pub fn damage(&self) -> Damage {
        Damage { has_cancelled: self.mixer.has_cancelled(), ..self.decoder.damage() }
    }

    /// Decodes until there is a piece and the least that the next must bring, or the sound is over.
    fn fill(&mut self) -> Result<(), PrepError> {
        while self.held.len() < self.cut.length
            && let Some(resampler) = &mut self.resampler
        {
            if let Some(block) = self.decoder.next_block()? {
                self.mixer.mix(block, &mut self.mono);
                resampler.push(&self.mono, &mut self.held);
            } else if let Some(resampler) = self.resampler.take() {
                resampler.finish(&mut self.held);
            }
        }
        Ok(())
    }
}

impl Windows<'static> {
    /// Cuts a file; errors as [`Decoder::open`].
    pub fn open(path: &Path, cut: Cut) -> Result<Self, PrepError> {
        Ok(Self::new(Decoder::open(path)?, cut))
    }
}

impl Iterator for Windows<'_> {
    type Item = Result<Window, PrepError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.fill() {
            (self.resampler, self.seen) = (None, self.held.len());
            return Some(Err(error));
        }
        let is_first = self.start == 0 && self.seen == 0;
        let new = self.held.len().saturating_sub(self.seen);
        if new == 0 || (new < LEAST_NEW && !is_first && self.held.len() < self.cut.length) {
            return None;
        }
        let end = self.cut.length.min(self.held.len());
        let window = Window { start: self.start, samples: self.held[..end].to_vec() };
        let passed = self.cut.hop.min(end);
        self.held.drain(..passed);
        self.start += passed as u64;
        self.seen = end - passed;
        Some(Ok(window))
    }
}
