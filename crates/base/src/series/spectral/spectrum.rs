//! The power spectrum of a channel and what is read off it.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use super::Bands;

/// Least share of the power that is told from none.
const LEAST: f64 = 1e-6;
/// Shortest transform, so that there are bins at all.
const SHORTEST: usize = 16;
/// Share of half the rate above which impacts are looked for.
const IMPACTS: f64 = 0.25;

/// Shares of the power; bin `i` of `b` lies at `i / (b - 1)` of half the rate. All zero for a channel that does not vary.
pub(super) struct Spectrum {
    shares: Vec<f64>,
}

impl Spectrum {
    /// Of values at mean 0, under a Hann window.
    pub(super) fn new(scaled: &[f64]) -> Self {
        let turn = std::f64::consts::TAU / (scaled.len() + 1) as f64;
        let windowed =
            (1..).zip(scaled).map(|(step, value)| value * (0.5 - 0.5 * (turn * step as f64).cos()));
        let mut shares: Vec<f64> =
            transformed(windowed, scaled.len()).iter().map(|value| value.norm_sqr()).collect();
        let total: f64 = shares.iter().sum();
        if total > 0.0 {
            shares.iter_mut().for_each(|share| *share /= total);
        }
        Self { shares }
    }

    /// `6 + log10` of the share of the power in each band, low ones first, at least 0. A bin that bands divide counts for each in part.
    pub(super) fn bands(&self, bands: Bands) -> Vec<f64> {
        let mut sums = vec![0.0];
        for share in &self.shares {
            sums.push(sums[sums.len() - 1] + share);
        }
        let below = |end: f64| {
            let place = end * self.shares.len() as f64;
            let bin = (place as usize).min(self.shares.len() - 1);
            sums[bin] + (place - bin as f64) * self.shares[bin]
        };
        let mut start = 0.0;
        let band = |band: usize| {
            let end = below(bands.end(band));
            let share = end - start;
            start = end;
            (share.max(LEAST) / LEAST).log10()
        };
        (0..bands.count()).map(band).collect()
    }

    /// Octaves of a place among the bins, counted from half the rate, so at most 0.
    fn octaves(&self, place: f64) -> f64 {
        (place.max(0.5) / (self.shares.len() - 1) as f64).log2()
    }

    /// The mean frequency in octaves; 0 without power.
    pub(super) fn centroid(&self) -> f64 {
        let mean: f64 = (0..).zip(&self.shares).map(|(bin, share)| f64::from(bin) * share).sum();
        if mean > 0.0 { self.octaves(mean) } else { 0.0 }
    }

    /// From 0, one frequency, to 1, all alike.
    pub(super) fn entropy(&self) -> f64 {
        let entropy: f64 =
            self.shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum();
        entropy / (self.shares.len() as f64).ln()
    }

    /// Octaves and share of the highest peaks, the highest first; zeros for those that are not there. A peak is higher than both its
    /// neighbours; its place is the top of the parabola through the logarithms of the three, its share theirs.
    pub(super) fn peaks(&self, count: usize) -> Vec<f64> {
        let shares = &self.shares;
        let mut tops: Vec<usize> = (1..shares.len() - 1)
            .filter(|bin| shares[*bin] > shares[bin - 1] && shares[*bin] >= shares[bin + 1])
            .collect();
        tops.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]).then(a.cmp(b)));
        tops.truncate(count);
        let mut out: Vec<f64> = tops
            .iter()
            .flat_map(|bin| {
                let around = [bin - 1, *bin, bin + 1].map(|bin| shares[bin]);
                let [left, top, right] = around.map(|share| share.max(f64::MIN_POSITIVE).ln());
                let bend = left - 2.0 * top + right;
                let off = if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
                [self.octaves(*bin as f64 + off), around.iter().sum()]
            })
            .collect();
        out.resize(2 * count, 0.0);
        out
    }
}

/// The transform of `n` values that are followed by zeros up to a power of two.
fn transformed(values: impl Iterator<Item = f64>, n: usize) -> Vec<Complex<f64>> {
    let forward = RealFftPlanner::new().plan_fft_forward(n.next_power_of_two().max(SHORTEST));
    let mut input = forward.make_input_vec();
    input.iter_mut().zip(values).for_each(|(to, value)| *to = value);
    let mut output = forward.make_output_vec();
    forward.process(&mut input, &mut output).expect("the buffers were made by the transform");
    output
}

/// Back from a transform of an even number of values.
fn back(mut bins: Vec<Complex<f64>>) -> Vec<f64> {
    let length = 2 * (bins.len() - 1);
    let inverse = RealFftPlanner::new().plan_fft_inverse(length);
    let mut output = inverse.make_output_vec();
    let ends = [0, bins.len() - 1];
    // They are real but for rounding, and must be.
    ends.into_iter().for_each(|end| bins[end].im = 0.0);
    inverse.process(&mut bins, &mut output).expect("the buffers were made by the transform");
    output.iter_mut().for_each(|value| *value /= length as f64);
    output
}

/// `[n]`: the product with itself at each distance, as a share of that at 0; zeros for a channel that does not vary.
pub(super) fn autocorrelation(scaled: &[f64]) -> Vec<f64> {
    let bins = transformed(scaled.iter().copied(), 2 * scaled.len());
    let mut products = back(bins.iter().map(|bin| Complex::new(bin.norm_sqr(), 0.0)).collect());
    products.truncate(scaled.len());
    let power = products[0];
    if power > 0.0 {
        products.iter_mut().for_each(|product| *product /= power);
    }
    products
}

/// `[n]`: what lies above a quarter of half the rate.
pub(super) fn above_quarter(scaled: &[f64]) -> Vec<f64> {
    let mut bins = transformed(scaled.iter().copied(), scaled.len());
    let first = (IMPACTS * (bins.len() - 1) as f64) as usize;
    bins[..first].fill(Complex::new(0.0, 0.0));
    let mut values = back(bins);
    values.truncate(scaled.len());
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_share_all_power() {
        let values: Vec<f64> = (0..333).map(|step| f64::from((step * 7919) % 101) - 50.0).collect();
        let bands = Spectrum::new(&values).bands(Bands { octaves: 4, per_octave: 2 });
        let sum: f64 = bands.iter().map(|band| LEAST * 10.0_f64.powf(*band)).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    }

    #[test]
    fn the_autocorrelation_equals_its_definition() {
        let values: Vec<f64> = (0..57).map(|step| f64::from((step * 31) % 17) - 8.0).collect();
        let got = autocorrelation(&values);
        let product = |distance: usize| -> f64 {
            values.iter().zip(&values[distance..]).map(|(a, b)| a * b).sum::<f64>()
        };
        for distance in [0, 1, 5, 56] {
            assert!((got[distance] - product(distance) / product(0)).abs() < 1e-12, "{distance}");
        }
    }
}
