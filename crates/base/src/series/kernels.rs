//! Forms in a series, found by convolution with fixed kernels: nothing is learned, so a series always becomes the same numbers.
//!
//! The kernels and the two representations (the series and its steps) are those of `MultiRocket` (Tan et al. 2022), the competition
//! between kernels is that of Hydra (Dempster et al. 2023). MultiRocket takes its thresholds from the training part; here a threshold is
//! a multiple of the convolution's own standard deviation instead.

use std::borrow::Cow;

use linalg::{Seed, random};

use super::Channel;
use super::clock::{Filled, fill};
use super::pooling::{BLOCK, Pooled, Products, pool, products};

/// Weights of a kernel: three are 2, the other six -1.
pub(super) const WIDTH: usize = 9;
/// Ways to choose three of nine.
const KERNELS: usize = 84;
/// Kernels that compete with each other.
pub(super) const GROUP: usize = 7;
const GROUPS: usize = KERNELS / GROUP;
/// Dilations: 1, 2, 4, up to 128. The longest kernel spans 1025 steps.
const DILATIONS: usize = 8;
/// The series itself and its steps.
const REPRESENTATIONS: usize = 2;
/// Numbers that a kernel gives at one dilation in one representation.
const POOLS: usize = 4;
/// What each of them is multiplied by, so that they weigh alike in a distance; measured as `docs/series.md` says.
const WEIGHTS: [f64; POOLS] = [1.0, 2.0, 3.0, 0.5];
/// Zeros before and behind a signal: half the longest kernel.
const PADDING: usize = (WIDTH / 2) << (DILATIONS - 1);
/// Most channels in a mixture, as in Hydra.
const MIXED: usize = 6;
/// Start of the mixtures; part of the definition of the features.
const SEED: Seed = Seed(9);

/// Numbers of one view.
pub const KERNEL_FEATURES: usize = DILATIONS * REPRESENTATIONS * POOLS * KERNELS;

/// How often the kernels look at a series of so many channels: at one channel once; at several once alone and once mixed.
pub fn n_views(n_channels: usize) -> usize {
    n_channels.min(2)
}

/// `[n_views(c) * KERNEL_FEATURES]`: what the kernels see in a series of `c` channels with equal steps.
///
/// Each channel, and its steps, are brought to mean 0 and deviation 1, and are continued by zeros, so that neither level nor scale
/// matter. A kernel of dilation `d` is used where `8 d` is less than the length, that of dilation 1 always; what is not used is zero.
/// Flat and wholly missing channels are zero everywhere. Of each kernel there are, for every dilation and representation:
/// - the root of the mean of its output where it is the greatest of its seven competitors, and 0 elsewhere,
/// - twice the root of the share of steps at which it is the least and negative,
/// - three times the share of steps at which it exceeds one and a half standard deviations of its output,
/// - half the mean place of those steps, which is -0.5 at the start and 0.5 at the end; 0 if there are none.
///
/// With several channels each group of competitors looks at one channel in the first view, in turn, and at a fixed mixture of up to
/// six in the second.
pub fn kernels(channels: &[Channel]) -> Vec<f32> {
    let n_channels = channels.len();
    let scaled: Vec<[Vec<f32>; REPRESENTATIONS]> = channels.iter().map(represented).collect();
    let mixtures = mixtures(n_channels);
    let mut out = Vec::with_capacity(n_views(n_channels) * KERNEL_FEATURES);
    for view in 0..n_views(n_channels) {
        let mixed: Vec<_> = if view == 0 {
            Vec::new()
        } else {
            mixtures.iter().map(|mixture| mix(mixture, &scaled)).collect()
        };
        for (dilation, representation) in cells() {
            // One channel after the other over all cells, so that each has its turn at every dilation and group.
            let turn = (dilation * REPRESENTATIONS + representation) * GROUPS;
            let mut last: Option<(usize, Products)> = None;
            for group in 0..GROUPS {
                let place = if view == 0 { (turn + group) % n_channels } else { group };
                let signals = if view == 0 { &scaled } else { &mixed };
                let cell = Cell::new(&signals[place][representation], 1 << dilation);
                let products = match last {
                    Some((known, products)) if known == place => products,
                    _ => cell.products(),
                };
                last = Some((place, products));
                cell.add(group, &products, &mut out);
            }
        }
    }
    out
}

/// Every dilation with every representation.
fn cells() -> impl Iterator<Item = (usize, usize)> {
    (0..DILATIONS)
        .flat_map(|dilation| (0..REPRESENTATIONS).map(move |representation| (dilation, representation)))
}

/// One signal at one dilation.
struct Cell<'a> {
    /// From half a kernel before the first step; empty where the kernels are too long to be used.
    signal: &'a [f32],
    n: usize,
    dilation: usize,
}

impl<'a> Cell<'a> {
    fn new(padded: &'a [f32], dilation: usize) -> Self {
        let n = padded.len() - 2 * PADDING - BLOCK;
        let used = n > 0 && (dilation == 1 || (WIDTH - 1) * dilation < n);
        let signal = if used { &padded[PADDING - WIDTH / 2 * dilation..] } else { &[] };
        Self { signal, n, dilation }
    }

    fn products(&self) -> Products {
        let end = self.signal.len().min(self.n + (WIDTH - 1) * self.dilation);
        products(&self.signal[..end], self.n.max(1), self.dilation)
    }

    /// Adds the numbers of one group of competitors.
    fn add(&self, group: usize, products: &Products, out: &mut Vec<f32>) {
        if self.signal.is_empty() {
            out.extend([0.0; GROUP * POOLS]);
            return;
        }
        let Pooled { won, lost, above, place } =
            pool(self.signal, self.n, self.dilation, &places(group), products);
        let n = self.n as f64;
        for kernel in 0..GROUP {
            let middle = if above[kernel] > 0.0 { place[kernel] / above[kernel] / n - 0.5 } else { 0.0 };
            let values = [(won[kernel] / n).sqrt(), (lost[kernel] / n).sqrt(), above[kernel] / n, middle];
            out.extend(values.iter().zip(WEIGHTS).map(|(value, weight)| (value * weight) as f32));
        }
    }
}

/// Where each kernel of a group has its twos. A group takes every twelfth kernel, so that its kernels differ.
fn places(group: usize) -> [[usize; 3]; GROUP] {
    let all =
        (0..WIDTH).flat_map(|a| (a + 1..WIDTH).flat_map(move |b| (b + 1..WIDTH).map(move |c| [a, b, c])));
    let mut of_group = all.skip(group).step_by(GROUPS);
    std::array::from_fn(|_| of_group.next().expect("there are twelve times seven kernels"))
}

/// The channel and its steps, each at mean 0 and deviation 1 between zeros.
fn represented(channel: &Channel) -> [Vec<f32>; REPRESENTATIONS] {
    let values = present(&channel.values);
    let steps: Vec<f64> = values.windows(2).map(|pair| f64::from(pair[1]) - f64::from(pair[0])).collect();
    let values: Vec<f64> = values.iter().copied().map(f64::from).collect();
    [values, steps].map(|values| {
        let mut padded = vec![0.0; values.len() + 2 * PADDING + BLOCK];
        for (to, value) in padded[PADDING..].iter_mut().zip(standardised(&values)) {
            *to = value as f32;
        }
        padded
    })
}

/// The values with what is missing filled; zeros where there are none.
pub(super) fn present(values: &[f32]) -> Cow<'_, [f32]> {
    if values.iter().all(|value| value.is_finite()) {
        return Cow::Borrowed(values);
    }
    let mut filled = values.to_vec();
    if let Some(Filled::Nothing) = fill(&mut filled) {
        filled.fill(0.0);
    }
    Cow::Owned(filled)
}

/// At mean 0 and deviation 1; zeros where the deviation is not above the rounding of the values.
pub(super) fn standardised(values: &[f64]) -> Vec<f64> {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    let size = values.iter().fold(0.0, |size: f64, value| size.max(value.abs()));
    let scale = if deviation > size * f64::from(f32::EPSILON) { 1.0 / deviation } else { 0.0 };
    values.iter().map(|value| (value - mean) * scale).collect()
}

/// The channels of each group's mixture with their signs; none for a single channel.
fn mixtures(n_channels: usize) -> Vec<Vec<(usize, f32)>> {
    if n_channels < 2 {
        return Vec::new();
    }
    let mut rng = SEED.derive("mixtures of channels").nth(n_channels).rng();
    let mut mixture = |group: usize| {
        let size = 2 + random::below(&mut rng, n_channels.min(MIXED) - 1);
        let channels = random::sample_without_replacement(n_channels, size, &mut rng);
        // Sums and differences in turn: together they tell what is common from what is not.
        let sign = |place: usize| if (place + group) % 2 == 1 && place > 0 { -1.0 } else { 1.0 };
        (0..).zip(channels).map(|(place, channel)| (channel, sign(place) / (size as f32).sqrt())).collect()
    };
    (0..GROUPS).map(&mut mixture).collect()
}

fn mix(mixture: &[(usize, f32)], channels: &[[Vec<f32>; REPRESENTATIONS]]) -> [Vec<f32>; REPRESENTATIONS] {
    std::array::from_fn(|representation| {
        let mut sum = vec![0.0; channels[0][representation].len()];
        for (channel, weight) in mixture {
            let signal = &channels[*channel][representation];
            sum.iter_mut().zip(signal).for_each(|(sum, value)| *sum += weight * value);
        }
        sum
    })
}
