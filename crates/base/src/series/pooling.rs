//! One group of kernels slides over a signal: the inner loop of the transform.

use super::kernels::{GROUP, WIDTH};

/// Steps that are worked on together. A signal is followed by as many zeros.
pub(super) const BLOCK: usize = 256;
/// Sums that run side by side; their number is part of the result's definition.
const LANES: usize = 16;
/// Least output that counts. Where a signal stands still outputs are zero but for rounding, and no kernel wins.
const LEAST: f32 = 1e-3;
/// The threshold in standard deviations of the output.
const DEVIATIONS: f64 = 1.5;

/// The number of each step of a block. To turn them into floats one by one would take longer than all else.
const NUMBERS: [f32; BLOCK] = {
    let mut numbers = [0.0; BLOCK];
    let mut step = 0;
    while step < BLOCK {
        numbers[step] = step as f32;
        step += 1;
    }
    numbers
};

/// What a group of kernels gives, for each kernel.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pooled {
    /// Sum of the outputs that are the greatest of the group.
    pub won: [f64; GROUP],
    /// Steps at which the output is the least of the group.
    pub lost: [f64; GROUP],
    /// Steps at which the output exceeds the threshold.
    pub above: [f64; GROUP],
    /// Sum of the numbers of those steps.
    pub place: [f64; GROUP],
}

/// Slides kernels with twos at `places` over `n` steps; `signal` starts half a kernel before the first one and is followed by a block
/// of zeros, and `products` are those of it.
pub(super) fn pool(
    signal: &[f32],
    n: usize,
    dilation: usize,
    places: &[[usize; 3]; GROUP],
    products: &Products,
) -> Pooled {
    let thresholds = thresholds(products, places);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor and the operating system have just been asked for it.
        return unsafe { slide_avx2(signal, n, dilation, places, &thresholds) };
    }
    slide(signal, n, dilation, places, &thresholds)
}

/// As [`slide`], and to the same bits: no multiplication is fused with an addition.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn slide_avx2(
    signal: &[f32],
    n: usize,
    dilation: usize,
    places: &[[usize; 3]; GROUP],
    thresholds: &[f32; GROUP],
) -> Pooled {
    slide(signal, n, dilation, places, thresholds)
}

#[inline(always)]
fn slide(
    signal: &[f32],
    n: usize,
    dilation: usize,
    places: &[[usize; 3]; GROUP],
    thresholds: &[f32; GROUP],
) -> Pooled {
    let mut pooled = Pooled::default();
    let mut outputs = [[0.0_f32; BLOCK]; GROUP];
    for start in (0..n).step_by(BLOCK) {
        convolve(&signal[start..], dilation, places, &mut outputs);
        if n - start < BLOCK {
            outputs.iter_mut().for_each(|output| output[n - start..].fill(0.0));
        }
        let (greatest, least) = extremes(&outputs);
        for kernel in 0..GROUP {
            let [won, lost, above, place] =
                sums(&outputs[kernel], &greatest, &least, thresholds[kernel]).map(f64::from);
            pooled.won[kernel] += won;
            pooled.lost[kernel] += lost;
            pooled.above[kernel] += above;
            pooled.place[kernel] += place + above * start as f64;
        }
    }
    pooled
}

/// Twos and minus ones are three times the three less all nine.
#[inline(always)]
fn convolve(
    signal: &[f32],
    dilation: usize,
    places: &[[usize; 3]; GROUP],
    outputs: &mut [[f32; BLOCK]; GROUP],
) {
    let tap = |place: usize| -> &[f32; BLOCK] {
        signal[place * dilation..].first_chunk().expect("a block of zeros follows the signal")
    };
    let mut all = [0.0_f32; BLOCK];
    for place in 0..WIDTH {
        let tap = tap(place);
        for step in 0..BLOCK {
            all[step] += tap[step];
        }
    }
    for (output, [a, b, c]) in outputs.iter_mut().zip(places) {
        let (a, b, c) = (tap(*a), tap(*b), tap(*c));
        for step in 0..BLOCK {
            output[step] = 3.0 * (a[step] + b[step] + c[step]) - all[step];
        }
    }
}

/// The greatest and the least output at each step; infinite where it does not count, so that nothing equals it.
#[inline(always)]
fn extremes(outputs: &[[f32; BLOCK]; GROUP]) -> ([f32; BLOCK], [f32; BLOCK]) {
    let (mut greatest, mut least) = (outputs[0], outputs[0]);
    for output in &outputs[1..] {
        for step in 0..BLOCK {
            greatest[step] = greatest[step].max(output[step]);
            least[step] = least[step].min(output[step]);
        }
    }
    for step in 0..BLOCK {
        greatest[step] = if greatest[step] > LEAST { greatest[step] } else { f32::INFINITY };
        least[step] = if least[step] < -LEAST { least[step] } else { f32::NEG_INFINITY };
    }
    (greatest, least)
}

/// Won, lost, above and place of one kernel in one block. Counts and places are whole numbers below 2^24, so exact.
#[inline(always)]
fn sums(output: &[f32; BLOCK], greatest: &[f32; BLOCK], least: &[f32; BLOCK], threshold: f32) -> [f32; 4] {
    let [mut won, mut lost, mut exceeding, mut place] = [[0.0_f32; LANES]; 4];
    for chunk in (0..BLOCK).step_by(LANES) {
        for lane in 0..LANES {
            let step = chunk + lane;
            let value = output[step];
            let above = value > threshold;
            won[lane] += if value == greatest[step] { value } else { 0.0 };
            lost[lane] += if value == least[step] { 1.0 } else { 0.0 };
            exceeding[lane] += if above { 1.0 } else { 0.0 };
            place[lane] += if above { NUMBERS[step] } else { 0.0 };
        }
    }
    [won, lost, exceeding, place].map(|lanes| lanes.iter().sum())
}

/// The mean products of a signal with itself at each distance between places of a kernel.
pub(super) type Products = [f64; WIDTH];

/// The [`Products`] of a signal of `n` steps between zeros.
pub(super) fn products(signal: &[f32], n: usize, dilation: usize) -> Products {
    std::array::from_fn(|distance| {
        let behind = signal.get(distance * dilation..).unwrap_or_default();
        linalg::dot(&signal[..behind.len()], behind) / n as f64
    })
}

/// The threshold of each kernel: the variance of its output follows from the products.
fn thresholds(products: &Products, places: &[[usize; 3]; GROUP]) -> [f32; GROUP] {
    places.map(|places| {
        let weight = |place: usize| if places.contains(&place) { 2.0 } else { -1.0 };
        let pairs = (0..WIDTH).flat_map(|a| (0..WIDTH).map(move |b| (a, b)));
        let variance: f64 = pairs.map(|(a, b)| weight(a) * weight(b) * products[a.abs_diff(b)]).sum();
        (DEVIATIONS * variance.max(0.0).sqrt()) as f32 + LEAST
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [[usize; 3]; GROUP] =
        [[0, 1, 2], [0, 2, 4], [3, 4, 5], [1, 4, 7], [2, 5, 8], [0, 4, 8], [6, 7, 8]];

    #[test]
    fn equals_the_definition() {
        for (n, dilation) in [(300, 1), (256, 4), (9, 1), (700, 32)] {
            let mut signal = vec![0.0_f32; n + 8 * dilation + BLOCK];
            for step in 0..n {
                signal[4 * dilation + step] =
                    ((step * step * 31 + step * 7919) % 10_007) as f32 / 5000.0 - 1.0;
            }
            let outputs = PLACES.map(|places| -> Vec<f32> {
                let weight = |place: usize| if places.contains(&place) { 2.0 } else { -1.0 };
                (0..n)
                    .map(|step| (0..9).map(|place| weight(place) * signal[step + place * dilation]).sum())
                    .collect()
            });
            let products = products(&signal, n, dilation);
            let got = pool(&signal, n, dilation, &PLACES, &products);
            let thresholds = thresholds(&products, &PLACES);
            for kernel in 0..GROUP {
                let rivals = |step: usize| outputs.iter().map(move |output| output[step]);
                let output = &outputs[kernel];
                let most = |step: &usize| rivals(*step).all(|rival| rival <= output[*step] + 1e-5);
                let won: f32 = (0..n).filter(most).map(|step| output[step].max(0.0)).sum();
                let above = output.iter().filter(|value| **value > thresholds[kernel]).count();
                assert!((got.won[kernel] - f64::from(won)).abs() < 1e-2 * f64::from(won.max(1.0)), "{n}");
                assert_eq!(got.above[kernel], above as f64, "n {n}, kernel {kernel}");
            }
            let total: f64 = got.lost.iter().sum();
            assert!(total >= 0.9 * n as f64, "some kernel is the least nearly everywhere: {total} of {n}");
        }
    }

    #[test]
    fn the_vector_unit_does_not_change_a_bit() {
        let signal: Vec<f32> = (0..1500).map(|step| ((step * 7919) % 1009) as f32 / 500.0 - 1.0).collect();
        let products = products(&signal, 1000, 3);
        let plain = slide(&signal, 1000, 3, &PLACES, &thresholds(&products, &PLACES));
        assert_eq!(plain, pool(&signal, 1000, 3, &PLACES, &products));
    }
}
