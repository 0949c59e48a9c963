//! Single-precision kernels over sixteen lanes, compiled for the vector unit that the machine has.
//!
//! A [`Kernel`] is plain Rust over arrays of sixteen; [`run`] picks the copy that was compiled for AVX-512, AVX2 or the
//! target's baseline. Lanes and the order of their reduction are part of the result's definition, so AVX2 and AVX-512 give
//! the same bits; where the baseline has no fused multiply-add it rounds twice and agrees to the last places.

/// Floats that are worked on side by side.
pub(crate) const LANES: usize = 16;

/// Sixteen values.
pub(crate) type Lanes = [f32; LANES];

/// A piece of work: its operands, and one body. `run` and all it calls must be `#[inline(always)]`, since only what is
/// inlined is compiled for the vector unit.
pub(crate) trait Kernel {
    type Output;
    /// Does the work; `FUSED` says whether a fused multiply-add is one instruction.
    fn run<const FUSED: bool>(self) -> Self::Output;
}

/// Runs a kernel as code for the best vector unit of this machine.
#[inline]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor and the operating system have just been asked for all these features.
            return unsafe { with_avx512(kernel) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return unsafe { with_avx2(kernel) };
        }
        kernel.run::<false>()
    }
    #[cfg(not(target_arch = "x86_64"))]
    kernel.run::<{ cfg!(target_arch = "aarch64") }>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

/// Adds the squares of `x - lanes` to `sums`.
#[inline(always)]
pub(crate) fn add_squares<const FUSED: bool>(sums: &mut Lanes, x: &Lanes, y: &Lanes) {
    for lane in 0..LANES {
        let off = x[lane] - y[lane];
        // Without the instruction `mul_add` would be a call of a library function.
        sums[lane] = if FUSED { off.mul_add(off, sums[lane]) } else { off * off + sums[lane] };
    }
}

/// Folds the upper half onto the lower half until one value is left.
#[inline(always)]
pub(crate) fn fold(mut lanes: Lanes, op: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = op(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// The squared Euclidean distance of two vectors of equal length: four running sums of sixteen lanes, folded in one order.
#[inline(always)]
pub(crate) fn squared<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [[0.0_f32; LANES]; 4];
    let (a64, a_rest) = a.as_chunks::<{ 4 * LANES }>();
    let (b64, b_rest) = b.as_chunks::<{ 4 * LANES }>();
    for (a, b) in a64.iter().zip(b64) {
        let (a, b) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
        for part in 0..4 {
            add_squares::<FUSED>(&mut sums[part], &a[part], &b[part]);
        }
    }
    // Everything else goes to the first sum: a place that is only known at run time would keep all sums in memory.
    let (a16, a_rest) = a_rest.as_chunks::<LANES>();
    let (b16, b_rest) = b_rest.as_chunks::<LANES>();
    for (a, b) in a16.iter().zip(b16) {
        add_squares::<FUSED>(&mut sums[0], a, b);
    }
    if !a_rest.is_empty() {
        add_squares::<FUSED>(&mut sums[0], &padded(a_rest), &padded(b_rest));
    }
    let mut all = [0.0; LANES];
    for lane in 0..LANES {
        all[lane] = (sums[0][lane] + sums[1][lane]) + (sums[2][lane] + sums[3][lane]);
    }
    fold(all, |a, b| a + b)
}

#[inline(always)]
fn padded(rest: &[f32]) -> Lanes {
    let mut lanes = [0.0; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    lanes
}

/// One distance alone.
struct Squared<'a>(&'a [f32], &'a [f32]);

impl Kernel for Squared<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> f32 {
        squared::<FUSED>(self.0, self.1)
    }
}

/// The squared Euclidean distance of two vectors of equal length, in single precision in a fixed order.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    run(Squared(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, random};

    /// The rounding of at most a few hundred additions.
    const ROUNDING: f64 = 1e-5;

    fn vectors(d: usize) -> [Vec<f32>; 2] {
        let mut rng = Seed(d as u64).rng();
        [0, 1].map(|_| (0..d).map(|_| random::normal(&mut rng) as f32).collect())
    }

    #[test]
    fn distances_of_all_lengths_are_right() {
        for d in [0, 1, 15, 16, 17, 63, 64, 100, 127, 128, 129, 384, 391] {
            let [a, b] = vectors(d);
            let exact: f64 = a.iter().zip(&b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            for got in [squared_distance(&a, &b), Squared(&a, &b).run::<false>()] {
                assert!((f64::from(got) - exact).abs() <= ROUNDING * exact, "{d}: {got} {exact}");
            }
        }
    }
}
