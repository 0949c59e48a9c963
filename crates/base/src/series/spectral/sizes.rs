//! How the values of a channel are distributed.

/// Numbers of the distribution.
pub(super) const SIZES: usize = 12;
/// Least logarithm of a size.
const LEAST: f64 = -30.0;

/// The sizes of a channel, given as it is and at mean 0 and deviation 1.
pub(super) fn sizes(values: &[f64], scaled: &[f64]) -> [f64; SIZES] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = root_mean_square(values.iter().map(|value| value - mean), n);
    let power = root_mean_square(values.iter().copied(), n);
    let least = scaled.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let farthest = values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let crest = if power > 0.0 { farthest / power } else { 0.0 };
    let skewness = scaled.iter().map(|value| value.powi(3)).sum::<f64>() / n;
    let n_steps = (n - 1.0).max(1.0);
    let crossings = scaled.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count() as f64;
    let moves: f64 = scaled.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    let still = values.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64;
    [
        mean.asinh(),
        log(deviation),
        log(power),
        crest.asinh(),
        least.asinh(),
        greatest.asinh(),
        skewness.asinh(),
        log_kurtosis(scaled),
        crossings / n_steps,
        climb(scaled),
        moves / n_steps,
        still / n_steps,
    ]
}

/// The natural logarithm of the kurtosis of standardised values: 1.1 for normal ones, 0 for those that do not vary.
pub(super) fn log_kurtosis(scaled: &[f64]) -> f64 {
    let kurtosis = scaled.iter().map(|value| value.powi(4)).sum::<f64>() / scaled.len() as f64;
    kurtosis.max(1.0).ln()
}

fn root_mean_square(values: impl Iterator<Item = f64>, n: f64) -> f64 {
    (values.map(|value| value * value).sum::<f64>() / n).sqrt()
}

fn log(size: f64) -> f64 {
    size.ln().max(LEAST)
}

/// How far the straight line of least squares climbs from the first to the last step.
fn climb(scaled: &[f64]) -> f64 {
    let middle = (scaled.len() - 1) as f64 / 2.0;
    let offsets = || (0..scaled.len()).map(|step| step as f64 - middle);
    let squares: f64 = offsets().map(|offset| offset * offset).sum();
    let products: f64 = offsets().zip(scaled).map(|(offset, value)| offset * value).sum();
    if squares > 0.0 { products / squares * 2.0 * middle } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_climbs_and_a_standing_channel_has_only_a_size() {
        let line: Vec<f64> = (0..100).map(f64::from).collect();
        let scaled: Vec<f64> = line.iter().map(|value| (value - 49.5) / 28.866).collect();
        let got = sizes(&line, &scaled);
        assert!((got[9] - 99.0 / 28.866).abs() < 1e-6 && (got[1] - 28.866_f64.ln()).abs() < 1e-4, "{got:?}");
        let still = sizes(&[2.0; 5], &[0.0; 5]);
        assert_eq!(still[..5], [2.0_f64.asinh(), LEAST, 2.0_f64.ln(), 1.0_f64.asinh(), 0.0]);
        assert_eq!(still[11], 1.0);
    }
}
