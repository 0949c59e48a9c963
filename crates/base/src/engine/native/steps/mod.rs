//! The steps of a plan, each one or several nodes of the graph.

pub(crate) mod bottleneck;
pub(crate) mod image;
pub(crate) mod product;
pub(crate) mod rows;
pub(crate) mod tokens;

use super::simd::{Cpu, Lanes};
use super::values::{Batch, Inputs};
use std::fmt::Debug;

/// One step: reads values, writes one.
pub(crate) trait Step: Debug + Send + Sync {
    /// How many vectors of scratch it wants.
    fn scratch(&self, _inputs: &Inputs<'_>) -> usize {
        0
    }

    fn run(&self, run: Run<'_>);
}

/// What a step works with.
pub(crate) struct Run<'a> {
    pub(crate) cpu: Cpu,
    pub(crate) batch: &'a Batch<'a>,
    pub(crate) inputs: Inputs<'a>,
    /// Planes of `rows` rows each; holds anything before.
    pub(crate) out: &'a mut [Lanes],
    pub(crate) rows: usize,
    /// Holds anything before.
    pub(crate) scratch: &'a mut [Lanes],
}
