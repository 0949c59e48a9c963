//! Randomness that is an argument: everything that draws takes a [`Seed`].

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The start of a stream of random numbers. The same seed gives the same stream on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Seed(pub u64);

impl Seed {
    /// A seed for one named purpose, so that two purposes never share a stream.
    pub fn derive(self, label: &str) -> Self {
        // FNV-1a over the label, started from the seed and finished by a SplitMix64 step.
        let mut hash = self.0 ^ 0xcbf2_9ce4_8422_2325;
        for byte in label.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(hash ^ (hash >> 31))
    }

    /// A seed for one of many repeats of the same purpose.
    pub fn nth(self, index: usize) -> Self {
        Self(self.0 ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).derive("nth")
    }

    /// The generator that starts here.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }
}

/// A whole number below `bound`, evenly.
///
/// # Panics
/// When `bound` is zero.
pub fn below(rng: &mut impl Rng, bound: usize) -> usize {
    rng.random_range(0..bound)
}

/// A number in [0, 1), evenly.
pub fn uniform(rng: &mut impl Rng) -> f64 {
    rng.random::<f64>()
}

/// A standard normal number (Box and Muller's cosine branch).
pub fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// Puts items in random order (Fisher and Yates).
pub fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last + 1));
    }
}

/// `count` of the numbers below `n`, each at most once, in random order; all of them when `count >= n`.
pub fn sample_without_replacement(n: usize, count: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut items: Vec<usize> = (0..n).collect();
    let count = count.min(n);
    for place in 0..count {
        let other = place + below(rng, n - place);
        items.swap(place, other);
    }
    items.truncate(count);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_have_streams_of_their_own() {
        let seed = Seed(7);
        assert_eq!(seed.derive("a"), seed.derive("a"));
        assert_ne!(seed.derive("a"), seed.derive("b"));
        assert_ne!(seed.nth(0), seed.nth(1));
    }

    #[test]
    fn sampling_takes_each_at_most_once() {
        let mut picked = sample_without_replacement(10, 7, &mut Seed(1).rng());
        assert_eq!(picked.len(), 7);
        picked.sort_unstable();
        picked.dedup();
        assert_eq!(picked.len(), 7);
        assert_eq!(sample_without_replacement(3, 9, &mut Seed(1).rng()).len(), 3);
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let mut rng = Seed(3).rng();
        let draws: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
