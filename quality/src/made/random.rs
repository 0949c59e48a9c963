//! Chance that always falls the same way: a stream of numbers, and noise over the plane.

use std::f32::consts::TAU;

/// SplitMix64's step (Steele, Lea and Flood 2014): scatters the bits of a number.
fn scatter(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// The upper 24 bits as a number in [0, 1).
fn unit(bits: u64) -> f32 {
    (bits >> 40) as f32 / (1_u64 << 24) as f32
}

/// A stream of numbers.
pub(super) struct Dice(u64);

impl Dice {
    /// Each purpose has a stream of its own, so that one more throw here changes nothing there.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        Self(purpose.bytes().fold(scatter(seed), |state, byte| scatter(state ^ u64::from(byte))))
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        scatter(self.0)
    }

    /// A seed for something else.
    pub(super) fn seed(&mut self) -> u64 {
        self.bits()
    }

    /// Evenly in `[low, high)`.
    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * unit(self.bits())
    }

    /// A whole number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (unit(self.bits()) * bound as f32) as usize
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(&mut self, probability: f32) -> bool {
        unit(self.bits()) < probability
    }

    /// Minus one or one.
    pub(super) fn sign(&mut self) -> f32 {
        if self.happens(0.5) { 1.0 } else { -1.0 }
    }

    /// Normally distributed, mean 0 and deviation 1 (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * unit(self.bits()).max(1e-7).ln()).sqrt();
        radius * (TAU * unit(self.bits())).cos()
    }

    /// A direction of length 1.
    pub(super) fn direction(&mut self) -> (f32, f32) {
        let (y, x) = self.range(0.0, TAU).sin_cos();
        (x, y)
    }
}

/// Random values over the plane.
#[derive(Clone, Copy)]
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self(dice.seed())
    }

    fn bits(self, x: i32, y: i32) -> u64 {
        scatter(self.0 ^ (u64::from(x as u32) << 32 | u64::from(y as u32)))
    }

    /// The value of a cell, in [-1, 1).
    pub(super) fn cell(self, x: i32, y: i32) -> f32 {
        2.0 * unit(self.bits(x, y)) - 1.0
    }

    /// The value of a cell, nearly normally distributed with deviation 1: the sum of four bytes.
    pub(super) fn grain(self, x: i32, y: i32) -> f32 {
        let sum: u64 = self.bits(x, y).to_le_bytes()[2..6].iter().map(|byte| u64::from(*byte)).sum();
        // Four bytes have mean 510 and deviation 147.8.
        (sum as f32 - 510.0) / 147.8
    }

    /// Values of cells, blended smoothly between their centres; in [-1, 1).
    pub(super) fn smooth(self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (across, down) = (ease(x - left), ease(y - top));
        let (left, top) = (left as i32, top as i32);
        let row = |y: i32| {
            let (a, b) = (self.cell(left, y), self.cell(left + 1, y));
            a + (b - a) * across
        };
        let (a, b) = (row(top), row(top + 1));
        a + (b - a) * down
    }

    /// Smooth noise at several scales, each half as large and half as strong as the one before; about [-1, 1].
    pub(super) fn cloud(self, x: f32, y: f32, n_scales: u32) -> f32 {
        let mut sum = 0.0;
        for scale in 0..n_scales {
            let times = f32::from(1_u16 << scale);
            // Each scale is turned a little and moved, so that the lattices of the scales do not show.
            let (tx, ty) = (x * 0.88 - y * 0.47 + 17.3 * times, x * 0.47 + y * 0.88 - 5.1 * times);
            let (tx, ty) = if scale % 2 == 0 { (x + 31.7 * times, y) } else { (tx, ty) };
            sum += self.smooth(tx * times, ty * times) / times;
        }
        sum * 0.75
    }
}
