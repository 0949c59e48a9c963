//! The self-test every bundle carries: inputs that need no file, and what came out when it was made.
//!
//! The whole path is tested, pixels or text to answer, so a changed base, engine, pre-processing or head all show.
//! On the engine that made the bundle the numbers must agree to the last bit; on another, to [`ACROSS_ENGINES`], and so must those of
//! sounds and series on any: logarithms and Fourier transforms are the machine's own.

use base::Base;
use base::open::Input;
use base::series::{Channel, Sensors, Series};
use base::sound::{RATE, wav};
use dataset::Modality;
use serde::{Deserialize, Serialize};

use crate::BundleError;

/// Largest difference of a logit between engines, relative to the largest logit: features agree to 1e-4 of their scale.
const ACROSS_ENGINES: f64 = 2e-2;

/// Inputs and outputs recorded when the bundle was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Name of the engine, with what decides its arithmetic (such as the instruction set).
    pub engine: String,
    /// Outputs on the probes, in order.
    pub rows: Vec<GoldenRow>,
}

/// What one probe gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenRow {
    /// Raw outputs of the head.
    pub logits: Vec<f64>,
}

impl Golden {
    /// Compares fresh logits with the recorded ones.
    pub fn check(&self, engine: &str, fresh: &[Vec<f64>]) -> Result<(), BundleError> {
        self.compare(engine, fresh, engine == self.engine)
    }

    /// Compares what a base gives now. The front end of sounds and series is not the same to the last bit everywhere.
    pub(crate) fn check_on(&self, base: &Base, fresh: Self) -> Result<(), BundleError> {
        let is_exact = !matches!(base.modality(), Modality::Sound | Modality::Series);
        let rows: Vec<Vec<f64>> = fresh.rows.into_iter().map(|row| row.logits).collect();
        self.compare(&fresh.engine, &rows, is_exact && fresh.engine == self.engine)
    }

    fn compare(&self, engine: &str, fresh: &[Vec<f64>], is_exact: bool) -> Result<(), BundleError> {
        if self.rows.len() != fresh.len() {
            let (engine_then, engine_now) = (self.engine.clone(), engine.to_owned());
            let (row, difference) = (self.rows.len().min(fresh.len()), f64::INFINITY);
            return Err(BundleError::SelfTest { row, difference, tolerance: 0.0, engine_then, engine_now });
        }
        for (row, (then, now)) in self.rows.iter().zip(fresh).enumerate() {
            let scale = then.logits.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
            let tolerance = if is_exact { 0.0 } else { ACROSS_ENGINES * scale };
            let difference = largest_difference(&then.logits, now);
            if difference.is_nan() || difference > tolerance {
                let (engine_then, engine_now) = (self.engine.clone(), engine.to_owned());
                return Err(BundleError::SelfTest { row, difference, tolerance, engine_then, engine_now });
            }
        }
        Ok(())
    }
}

fn largest_difference(then: &[f64], now: &[f64]) -> f64 {
    if then.len() != now.len() {
        return f64::INFINITY;
    }
    then.iter()
        .zip(now)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |largest, value| if value > largest || value.is_nan() { value } else { largest })
}

/// The probes for a base: one made-up picture, sound or row of frames, or two sentences.
pub(crate) fn probes(base: &Base) -> Vec<Input> {
    match base.modality() {
        Modality::Image => vec![Input::Image(probe_image())],
        Modality::Video => vec![Input::Frames(probe_frames())],
        Modality::Series => base.sensors().map(probe_series).into_iter().collect(),
        Modality::Senses => unreachable!("a base has one sense"),
        Modality::Sound => vec![Input::Sound(probe_sound())],
        Modality::Text => probe_texts().iter().map(|text| Input::Text((*text).to_owned())).collect(),
    }
}

/// Two hundred steps of a slow wave, of another height in each channel, with a spike.
fn probe_series(sensors: &Sensors) -> Input {
    let channel = |(place, name): (usize, &String)| Channel {
        name: name.clone(),
        values: (0..200)
            .map(|step| {
                let spike = if step == 90 + place { 3.0 } else { 0.0 };
                ((step * (place + 3)) as f32 * 0.05).sin() + spike
            })
            .collect(),
    };
    let channels = sensors.channels.iter().enumerate().map(channel).collect();
    Input::Series(Series { channels, times: None, rate: None })
}

/// Two sentences that touch Latin, Chinese, digits and an emoji.
pub fn probe_texts() -> [&'static str; 2] {
    ["The lid is scratched at 3 places.", "第3批零件有划痕 🔧"]
}

/// Half a second of a rising tone over a slow beat, as the bytes of a WAV file of 16 bits at 16 kHz.
pub(crate) fn probe_sound() -> Vec<u8> {
    let sample = |at: u32| {
        // Triangles in whole numbers: no function of the machine decides a bit.
        let triangle = |phase: u32| (i64::from(phase % 4096) - 2048).abs() - 1024;
        let tone = triangle(at * at / 16 + 40 * at);
        let beat = 1024 + triangle(2 * at);
        (tone * beat / 128) as i16
    };
    wav(&(0..RATE / 2).map(sample).collect::<Vec<i16>>(), RATE)
}

/// Four frames of 96 x 80 pixels: a square that crosses a gradient and grows. A file would need a decoder of its own to be read.
fn probe_frames() -> Vec<image::RgbImage> {
    let frame = |time: u32| {
        let (left, side) = (8 + 20 * time, 12 + 2 * time);
        image::RgbImage::from_fn(96, 80, |x, y| {
            let inside = (left..left + side).contains(&x) && (30..30 + side).contains(&y);
            image::Rgb(if inside { [230, 40, 20] } else { [x as u8, (2 * y) as u8, 90] })
        })
    };
    (0..4).map(frame).collect()
}

/// A 96 x 80 picture with edges, a gradient and texture, as the bytes of a binary PPM-like RGB bitmap file (BMP).
pub fn probe_image() -> Vec<u8> {
    const WIDTH: u32 = 96;
    const HEIGHT: u32 = 80;
    let mut bmp = Vec::with_capacity(54 + (WIDTH * HEIGHT * 3) as usize);
    bmp.extend(b"BM");
    bmp.extend((54 + WIDTH * HEIGHT * 3).to_le_bytes());
    bmp.extend([0; 4]);
    bmp.extend(54_u32.to_le_bytes());
    bmp.extend(40_u32.to_le_bytes());
    bmp.extend(WIDTH.to_le_bytes());
    bmp.extend(HEIGHT.to_le_bytes());
    bmp.extend(1_u16.to_le_bytes());
    bmp.extend(24_u16.to_le_bytes());
    bmp.extend([0; 24]);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let inside = (x as i32 - 40).pow(2) + (y as i32 - 44).pow(2) < 500;
            let texture = (x * 7 + y * 13 + x * y) % 32;
            let blue = if inside { 200 } else { 2 * y };
            bmp.extend([blue as u8, (x * 2 + texture) as u8, (255 - 2 * x) as u8]);
        }
    }
    bmp
}
