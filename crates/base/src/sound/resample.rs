//! One channel at 16 kHz, whatever the file has.

/// Samples a second of what networks for sound take, in hertz.
pub const RATE: u32 = 16_000;

/// Share of the lower of both Nyquist frequencies up to which nothing is lost.
const PASS: f64 = 0.9;
/// How much is left of what lies above that Nyquist frequency, in decibels; the tests hold it to 80.
const STOP: f64 = 86.0;
/// Most places between two samples for which the filter is kept; a rate that needs more of them takes the two beside each.
const MOST_PHASES: u64 = 640;
/// Products that are summed side by side; their number is part of the result's definition.
const LANES: usize = 16;

/// Turns a stream of samples of one channel and any rate into 16 kHz.
///
/// A windowed sinc (Kaiser), centred: the first sample that comes out lies where the first that goes in does, `n` samples become
/// `ceil(n * 16000 / rate)`, and beyond both ends is silence. Frequencies below 0.9 of the lower Nyquist frequency stay, those above it
/// are 80 dB down. The values do not depend on how the stream is cut into blocks.
pub struct Resampler {
    /// Output sample `k` lies at `k * from / to` of the input, in lowest terms.
    from: u64,
    to: u64,
    /// `n_phases + 1` filters of `taps` weights each; empty at 16 kHz, where nothing is to do.
    filters: Vec<f32>,
    n_phases: u64,
    taps: usize,
    /// Input from `start` on, counted from half a filter before the first sample.
    held: Vec<f32>,
    start: u64,
    received: u64,
    given: u64,
}

impl Resampler {
    /// `rate` in hertz.
    ///
    /// # Panics
    /// When it is zero; [`Decoder`](super::Decoder) gives no such sound.
    pub fn new(rate: u32) -> Self {
        assert!(rate > 0, "a sound has a rate");
        let shared = greatest_common_divisor(rate, RATE);
        let (from, to) = (u64::from(rate / shared), u64::from(RATE / shared));
        let n_phases = if to <= MOST_PHASES { to } else { MOST_PHASES };
        let lower = f64::from(rate.min(RATE)) / f64::from(rate);
        // Width of the band between pass and stop as a share of the rate; Kaiser's rule for the length.
        let width = lower * (1.0 - PASS) / 2.0;
        let half = ((STOP - 7.95) / (14.36 * width) / 2.0).ceil() as usize;
        let taps = (2 * half).next_multiple_of(LANES);
        let filters =
            if from == to { Vec::new() } else { filters(n_phases, taps, lower * (1.0 + PASS) / 2.0) };
        Self {
            from,
            to,
            filters,
            n_phases,
            taps,
            held: vec![0.0; taps / 2 - 1],
            start: 0,
            received: 0,
            given: 0,
        }
    }

    /// Takes the next samples, and puts behind `out` what they settle.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.received += samples.len() as u64;
        if self.from == self.to {
            out.extend_from_slice(samples);
            return;
        }
        self.held.extend_from_slice(samples);
        self.settle(out);
        let passed = ((self.given * self.from / self.to - self.start) as usize).min(self.held.len());
        if passed > self.held.len() / 2 {
            self.held.drain(..passed);
            self.start += passed as u64;
        }
    }

    /// Puts the rest behind `out`.
    pub fn finish(mut self, out: &mut Vec<f32>) {
        if self.from == self.to {
            return;
        }
        self.held.resize(self.held.len() + self.taps, 0.0);
        self.settle(out);
    }

    fn settle(&mut self, out: &mut Vec<f32>) {
        let all = (self.received * self.to).div_ceil(self.from);
        while self.given < all {
            let place = self.given * self.from;
            let first = (place / self.to - self.start) as usize;
            let Some(input) = self.held.get(first..first + self.taps) else { return };
            let phase = place % self.to * self.n_phases;
            let (phase, between) = ((phase / self.to) as usize, phase % self.to);
            let weights = &self.filters[phase * self.taps..];
            let mut value = dot(input, &weights[..self.taps]);
            if between > 0 {
                let share = between as f32 / self.to as f32;
                value += share * (dot(input, &weights[self.taps..2 * self.taps]) - value);
            }
            out.push(value);
            self.given += 1;
        }
    }
}

/// Low-pass filters, one for each place between two samples, each with weights that sum to one. `cutoff` is a share of the Nyquist
/// frequency.
fn filters(n_phases: u64, taps: usize, cutoff: f64) -> Vec<f32> {
    let half = (taps / 2) as f64;
    let bessel = Bessel::new(0.1102 * (STOP - 8.7));
    let mut filters = Vec::with_capacity((n_phases as usize + 1) * taps);
    let mut filter = vec![0.0; taps];
    for phase in 0..=n_phases {
        for (tap, weight) in filter.iter_mut().enumerate() {
            let x = tap as f64 - (half - 1.0) - phase as f64 / n_phases as f64;
            let angle = std::f64::consts::PI * cutoff * x;
            let sinc = if x == 0.0 { 1.0 } else { angle.sin() / angle };
            *weight = sinc * bessel.at(1.0 - (x / half) * (x / half));
        }
        let total: f64 = filter.iter().sum();
        filters.extend(filter.iter().map(|weight| (weight / total) as f32));
    }
    filters
}

/// The modified Bessel function of order zero of `beta * sqrt(y)`, as a series in `y` from 0 to 1.
struct Bessel {
    coefficients: Vec<f64>,
}

impl Bessel {
    fn new(beta: f64) -> Self {
        let mut term = 1.0;
        let terms = (1..=32).map(|k| {
            term *= (beta / 2.0 / f64::from(k)).powi(2);
            term
        });
        Self { coefficients: std::iter::once(1.0).chain(terms).collect() }
    }

    fn at(&self, y: f64) -> f64 {
        let y = y.max(0.0);
        self.coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * y + coefficient)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(frequency: f64, rate: u32, n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| (std::f64::consts::TAU * frequency * i as f64 / f64::from(rate)).sin() as f32)
            .collect()
    }

    fn resampled(samples: &[f32], rate: u32, block: usize) -> Vec<f32> {
        let (mut resampler, mut out) = (Resampler::new(rate), Vec::new());
        samples.chunks(block).for_each(|block| resampler.push(block, &mut out));
        resampler.finish(&mut out);
        out
    }

    /// Rates of recorders, of the telephone, above what is heard, and one that shares nothing with 16 kHz.
    const RATES: [u32; 8] = [8_000, 11_025, 16_000, 22_051, 44_100, 48_000, 96_000, 192_000];

    #[test]
    fn what_both_rates_can_hold_stays() {
        for rate in RATES {
            let nyquist = f64::from(rate.min(RATE)) / 2.0;
            for share in [0.01, 0.3, 0.6, 0.9] {
                let n = rate as usize / 5;
                let out = resampled(&sine(share * nyquist, rate, n), rate, 1000);
                let expected = sine(share * nyquist, RATE, out.len());
                let edge = out.len() / 4;
                let worst = out.iter().zip(&expected).map(|(a, b)| (a - b).abs());
                let worst = worst.take(out.len() - edge).skip(edge).fold(0.0, f32::max);
                assert!(worst < 1e-3, "{rate} Hz, {share} of the limit: off by {worst}");
            }
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_80_db_down() {
        for rate in RATES.into_iter().filter(|rate| *rate > RATE) {
            for frequency in [8_000.0, 9_000.0, 0.49 * f64::from(rate)] {
                let out = resampled(&sine(frequency, rate, rate as usize / 5), rate, 1000);
                let middle = &out[out.len() / 4..out.len() * 3 / 4];
                let worst = middle.iter().fold(0.0_f32, |worst, value| worst.max(value.abs()));
                assert!(worst < 1e-4, "{frequency} Hz at {rate} Hz leaves {worst}");
            }
        }
    }

    #[test]
    fn blocks_do_not_matter_and_the_length_is_exact() {
        for rate in RATES {
            for n in [0, 1, 2, 441, 10_007] {
                let samples = sine(440.0, rate, n);
                let whole = resampled(&samples, rate, 1 << 20);
                assert_eq!(
                    whole.len() as u64,
                    (n as u64 * u64::from(RATE)).div_ceil(u64::from(rate)),
                    "{n} at {rate} Hz"
                );
                for block in [7, 160, 4096] {
                    assert_eq!(
                        resampled(&samples, rate, block),
                        whole,
                        "{n} at {rate} Hz in blocks of {block}"
                    );
                }
            }
        }
    }
}
