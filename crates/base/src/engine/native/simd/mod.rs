//! Sixteen floats at a time, on whatever vector unit the machine has.
//!
//! Every kernel is written once, over [`Isa`]: sixteen lanes with a handful of operations. An [`Isa`] value is a *proof*:
//! it can only be had by asking the processor, so its operations are safe to call. [`Cpu`] holds the best one found, and
//! [`Cpu::run`] compiles a [`Kernel`] once for each instruction set and picks at run time (the idea is that of `pulp`).
//!
//! All lanes do the same operations in the same order on every instruction set, and reductions fold the sixteen lanes
//! in one fixed tree, so AVX2 and AVX-512 give the **same bits**. So does the portable version where a fused
//! multiply-add is part of the baseline (aarch64); elsewhere it rounds twice and agrees to the last places only.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

#[cfg(target_arch = "x86_64")]
use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use avx512::Avx512;
use portable::Portable;

/// How many floats a vector has, on every instruction set.
pub(crate) const LANES: usize = 16;

/// Sixteen neighbouring channels of one position.
pub(crate) type Lanes = [f32; LANES];

/// How many vectors of [`LANES`] hold `n` floats.
pub(crate) const fn blocks(n: usize) -> usize {
    n.div_ceil(LANES)
}

/// An instruction set that the machine is known to have, and its operations on sixteen lanes.
pub(crate) trait Isa: Copy {
    /// Sixteen floats in registers.
    type V: Copy;

    /// Rows of the largest tile of a matrix product that stays in registers, at most eight.
    const TILE_ROWS: usize;
    /// Columns of that tile, in vectors, at most three.
    const TILE_PANELS: usize;

    /// Runs a kernel as code compiled for this instruction set.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, from: &Lanes) -> Self::V;
    /// Asks for a vector to be brought near, to the second-level cache; does nothing where that cannot be asked.
    #[inline(always)]
    fn prefetch(self, _from: &Lanes) {}
    fn store(self, v: Self::V, to: &mut Lanes);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// Returns `a * b + c`, rounded once where the machine can.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Returns `2^n` for whole numbers `n` in [-126, 127].
    fn exp2(self, n: Self::V) -> Self::V;
    /// Returns the sum of the lanes: upper half onto lower half, until one is left.
    fn sum(self, v: Self::V) -> f32;
    /// Returns the largest lane.
    fn largest(self, v: Self::V) -> f32;
}

/// A piece of work written over any [`Isa`]: its operands, and one generic body.
///
/// `run` and all it calls on the way to an [`Isa`] operation must be `#[inline(always)]`: only what is inlined into
/// [`Isa::run`] is compiled for the instruction set.
pub(crate) trait Kernel {
    type Output;
    fn run<I: Isa>(self, isa: I) -> Self::Output;
}

/// The best instruction set of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cpu {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable(Portable),
}

impl Cpu {
    /// Every instruction set this machine has, best first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special = [Avx512::detect().map(Self::Avx512), Avx2::detect().map(Self::Avx2)];
        #[cfg(not(target_arch = "x86_64"))]
        let special: [Option<Self>; 0] = [];
        special.into_iter().flatten().chain([Self::Portable(Portable)])
    }

    /// The best instruction set this machine has.
    pub(crate) fn detect() -> Self {
        Self::all().next().unwrap_or(Self::Portable(Portable))
    }

    /// A short name for reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            Self::Portable(_) => "portable",
        }
    }

    /// Runs a kernel with this instruction set.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(isa) => isa.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(isa) => isa.run(kernel),
            Self::Portable(isa) => isa.run(kernel),
        }
    }
}
