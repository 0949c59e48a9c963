//! AVX2 with FMA: two registers hold the sixteen lanes.

use super::{Isa, Kernel, Lanes};
use std::arch::x86_64::*;

/// Proof that the machine has AVX2 and FMA.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Asks the processor and the operating system.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

/// Calls intrinsics of AVX2 and FMA.
macro_rules! have {
    ($e:expr) => {
        // SAFETY: an `Avx2` only comes from `detect`, so the machine has the features. Pointers are those of the
        // references they were made from, the upper half starts at lane 8 of 16, and the unaligned forms are used.
        unsafe { $e }
    };
}

/// The lower and the upper eight lanes.
#[derive(Clone, Copy)]
pub(crate) struct Pair(__m256, __m256);

impl Isa for Avx2 {
    type V = Pair;

    // 6 x 1 pairs of accumulators, a pair of weights and one broadcast: 15 of 16 registers.
    const TILE_ROWS: usize = 6;
    const TILE_PANELS: usize = 1;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel>(isa: Avx2, kernel: K) -> K::Output {
            kernel.run(isa)
        }
        have!(compiled(self, kernel))
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Pair {
        let x = have!(_mm256_set1_ps(x));
        Pair(x, x)
    }
    #[inline(always)]
    fn load(self, from: &Lanes) -> Pair {
        have!(Pair(_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))))
    }
    #[inline(always)]
    fn prefetch(self, from: &Lanes) {
        have!(_mm_prefetch::<_MM_HINT_T1>(from.as_ptr().cast()));
    }
    #[inline(always)]
    fn store(self, v: Pair, to: &mut Lanes) {
        have!({
            _mm256_storeu_ps(to.as_mut_ptr(), v.0);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), v.1);
        });
    }
    #[inline(always)]
    fn add(self, a: Pair, b: Pair) -> Pair {
        have!(Pair(_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn sub(self, a: Pair, b: Pair) -> Pair {
        have!(Pair(_mm256_sub_ps(a.0, b.0), _mm256_sub_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn mul(self, a: Pair, b: Pair) -> Pair {
        have!(Pair(_mm256_mul_ps(a.0, b.0), _mm256_mul_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn div(self, a: Pair, b: Pair) -> Pair {
        have!(Pair(_mm256_div_ps(a.0, b.0), _mm256_div_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn min(self, a: Pair, b: Pair) -> Pair {
        have!(Pair(_mm256_min_ps(a.0, b.0), _mm256_min_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn max(self, a: Pair, b: Pair) -> Pair {
        have!(Pair(_mm256_max_ps(a.0, b.0), _mm256_max_ps(a.1, b.1)))
    }
    #[inline(always)]
    fn mul_add(self, a: Pair, b: Pair, c: Pair) -> Pair {
        have!(Pair(_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)))
    }
    #[inline(always)]
    fn exp2(self, n: Pair) -> Pair {
        have!({
            let bias = _mm256_set1_epi32(127);
            let low = _mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n.0), bias));
            let high = _mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n.1), bias));
            Pair(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high))
        })
    }
    #[inline(always)]
    fn sum(self, v: Pair) -> f32 {
        have!({
            let eight = _mm256_add_ps(v.0, v.1);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        })
    }
    #[inline(always)]
    fn largest(self, v: Pair) -> f32 {
        have!({
            let eight = _mm256_max_ps(v.0, v.1);
            let four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        })
    }
}
