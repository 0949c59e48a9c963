//! Layer normalisation.

use super::super::simd::{Isa, Kernel, LANES, Lanes, blocks};

/// Normalises each row to mean 0 and variance 1, then scales and shifts its channels (Ba et al. 2016).
///
/// `x` and `out` are planes of `plane` rows each. Mean and variance are sums of at most a few thousand terms in
/// sixteen parallel `f32` chains, the variance of centred values: errors stay near 1e-6 of the row's scale.
pub(crate) struct LayerNorm<'a> {
    pub(crate) x: &'a [Lanes],
    pub(crate) plane: usize,
    pub(crate) rows: usize,
    /// Real channels.
    pub(crate) dim: usize,
    /// One vector per block of channels, zero beyond the real ones.
    pub(crate) gamma: &'a [Lanes],
    pub(crate) beta: &'a [Lanes],
    pub(crate) eps: f32,
    pub(crate) out: &'a mut [Lanes],
}

/// Ones for the first `n` lanes, zeros for the others.
#[inline(always)]
pub(crate) fn first_lanes(n: usize) -> Lanes {
    let mut keep = [0.0; LANES];
    keep[..n].fill(1.0);
    keep
}

impl Kernel for LayerNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let n = blocks(self.dim);
        let keep = isa.load(&first_lanes(self.dim - (n - 1) * LANES));
        for row in 0..self.rows {
            let mut sum = isa.splat(0.0);
            for block in 0..n {
                sum = isa.add(sum, isa.load(&self.x[block * self.plane + row]));
            }
            let mean = isa.splat(isa.sum(sum) / self.dim as f32);
            let mut squares = isa.splat(0.0);
            for block in 0..n {
                let mut centred = isa.sub(isa.load(&self.x[block * self.plane + row]), mean);
                if block + 1 == n {
                    centred = isa.mul(centred, keep);
                }
                squares = isa.mul_add(centred, centred, squares);
            }
            let variance = isa.sum(squares) / self.dim as f32;
            let scale = isa.splat(1.0 / (variance + self.eps).sqrt());
            for block in 0..n {
                let centred = isa.sub(isa.load(&self.x[block * self.plane + row]), mean);
                let gamma = isa.mul(scale, isa.load(&self.gamma[block]));
                let y = isa.mul_add(centred, gamma, isa.load(&self.beta[block]));
                isa.store(y, &mut self.out[block * self.plane + row]);
            }
        }
    }
}
