//! Blurs a plane. Beyond its edge a plane goes on mirrored.

use super::grey::Grey;

/// Half the widths of three running means that together blur like a Gaussian of 40 pixels' standard deviation.
///
/// Three boxes of 79, 81 and 81 pixels have a variance of (78 * 80 + 2 * 80 * 82) / 12 = 40.2^2. They take the same time
/// at any width, and light that changes so slowly cannot tell them from a Gaussian.
const WIDE_REACHES: [usize; 3] = [39, 40, 40];

/// The plane blurred by a Gaussian with this standard deviation in pixels, above 0, cut off at four of them.
pub(super) fn gauss(plane: &Grey, sigma: f64) -> Grey {
    let reach = (4.0 * sigma).round().max(1.0) as usize;
    let bell = |at: usize| (-0.5 * ((at as f64 - reach as f64) / sigma).powi(2)).exp();
    let bells: Vec<f64> = (0..=2 * reach).map(bell).collect();
    let sum: f64 = bells.iter().sum();
    let weights: Vec<f32> = bells.iter().map(|bell| (bell / sum) as f32).collect();

    let places = mirrored(plane.height, reach);
    let mut down = vec![0.0_f32; plane.values.len()];
    for (y, to) in down.chunks_mut(plane.width).enumerate() {
        for (weight, from) in weights.iter().zip(&places[y..]) {
            add(to, *weight, &plane.values[from * plane.width..][..plane.width]);
        }
    }
    let places = mirrored(plane.width, reach);
    let mut padded = vec![0.0_f32; places.len()];
    let mut values = vec![0.0_f32; plane.values.len()];
    for (from, to) in down.chunks(plane.width).zip(values.chunks_mut(plane.width)) {
        padded.iter_mut().zip(&places).for_each(|(to, place)| *to = from[*place]);
        for (shift, weight) in weights.iter().enumerate() {
            add(to, *weight, &padded[shift..][..plane.width]);
        }
    }
    Grey::of(plane.size(), values)
}

fn add(sum: &mut [f32], weight: f32, values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
}

/// The plane blurred like a Gaussian with a standard deviation of 40 pixels: how the light falls.
pub(super) fn wide_blur(plane: &Grey) -> Grey {
    let mut plane = plane.clone();
    for reach in WIDE_REACHES {
        mean_down(&mut plane, reach);
        mean_across(&mut plane, reach);
    }
    plane
}

/// Replaces each pixel by the mean of those up to `reach` above and below it.
fn mean_down(plane: &mut Grey, reach: usize) {
    let (height, width) = (plane.height, plane.width);
    let places = mirrored(height, reach);
    let from = plane.values.clone();
    let row = |place: usize| &from[places[place] * width..][..width];
    // Sums that run on lose nothing that matters in `f64`.
    let mut sums = vec![0.0_f64; width];
    for place in 0..2 * reach {
        sums.iter_mut().zip(row(place)).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let share = 1.0 / (2 * reach + 1) as f64;
    for (y, to) in plane.values.chunks_mut(width).enumerate() {
        let (leaves, enters) = (row(y), row(y + 2 * reach));
        for (((to, sum), leaves), enters) in to.iter_mut().zip(&mut sums).zip(leaves).zip(enters) {
            *sum += f64::from(*enters);
            *to = (*sum * share) as f32;
            *sum -= f64::from(*leaves);
        }
    }
}

/// Replaces each pixel by the mean of those up to `reach` left and right of it.
fn mean_across(plane: &mut Grey, reach: usize) {
    let places = mirrored(plane.width, reach);
    let share = 1.0 / (2 * reach + 1) as f64;
    let mut padded = vec![0.0_f64; places.len()];
    for row in plane.values.chunks_mut(plane.width) {
        padded.iter_mut().zip(&places).for_each(|(to, place)| *to = f64::from(row[*place]));
        let mut sum: f64 = padded[..2 * reach].iter().sum();
        for (to, (leaves, enters)) in row.iter_mut().zip(padded.iter().zip(&padded[2 * reach..])) {
            sum += enters;
            *to = (sum * share) as f32;
            sum -= leaves;
        }
    }
}

/// The places `-reach .. len + reach` of a row of `len` pixels, each brought inside by mirroring at the edges.
fn mirrored(len: usize, reach: usize) -> Vec<usize> {
    let period = 2 * len;
    // A whole number of periods keeps the places from being negative.
    let start = period * reach.div_ceil(period) - reach;
    let inside = |at: usize| if at % period < len { at % period } else { period - 1 - at % period };
    (start..start + len + 2 * reach).map(inside).collect()
}

#[cfg(test)]
mod tests {
    use linalg::{Seed, random};

    use super::*;

    fn noise(height: usize, width: usize) -> Grey {
        let mut rng = Seed(5).rng();
        let values = (0..height * width).map(|_| 255.0 * random::uniform(&mut rng) as f32).collect();
        Grey { height, width, values }
    }

    /// The weighted mean over a square of mirrored neighbours, straight from its definition.
    fn naive(plane: &Grey, weights: &[f64], y: usize, x: usize) -> f64 {
        let reach = weights.len() / 2;
        let (down, across) = (mirrored(plane.height, reach), mirrored(plane.width, reach));
        let mut sum = 0.0;
        for (i, a) in weights.iter().enumerate() {
            for (j, b) in weights.iter().enumerate() {
                sum += a * b * f64::from(plane.values[down[y + i] * plane.width + across[x + j]]);
            }
        }
        sum
    }

    fn bells(sigma: f64, reach: i32) -> Vec<f64> {
        let bells: Vec<f64> =
            (-reach..=reach).map(|at| (-0.5 * (f64::from(at) / sigma).powi(2)).exp()).collect();
        let sum: f64 = bells.iter().sum();
        bells.iter().map(|bell| bell / sum).collect()
    }

    #[test]
    fn mirrors_repeat_the_edge_and_fold_as_often_as_needed() {
        assert_eq!(mirrored(3, 2), [1, 0, 0, 1, 2, 2, 1]);
        assert_eq!(mirrored(1, 3), [0; 7]);
        assert_eq!(mirrored(2, 5), [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
    }

    #[test]
    fn gauss_is_its_definition() {
        for (height, width) in [(20, 31), (3, 5), (1, 1)] {
            let plane = noise(height, width);
            let blurred = gauss(&plane, 1.5);
            for (y, x) in [(0, 0), (height / 2, width / 2), (height - 1, width - 1)] {
                let expected = naive(&plane, &bells(1.5, 6), y, x);
                assert!((f64::from(blurred.values[y * width + x]) - expected).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn three_boxes_are_nearly_a_wide_gauss() {
        let plane = noise(97, 130);
        let blurred = wide_blur(&plane);
        for (y, x) in [(0, 0), (50, 60), (96, 129), (10, 100)] {
            let expected = naive(&plane, &bells(40.0, 160), y, x);
            let got = f64::from(blurred.values[y * 130 + x]);
            assert!((got - expected).abs() < 0.5, "{got} {expected}");
        }
        let level = Grey { height: 2, width: 300, values: vec![80.0; 600] };
        assert!(wide_blur(&level).values.iter().all(|value| (value - 80.0).abs() < 1e-3));
    }
}
