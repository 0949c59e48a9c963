//! Pieces of one sound file, cut out while it is decoded once, however many they are.
//!
//! Each is what [`base::sound::piece`] makes of it alone; only what pieces still need of the sound is held.

use base::prep::PrepError;
use base::sound::{Damage, Decoder, Mixer, wav_of};
use dataset::Span;
use std::collections::BTreeSet;

/// Longest piece in seconds, up to 48 kHz; more samples than that it never has.
const LONGEST: u64 = 600;
const MOST: u64 = LONGEST * 48_000;
/// A piece may end this long after its sound, in seconds: times are rounded.
const ROUNDED: f64 = 0.05;

/// A piece that was cut out.
#[derive(Debug, PartialEq)]
pub(crate) struct Slice {
    /// A WAV file of its own.
    pub(crate) bytes: Vec<u8>,
    /// How long it is, in thousandths of a second, rounded up: no sample is lost to whoever cuts by it.
    pub(crate) length_ms: i64,
    /// What could not be decoded of it or of what comes before it.
    pub(crate) damage: Option<String>,
}

/// What takes each piece, by its number.
pub(crate) type Take<'t, E> = dyn FnMut(usize, Result<Slice, PrepError>) -> Result<(), E> + 't;

/// Cuts pieces out, each as soon as it is decoded; `take` and `check` may stop it.
pub(crate) fn slices<E>(
    sound: Result<Decoder<'_>, PrepError>,
    spans: &[Span],
    check: &dyn Fn() -> Result<(), E>,
    take: &mut Take<'_, E>,
) -> Result<(), E> {
    match sound {
        Ok(decoder) => Sound::new(decoder, spans).cut(check, take),
        Err(error) => (0..spans.len()).try_for_each(|number| take(number, Err(error.clone()))),
    }
}

/// A sound on its way past, with the pieces that are not cut out yet.
struct Sound<'p> {
    decoder: Decoder<'p>,
    mixer: Mixer,
    spans: &'p [Span],
    /// Of each piece the first sample and, unless it goes on to the end of its file, the one after its last.
    places: Vec<(usize, Option<usize>)>,
    /// Those that have not begun: the last of them is the first to come.
    to_come: Vec<usize>,
    /// Those that have begun, by where they start and by where they end.
    by_start: BTreeSet<(usize, usize)>,
    by_end: BTreeSet<(usize, usize)>,
    /// What these need of what has passed, and where that begins.
    held: Vec<f32>,
    from: usize,
    passed: usize,
}

impl<'p> Sound<'p> {
    fn new(decoder: Decoder<'p>, spans: &'p [Span]) -> Self {
        let rate = f64::from(decoder.rate());
        let at = |seconds: f64| (seconds * rate).round() as usize;
        let place =
            |span: &Span| (at(span.start().as_secs_f64()), span.end().map(|end| at(end.as_secs_f64())));
        let places: Vec<_> = spans.iter().map(place).collect();
        let mut to_come: Vec<usize> = (0..spans.len()).collect();
        to_come.sort_by_key(|number| std::cmp::Reverse((places[*number].0, *number)));
        let (by_start, by_end) = (BTreeSet::new(), BTreeSet::new());
        let (mixer, held) = (Mixer::default(), Vec::new());
        Self { decoder, mixer, spans, places, to_come, by_start, by_end, held, from: 0, passed: 0 }
    }

    fn cut<E>(mut self, check: &dyn Fn() -> Result<(), E>, take: &mut Take<'_, E>) -> Result<(), E> {
        let empty = |(start, end): (usize, Option<usize>)| end == Some(start);
        for number in (0..self.spans.len()).filter(|number| empty(self.places[*number])) {
            take(number, Err(PrepError::NoSamples))?;
        }
        let places = &self.places;
        self.to_come.retain(|number| !empty(places[*number]));
        let mut mono = Vec::new();
        while !(self.to_come.is_empty() && self.by_start.is_empty()) {
            check()?;
            match self.decoder.next_block() {
                Ok(Some(block)) => self.mixer.mix(block, &mut mono),
                Ok(None) => return self.end(take),
                Err(error) => {
                    return self.rest().into_iter().try_for_each(|one| take(one, Err(error.clone())));
                }
            }
            self.held.extend_from_slice(&mono);
            self.passed += mono.len();
            self.begin();
            self.refuse_long(take)?;
            while let Some(&(end, number)) = self.by_end.first()
                && end <= self.passed
            {
                self.leave(number);
                take(number, Ok(self.slice(number)))?;
            }
            self.let_go();
        }
        Ok(())
    }

    /// Those that what has passed reaches.
    fn begin(&mut self) {
        while let Some(number) = self.to_come.pop_if(|number| self.places[*number].0 < self.passed) {
            let (start, end) = self.places[number];
            self.by_start.insert((start, number));
            self.by_end.insert((end.unwrap_or(usize::MAX), number));
        }
    }

    fn leave(&mut self, number: usize) {
        let (start, end) = self.places[number];
        self.by_start.remove(&(start, number));
        self.by_end.remove(&(end.unwrap_or(usize::MAX), number));
    }

    fn refuse_long<E>(&mut self, take: &mut Take<'_, E>) -> Result<(), E> {
        let rate = u64::from(self.decoder.rate());
        let limit_seconds = LONGEST.min(MOST / rate);
        let limit = (limit_seconds * rate) as usize;
        let is_long = |sound: &Self, number: usize| {
            let (start, end) = sound.places[number];
            end.map_or(sound.passed, |end| end.min(sound.passed)) - start > limit
        };
        // Who started first is the longest, unless it has ended.
        let early = self.by_start.iter().take_while(|(start, _)| self.passed - start > limit);
        let long: Vec<usize> = early.map(|(_, number)| *number).filter(|one| is_long(self, *one)).collect();
        for number in long {
            self.leave(number);
            take(number, Err(PrepError::PieceTooLong { limit_seconds }))?;
        }
        Ok(())
    }

    /// Forgets what no piece needs any more, now and then: what is kept is moved each time.
    fn let_go(&mut self) {
        let needed = self.by_start.first().map_or(self.passed, |(start, _)| *start);
        let gone = needed - self.from;
        if 2 * gone >= self.held.len() {
            self.held.drain(..gone);
            self.from = needed;
        }
    }

    fn slice(&self, number: usize) -> Slice {
        let rate = self.decoder.rate();
        let (start, end) = self.places[number];
        let damage = Damage { has_cancelled: self.mixer.has_cancelled(), ..self.decoder.damage() };
        let samples = &self.held[start - self.from..end.unwrap_or(self.passed).min(self.passed) - self.from];
        let length_ms = (1000 * samples.len() as u64).div_ceil(u64::from(rate));
        Slice {
            bytes: wav_of(samples, rate),
            length_ms: i64::try_from(length_ms).unwrap_or(i64::MAX),
            damage: damage.detail(),
        }
    }

    fn rest(&self) -> Vec<usize> {
        self.to_come.iter().copied().chain(self.by_start.iter().map(|(_, number)| *number)).collect()
    }

    /// The sound has ended: pieces end with it, unless they should not have.
    fn end<E>(self, take: &mut Take<'_, E>) -> Result<(), E> {
        let rate = f64::from(self.decoder.rate());
        for number in self.rest() {
            let (start, end) = self.places[number];
            let missing = end.map_or(0.0, |end| end as f64 / rate - self.passed as f64 / rate);
            take(
                number,
                if start >= self.passed || missing > ROUNDED {
                    let span = self.spans[number];
                    let ends = span.end().unwrap_or(span.start()).as_secs_f64();
                    let [end, length] =
                        [ends, self.passed as f64 / rate].map(|seconds| format!("{seconds:.2}"));
                    Err(PrepError::BeyondEnd { end, length })
                } else {
                    Ok(self.slice(number))
                },
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::path::Path;

    use base::sound::{piece, wav};

    use super::*;

    /// Each piece of a file as it is cut with the others.
    fn together(path: &Path, spans: &[Span]) -> Vec<Result<Slice, PrepError>> {
        let mut all: Vec<_> = spans.iter().map(|_| None).collect();
        let mut take = |number: usize, came| {
            assert!(all[number].replace(came).is_none(), "{number} comes once");
            Ok(())
        };
        let check = || Ok::<_, Infallible>(());
        assert!(slices(Decoder::open(path), spans, &check, &mut take).is_ok());
        all.into_iter().map(|one| one.expect("each comes")).collect()
    }

    #[track_caller]
    fn check(bytes: &[u8], spans: &[(f64, Option<f64>)]) {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.wav");
        std::fs::write(&path, bytes).expect("written");
        let spans: Vec<Span> =
            spans.iter().map(|(start, end)| Span::seconds(*start, *end).expect("in order")).collect();
        for (span, came) in spans.iter().zip(together(&path, &spans)) {
            let alone = piece(&path, *span).map(|piece| (piece.bytes, piece.damage));
            assert!(came.map(|slice| (slice.bytes, slice.damage)) == alone, "{span:?}");
        }
    }

    fn sound(seconds: usize, rate: u32) -> Vec<u8> {
        wav(&(0..seconds * rate as usize).map(|at| (at % 30_011) as i16).collect::<Vec<_>>(), rate)
    }

    #[test]
    fn pieces_that_are_cut_together_are_those_that_are_cut_alone() {
        let some = |start: f64, end: f64| (start, Some(end));
        let spans = [
            some(3.0, 4.5),
            some(0.0, 1.0),
            some(0.5, 9.9),
            (8.0, None),
            some(0.5, 0.6),
            some(0.5, 0.6),
            some(9.0, 10.02),
            some(9.0, 10.2),
            some(11.0, 12.0),
            (12.0, None),
            some(1.000_01, 1.000_02),
        ];
        check(&sound(10, 8_000), &spans);
        let mut short = sound(10, 8_000);
        short.truncate(90_000);
        check(&short, &spans);
        check(b"no sound", &spans);
    }

    #[test]
    fn pieces_that_are_too_long_are_left_out_and_the_others_are_not() {
        let some = |start: f64, end: f64| (start, Some(end));
        check(
            &sound(700, 100),
            &[
                (0.0, None),
                some(1.0, 650.0),
                some(50.0, 649.0),
                some(99.0, 9000.0),
                (150.0, None),
                some(1.0, 3.0),
            ],
        );
    }

    #[test]
    fn a_sound_is_decoded_once_and_only_what_is_needed_is_held() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.wav");
        std::fs::write(&path, sound(1000, 1_000)).expect("written");
        let spans: Vec<Span> = (0..990)
            .map(|at| Span::seconds(f64::from(at), Some(f64::from(at) + 1.5)).expect("in order"))
            .collect();
        let n_blocks = |spans: &[Span]| {
            let blocks = std::cell::Cell::new(0);
            let count = || {
                blocks.set(blocks.get() + 1);
                Ok(())
            };
            assert!(slices(Decoder::open(&path), spans, &count, &mut |_, came| came.map(drop)).is_ok());
            blocks.get()
        };
        assert_eq!(
            n_blocks(&spans),
            n_blocks(&spans[989..]),
            "990 pieces take no more than the last of them"
        );
        let mut sound = Sound::new(Decoder::open(&path).expect("a sound"), &[]);
        sound.held = vec![0.0; 10_000];
        (sound.passed, sound.from) = (10_000, 0);
        sound.let_go();
        assert_eq!((sound.held.len(), sound.from), (0, 10_000));
    }
}
