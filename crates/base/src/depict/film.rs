//! A video as a picture: frames of it in two rows, and below them what moves where over time, and how much.
//!
//! Time goes to the right in all of it, at the scale of the usual video that was learned from ([`Film::survey`]), so that what stands
//! still, goes another way or takes another time looks other, as does what has another shape or colour.

use std::path::Path;

use image::imageops::{FilterType, replace, resize};
use image::{GrayImage, Luma, Rgb, RgbImage};
use serde::{Deserialize, Serialize};

use super::trace::curve;
use crate::prep::PrepError;
use crate::video::{self, Ffmpeg, Shape, VideoError};

/// Files that are looked into to find the scale.
const LOOKED_INTO: usize = 32;
/// Columns of the usual video, and of a frame: four side by side, in each row those between the ones of the other.
const COLUMNS: f64 = 512.0;
const FRAME: u32 = 128;
const ROWS_OF_FRAMES: u32 = 2;
/// Rows of a frame, at least and at most: it keeps the shape of the usual one.
const FRAME_ROWS: (u32, u32) = (32, 224);
/// Fewest columns: a flash of a frame is still looked at.
const FEWEST: u32 = 32;
/// Most ticks of the clock over the usual video.
const TICKS: f64 = 64.0;
/// A video may be this many times as long as the usual one.
const MOST_TIMES: f64 = 8.0;
/// Rows of each plot of what moves where, and of how much does.
const WHERE: u32 = 96;
const HOW_MUCH: u32 = 48;
/// Brightness for a step of one, of 255: half of all there is is as bright as can be.
const GAIN: u16 = 2;
/// Powers of ten of the mean step of all pixels at the bottom and at the top of the curve, and a mean step that is told from none.
const AMOUNTS: [f64; 2] = [-1.0, 2.0];
const LEAST_STEP: f64 = 0.1;
/// Most frames a second of what came from a file.
const TOP_RATE: f64 = 1000.0;
/// Longest usual video of what came from a file, in seconds: a day.
const LONGEST: f64 = 86_400.0;

/// The usual video that was learned from, on whose scale others are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Film {
    /// Its length in seconds.
    seconds: f64,
    /// Ticks of the clock in a second: a whole part of its frames.
    rate: f64,
    /// Rows of a frame as it is drawn.
    frame_rows: u32,
}

impl Film {
    /// Finds the scale, looking into up to 32 files that can be decoded.
    ///
    /// # Errors
    /// [`VideoError::Ffmpeg`] where no video can be decoded; why the first file cannot be when none can; [`VideoError::Stopped`] soon
    /// after [`Ffmpeg::cancel`] became true.
    pub fn survey(ffmpeg: &Ffmpeg<'_>, files: &[&Path]) -> Result<Self, VideoError> {
        let mut shapes: Vec<Shape> = Vec::new();
        let mut first = None;
        for file in files {
            match video::shape(ffmpeg, file) {
                Ok(shape) => shapes.push(shape),
                Err(VideoError::File(error)) => first = first.or(Some(error)),
                Err(error) => return Err(error),
            }
            if shapes.len() == LOOKED_INTO {
                break;
            }
        }
        if shapes.is_empty() {
            return Err(first.unwrap_or(PrepError::Empty).into());
        }
        let middle = |of: &dyn Fn(&Shape) -> f64| {
            let mut values: Vec<f64> = shapes.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let (seconds, rate) = (middle(&|shape| shape.seconds), middle(&|shape| shape.rate));
        let aspect = middle(&|shape| f64::from(shape.size.1) / f64::from(shape.size.0));
        // Every frame, every second, every third: a clock that falls between frames would see now one, now two of them go by.
        let every = (seconds * rate / TICKS).ceil().max(1.0);
        let frame_rows = (aspect * f64::from(FRAME)).round() as u32;
        Ok(Self { seconds, rate: rate / every, frame_rows: frame_rows.clamp(FRAME_ROWS.0, FRAME_ROWS.1) })
    }

    /// Whether the parts fit together, of what came from a file.
    pub fn is_sound(&self) -> bool {
        let within = |value: f64, most: f64| value > 0.0 && value <= most;
        within(self.seconds, LONGEST)
            && within(self.rate, TOP_RATE)
            && self.seconds * self.rate <= 2.0 * TICKS
            && (FRAME_ROWS.0..=FRAME_ROWS.1).contains(&self.frame_rows)
    }

    /// The picture of one video, and what of it could not be decoded, in the decoder's words.
    ///
    /// # Errors
    /// [`PrepError`] when it cannot be decoded or is far longer than the usual one.
    pub fn draw(&self, path: &Path) -> Result<(RgbImage, Option<String>), PrepError> {
        let most = (MOST_TIMES * self.seconds * self.rate).ceil() as usize;
        let size = (FRAME, self.frame_rows);
        match video::course(&Ffmpeg::default(), path, self.rate, most, size) {
            Ok((frames, damage)) => Ok((self.drawn(&frames), damage)),
            Err(VideoError::File(error)) => Err(error),
            Err(error) => Err(PrepError::Unreadable { detail: error.to_string() }),
        }
    }

    /// When these columns and rows of a picture are: start and end in seconds, of a video that may end before.
    pub fn seconds(&self, columns: [u32; 2], rows: [u32; 2]) -> [f64; 2] {
        let a_column = self.seconds / COLUMNS;
        let at = |column: u32| f64::from(column) * a_column;
        let last = |end: u32| end.saturating_sub(1);
        let of_frames = ROWS_OF_FRAMES * self.frame_rows;
        let (mut start, mut end) = (f64::INFINITY, 0.0_f64);
        if rows[1] > of_frames {
            (start, end) = (at(columns[0]), at(columns[1]));
        }
        for row in rows[0] / self.frame_rows..=last(rows[1].min(of_frames)) / self.frame_rows {
            if row >= ROWS_OF_FRAMES || rows[0] >= of_frames {
                break;
            }
            // What a frame stands for: its part of the columns that it covers.
            let (left, right) = (columns[0] / FRAME, last(columns[1]) / FRAME);
            let part = FRAME / ROWS_OF_FRAMES;
            start = start.min(at(left * FRAME + row * part));
            end = end.max(at(right * FRAME + (row + 1) * part));
        }
        [start, end]
    }

    /// At least one frame, all of the size that is drawn.
    fn drawn(&self, frames: &[RgbImage]) -> RgbImage {
        let seconds = frames.len() as f64 / self.rate;
        let width = ((seconds / self.seconds * COLUMNS).round() as u32).max(FEWEST);
        let of_frames = ROWS_OF_FRAMES * self.frame_rows;
        let mut picture = RgbImage::new(width, of_frames + 2 * WHERE + HOW_MUCH);
        for column in 0..width.div_ceil(FRAME) {
            for row in 0..ROWS_OF_FRAMES {
                // The middle of the part that it stands for.
                let place = column * FRAME + (2 * row + 1) * FRAME / (2 * ROWS_OF_FRAMES);
                let tick = (f64::from(place) / COLUMNS * self.seconds * self.rate) as usize;
                if let Some(frame) = frames.get(tick) {
                    let (left, top) = (i64::from(column * FRAME), i64::from(row * self.frame_rows));
                    replace(&mut picture, frame, left, top);
                }
            }
        }
        let steps = steps(frames);
        let mut below = i64::from(of_frames);
        for plot in [across(&steps), down(&steps)] {
            let plot = resize(&plot, width, WHERE, FilterType::Triangle);
            replace(&mut picture, &grey(&plot), 0, below);
            below += i64::from(WHERE);
        }
        replace(&mut picture, &grey(&curve(&amounts(&steps), AMOUNTS, (width, HOW_MUCH))), 0, below);
        picture
    }
}

/// How much each pixel changed since the frame before, in its channel that changed most; the first as the second.
fn steps(frames: &[RgbImage]) -> Vec<GrayImage> {
    let (width, height) = frames[0].dimensions();
    let step = |pair: &[RgbImage]| {
        let pixels = pair[0].pixels().zip(pair[1].pixels());
        let largest =
            |(a, b): (&Rgb<u8>, &Rgb<u8>)| (0..3).map(|at| a.0[at].abs_diff(b.0[at])).max().unwrap_or(0);
        GrayImage::from_raw(width, height, pixels.map(largest).collect()).expect("one number a pixel")
    };
    let steps: Vec<GrayImage> = frames.windows(2).map(step).collect();
    let first = steps.first().cloned().unwrap_or_else(|| GrayImage::new(width, height));
    std::iter::once(first).chain(steps).collect()
}

/// A column a tick, and in it for each column of the frames the largest step: what goes to the right goes down.
fn across(steps: &[GrayImage]) -> GrayImage {
    let (width, height) = steps[0].dimensions();
    GrayImage::from_fn(steps.len() as u32, width, |tick, x| {
        bright((0..height).map(|y| steps[tick as usize].get_pixel(x, y).0[0]))
    })
}

/// A column a tick, and in it for each row of the frames the largest step.
fn down(steps: &[GrayImage]) -> GrayImage {
    let (width, height) = steps[0].dimensions();
    GrayImage::from_fn(steps.len() as u32, height, |tick, y| {
        bright((0..width).map(|x| steps[tick as usize].get_pixel(x, y).0[0]))
    })
}

fn bright(steps: impl Iterator<Item = u8>) -> Luma<u8> {
    let largest = steps.max().unwrap_or(0);
    Luma([(GAIN * u16::from(largest)).min(255) as u8])
}

/// Powers of ten of the mean step at each tick.
fn amounts(steps: &[GrayImage]) -> Vec<f32> {
    let amount = |step: &GrayImage| {
        let sum: u64 = step.as_raw().iter().map(|value| u64::from(*value)).sum();
        (sum as f64 / step.as_raw().len() as f64).max(LEAST_STEP).log10() as f32
    };
    steps.iter().map(amount).collect()
}

fn grey(plot: &GrayImage) -> RgbImage {
    RgbImage::from_fn(plot.width(), plot.height(), |x, y| Rgb([plot.get_pixel(x, y).0[0]; 3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: Film = Film { seconds: 4.0, rate: 16.0, frame_rows: 96 };

    /// A white square on grey at a place that moves to the right with each tick, as long as `moves` says so.
    fn clip(n: u32, moves: impl Fn(u32) -> bool) -> Vec<RgbImage> {
        let mut left = 0;
        let frame = |tick: u32| {
            left += u32::from(moves(tick)) * 100 / n;
            let inside = |x: u32, y: u32| (left..left + 16).contains(&x) && (40..56).contains(&y);
            RgbImage::from_fn(FRAME, 96, |x, y| Rgb([if inside(x, y) { 255 } else { 90 }; 3]))
        };
        (0..n).map(frame).collect()
    }

    #[test]
    fn frames_stand_above_what_moves_where_and_how_much() {
        let picture = FILM.drawn(&clip(64, |_| true));
        assert_eq!(picture.dimensions(), (512, 2 * 96 + 2 * 96 + 48));
        let at = |x: u32, y: u32| picture.get_pixel(x, y).0[0];
        // The square of the first frame, in the middle of the first eighth: it went five steps of one pixel.
        assert_eq!((at(6, 48), at(5 + 16, 48), at(60, 48)), (255, 90, 90));
        // It goes to the right: its trace goes down. Its height stays.
        let hottest = |x: u32, top: u32| (top..top + 96).max_by_key(|y| at(x, *y)).unwrap() - top;
        assert!(hottest(40, 192) + 30 < hottest(470, 192));
        assert!(at(100, 288 + 48) > 200 && at(100, 288 + 5) == 0);
        assert!((384..432).any(|y| at(250, y) > 0), "how much moves");
    }

    #[test]
    fn a_stall_shows_as_a_hole_in_the_trace() {
        let moving = FILM.drawn(&clip(64, |_| true));
        let stalls = FILM.drawn(&clip(64, |tick| !(24..40).contains(&tick)));
        let trace = |picture: &RgbImage, x: u32| (192..384).map(|y| picture.get_pixel(x, y).0[0]).max();
        assert!(trace(&moving, 256) > Some(200) && trace(&stalls, 256) == Some(0));
        assert!(trace(&stalls, 80) > Some(200) && trace(&stalls, 450) > Some(200));
    }

    #[test]
    fn length_shows_and_places_are_seconds() {
        assert_eq!(FILM.drawn(&clip(32, |_| true)).width(), 256);
        assert_eq!(FILM.drawn(&clip(1, |_| true)).width(), FEWEST);
        let seconds = |columns, rows| FILM.seconds(columns, rows);
        // In a plot a column is its time; a frame stands for its eighth.
        assert_eq!(seconds([128, 256], [200, 300]), [1.0, 2.0]);
        assert_eq!(seconds([130, 140], [10, 20]), [1.0, 1.5]);
        assert_eq!(seconds([130, 140], [100, 120]), [1.5, 2.0]);
        assert_eq!(seconds([130, 140], [10, 120]), [1.0, 2.0]);
        assert_eq!(seconds([0, 512], [0, 432]), [0.0, 4.0]);
    }

    #[test]
    fn a_scale_that_nobody_finds_is_not_sound() {
        assert!(FILM.is_sound());
        for (seconds, rate, frame_rows) in
            [(0.0, 16.0, 96), (f64::NAN, 16.0, 96), (4.0, 2e9, 96), (4.0, 16.0, 4000), (4000.0, 16.0, 96)]
        {
            assert!(!Film { seconds, rate, frame_rows }.is_sound(), "{seconds} {rate} {frame_rows}");
        }
    }
}
