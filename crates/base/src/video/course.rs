//! The whole course of a video: a small frame at every tick of a clock, for what asks when things happen.

use std::path::Path;

use image::RgbImage;
use image::imageops::thumbnail;

use super::ffmpeg::{Ffmpeg, Pace, VideoError};
use super::frames::{check, damage, look_into};
use crate::prep::PrepError;

/// How long and how large a video is, and how often it shows another frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Length in seconds.
    pub seconds: f64,
    /// Width and height of its frames as they are decoded, in pixels.
    pub size: (u32, u32),
    /// Frames a second.
    pub rate: f64,
}

/// Ticks a second where a file does not say how many frames it has.
const UNKNOWN_RATE: f64 = 8.0;
/// Most ticks a second: a file that claims more of them holds the same frame many times.
const MOST_RATE: f64 = 240.0;

/// Decodes a video to find its shape.
///
/// # Errors
/// As [`frames`](super::frames).
pub fn shape(ffmpeg: &Ffmpeg, path: &Path) -> Result<Shape, VideoError> {
    let (probed, deadline) = look_into(ffmpeg, path)?;
    let rate = probed.rate.unwrap_or(UNKNOWN_RATE).min(MOST_RATE);
    let (mut count, mut size) = (0_usize, (0, 0));
    let ended = ffmpeg.decode(path, Pace::Clock(rate), deadline, |frame| {
        count += 1;
        size = frame.dimensions();
    })?;
    let seconds = count as f64 / rate;
    check(count, seconds, probed, &ended)?;
    Ok(Shape { seconds, size, rate })
}

/// The frame at every tick of a clock with `rate` ticks a second, each brought to this width and height, at most `most`; and what could not be
/// decoded.
///
/// # Errors
/// As [`frames`](super::frames); [`PrepError::NotAVideo`] for one with more ticks.
pub fn course(
    ffmpeg: &Ffmpeg,
    path: &Path,
    rate: f64,
    most: usize,
    (width, height): (u32, u32),
) -> Result<(Vec<RgbImage>, Option<String>), VideoError> {
    let (probed, deadline) = look_into(ffmpeg, path)?;
    let (mut seen, mut count) = (Vec::new(), 0);
    let ended = ffmpeg.decode(path, Pace::Clock(rate), deadline, |frame| {
        count += 1;
        if count <= most {
            seen.push(thumbnail(&frame, width, height));
        }
    })?;
    let seconds = count as f64 / rate;
    if count > most {
        let limit = most as f64 / rate;
        let detail =
            format!("it lasts {seconds:.1} s, longer than {limit:.1} s, far longer than those learned from");
        return Err(PrepError::NotAVideo { detail }.into());
    }
    check(count, seconds, probed, &ended)?;
    Ok((seen, damage(&ended)))
}
