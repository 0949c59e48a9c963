//! AVX-512: one register holds all sixteen lanes.

use super::{Isa, Kernel, Lanes};
use std::arch::x86_64::*;

/// Proof that the machine has AVX-512 F and DQ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Asks the processor and the operating system.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq")).then_some(Self(()))
    }
}

/// Calls intrinsics of AVX-512 F and DQ.
macro_rules! have {
    ($e:expr) => {
        // SAFETY: an `Avx512` only comes from `detect`, so the machine has the features. Pointers are those of the
        // references they were made from, the unaligned forms are used.
        unsafe { $e }
    };
}

impl Isa for Avx512 {
    type V = __m512;

    // 8 x 3 accumulators, 3 weights and one broadcast: 28 of 32 registers.
    const TILE_ROWS: usize = 8;
    const TILE_PANELS: usize = 3;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512dq,fma")]
        fn compiled<K: Kernel>(isa: Avx512, kernel: K) -> K::Output {
            kernel.run(isa)
        }
        have!(compiled(self, kernel))
    }

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        have!(_mm512_set1_ps(x))
    }
    #[inline(always)]
    fn load(self, from: &Lanes) -> __m512 {
        have!(_mm512_loadu_ps(from.as_ptr()))
    }
    #[inline(always)]
    fn prefetch(self, from: &Lanes) {
        have!(_mm_prefetch::<_MM_HINT_T1>(from.as_ptr().cast()));
    }
    #[inline(always)]
    fn store(self, v: __m512, to: &mut Lanes) {
        have!(_mm512_storeu_ps(to.as_mut_ptr(), v));
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        have!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        have!(_mm512_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn exp2(self, n: __m512) -> __m512 {
        have!({
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }
    #[inline(always)]
    fn sum(self, v: __m512) -> f32 {
        have!({
            let eight = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v));
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        })
    }
    #[inline(always)]
    fn largest(self, v: __m512) -> f32 {
        have!(_mm512_reduce_max_ps(v))
    }
}
