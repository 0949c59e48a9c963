//! Sound files: recognised by content, decoded block by block, with limits.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use symphonia::core::codecs::audio::well_known::{CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_OPUS, CODEC_ID_SPEEX};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;

use super::signature;
use crate::prep::PrepError;

/// Most channels that are decoded.
pub const MAX_CHANNELS: usize = 32;
/// Highest sample rate that is decoded, in hertz.
pub const MAX_RATE: u32 = 768_000;
/// Longest sound that is decoded, in seconds: a day.
pub const MAX_SECONDS: u64 = 24 * 3600;

/// Decodes a sound file block by block, in memory that does not grow with its length.
///
/// WAV and AIFF (whole numbers of 8 to 32 bits, floating point, A-law, mu-law, ADPCM), FLAC, Ogg (Vorbis, FLAC), MP3, MP4 (AAC, ALAC),
/// bare AAC and Matroska (Vorbis, FLAC, AAC, MP3). Of several tracks the default one is taken. Silence that an encoder has put before and
/// after the sound is cut in MP3 and Ogg, where the file tells its length.
pub struct Decoder<'s> {
    format: Box<dyn FormatReader + 's>,
    codec: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    n_channels: usize,
    /// One vector a channel; decoded while opening when `is_waiting`.
    block: Vec<Vec<f32>>,
    is_waiting: bool,
    is_over: bool,
    n_samples: u64,
    stated: Option<u64>,
    damage: Damage,
    /// What the codec asks for that is not supported, or seems to where a packet is damaged.
    unsupported: Option<&'static str>,
}

/// What is said of channels of which one is wired the other way round.
const CANCELLED: &str = "its channels cancel each other, and only the loudest was heard";

/// What of a sound could not be decoded, or not be heard as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Damage {
    /// Pieces (of some hundredths of a second) that could not be decoded, and are missing from the samples.
    pub packets: u64,
    /// Whether the file ends in the middle of the sound, or holds fewer samples than it says.
    pub is_short: bool,
    /// Whether the channels cancel each other somewhere, so that only the loudest was heard there.
    pub has_cancelled: bool,
}

impl Damage {
    /// The damage in words, such as `it ends early or lacks pieces`; `None` for an undamaged sound.
    pub fn detail(&self) -> Option<String> {
        let lost = match (self.packets, self.is_short) {
            (0, false) => None,
            (0, true) => Some("it ends early or lacks pieces".to_owned()),
            (packets, _) => Some(format!("{packets} damaged piece(s)")),
        };
        let cancelled = self.has_cancelled.then(|| CANCELLED.to_owned());
        let told: Vec<String> = lost.into_iter().chain(cancelled).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

impl Decoder<'static> {
    /// Opens a file, whatever its name says.
    ///
    /// # Errors
    /// As [`Decoder::new`], and [`PrepError::Unreadable`].
    pub fn open(path: &Path) -> Result<Self, PrepError> {
        Self::of(File::open(path).map_err(|error| unreadable(&error))?)
    }
}

impl<'s> Decoder<'s> {
    /// Decodes a file's bytes.
    ///
    /// # Errors
    /// When there are no bytes, they are no sound that can be decoded, nothing of it can be, there is no sample, or a limit is exceeded.
    pub fn new(bytes: &'s [u8]) -> Result<Self, PrepError> {
        Self::of(Cursor::new(bytes))
    }

    fn of(source: impl MediaSource + 's) -> Result<Self, PrepError> {
        guarded(|| Self::trusting(source))
    }

    fn trusting(mut source: impl MediaSource + 's) -> Result<Self, PrepError> {
        let mut head = Vec::new();
        (&mut source)
            .take(signature::HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(|error| unreadable(&error))?;
        signature::check(&head)?;
        source.rewind().map_err(|error| unreadable(&error))?;
        // Of bare frames the length is guessed where seeking is possible, and nothing is short of a guess.
        let source: Box<dyn MediaSource + 's> =
            if signature::is_bare(&head) { Box::new(ReadOnlySource::new(source)) } else { Box::new(source) };
        let stream = MediaSourceStream::new(source, Default::default());
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(not_decoded)?;
        let (track, codec) = select(format.as_ref())?;
        let (track, stated) = (track.id, track.num_frames);
        let mut decoder = Self {
            format,
            codec,
            track,
            rate: 0,
            n_channels: 0,
            block: Vec::new(),
            is_waiting: true,
            is_over: false,
            n_samples: 0,
            stated,
            damage: Damage::default(),
            unsupported: None,
        };
        if decoder.advance()? {
            return Ok(decoder);
        }
        Err(match (decoder.unsupported, decoder.damage.detail()) {
            (Some(what), _) => not_decoded(Error::Unsupported(what)),
            (None, Some(detail)) => {
                PrepError::BrokenSound { detail: format!("nothing of it can be decoded, {detail}") }
            }
            (None, None) => PrepError::NoSamples,
        })
    }

    /// Samples a second, in hertz: 1 to [`MAX_RATE`].
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Number of channels: 1 to [`MAX_CHANNELS`].
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// What could not be decoded so far; complete after the last block.
    pub fn damage(&self) -> Damage {
        self.damage
    }

    /// The next samples, one vector a channel, all of the same length and not empty, full scale at 1; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read on, the number of channels or the rate changes, a sample is not finite, or the sound is longer than
    /// [`MAX_SECONDS`]. Damage is no error: see [`Decoder::damage`].
    pub fn next_block(&mut self) -> Result<Option<&[Vec<f32>]>, PrepError> {
        let is_there = std::mem::take(&mut self.is_waiting) || guarded(|| self.advance())?;
        Ok(is_there.then_some(self.block.as_slice()))
    }

    /// Decodes into `block`; whether there was something left.
    fn advance(&mut self) -> Result<bool, PrepError> {
        while !self.is_over {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(Error::ResetRequired) => {
                    self.follow_chain()?;
                    continue;
                }
                Err(Error::IoError(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    return Err(unreadable(&error));
                }
                Err(_) => {
                    self.damage.is_short = true;
                    break;
                }
            };
            if packet.track_id != self.track {
                continue;
            }
            match self.codec.decode(&packet) {
                Ok(decoded) if decoded.frames() == 0 => {}
                Ok(decoded) => {
                    let (n_channels, rate) = (decoded.spec().channels().count(), decoded.spec().rate());
                    decoded.copy_to_vecs_planar(&mut self.block);
                    self.take_in(n_channels, rate)?;
                    return Ok(true);
                }
                Err(error) => {
                    self.damage.packets += 1;
                    if let Error::Unsupported(what) = error {
                        self.unsupported = Some(what);
                    }
                }
            }
        }
        self.is_over = true;
        self.damage.is_short |= self.stated.is_some_and(|stated| self.n_samples < stated);
        Ok(false)
    }

    /// Checks the block just decoded.
    fn take_in(&mut self, n_channels: usize, rate: u32) -> Result<(), PrepError> {
        let broken = |detail: String| Err(PrepError::BrokenSound { detail });
        if self.n_samples == 0 {
            if !(1..=MAX_CHANNELS).contains(&n_channels) {
                return broken(format!("it claims {n_channels} channels, 1 to {MAX_CHANNELS} are decoded"));
            }
            if !(1..=MAX_RATE).contains(&rate) {
                return broken(format!("it claims {rate} samples a second, 1 to {MAX_RATE} are decoded"));
            }
            self.rate = rate;
            self.n_channels = n_channels;
        }
        if (n_channels, rate) != (self.n_channels, self.rate) {
            return broken(format!(
                "it changes from {} channel(s) at {} Hz to {n_channels} at {rate} Hz",
                self.n_channels, self.rate
            ));
        }
        if self.block.iter().flatten().any(|sample| !sample.is_finite()) {
            return broken("it holds values that are not finite".to_owned());
        }
        self.n_samples += self.block[0].len() as u64;
        if self.n_samples > MAX_SECONDS * u64::from(self.rate) {
            return Err(PrepError::TooLong { limit_seconds: MAX_SECONDS });
        }
        Ok(())
    }

    /// Goes on with the next of several sounds that were written into one file one after the other.
    fn follow_chain(&mut self) -> Result<(), PrepError> {
        let (track, codec) = select(self.format.as_ref())?;
        self.stated = self.stated.zip(track.num_frames).map(|(before, more)| before.saturating_add(more));
        self.track = track.id;
        self.codec = codec;
        Ok(())
    }
}

/// A sound in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// One vector a channel, all of the same length, full scale at 1.
    pub channels: Vec<Vec<f32>>,
    /// Samples a second, in hertz.
    pub rate: u32,
    /// What could not be decoded.
    pub damage: Damage,
}

/// Decodes all of a sound.
///
/// # Errors
/// As [`Decoder::new`] and [`Decoder::next_block`]; [`PrepError::TooLong`] beyond `max_seconds`.
pub fn decode_whole(bytes: &[u8], max_seconds: u64) -> Result<Recording, PrepError> {
    let mut decoder = Decoder::new(bytes)?;
    let rate = decoder.rate();
    let most = max_seconds.saturating_mul(u64::from(rate));
    let mut channels = vec![Vec::new(); decoder.n_channels()];
    while let Some(block) = decoder.next_block()? {
        for (channel, more) in channels.iter_mut().zip(block) {
            channel.extend_from_slice(more);
        }
        if channels[0].len() as u64 > most {
            return Err(PrepError::TooLong { limit_seconds: max_seconds });
        }
    }
    Ok(Recording { channels, rate, damage: decoder.damage() })
}

thread_local! {
    /// Whether this thread is inside somebody else's decoder.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread would be one in somebody else's decoder, which comes back as a damaged sound: a program that prints
/// panics may pass over it.
pub fn is_guarded() -> bool {
    IS_GUARDED.get()
}

/// The decoders are other people's code on foreign bytes: a panic in one of them is a damaged sound, not the end.
fn guarded<T>(decode: impl FnOnce() -> Result<T, PrepError>) -> Result<T, PrepError> {
    let before = IS_GUARDED.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    IS_GUARDED.set(before);
    decoded.unwrap_or_else(|_| Err(PrepError::BrokenSound { detail: "its decoder gave up".to_owned() }))
}

/// The track to decode, and what decodes it.
fn select(format: &dyn FormatReader) -> Result<(&Track, Box<dyn AudioDecoder>), PrepError> {
    let refused = |detail: &str| PrepError::NotASound { detail: detail.to_owned() };
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| refused("it holds no track of a known codec"))?;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| refused("its header does not tell how it is coded"))?;
    let codecs = symphonia::default::get_codecs();
    if codecs.get_audio_decoder(parameters.codec).is_none() {
        return Err(refused(match parameters.codec {
            CODEC_ID_OPUS => "it is coded with Opus, which is not decoded",
            CODEC_ID_SPEEX => "it is coded with Speex, which is not decoded",
            CODEC_ID_MP1 | CODEC_ID_MP2 => "it is MPEG audio of layer 1 or 2, which is not decoded",
            _ => "its codec is not decoded",
        }));
    }
    let codec =
        codecs.make_audio_decoder(parameters, &AudioDecoderOptions::default()).map_err(not_decoded)?;
    Ok((track, codec))
}

fn unreadable(error: &io::Error) -> PrepError {
    PrepError::Unreadable { detail: error.to_string() }
}

/// Why nothing is decoded of a file whose first bytes are a sound's.
fn not_decoded(error: Error) -> PrepError {
    match error {
        // A part of the container that is not there: of an MP4 that was cut off, as its table of contents comes last.
        Error::Unsupported(what) if what.contains("missing") => {
            PrepError::BrokenSound { detail: what.to_owned() }
        }
        Error::Unsupported(what) => PrepError::NotASound { detail: format!("not supported: {what}") },
        Error::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => unreadable(&error),
        Error::IoError(_) => PrepError::BrokenSound { detail: "it ends early".to_owned() },
        error => PrepError::BrokenSound { detail: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_gives_up_is_a_broken_sound() {
        let given_up = guarded(|| -> Result<(), PrepError> {
            assert!(is_guarded());
            panic!("a decoder of somebody else")
        });
        assert_eq!(given_up, Err(PrepError::BrokenSound { detail: "its decoder gave up".to_owned() }));
        assert_eq!(guarded(|| Ok(7)), Ok(7));
        assert!(!is_guarded(), "what panics outside is printed");
    }
}
