//! Which frames of a video are looked at: the middles of equal pieces of its time, and of frames that are the same only one.
//!
//! A file is decoded once, from the beginning to the end, so that variable frame rates, missing or wrong lengths and broken indices
//! do not matter. Of files longer than a minute only key frames are decoded, if there are enough of them.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use image::RgbImage;
use image::imageops::{FilterType, grayscale, resize};

use super::ffmpeg::{Ended, Ffmpeg, Pace, Probed, VideoError};
use super::moments::moments;
use crate::prep::PrepError;

/// Frames of a video of at most [`SHORT`] seconds, and of a longer one.
const FEW: usize = 8;
const MANY: usize = 16;
const SHORT: f64 = 10.0;
/// Ticks of the clock over the length that a file claims to have.
const TICKS: f64 = 64.0;
/// Ticks a second where a length is not known, or wrong.
const UNKNOWN_RATE: f64 = 8.0;
/// Most ticks a second.
const TOP_RATE: f64 = 30.0;
/// Longer videos are looked at by their key frames, in seconds.
const LONG: f64 = 60.0;
/// Most frames in memory at a time: 25 MB of the largest.
const KEPT: usize = 2 * MANY;
/// A file that complains and has less of its length than this was cut off.
const WHOLE: f64 = 0.9;
/// Two frames differ where a channel differs by more than this, of 255: more than the noise of coding.
const VISIBLE: u8 = 16;
/// Two frames are the same when a smaller share of their pixels differs.
const CHANGED: f64 = 2e-4;

/// Side of a glimpse, in pixels.
const GLIMPSE: u32 = 32;
/// Most ticks a second of glimpses: files with fewer frames a second are seldom, and would seem to repeat theirs.
const GLIMPSE_RATE: f64 = 8.0;
/// Most glimpses of a video whose length is not known.
const MOST_GLIMPSES: usize = 4096;

/// What was seen of a video.
#[derive(Debug, Clone, PartialEq)]
pub struct Video {
    /// At least one, all of the same size, at most 512 pixels on the longer side, in the order of time.
    pub frames: Vec<RgbImage>,
    /// Its rarest moments, of up to 32 frames of which [`Video::frames`] are some.
    pub moments: Vec<RgbImage>,
    /// What could not be decoded, in the decoder's words.
    pub damage: Option<String>,
}

/// Small grey frames at even steps over the whole video, `[32 * 32]` each; of videos longer than a minute key frames only.
///
/// # Errors
/// As [`frames`].
pub fn glimpses(ffmpeg: &Ffmpeg<'_>, path: &Path) -> Result<Vec<Vec<u8>>, VideoError> {
    let deadline = Instant::now() + ffmpeg.limit;
    let seconds = ffmpeg.probe(path, deadline)?.seconds;
    let pace = match seconds {
        Some(seconds) if seconds > LONG => Pace::KeyFrames(seconds / TICKS),
        Some(seconds) => Pace::Clock((TICKS / seconds).min(GLIMPSE_RATE)),
        None => Pace::Clock(GLIMPSE_RATE),
    };
    let mut seen = Vec::new();
    ffmpeg.decode(path, pace, deadline, |frame| {
        if seen.len() < MOST_GLIMPSES {
            let small = resize(&grayscale(&frame), GLIMPSE, GLIMPSE, FilterType::Triangle);
            seen.push(small.into_raw());
        }
        ControlFlow::Continue(())
    })?;
    Ok(seen)
}

/// The middles of 8 equal pieces of a video, of 16 where it is longer than ten seconds; of neighbours that are the same the first.
///
/// # Errors
/// [`VideoError::File`] for a file that is no video, is cut off or takes too long, [`VideoError::Ffmpeg`] where no video can be
/// decoded, [`VideoError::Stopped`] soon after [`Ffmpeg::cancel`] became true.
pub fn frames(ffmpeg: &Ffmpeg<'_>, path: &Path) -> Result<Video, VideoError> {
    let (probed, deadline) = look_into(ffmpeg, path)?;
    let decode = |pace| {
        let mut thinned = Thinned::default();
        let ended = ffmpeg.decode(path, pace, deadline, |frame| {
            thinned.push(frame);
            ControlFlow::Continue(())
        })?;
        Ok::<_, VideoError>((thinned, ended))
    };
    let length = probed.seconds;
    if let Some(seconds) = length.filter(|seconds| *seconds > LONG) {
        let (thinned, ended) = decode(Pace::KeyFrames(seconds / TICKS))?;
        if thinned.count >= MANY {
            // How far the last key frame is says little; a file without a complaint is whole.
            if !ended.is_clean() {
                check(thinned.count, ffmpeg.length(path, deadline)?, probed, &ended)?;
            }
            return Ok(thinned.watched(MANY, damage(&ended)));
        }
    }
    let mut rate = length.map_or(UNKNOWN_RATE, |seconds| (TICKS / seconds).min(TOP_RATE));
    let (mut thinned, mut ended) = decode(Pace::Clock(rate))?;
    if thinned.count < FEW && rate < UNKNOWN_RATE {
        rate = UNKNOWN_RATE;
        (thinned, ended) = decode(Pace::Clock(rate))?;
    }
    let seconds = thinned.count as f64 / rate;
    check(thinned.count, seconds, probed, &ended)?;
    let n_frames = if seconds.max(length.unwrap_or(0.0)) > SHORT { MANY } else { FEW };
    Ok(thinned.watched(n_frames, damage(&ended)))
}

/// What a file that is not empty says of its video, and until when it may be decoded.
pub(super) fn look_into(ffmpeg: &Ffmpeg<'_>, path: &Path) -> Result<(Probed, Instant), VideoError> {
    let unreadable = |error: std::io::Error| PrepError::Unreadable { detail: error.to_string() };
    if fs::metadata(path).map_err(unreadable)?.len() == 0 {
        return Err(PrepError::Empty.into());
    }
    let deadline = Instant::now() + ffmpeg.limit;
    Ok((ffmpeg.probe(path, deadline)?, deadline))
}

pub(super) fn damage(ended: &Ended) -> Option<String> {
    (!ended.is_clean()).then(|| ended.words.clone())
}

/// Whether as many frames as were seen, lasting so many seconds, are the whole file.
pub(super) fn check(count: usize, seconds: f64, probed: Probed, ended: &Ended) -> Result<(), PrepError> {
    if count == 0 {
        let told = if ended.words.is_empty() { String::new() } else { format!(": {}", ended.words) };
        return Err(PrepError::BrokenVideo { detail: format!("it has no frame that can be decoded{told}") });
    }
    match probed.seconds {
        Some(claimed) if !ended.is_clean() && seconds < WHOLE * claimed => {
            Err(PrepError::BrokenVideo { detail: format!("it ends after {seconds:.1} of {claimed:.1} s") })
        }
        _ => Ok(()),
    }
}

/// Frames at even steps of a stream of unknown length: whenever there are too many, every second one is let go.
#[derive(Debug)]
struct Thinned {
    kept: Vec<RgbImage>,
    step: usize,
    count: usize,
}

impl Default for Thinned {
    fn default() -> Self {
        Self { kept: Vec::new(), step: 1, count: 0 }
    }
}

impl Thinned {
    fn push(&mut self, frame: RgbImage) {
        if self.count.is_multiple_of(self.step) {
            if self.kept.len() == KEPT {
                let mut place = 0;
                self.kept.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.step *= 2;
            }
            // Half of the steps before is a step of now only if it is even.
            if self.count.is_multiple_of(self.step) {
                self.kept.push(self.as_the_first(frame));
            }
        }
        self.count += 1;
    }

    /// Streams may change their size on the way.
    fn as_the_first(&self, frame: RgbImage) -> RgbImage {
        match self.kept.first().map(RgbImage::dimensions) {
            Some((width, height)) if frame.dimensions() != (width, height) => {
                resize(&frame, width, height, FilterType::Triangle)
            }
            _ => frame,
        }
    }

    /// What is looked at of it.
    fn watched(self, n_frames: usize, damage: Option<String>) -> Video {
        let moments = moments(&self.kept);
        Video { frames: distinct(self.middles(n_frames)), moments, damage }
    }

    /// The frames nearest before the middles of `n` equal pieces; all of them when there are fewer.
    fn middles(mut self, n: usize) -> Vec<RgbImage> {
        let wanted = |piece: usize| (2 * piece + 1) * self.count / (2 * n) / self.step;
        let mut places: Vec<usize> = (0..n).map(wanted).collect();
        places.dedup();
        let mut place = 0;
        self.kept.retain(|_| {
            place += 1;
            places.binary_search(&(place - 1)).is_ok()
        });
        self.kept
    }
}

/// Leaves out frames that are the same as the one before.
fn distinct(frames: Vec<RgbImage>) -> Vec<RgbImage> {
    let mut kept: Vec<RgbImage> = Vec::new();
    for frame in frames {
        if kept.last().is_none_or(|last| changed(last, &frame) >= CHANGED) {
            kept.push(frame);
        }
    }
    kept
}

/// The share of pixels, in [0, 1], that visibly differ between frames of one size.
fn changed(one: &RgbImage, other: &RgbImage) -> f64 {
    let pairs = one.pixels().zip(other.pixels());
    let differ = pairs.filter(|(a, b)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > VISIBLE));
    differ.count() as f64 / one.pixels().len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn middles(n_frames: u8, n: usize) -> Vec<u8> {
        let mut thinned = Thinned::default();
        (0..n_frames).for_each(|value| thinned.push(RgbImage::from_pixel(2, 2, Rgb([value; 3]))));
        assert!(thinned.kept.len() <= KEPT);
        thinned.middles(n).iter().map(|frame| frame.get_pixel(0, 0).0[0]).collect()
    }

    #[test]
    fn middles_of_equal_pieces_are_taken_from_any_length() {
        assert_eq!(middles(64, 8), [4, 12, 20, 28, 36, 44, 52, 60]);
        assert_eq!(middles(64, 16)[..4], [2, 6, 10, 14]);
        assert_eq!(middles(3, 8), [0, 1, 2]);
        assert_eq!(middles(1, 16), [0]);
        // 200 frames are kept at steps of 8: each is less than a step before the middle.
        for (piece, value) in middles(200, 8).into_iter().enumerate() {
            let middle = (2 * piece + 1) * 200 / 16;
            assert!((middle - 7..=middle).contains(&usize::from(value)), "{piece}: {value}");
        }
    }

    #[test]
    fn frames_that_are_the_same_are_taken_once() {
        let plain = RgbImage::from_pixel(100, 100, Rgb([90; 3]));
        let mut noisy = plain.clone();
        noisy.pixels_mut().for_each(|pixel| pixel.0[1] += VISIBLE);
        let mut dot = plain.clone();
        (0..2).for_each(|x| dot.put_pixel(x, 7, Rgb([255, 0, 0])));
        let kept =
            distinct(vec![plain.clone(), noisy, plain.clone(), dot.clone(), dot.clone(), plain.clone()]);
        assert_eq!(kept, [plain.clone(), dot, plain]);
    }
}
