//! The log-mel spectrogram, as Whisper was trained on it.

use std::sync::Arc;

use linalg::Matrix;
use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::RATE;

/// Bands of a frame.
pub const BANDS: usize = 80;
/// Samples from one frame to the next: 10 ms.
pub const HOP: usize = 160;
/// Samples of a frame: 25 ms.
const FRAME: usize = 400;
/// Frequencies of a frame.
const BINS: usize = FRAME / 2 + 1;
/// Least power whose logarithm is taken.
const LEAST: f64 = 1e-10;
/// Frames that one thread computes before it asks for more: a second.
const TURN: usize = 100;
/// How far below the loudest value of a piece Whisper looks, in powers of ten.
const DEPTH: f32 = 8.0;

/// Computes log-mel spectrograms, with all that does not depend on the sound made once.
///
/// In double precision: beside a loud tone, what is eight powers of ten below it is lost to rounding in single.
pub struct LogMel {
    transform: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    bands: Vec<Band>,
}

/// Where one thread transforms its frames.
struct Workspace {
    frame: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

/// The frequencies that a band takes in.
struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl Default for LogMel {
    fn default() -> Self {
        let hann = |i: usize| 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / FRAME as f64).cos();
        Self {
            transform: RealFftPlanner::new().plan_fft_forward(FRAME),
            window: (0..FRAME).map(hann).collect(),
            bands: bands(),
        }
    }
}

impl LogMel {
    /// The power in each band, as its logarithm to base ten and at least -10: `[max(n, 201) / 160, 80]`, a row every 10 ms, low bands first.
    ///
    /// `samples` are `n` of one channel at 16 kHz. Frames of 25 ms (Hann) are centred on every 160th sample, with the sound mirrored
    /// beyond its ends; fewer than 201 samples, which do not suffice to mirror, are followed by silence up to there. No samples give no
    /// rows. Bands are triangles of equal area on the mel scale of Slaney's Auditory Toolbox, 0 to 8000 Hz, as in librosa. Seconds are
    /// computed side by side on rayon's threads.
    pub fn log_mel(&self, samples: &[f32]) -> Matrix {
        if samples.is_empty() {
            return Matrix::zeros(0, BANDS);
        }
        let mut padded = Vec::new();
        let samples = if samples.len() > FRAME / 2 {
            samples
        } else {
            padded.extend_from_slice(samples);
            padded.resize(FRAME / 2 + 1, 0.0);
            &padded
        };
        let mut out = Matrix::zeros(samples.len() / HOP, BANDS);
        out.data_mut().par_chunks_mut(TURN * BANDS).enumerate().for_each_init(
            || self.workspace(),
            |workspace, (turn, rows)| {
                for (row, bands) in rows.chunks_exact_mut(BANDS).enumerate() {
                    self.cut(samples, (turn * TURN + row) * HOP, &mut workspace.frame);
                    self.hear(workspace, bands);
                }
            },
        );
        out
    }

    fn workspace(&self) -> Workspace {
        Workspace {
            frame: self.transform.make_input_vec(),
            spectrum: self.transform.make_output_vec(),
            scratch: self.transform.make_scratch_vec(),
        }
    }

    /// Fills `frame`, `[400]`, with the windowed samples around `centre`.
    fn cut(&self, samples: &[f32], centre: usize, frame: &mut [f64]) {
        let (half, n) = (FRAME / 2, samples.len());
        if centre >= half && centre + half <= n {
            let around = &samples[centre - half..centre + half];
            for ((to, sample), weight) in frame.iter_mut().zip(around).zip(&self.window) {
                *to = f64::from(*sample) * weight;
            }
            return;
        }
        for (place, (to, weight)) in frame.iter_mut().zip(&self.window).enumerate() {
            let at = (centre + place).abs_diff(half);
            let at = if at < n { at } else { 2 * (n - 1) - at };
            *to = f64::from(samples[at]) * weight;
        }
    }

    /// The logarithm of the power of the workspace's frame in each band.
    fn hear(&self, workspace: &mut Workspace, bands: &mut [f32]) {
        let Workspace { frame, spectrum, scratch } = workspace;
        self.transform
            .process_with_scratch(frame, spectrum, scratch)
            .expect("the buffers were made by the transform");
        // The frame is not needed any more, and has room for the powers.
        let power = &mut frame[..BINS];
        power.iter_mut().zip(spectrum).for_each(|(power, value)| *power = value.norm_sqr());
        for (value, band) in bands.iter_mut().zip(&self.bands) {
            let powers = &power[band.first..band.first + band.weights.len()];
            let sum: f64 = band.weights.iter().zip(powers).map(|(weight, power)| weight * power).sum();
            *value = sum.max(LEAST) as f32;
        }
        bands.iter_mut().for_each(|value| *value = log10(*value));
    }
}

/// The logarithm to base ten of a positive, normal number, to 5e-7 for powers that occur here: without a branch, so that a loop over it
/// is turned into vector instructions. The number is brought between `sqrt(1/2)` and `sqrt(2)`; there `ln x = 2 artanh((x - 1) / (x + 1))`.
#[inline]
fn log10(x: f32) -> f32 {
    /// `sqrt(1/2)` as it is stored: what lies between it and the number, in powers of two, is taken off.
    const HALF: i32 = 0x3f35_04f3;
    /// `log10(2)` in two parts, of which the first times a power of two is exact.
    const LOG10_2: (f32, f32) = (0.301_025_4, 4.605_039e-6);
    let bits = x.to_bits() as i32;
    let power = (bits - HALF) >> 23;
    let near_one = f32::from_bits((bits - (power << 23)) as u32);
    let t = (near_one - 1.0) / (near_one + 1.0);
    let square = t * t;
    let series = 1.0 / 9.0;
    let series = series * square + 1.0 / 7.0;
    let series = series * square + 1.0 / 5.0;
    let series = series * square + 1.0 / 3.0;
    let ln = 2.0 * t + 2.0 * t * square * series;
    let power = power as f32;
    power * LOG10_2.0 + (power * LOG10_2.1 + ln * std::f32::consts::LOG10_E)
}

/// Turns a log-mel into Whisper's input: what lies more than eight powers of ten below the loudest value of the piece is raised to there,
/// then `(x + 4) / 4`.
pub fn whisper(log_mel: &mut Matrix) {
    let least = log_mel.data().iter().copied().fold(f32::NEG_INFINITY, f32::max) - DEPTH;
    for row in 0..log_mel.rows() {
        log_mel.row_mut(row).iter_mut().for_each(|value| *value = (value.max(least) + 4.0) / 4.0);
    }
}

/// Triangles between neighbours of 82 frequencies that are equally spaced in mel, of equal area.
fn bands() -> Vec<Band> {
    let (lowest, highest) = (0.0, mel(f64::from(RATE) / 2.0));
    let corner = |i: usize| hertz(lowest + (highest - lowest) * i as f64 / (BANDS + 1) as f64);
    let band = |index: usize| {
        let (low, middle, high) = (corner(index), corner(index + 1), corner(index + 2));
        let weight = |bin: usize| {
            let frequency = bin as f64 * f64::from(RATE) / FRAME as f64;
            let triangle = ((frequency - low) / (middle - low)).min((high - frequency) / (high - middle));
            triangle.max(0.0) * 2.0 / (high - low)
        };
        let first = (0..BINS).find(|bin| weight(*bin) > 0.0).unwrap_or(0);
        Band { first, weights: (first..BINS).map(weight).take_while(|weight| *weight > 0.0).collect() }
    };
    (0..BANDS).map(band).collect()
}

/// Hertz at which the scale turns from linear to logarithmic, mel there, and hertz a mel below.
const TURN_HERTZ: f64 = 1000.0;
const TURN_MEL: f64 = 15.0;
const HERTZ_PER_MEL: f64 = 200.0 / 3.0;

/// Growth of the logarithm of the frequency with each mel above the turn.
fn growth() -> f64 {
    6.4_f64.ln() / 27.0
}

fn mel(hertz: f64) -> f64 {
    if hertz < TURN_HERTZ { hertz / HERTZ_PER_MEL } else { TURN_MEL + (hertz / TURN_HERTZ).ln() / growth() }
}

fn hertz(mel: f64) -> f64 {
    if mel < TURN_MEL { mel * HERTZ_PER_MEL } else { TURN_HERTZ * ((mel - TURN_MEL) * growth()).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_logarithm_is_close() {
        for step in -100_000..60_000 {
            let x = 10_f64.powf(f64::from(step) * 1e-4) as f32;
            let exact = f64::from(x).log10();
            assert!((f64::from(log10(x)) - exact).abs() < 5.5e-7, "{x}: {} {exact}", log10(x));
        }
        assert_eq!(log10(1.0), 0.0);
        assert_eq!(log10(LEAST as f32), -10.0);
    }
}
