//! Functions of one vector.

use super::super::simd::Isa;

/// Clamps to [0, 6]; NaN stays NaN, so that a broken network shows.
#[inline(always)]
pub(crate) fn relu6<I: Isa>(isa: I, x: I::V) -> I::V {
    isa.min(isa.splat(6.0), isa.max(isa.splat(0.0), x))
}

/// Evaluates a polynomial, lowest power first.
#[inline(always)]
fn polynomial<I: Isa, const N: usize>(isa: I, x: I::V, coefficients: [f32; N]) -> I::V {
    let mut y = isa.splat(coefficients[N - 1]);
    for i in (0..N - 1).rev() {
        y = isa.mul_add(y, x, isa.splat(coefficients[i]));
    }
    y
}

/// Returns `x · Φ(x)`, the exact form of GELU (Hendrycks & Gimpel 2016), with an error in `Φ` below 2.5e-7.
///
/// `Φ(x) - 1/2` is `t · P(t²) / Q(t²)` with `t` clamped to ±5.25, beyond which `Φ` is 0 or 1 to 8e-8. P and Q are the
/// minimax fit of `reference/minimax.py`: error 1.0e-8 in `x · Φ(x)` before rounding.
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "as printed by the fit")]
pub(crate) fn gelu<I: Isa>(isa: I, x: I::V) -> I::V {
    const P: [f32; 6] =
        [0.398_942_14, 0.033_620_454, 0.004_672_112_4, 1.676_799_3e-4, 6.463_459e-6, 2.370_836_9e-8];
    const Q: [f32; 6] = [1.0, 0.250_939_07, 0.028_536_716, 0.001_877_485, 7.390_074_4e-5, 1.233_544_3e-6];
    let t = isa.min(isa.max(x, isa.splat(-5.25)), isa.splat(5.25));
    let z = isa.mul(t, t);
    let ratio = isa.div(polynomial(isa, z, P), polynomial(isa, z, Q));
    isa.mul(x, isa.mul_add(t, ratio, isa.splat(0.5)))
}

/// Returns `x / (1 + e^(-1.702 x))`, the sigmoid form of GELU.
#[inline(always)]
pub(crate) fn quick_gelu<I: Isa>(isa: I, x: I::V) -> I::V {
    let share = exp(isa, isa.mul(x, isa.splat(-1.702)));
    isa.div(x, isa.add(isa.splat(1.0), share))
}

/// Returns `e^x` to a relative error below 2e-7 for `x` in [-87, 88]; beyond, the value at the border.
///
/// `x = n ln 2 + r` with whole `n`, so `e^x = 2^n e^r` and `|r| <= ln 2 / 2`. There `e^r = 1 + r + r² p(r)`, with the
/// minimax `p` of `reference/minimax.py` (relative error 3.1e-9 before rounding). `ln 2` is taken in two parts (Cody &
/// Waite), so that `n ln 2` is exact.
#[inline(always)]
pub(crate) fn exp<I: Isa>(isa: I, x: I::V) -> I::V {
    const P: [f32; 5] = [0.499_999_94, 0.166_665_2, 0.041_668_393, 0.008_368_781, 0.001_381_446_6];
    /// Adding and taking away 1.5 · 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let x = isa.min(isa.max(x, isa.splat(-87.0)), isa.splat(88.0));
    let n = isa.sub(isa.mul_add(x, isa.splat(std::f32::consts::LOG2_E), isa.splat(ROUND)), isa.splat(ROUND));
    let r = isa.mul_add(n, isa.splat(-0.693_359_4), x);
    let r = isa.mul_add(n, isa.splat(2.121_944_4e-4), r);
    let r2 = isa.mul(r, r);
    let y = isa.add(isa.mul_add(r2, polynomial(isa, r, P), r), isa.splat(1.0));
    isa.mul(y, isa.exp2(n))
}

#[cfg(test)]
mod tests {
    use super::super::super::simd::{Cpu, Isa, Kernel, Lanes};
    use super::{exp, gelu, quick_gelu};

    enum Function {
        Exp,
        Gelu,
        QuickGelu,
    }
    struct Apply<'a>(Function, &'a mut [Lanes]);

    impl Kernel for Apply<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self, isa: I) {
            for x in self.1 {
                let v = isa.load(x);
                let y = match self.0 {
                    Function::Exp => exp(isa, v),
                    Function::Gelu => gelu(isa, v),
                    Function::QuickGelu => quick_gelu(isa, v),
                };
                isa.store(y, x);
            }
        }
    }

    /// The largest error over evenly spaced points, as `error(x, got, expected)` measures it.
    fn worst(
        cpu: Cpu,
        function: Function,
        (low, high): (f64, f64),
        expected: fn(f64) -> f64,
        error: fn(f64, f64, f64) -> f64,
    ) -> f64 {
        const N: usize = 200_000;
        let xs: Vec<f32> = (0..N).map(|i| (low + (high - low) * i as f64 / (N - 1) as f64) as f32).collect();
        let mut ys = xs.as_chunks().0.to_vec();
        cpu.run(Apply(function, &mut ys));
        assert!(ys.as_flattened().iter().all(|y| y.is_finite()));
        let pairs = xs.iter().zip(ys.as_flattened());
        pairs.map(|(&x, &y)| error(f64::from(x), f64::from(y), expected(f64::from(x)))).fold(0.0, f64::max)
    }

    /// The standard normal distribution function from `erf` by its series (A&S 7.1.5) and, far out, the continued
    /// fraction of `erfc` (A&S 7.1.14), both in f64 to better than 1e-13.
    fn phi(x: f64) -> f64 {
        let z = x.abs() / std::f64::consts::SQRT_2;
        let upper = if z < 2.5 {
            let (mut term, mut sum) = (z, z);
            for n in 1..80 {
                term *= -z * z / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            0.5 - sum / std::f64::consts::PI.sqrt()
        } else {
            let mut fraction = z;
            for n in (1..120).rev() {
                fraction = z + f64::from(n) / 2.0 / fraction;
            }
            (-z * z).exp() / fraction / std::f64::consts::PI.sqrt() / 2.0
        };
        if x > 0.0 { 1.0 - upper } else { upper }
    }

    #[test]
    fn the_reference_distribution_is_right() {
        // Table values: Abramowitz & Stegun 26.1.
        for (x, expected) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-3.0, 0.001_349_898_031_630_095)] {
            assert!((phi(x) - expected).abs() < 1e-14, "phi({x})");
        }
        // Both forms meet at the border.
        let border = 2.5 * std::f64::consts::SQRT_2;
        assert!((phi(border * (1.0 - 1e-12)) - phi(border * (1.0 + 1e-12))).abs() < 1e-13);
    }

    #[test]
    fn gelu_is_exact_to_a_few_units_in_the_last_place() {
        for cpu in Cpu::all() {
            // Relative to `x`: what is off is `Φ`.
            let error = |x: f64, got: f64, expected: f64| (got - expected).abs() / x.abs().max(1.0);
            let worst = worst(cpu, Function::Gelu, (-8.0, 8.0), |x| x * phi(x), error);
            assert!(worst < 2.5e-7, "{}: {worst:e}", cpu.name());
        }
    }

    #[test]
    fn quick_gelu_is_exact_to_a_few_units_in_the_last_place() {
        for cpu in Cpu::all() {
            let error = |x: f64, got: f64, expected: f64| (got - expected).abs() / x.abs().max(1.0);
            let exact = |x: f64| x / (1.0 + (-1.702 * x).exp());
            let worst = worst(cpu, Function::QuickGelu, (-60.0, 60.0), exact, error);
            assert!(worst < 1e-6, "{}: {worst:e}", cpu.name());
        }
    }

    #[test]
    fn gelu_far_out_is_zero_or_the_identity() {
        for cpu in Cpu::all() {
            let mut x = [[-1e3, -20.0, 0.0, -0.0, 20.0, 1e3, 1e30, 9.0, 0., 0., 0., 0., 0., 0., 0., 0.]];
            let given = x[0];
            cpu.run(Apply(Function::Gelu, &mut x));
            for (x, y) in given.into_iter().zip(x[0]) {
                assert!((y - x.max(0.0)).abs() <= 1.2e-7 * x.abs(), "{}: gelu({x}) = {y}", cpu.name());
            }
        }
    }

    #[test]
    fn exp_is_exact_to_two_units_in_the_last_place() {
        for cpu in Cpu::all() {
            let relative = |_: f64, got: f64, expected: f64| (got / expected - 1.0).abs();
            let worst = worst(cpu, Function::Exp, (-87.0, 88.0), f64::exp, relative);
            assert!(worst < 2e-7, "{}: {worst:e}", cpu.name());
        }
    }
}
