//! How the power of a signal is spread over frequencies.

use std::f64::consts::TAU;

/// The power of `signal`, under a Hann window and without its mean, at the frequencies `0..=n / 2` cycles in `n` values: `n` is the power
/// of two from its length on, to which zeros are added.
///
/// # Panics
/// When there are fewer than 2 values.
pub(crate) fn power(signal: &[f64]) -> Vec<f64> {
    let n = signal.len();
    assert!(n >= 2, "{n} values have no frequencies");
    let mean = signal.iter().sum::<f64>() / n as f64;
    let window = |place: usize| 0.5 - 0.5 * (TAU * place as f64 / n as f64).cos();
    let mut real: Vec<f64> =
        signal.iter().enumerate().map(|(at, value)| (value - mean) * window(at)).collect();
    let n = n.next_power_of_two();
    real.resize(n, 0.0);
    let mut imaginary = vec![0.0; n];
    transform(&mut real, &mut imaginary);
    (0..=n / 2).map(|at| real[at].powi(2) + imaginary[at].powi(2)).collect()
}

/// The Fourier transform in place (Cooley and Tukey, radix 2).
fn transform(real: &mut [f64], imaginary: &mut [f64]) {
    let n = real.len();
    for place in 0..n {
        let other = place.reverse_bits() >> (usize::BITS - n.trailing_zeros());
        if place < other {
            real.swap(place, other);
            imaginary.swap(place, other);
        }
    }
    let turns: Vec<(f64, f64)> = (0..n / 2)
        .map(|at| {
            let angle = -TAU * at as f64 / n as f64;
            (angle.cos(), angle.sin())
        })
        .collect();
    let mut half = 1;
    while half < n {
        for start in (0..n).step_by(2 * half) {
            for at in 0..half {
                let (cosine, sine) = turns[at * (n / 2 / half)];
                let (low, high) = (start + at, start + at + half);
                let (a, b) = (
                    real[high] * cosine - imaginary[high] * sine,
                    real[high] * sine + imaginary[high] * cosine,
                );
                (real[high], imaginary[high]) = (real[low] - a, imaginary[low] - b);
                real[low] += a;
                imaginary[low] += b;
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_is_that_of_the_definition() {
        let mut real: Vec<f64> = (0..16).map(|at| f64::from(at * at % 7) - 2.0).collect();
        let mut imaginary: Vec<f64> = (0..16).map(|at| f64::from(at % 3)).collect();
        let (was_real, was_imaginary) = (real.clone(), imaginary.clone());
        transform(&mut real, &mut imaginary);
        for frequency in 0..16 {
            let (mut a, mut b) = (0.0, 0.0);
            for at in 0..16 {
                let angle = -TAU * (frequency * at) as f64 / 16.0;
                a += was_real[at] * angle.cos() - was_imaginary[at] * angle.sin();
                b += was_real[at] * angle.sin() + was_imaginary[at] * angle.cos();
            }
            assert!((real[frequency] - a).abs() < 1e-9 && (imaginary[frequency] - b).abs() < 1e-9);
        }
    }

    #[test]
    fn a_tone_is_where_it_should_be() {
        let tone: Vec<f64> = (0..256).map(|at| 3.0 + (TAU * 20.0 * f64::from(at) / 256.0).sin()).collect();
        let power = power(&tone);
        let all: f64 = power.iter().sum();
        assert!(power[19..=21].iter().sum::<f64>() > 0.999 * all && power.len() == 129);
        // Shorter, the same tone is at the same frequency.
        let power = super::power(&tone[..200]);
        let most = power.iter().copied().fold(0.0, f64::max);
        assert!(power[20] == most && power.len() == 129);
    }
}
