//! Runs a graph directly on this machine's vector units.
//!
//! Made for what extracting features is: one small network, f32, one example after another on each of several threads.
//! - [`plan`] deals the graph's nodes into [`steps`], packs the weights the way the kernels read them, and shares memory
//!   between values that are not alive together;
//! - [`kernels`] are written once, over the sixteen lanes of [`simd`], and compiled for AVX-512, AVX2 and plain Rust;
//! - a run takes its memory from a pool and gives it back, so that after the first few nothing is allocated but the
//!   outputs.
//!
//! **The result is a function of the input alone**: every sum is one chain in a fixed order, whatever else runs, and
//! whichever texts run together ([`Engine::run_texts`]). AVX2 and AVX-512 give the same bits.

mod kernels;
mod layout;
mod memory;
mod plan;
mod simd;
mod steps;
#[cfg(test)]
mod tests;
mod values;

use super::{Engine, EngineError, NetInput, NetOutput, OutputSpec, check_input, output_specs};
use crate::graph::{Graph, GraphInput};
use crate::weights::Weights;
use layout::row_from_planes;
use plan::{Arena, Plan};
use simd::Cpu;
use std::sync::{Mutex, PoisonError};
use values::{Batch, Value};

/// The engine's name and version: the version changes with the bits of its results.
const NAME: &str = "native 1";

/// A graph that is ready to run on this machine.
#[derive(Debug)]
pub struct NativeEngine {
    cpu: Cpu,
    input: GraphInput,
    outputs: Vec<OutputSpec>,
    plan: Plan,
    /// Memory of runs that are over, for runs to come.
    arenas: Mutex<Vec<Arena>>,
}

/// An operation that there is no kernel for.
#[derive(Debug, thiserror::Error)]
#[error("`{node}` is {what}")]
pub struct Unsupported {
    /// The node.
    pub node: String,
    /// What it asks for.
    pub what: &'static str,
}

impl NativeEngine {
    /// Packs the weights of a graph for this machine.
    ///
    /// [`EngineError::Backend`] with [`Unsupported`] inside says that there is no kernel for a node.
    pub fn new(graph: &Graph, weights: &Weights) -> Result<Self, EngineError> {
        Self::on(Cpu::detect(), graph, weights)
    }

    fn on(cpu: Cpu, graph: &Graph, weights: &Weights) -> Result<Self, EngineError> {
        Ok(Self {
            cpu,
            input: graph.input(),
            outputs: output_specs(graph),
            plan: Plan::build(graph, weights)?,
            arenas: Mutex::default(),
        })
    }

    /// Which vector units it uses: `avx512`, `avx2` or `portable`.
    pub fn instruction_set(&self) -> &'static str {
        self.cpu.name()
    }

    fn check(&self, input: NetInput<'_>) -> Result<(), EngineError> {
        check_input(self.input, input)?;
        let (NetInput::Tokens(ids), Some(vocabulary)) = (input, self.plan.vocabulary) else { return Ok(()) };
        let unknown = ids.iter().find(|&&id| id as usize >= vocabulary);
        unknown.map_or(Ok(()), |&id| Err(EngineError::TokenId { id, vocabulary }))
    }

    fn run_batch(&self, batch: &Batch<'_>) -> Result<Vec<Vec<NetOutput>>, EngineError> {
        // A panic elsewhere leaves arenas whole: they only hold memory.
        let pool = || self.arenas.lock().unwrap_or_else(PoisonError::into_inner);
        let mut arena = pool().pop().unwrap_or_default();
        self.plan
            .run(self.cpu, batch, &mut arena)
            .map_err(|source| EngineError::Backend { engine: NAME.to_owned(), source: source.into() })?;
        let outputs = (0..batch.examples()).map(|example| self.collect(batch, example, &arena)).collect();
        pool().push(arena);
        Ok(outputs)
    }

    /// Copies one example's outputs out of the arena.
    fn collect(&self, batch: &Batch<'_>, example: usize, arena: &Arena) -> Vec<NetOutput> {
        let output = |(spec, value): (&OutputSpec, &Value)| {
            let rows = value.extent.of_example(batch, example);
            let plane = value.extent.rows(batch);
            let mut data = vec![0.0; rows.len() * value.dim];
            for (row, to) in rows.clone().zip(data.chunks_exact_mut(value.dim)) {
                row_from_planes(arena.slots[value.slot].lanes(), plane, row, to);
            }
            NetOutput { name: spec.name.clone(), rows: rows.len(), data }
        };
        self.outputs.iter().zip(&self.plan.outputs).map(output).collect()
    }
}

impl Engine for NativeEngine {
    /// Weights come from memory once for all texts, which is faster for short ones; the results are the same bit for bit.
    fn run_texts(&self, texts: &[&[u32]]) -> Result<Vec<Vec<NetOutput>>, EngineError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        texts.iter().try_for_each(|text| self.check(NetInput::Tokens(text)))?;
        let mut starts = vec![0];
        starts.extend(texts.iter().scan(0, |end, text| {
            *end += text.len();
            Some(*end)
        }));
        self.run_batch(&Batch { values: &[], texts, starts: &starts })
    }

    fn run(&self, input: NetInput<'_>) -> Result<Vec<NetOutput>, EngineError> {
        self.check(input)?;
        let mut outputs = match input {
            NetInput::Image(values) => self.run_batch(&Batch { values, texts: &[], starts: &[0, 0] })?,
            NetInput::Frames(values) => {
                let frames = values.len() / self.plan.frame_dim.unwrap_or(1);
                self.run_batch(&Batch { values, texts: &[], starts: &[0, frames] })?
            }
            NetInput::Tokens(ids) => {
                self.run_batch(&Batch { values: &[], texts: &[ids], starts: &[0, ids.len()] })?
            }
        };
        Ok(outputs.pop().unwrap_or_default())
    }

    fn input(&self) -> GraphInput {
        self.input
    }

    fn outputs(&self) -> &[OutputSpec] {
        &self.outputs
    }

    fn name(&self) -> &str {
        NAME
    }
}
