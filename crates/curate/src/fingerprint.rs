//! Whether two recordings are one, begun later, ended earlier, louder, or saved anew: by when each of their frequencies is loud.
//!
//! Features of a base are of a recording as a whole and change with its ends. The course of loudness in a dozen bands does not: it
//! is only moved. Two recordings of one kind of event share an envelope, but not how each band goes up and down within it.

use linalg::{Matrix, matmul_nt};

use crate::CurateError;
use crate::spectrum;

/// Bands of frequencies.
const BANDS: usize = 16;
/// Where the first begins and the last ends, in hertz.
const LOWEST: f64 = 100.0;
const HIGHEST: f64 = 7600.0;
/// Share of the sample rate up to which a recording holds anything.
const HELD: f64 = 0.48;
/// Seconds of sound in a frame, and from the beginning of one to the beginning of the next.
const FRAME: f64 = 0.064;
const STEP: f64 = 0.016;
/// Frames that are kept: the first ten seconds.
const MOST: usize = 625;
/// Frames that two must share, and at least half of the shorter one.
const FEWEST: usize = 48;
/// Decibels below the loudest band of all frames that count as silence.
const FLOOR: f64 = -40.0;
/// Weights of the frames two before to two after.
const BESIDE: [f64; 5] = [0.1, 0.2, 0.4, 0.2, 0.1];
/// Steps that a decibel is kept in.
const STEPS: f64 = 4.0;
/// Squared decibels, per number, below which a stretch has no course.
const FLAT: f64 = 0.01;
/// Numbers by which recordings are ordered before they are compared.
pub(crate) const PROFILE: usize = 2 * BANDS;

/// The loudness of a recording in 16 bands, every 16 ms.
#[derive(Debug, Clone, PartialEq)]
pub struct Fingerprint {
    /// `[frames, BANDS]`, in quarter decibels above the floor.
    levels: Vec<u8>,
    /// Bands that its sample rate can hold.
    bands: usize,
}

impl Fingerprint {
    /// Seconds of the beginning that are enough to take it of.
    pub const SECONDS: u32 = 11;

    /// Of samples of one channel; `sample_rate` in hertz.
    ///
    /// # Errors
    /// When there are no samples, the sample rate is zero, or a sample is not finite (the row is its place).
    pub fn of(samples: &[f32], sample_rate: u32) -> Result<Self, CurateError> {
        if samples.is_empty() || sample_rate == 0 {
            return Err(CurateError::Empty { what: "samples" });
        }
        if let Some(row) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(CurateError::NotFinite { row });
        }
        let rate = f64::from(sample_rate);
        let length = ((FRAME * rate).round() as usize).max(2);
        let starts = (0..MOST).map(|frame| (frame as f64 * STEP * rate).round() as usize);
        let starts = starts.take_while(|start| start + length <= samples.len());
        let powers: Vec<[f64; BANDS]> =
            starts.map(|start| in_bands(&samples[start..start + length], rate)).collect();
        let most = powers.iter().flatten().copied().fold(0.0, f64::max);
        let above =
            |power: f64| if power > 0.0 { (10.0 * (power / most).log10() - FLOOR).max(0.0) } else { 0.0 };
        let decibels: Vec<[f64; BANDS]> = powers.iter().map(|bands| bands.map(above)).collect();
        let levels = (0..decibels.len()).flat_map(|frame| blurred(&decibels, frame)).collect();
        let bands = edges().iter().skip(1).filter(|edge| **edge <= HELD * rate).count();
        Ok(Self { levels, bands })
    }

    /// How loud each band is beside all, and how much it varies, in decibels.
    pub(crate) fn profile(&self) -> Vec<f32> {
        let n = self.frames().max(1) as f32;
        let band = |band: usize| self.levels.iter().skip(band).step_by(BANDS).map(|level| f32::from(*level));
        let means: Vec<f32> = (0..BANDS).map(|at| band(at).sum::<f32>() / n).collect();
        let overall = means.iter().sum::<f32>() / BANDS as f32;
        let varies = |at: usize| (band(at).map(|level| (level - means[at]).powi(2)).sum::<f32>() / n).sqrt();
        let numbers = means.iter().map(|mean| mean - overall).chain((0..BANDS).map(varies));
        numbers.map(|number| number / STEPS as f32).collect()
    }

    /// 1 minus the correlation of two courses of loudness, each band about its own mean, in [0, 2]: where they are laid over each
    /// other as suits best, for at least half of the shorter. 1 where either is too short or too even to tell.
    pub fn difference(&self, other: &Self) -> f32 {
        let bands = self.bands.min(other.bands);
        let (a, b) = (Course::of(self, bands), Course::of(other, bands));
        let shorter = a.frames().min(b.frames());
        if shorter < FEWEST || bands == 0 {
            return 1.0;
        }
        let least = FEWEST.max(shorter.div_ceil(2));
        let products = matmul_nt(a.values.view(), b.values.view());
        // How many frames later than the first the second one begins: below zero where it begins earlier.
        let shifts = (0..=a.frames() - least).map(|later| (later, 0));
        let shifts = shifts.chain((1..=b.frames() - least).map(|earlier| (0, earlier)));
        let best = shifts.filter_map(|from| correlation(&a, &b, &products, from)).reduce(f32::max);
        best.map_or(1.0, |best| (1.0 - best).max(0.0))
    }

    fn frames(&self) -> usize {
        self.levels.len() / BANDS
    }
}

/// The first bands of a fingerprint in decibels, each about its mean, with what their sums and squares add up to.
struct Course {
    /// `[frames, bands]`.
    values: Matrix<f32>,
    /// `[frames + 1, bands]`: sums of the frames before; they are subtracted from each other.
    sums: Matrix<f64>,
    /// `[frames + 1]`: sums of squares of the frames before.
    squares: Vec<f64>,
}

impl Course {
    fn of(fingerprint: &Fingerprint, bands: usize) -> Self {
        let frames = fingerprint.frames();
        let rows = || fingerprint.levels.chunks_exact(BANDS).map(|row| &row[..bands]);
        let level = |level: u8| f32::from(level) / STEPS as f32;
        let mean = |band: usize| rows().map(|row| level(row[band])).sum::<f32>() / frames.max(1) as f32;
        let means: Vec<f32> = (0..bands).map(mean).collect();
        let values: Vec<f32> =
            rows().flat_map(|row| row.iter().zip(&means).map(|(value, mean)| level(*value) - mean)).collect();
        let values = Matrix::from_vec(frames, bands, values);
        let (mut sums, mut squares) = (Matrix::zeros(frames + 1, bands), vec![0.0; frames + 1]);
        for frame in 0..frames {
            let row = values.row(frame);
            squares[frame + 1] =
                squares[frame] + row.iter().map(|value| f64::from(value * value)).sum::<f64>();
            for (band, value) in row.iter().enumerate() {
                sums.row_mut(frame + 1)[band] = sums.row(frame)[band] + f64::from(*value);
            }
        }
        Self { values, sums, squares }
    }

    fn frames(&self) -> usize {
        self.values.rows()
    }

    /// Sums of each band over some frames.
    fn sums(&self, from: usize, n: usize) -> impl Iterator<Item = f64> + '_ {
        self.sums.row(from + n).iter().zip(self.sums.row(from)).map(|(to, from)| to - from)
    }

    /// The sum of squares over some frames, each band about its mean there.
    fn variation(&self, from: usize, n: usize) -> f64 {
        let about = self.sums(from, n).map(|sum| sum * sum).sum::<f64>() / n as f64;
        self.squares[from + n] - self.squares[from] - about
    }
}

/// The correlation of all frames that two have in common when one is laid from this frame on and the other from that one; `None` where
/// nothing goes up and down there.
fn correlation(a: &Course, b: &Course, products: &Matrix<f32>, from: (usize, usize)) -> Option<f32> {
    let n = (a.frames() - from.0).min(b.frames() - from.1);
    let together: f64 = (0..n).map(|at| f64::from(products.row(from.0 + at)[from.1 + at])).sum();
    let about = a.sums(from.0, n).zip(b.sums(from.1, n)).map(|(a, b)| a * b).sum::<f64>() / n as f64;
    let (of_a, of_b) = (a.variation(from.0, n), b.variation(from.1, n));
    let flat = FLAT * (n * a.values.cols()) as f64;
    (of_a > flat && of_b > flat).then(|| ((together - about) / (of_a * of_b).sqrt()) as f32)
}

/// The levels of a frame with some of those before and after: where frames of a copy begin between those of the original, they hold other
/// samples.
fn blurred(decibels: &[[f64; BANDS]], frame: usize) -> [u8; BANDS] {
    let last = decibels.len() - 1;
    std::array::from_fn(|band| {
        let beside =
            |(at, weight): (usize, f64)| weight * decibels[(frame + at).saturating_sub(2).min(last)][band];
        let mean: f64 = BESIDE.into_iter().enumerate().map(beside).sum();
        (STEPS * mean).round() as u8
    })
}

/// Where bands begin and end, in hertz.
fn edges() -> [f64; BANDS + 1] {
    std::array::from_fn(|edge| LOWEST * (HIGHEST / LOWEST).powf(edge as f64 / BANDS as f64))
}

/// The power of a frame in each band.
fn in_bands(frame: &[f32], rate: f64) -> [f64; BANDS] {
    let frame: Vec<f64> = frame.iter().map(|sample| f64::from(*sample)).collect();
    let power = spectrum::power(&frame);
    let hertz = rate / frame.len().next_power_of_two() as f64;
    let mut bands = [0.0; BANDS];
    for (band, ends) in edges().windows(2).enumerate() {
        let place = |edge: f64| ((edge / hertz).ceil() as usize).min(power.len());
        bands[band] = power[place(ends[0])..place(ends[1])].iter().sum();
    }
    bands
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use linalg::{Seed, random};

    use super::*;

    /// Five seconds of tones that come and go as a number chooses.
    fn recording(which: u64, rate: u32) -> Vec<f32> {
        let mut rng = Seed(which).rng();
        let tones: Vec<(f64, f64, f64)> = (0..8)
            .map(|_| {
                let mut draw = || random::uniform(&mut rng);
                (150.0 + 3000.0 * draw(), 0.5 + 3.0 * draw(), TAU * draw())
            })
            .collect();
        let sample = |place: u32| {
            let time = f64::from(place) / f64::from(rate);
            let tone = |(pitch, pace, phase): &(f64, f64, f64)| {
                let loud = (TAU * pace * time + phase).sin().max(0.0);
                loud * loud * (TAU * pitch * time).sin()
            };
            tones.iter().map(tone).sum::<f64>() as f32 / 8.0
        };
        (0..5 * rate).map(sample).collect()
    }

    fn of(samples: &[f32], rate: u32) -> Fingerprint {
        Fingerprint::of(samples, rate).unwrap()
    }

    #[test]
    fn a_recording_that_begins_later_is_quieter_or_of_another_rate_is_the_same() {
        let whole = recording(1, 22_050);
        let one = of(&whole, 22_050);
        assert!(one.difference(&one) < 1e-4);
        assert!(one.difference(&of(&whole[14_321..], 22_050)) < 0.02);
        assert!(of(&whole[5_000..80_000], 22_050).difference(&one) < 0.02);
        let quiet: Vec<f32> = whole.iter().map(|sample| sample / 5.0).collect();
        assert!(one.difference(&of(&quiet, 22_050)) < 1e-4);
        // Of 8 kHz only what both can hold is compared.
        assert!(one.difference(&of(&recording(1, 8_000)[3_000..], 8_000)) < 0.05);
    }

    #[test]
    fn other_recordings_are_not() {
        let all: Vec<Fingerprint> = (1..8).map(|which| of(&recording(which, 16_000), 16_000)).collect();
        for (at, one) in all.iter().enumerate() {
            for other in &all[..at] {
                assert!(one.difference(other) > 0.2, "{}", one.difference(other));
            }
        }
    }

    #[test]
    fn a_copy_is_found_where_features_say_nothing_of_it() {
        let mut all: Vec<Vec<f32>> = (0..20).map(|which| recording(which, 16_000)).collect();
        all.push(all[3][9_000..].to_vec());
        let mut fingerprints: Vec<Option<Fingerprint>> =
            all.iter().map(|samples| Some(of(samples, 16_000))).collect();
        fingerprints.push(None);
        let mut rng = Seed(7).rng();
        let features = (0..fingerprints.len() * 8).map(|_| random::normal(&mut rng) as f32).collect();
        let near = crate::nearest(Matrix::from_vec(fingerprints.len(), 8, features).view()).unwrap();
        let found = crate::duplicates_of_sounds(&near, &fingerprints);
        assert_eq!(found.components, [vec![3, 20]]);
        assert!(found.scores[3] < 0.2 && found.scores[20] < 0.2 && found.scores[4] > 0.3);
    }

    #[test]
    fn what_is_short_silent_or_even_tells_nothing() {
        let one = of(&recording(1, 16_000), 16_000);
        for samples in [vec![0.5], vec![0.0; 40_000], recording(1, 16_000)[..8_000].to_vec()] {
            let other = of(&samples, 16_000);
            assert_eq!(one.difference(&other), 1.0);
            assert_eq!(other.difference(&one), 1.0);
            assert!(other.profile().iter().all(|number| number.is_finite()));
        }
        assert_eq!(Fingerprint::of(&[], 16_000), Err(CurateError::Empty { what: "samples" }));
        assert_eq!(Fingerprint::of(&[0.0, f32::NAN], 16_000), Err(CurateError::NotFinite { row: 1 }));
    }
}
