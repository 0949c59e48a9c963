//! The whole course of a video: a small frame at every tick of a clock, for what asks when things happen.

use std::ops::ControlFlow;
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
/// Most ticks a second. Of a file with more frames, every second or third is looked at.
const MOST_RATE: f64 = 240.0;

/// Ticks a second over a file with so many frames a second: a whole part of them, or now one and now two would go by between ticks.
fn clock(frames: f64) -> f64 {
    frames / (frames / MOST_RATE).ceil()
}

/// Decodes a video to find its shape.
///
/// # Errors
/// As [`frames`](super::frames).
pub fn shape(ffmpeg: &Ffmpeg<'_>, path: &Path) -> Result<Shape, VideoError> {
    let (probed, deadline) = look_into(ffmpeg, path)?;
    let rate = clock(probed.rate.unwrap_or(UNKNOWN_RATE));
    let (mut count, mut size) = (0_usize, (0, 0));
    let ended = ffmpeg.decode(path, Pace::Clock(rate), deadline, |frame| {
        count += 1;
        size = frame.dimensions();
        ControlFlow::Continue(())
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
    ffmpeg: &Ffmpeg<'_>,
    path: &Path,
    rate: f64,
    most: usize,
    (width, height): (u32, u32),
) -> Result<(Vec<RgbImage>, Option<String>), VideoError> {
    let (probed, deadline) = look_into(ffmpeg, path)?;
    let (mut seen, mut count) = (Vec::new(), 0);
    let ended = ffmpeg.decode(path, Pace::Clock(rate), deadline, |frame| {
        count += 1;
        if count > most {
            return ControlFlow::Break(());
        }
        seen.push(thumbnail(&frame, width, height));
        ControlFlow::Continue(())
    })?;
    if count > most {
        let limit = most as f64 / rate;
        let detail = format!("it lasts more than {limit:.1} s, far longer than those learned from");
        return Err(PrepError::NotAVideo { detail }.into());
    }
    check(count, count as f64 / rate, probed, &ended)?;
    Ok((seen, damage(&ended)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_ticks_a_whole_number_of_frames_goes_by() {
        for (frames, ticks) in [(30.0, 30.0), (240.0, 240.0), (300.0, 150.0), (1000.0, 200.0)] {
            assert_eq!(clock(frames), ticks, "{frames}");
        }
    }
}
