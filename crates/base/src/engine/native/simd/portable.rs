//! Plain Rust: sixteen lanes as an array, which the compiler turns into whatever vectors the target has.

use super::{Isa, Kernel, LANES, Lanes};
use std::array::from_fn;

/// Runs anywhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

/// Returns `a * b + c`, fused where that is an instruction and not a library call.
#[inline(always)]
fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) { a.mul_add(b, c) } else { a * b + c }
}

/// Folds the upper half onto the lower half until one is left.
#[inline(always)]
fn fold(mut v: Lanes, op: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            v[i] = op(v[i], v[i + half]);
        }
        half /= 2;
    }
    v[0]
}

impl Isa for Portable {
    type V = Lanes;

    // 4 x 1 vectors of accumulators: sixteen registers of four lanes, the least that machines with vectors have.
    const TILE_ROWS: usize = 4;
    const TILE_PANELS: usize = 1;

    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Lanes {
        [x; LANES]
    }
    #[inline(always)]
    fn load(self, from: &Lanes) -> Lanes {
        *from
    }
    #[inline(always)]
    fn store(self, v: Lanes, to: &mut Lanes) {
        *to = v;
    }
    #[inline(always)]
    fn add(self, a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn sub(self, a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    fn mul(self, a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn div(self, a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| a[i] / b[i])
    }
    // The comparisons are those of the x86 instructions: the second operand wins when one is NaN.
    #[inline(always)]
    fn min(self, a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn max(self, a: Lanes, b: Lanes) -> Lanes {
        from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn mul_add(self, a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        from_fn(|i| mul_add(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn exp2(self, n: Lanes) -> Lanes {
        from_fn(|i| f32::from_bits(((n[i] as i32 + 127) << 23) as u32))
    }
    #[inline(always)]
    fn sum(self, v: Lanes) -> f32 {
        fold(v, |a, b| a + b)
    }
    #[inline(always)]
    fn largest(self, v: Lanes) -> f32 {
        fold(v, |a, b| if a > b { a } else { b })
    }
}
