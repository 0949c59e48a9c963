//! From scores to probabilities, without overflow.

use rayon::prelude::*;

use crate::MatrixView;

/// Rows whose derivatives are summed by one thread.
const BLOCK: usize = 512;

/// `ln(sum(exp(z)))`; minus infinity for an empty slice.
pub fn log_sum_exp(z: &[f64]) -> f64 {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    largest + z.iter().map(|value| (value - largest).exp()).sum::<f64>().ln()
}

/// Probabilities proportional to `exp(z)`.
pub fn softmax(z: &[f64]) -> Vec<f64> {
    log_softmax(z).iter().map(|value| value.exp()).collect()
}

/// The logarithms of [`softmax`], exact where the probabilities themselves would underflow.
pub fn log_softmax(z: &[f64]) -> Vec<f64> {
    // The largest score goes first: subtracting it is exact, so equal scores give equal shares to the last bit.
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = z.iter().map(|value| (value - largest).exp()).sum::<f64>().ln();
    z.iter().map(|value| value - largest - total).collect()
}

/// `exp(x)` to 2e-7 relative for x in [-87, 88], zero below: a polynomial without branches, so that loops over it are
/// turned into vector instructions. Argument reduction by `ln 2`, then the Taylor series to the seventh power.
#[inline]
pub fn exp_f32(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    let power = (x * std::f32::consts::LOG2_E).round_ties_even();
    // ln 2 in two parts, so that the subtraction is exact.
    let rest = (x - power * 0.693_359_4) + power * 2.121_944_4e-4;
    let series = 1.0 / 5040.0;
    let series = series * rest + 1.0 / 720.0;
    let series = series * rest + 1.0 / 120.0;
    let series = series * rest + 1.0 / 24.0;
    let series = series * rest + 1.0 / 6.0;
    let series = series * rest + 0.5;
    let series = (series * rest + 1.0) * rest + 1.0;
    series * f32::from_bits(((power as i32 + 127) << 23) as u32)
}

/// `1 / (1 + exp(-z))`.
pub fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 { 1.0 / (1.0 + (-z).exp()) } else { z.exp() / (1.0 + z.exp()) }
}

/// `ln(1 + exp(z))`.
pub fn softplus(z: f64) -> f64 {
    if z > 0.0 { z + (-z).exp().ln_1p() } else { z.exp().ln_1p() }
}

/// The factor `s > 0` for which `softmax(s * z)` has the least log-loss, by safeguarded Newton in `ln s`.
///
/// `z` is `[n, k]`, `labels` is `[n]`, each below k. With a prior, `ln s ~ N(0, 0.5^2)`, few or separable examples
/// (whose best factor would be infinite) give a finite answer; use it below about 100 examples. Source: Guo et al. 2017
/// (temperature scaling); the prior is ours, methods 6.1.
pub fn fit_scale(z: MatrixView<'_, f64>, labels: &[u32], prior: bool) -> f64 {
    let precision = if prior { 4.0 } else { 1e-3 };
    let (mut low, mut high) = (-7.0_f64, 7.0_f64);
    let mut log_scale = 0.0_f64;
    for _ in 0..60 {
        let (slope, curvature) = scale_derivatives(z, labels, log_scale, precision);
        if slope > 0.0 {
            high = log_scale;
        } else {
            low = log_scale;
        }
        let step = if curvature > 0.0 { -slope / curvature } else { f64::NAN };
        let next = log_scale + step;
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        if (next - log_scale).abs() < 1e-9 {
            break;
        }
        log_scale = next;
    }
    log_scale.exp()
}

/// First and second derivative of the penalised log-loss in `ln s`. Blocks of rows are summed side by side, and then in order.
fn scale_derivatives(z: MatrixView<'_, f64>, labels: &[u32], log_scale: f64, precision: f64) -> (f64, f64) {
    let scale = log_scale.exp();
    let of_block = |(block, labels): (usize, &[u32])| {
        let (mut slope, mut curvature) = (0.0, 0.0);
        let mut shares = vec![0.0; z.cols()];
        for (place, label) in labels.iter().enumerate() {
            let row = z.row(block * BLOCK + place);
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for (share, value) in shares.iter_mut().zip(row) {
                *share = (scale * (value - largest)).exp();
            }
            let total: f64 = shares.iter().sum();
            let (mut mean, mut square) = (0.0, 0.0);
            for (share, value) in shares.iter().zip(row) {
                let (p, scaled) = (share / total, scale * value);
                mean += p * scaled;
                square += p * scaled * scaled;
            }
            let gradient = mean - scale * row[*label as usize];
            slope += gradient;
            curvature += gradient + (square - mean * mean);
        }
        (slope, curvature)
    };
    let blocks: Vec<(f64, f64)> = labels.par_chunks(BLOCK).enumerate().map(of_block).collect();
    let prior = (precision * log_scale, precision);
    blocks.into_iter().fold(prior, |(slope, curvature), block| (slope + block.0, curvature + block.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Matrix, Seed, random};

    #[test]
    fn large_scores_do_not_overflow() {
        assert!((softmax(&[1000.0, 1000.0])[0] - 0.5).abs() < 1e-15);
        assert!((log_softmax(&[0.0, -2000.0])[1] + 2000.0).abs() < 1e-9);
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert!((sigmoid(-800.0)).abs() < 1e-300 && (softplus(800.0) - 800.0).abs() < 1e-9);
    }

    #[test]
    fn the_fast_exponential_is_close() {
        for step in -8700..8800 {
            let x = step as f32 * 0.01;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp_f32(x)) / exact - 1.0).abs() < 3e-7, "{x}");
        }
    }

    #[test]
    fn the_scale_that_made_the_labels_is_found() {
        let mut rng = Seed(5).rng();
        let n = 20_000;
        let data: Vec<f64> = (0..n * 3).map(|_| 3.0 * random::normal(&mut rng)).collect();
        let z = Matrix::from_vec(n, 3, data);
        let draw = |row: &[f64], u: f64| {
            let p = softmax(&row.iter().map(|value| 0.4 * value).collect::<Vec<_>>());
            if u < p[0] {
                0
            } else if u < p[0] + p[1] {
                1
            } else {
                2
            }
        };
        let labels: Vec<u32> = z.iter_rows().map(|row| draw(row, random::uniform(&mut rng))).collect();
        let scale = fit_scale(z.view(), &labels, false);
        assert!((scale - 0.4).abs() < 0.02, "{scale}");
    }

    #[test]
    fn separable_examples_have_a_finite_scale() {
        let z = Matrix::from_vec(2, 2, vec![1.0, -1.0, -1.0, 1.0]);
        let scale = fit_scale(z.view(), &[0, 1], true);
        assert!(scale.is_finite() && scale > 1.0 && scale < 10.0, "{scale}");
    }
}
