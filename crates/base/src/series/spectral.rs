//! Sizes and rhythms of one channel: its distribution, spectrum, autocorrelation and envelope as a fixed row of numbers.

mod sizes;
mod spectrum;

use super::kernels::{present, standardised};
use sizes::{SIZES, sizes};
use spectrum::Spectrum;

/// Bands of the spectrum: four an octave, nine octaves below half the rate.
const BANDS: Bands = Bands { octaves: 9, per_octave: 4 };
/// Bands of the envelope's spectrum: five an octave, ten octaves.
const ENVELOPE_BANDS: Bands = Bands { octaves: 10, per_octave: 5 };
/// Peaks of the spectrum.
const PEAKS: usize = 3;
/// Distances of the autocorrelation: 1, 2, 4, up to 512.
const DISTANCES: usize = 10;
/// Numbers of one channel.
pub const SPECTRAL_FEATURES: usize =
    SIZES + BANDS.count() + 2 + 2 * PEAKS + DISTANCES + 2 + ENVELOPE_BANDS.count() + 3;

/// Bands of equal width on a logarithmic scale that ends at half the rate. The lowest takes in all below.
#[derive(Debug, Clone, Copy)]
struct Bands {
    octaves: usize,
    per_octave: usize,
}

impl Bands {
    const fn count(self) -> usize {
        self.octaves * self.per_octave
    }

    /// Where a band ends, as a share of half the rate.
    fn end(self, band: usize) -> f64 {
        (((band + 1) as f64 - self.count() as f64) / self.per_octave as f64).exp2()
    }
}

/// `[121]`: the statistics of one channel with equal steps. A channel without any value is zero everywhere.
///
/// In this order:
/// - sizes (12): inverse hyperbolic sine of the mean; natural logarithms, at least -30, of deviation and root mean square; inverse
///   hyperbolic sines of crest factor, least and greatest in deviations from the mean, and skewness; logarithm of the kurtosis;
///   share of steps that cross the mean; deviations that the straight line through it climbs; mean size of a step in deviations;
///   share of steps that do not move;
/// - spectrum: share of the power in 36 bands, as `6 + log10`, at least 0; centroid (octaves below half the rate), entropy (0 to 1); of the
///   three highest peaks the octaves below half the rate and the share of the power;
/// - autocorrelation at the distances 1, 2, 4 to 512, 0 beyond the length; of the highest one after the first that is negative the value
///   and the octaves of the distance;
/// - squared envelope of what lies above an eighth of the rate, for impacts: 50 bands; of the highest peak octaves and share; logarithm
///   of the kurtosis of what lies above.
///
/// Frequencies count in shares of the rate: series that are compared have one rate. Spectra are those of the standardised channel
/// under a Hann window, filled up with zeros to a power of two.
pub fn spectral(values: &[f32]) -> Vec<f32> {
    if !values.iter().any(|value| value.is_finite()) {
        return vec![0.0; SPECTRAL_FEATURES];
    }
    let values: Vec<f64> = present(values).iter().copied().map(f64::from).collect();
    let scaled = standardised(&values);
    let mut out = Vec::with_capacity(SPECTRAL_FEATURES);
    out.extend(sizes(&values, &scaled));
    let spectrum = Spectrum::new(&scaled);
    out.extend(spectrum.bands(BANDS));
    out.extend([spectrum.centroid(), spectrum.entropy()]);
    out.extend(spectrum.peaks(PEAKS));
    let correlation = spectrum::autocorrelation(&scaled);
    out.extend((0..DISTANCES).map(|power| correlation.get(1 << power).copied().unwrap_or(0.0)));
    out.extend(recurrence(&correlation));
    let impacts = spectrum::above_quarter(&scaled);
    let squares: Vec<f64> = impacts.iter().map(|value| value * value).collect();
    let envelope = Spectrum::new(&standardised(&squares));
    out.extend(envelope.bands(ENVELOPE_BANDS));
    out.extend(envelope.peaks(1));
    out.push(sizes::log_kurtosis(&standardised(&impacts)));
    out.into_iter().map(|value| value as f32).collect()
}

/// The highest autocorrelation after the first negative one, and the octaves of its distance; zeros where there is none.
fn recurrence(correlation: &[f64]) -> [f64; 2] {
    let Some(turn) = correlation.iter().position(|value| *value < 0.0) else { return [0.0; 2] };
    // Beyond half the length there is too little overlap to tell.
    let upto = (correlation.len() / 2).max(turn);
    let highest = (turn..upto).max_by(|a, b| correlation[*a].total_cmp(&correlation[*b]));
    highest.map_or([0.0; 2], |distance| [correlation[distance], (distance as f64).log2()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(n: usize, frequency: f64) -> Vec<f32> {
        (0..n).map(|step| (std::f64::consts::TAU * frequency * step as f64).sin() as f32).collect()
    }

    #[test]
    fn a_tone_has_its_power_in_its_band_and_its_period_in_the_autocorrelation() {
        let got = spectral(&tone(2000, 0.05));
        let bands = &got[SIZES..SIZES + BANDS.count()];
        let highest = (0..bands.len()).max_by(|a, b| bands[*a].total_cmp(&bands[*b])).unwrap();
        // A tenth of half the rate lies 3.32 octaves below it.
        assert_eq!(highest, BANDS.count() - 1 - (3.32 * 4.0) as usize);
        let peak = SIZES + BANDS.count() + 2;
        assert!((got[peak] + 3.32).abs() < 0.02 && got[peak + 1] > 0.3, "{:?}", &got[peak..peak + 2]);
        let period = peak + 2 * PEAKS + DISTANCES + 1;
        assert!((got[period].exp2() - 20.0).abs() < 0.1, "{}", got[period].exp2());
    }

    #[test]
    fn the_rate_of_impacts_is_in_the_envelope() {
        let ring = |age: usize| (-(age as f64) / 5.0).exp() * (2.0 * age as f64).sin();
        let values: Vec<f32> = (0..4096).map(|step| ring(step % 64) as f32).collect();
        let got = spectral(&values);
        let peak = got[SPECTRAL_FEATURES - 3];
        assert!((peak - (2.0_f32 / 64.0).log2()).abs() < 0.02, "{peak}");
    }

    #[test]
    fn scale_and_level_change_sizes_only() {
        let values: Vec<f32> = (0..500).map(|step| ((step * step) % 97) as f32).collect();
        let other: Vec<f32> = values.iter().map(|value| 4.0 * value + 128.0).collect();
        let (a, b) = (spectral(&values), spectral(&other));
        // Mean, deviation, root mean square and crest factor.
        assert_ne!(a[..4], b[..4]);
        for place in 4..a.len() {
            assert!((a[place] - b[place]).abs() < 1e-4, "number {place}: {} and {}", a[place], b[place]);
        }
    }

    #[test]
    fn any_length_and_value_gives_finite_numbers() {
        for n in [1, 2, 9, 10, 1000] {
            for value in [0.0, 5.0, f32::MAX, f32::MIN_POSITIVE, f32::NAN] {
                let mut values = vec![value; n];
                for values in [&values.clone(), {
                    values[n - 1] = -1.0;
                    &values
                }] {
                    let got = spectral(values);
                    assert_eq!(got.len(), SPECTRAL_FEATURES);
                    assert!(got.iter().all(|value| value.abs() < 65504.0), "{n} times {value}: {got:?}");
                }
            }
        }
        assert_eq!(SPECTRAL_FEATURES, 121);
    }
}
