//! A piece of a sound file, cut out.

use std::path::Path;

use dataset::Span;

use super::{Damage, Decoder, Mixer, wav_of};
use crate::prep::PrepError;

/// Longest piece in seconds, up to 48 kHz: it is held in memory.
const LONGEST: u64 = 600;
/// Most samples of a piece; at higher rates they are reached earlier.
const MOST: u64 = LONGEST * 48_000;
/// A piece may end this long after its sound, in seconds: times are rounded.
const ROUNDED: f64 = 0.05;

/// A piece of a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// A WAV file of its own: one channel of all, as [`Mixer`] makes it, at the rate of the sound.
    pub bytes: Vec<u8>,
    /// What could not be decoded of it or of what comes before it.
    pub damage: Option<String>,
}

/// Cuts a piece out of a sound file, which is decoded up to its end.
///
/// # Errors
/// As [`Decoder::open`] and [`Decoder::next_block`]; [`PrepError::BeyondEnd`] when it goes on after the sound has ended,
/// [`PrepError::NoSamples`] when it is shorter than a sample, [`PrepError::PieceTooLong`] beyond ten minutes, or fewer at a rate above 48 kHz.
pub fn piece(path: &Path, span: Span) -> Result<Piece, PrepError> {
    let mut decoder = Decoder::open(path)?;
    let rate = decoder.rate();
    let at = |seconds: f64| (seconds * f64::from(rate)).round() as usize;
    let (start, end) = (at(span.start().as_secs_f64()), span.end().map(|end| at(end.as_secs_f64())));
    if end == Some(start) {
        return Err(PrepError::NoSamples);
    }
    let (mut samples, mut mono, mut passed, mut mixer) = (Vec::new(), Vec::new(), 0, Mixer::default());
    while end.is_none_or(|end| passed < end) {
        let Some(block) = decoder.next_block()? else { break };
        mixer.mix(block, &mut mono);
        let wanted =
            start.saturating_sub(passed)..end.map_or(mono.len(), |end| (end - passed).min(mono.len()));
        passed += mono.len();
        samples.extend_from_slice(mono.get(wanted).unwrap_or_default());
        let limit_seconds = LONGEST.min(MOST / u64::from(rate));
        if samples.len() as u64 > limit_seconds * u64::from(rate) {
            return Err(PrepError::PieceTooLong { limit_seconds });
        }
    }
    let seconds = |samples: usize| samples as f64 / f64::from(rate);
    let missing = end.map_or(0.0, |end| seconds(end) - seconds(passed));
    if samples.is_empty() || missing > ROUNDED {
        let end = span.end().unwrap_or(span.start()).as_secs_f64();
        let [end, length] = [end, seconds(passed)].map(|seconds| format!("{seconds:.2}"));
        return Err(PrepError::BeyondEnd { end, length });
    }
    let damage = Damage { has_cancelled: mixer.has_cancelled(), ..decoder.damage() };
    Ok(Piece { bytes: wav_of(&samples, rate), damage: damage.detail() })
}

#[cfg(test)]
mod tests {
    use super::super::{decode_whole, wav};
    use super::*;

    fn cut(start: f64, end: Option<f64>) -> Result<Vec<f32>, PrepError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        // Two seconds: each sample is its place in hundredths of a second, as a part of a thousand.
        let samples: Vec<i16> = (0..16_000).map(|at| (at / 80 * 32) as i16).collect();
        std::fs::write(&path, wav(&samples, 8_000)).unwrap();
        let piece = piece(&path, Span::seconds(start, end).unwrap())?;
        assert_eq!(piece.damage, None);
        Ok(decode_whole(&piece.bytes, 10).unwrap().channels.remove(0))
    }

    #[test]
    fn a_piece_is_what_lies_between_its_times() {
        let hundredths = |samples: &[f32]| [0, samples.len() - 1].map(|at| (samples[at] * 1024.0).round());
        let middle = cut(0.5, Some(1.25)).unwrap();
        assert_eq!((middle.len(), hundredths(&middle)), (6_000, [50.0, 124.0]));
        let rest = cut(1.9, None).unwrap();
        assert_eq!((rest.len(), hundredths(&rest)), (800, [190.0, 199.0]));
        assert_eq!(cut(0.0, Some(2.02)).unwrap().len(), 16_000, "times are rounded");
    }

    #[test]
    fn a_piece_beyond_the_end_is_refused_with_where_that_is() {
        let beyond = |end: &str| Err(PrepError::BeyondEnd { end: end.to_owned(), length: "2.00".to_owned() });
        assert_eq!(cut(1.0, Some(2.5)), beyond("2.50"));
        assert_eq!(cut(3.0, Some(4.0)), beyond("4.00"));
        assert_eq!(cut(3.0, None), beyond("3.00"));
        assert_eq!(cut(1.0, Some(1.00001)), Err(PrepError::NoSamples), "shorter than a sample");
    }

    #[test]
    fn a_piece_of_more_than_ten_minutes_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        std::fs::write(&path, wav(&[0; 7_000], 10)).unwrap();
        let piece =
            |end: f64| piece(&path, Span::seconds(10.0, Some(end)).unwrap()).map(|piece| piece.bytes.len());
        assert_eq!(piece(610.0), Ok(44 + 4 * 6_000));
        assert_eq!(piece(611.0), Err(PrepError::PieceTooLong { limit_seconds: 600 }));
    }
}
