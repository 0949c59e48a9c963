//! A graph made ready to run: steps in order, weights packed, memory shared.

mod build;
pub(crate) mod groups;
mod slots;

use super::memory::Buffer;
use super::simd::{Cpu, blocks};
use super::steps::{Run, Step};
use super::values::{Batch, Inputs, Value};
use std::io;

/// Steps in order.
#[derive(Debug)]
pub(crate) struct Plan {
    steps: Vec<Planned>,
    slots: usize,
    /// The graph's outputs, in its order.
    pub(crate) outputs: Vec<Value>,
    /// Rows of the embedding table; only texts have one.
    pub(crate) vocabulary: Option<usize>,
    /// Numbers in a frame; only sounds have frames.
    pub(crate) frame_dim: Option<usize>,
}

/// A step, the values it reads and the one it makes.
#[derive(Debug)]
struct Planned {
    step: Box<dyn Step>,
    inputs: Vec<Value>,
    out: Value,
}

/// The memory of one run at a time.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    pub(crate) slots: Vec<Buffer>,
    scratch: Buffer,
}

impl Plan {
    /// Runs all steps; the outputs lie in the arena's slots.
    pub(crate) fn run(&self, cpu: Cpu, batch: &Batch<'_>, arena: &mut Arena) -> io::Result<()> {
        arena.slots.resize_with(self.slots, Buffer::default);
        for Planned { step, inputs, out } in &self.steps {
            let rows = out.extent.rows(batch);
            // Taken out, so that it can be written while the others are read.
            let mut slot = std::mem::take(&mut arena.slots[out.slot]);
            slot.reserve(rows * blocks(out.dim))?;
            let inputs = Inputs { slots: &arena.slots, values: inputs, batch };
            arena.scratch.reserve(step.scratch(&inputs))?;
            let scratch = arena.scratch.lanes_mut();
            step.run(Run { cpu, batch, inputs, out: slot.lanes_mut(), rows, scratch });
            arena.slots[out.slot] = slot;
        }
        Ok(())
    }
}
