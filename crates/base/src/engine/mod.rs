//! What runs a network.
//!
//! Every engine takes one example and gives the graph's outputs. A run uses one thread, so callers run examples on as many threads
//! as they like, and the result of an example never depends on its neighbours.

mod frozen;
pub mod native;
#[cfg(feature = "ort")]
pub mod ort;
pub mod reference;
pub mod rten;
mod spec;

use std::error::Error;

pub use spec::{ImageLayout, OnnxInput, OnnxOutput, OnnxSpec, Take};

use crate::graph::{Graph, GraphInput, RowCount, Shape};

/// One prepared example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NetInput<'a> {
    /// `[channels, height, width]`, normalised as the base asks.
    Image(&'a [f32]),
    /// Token ids, special tokens included.
    Tokens(&'a [u32]),
    /// Frames of a sound, `[t, dim]`, row by row.
    Frames(&'a [f32]),
}

impl NetInput<'_> {
    /// What it is, in words.
    fn kind(self) -> &'static str {
        match self {
            Self::Image(_) => "an image",
            Self::Tokens(_) => "tokens",
            Self::Frames(_) => "frames",
        }
    }
}

/// One output of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct NetOutput {
    /// The name that the graph gives it.
    pub name: String,
    /// How many rows; 1 for a vector.
    pub rows: usize,
    /// `[rows, dim]`, row-major.
    pub data: Vec<f32>,
}

impl NetOutput {
    /// How many numbers a row has.
    pub fn dim(&self) -> usize {
        self.data.len() / self.rows.max(1)
    }
}

/// What an engine promises to give, known before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// The output's name.
    pub name: String,
    /// How many rows; `None` for a vector.
    pub rows: Option<RowCount>,
    /// Numbers in a row.
    pub dim: usize,
}

/// Runs one network; loaded once, shared by threads.
pub trait Engine: Send + Sync {
    /// Runs several texts on the calling thread, each with the result that it has alone.
    fn run_texts(&self, texts: &[&[u32]]) -> Result<Vec<Vec<NetOutput>>, EngineError> {
        texts.iter().map(|text| self.run(NetInput::Tokens(text))).collect()
    }

    /// Runs one example on the calling thread; outputs come in the order of [`Engine::outputs`].
    fn run(&self, input: NetInput<'_>) -> Result<Vec<NetOutput>, EngineError>;

    /// What it takes.
    fn input(&self) -> GraphInput;

    /// What it gives.
    fn outputs(&self) -> &[OutputSpec];

    /// The engine's name and version, as it goes into a bundle's manifest (`native 1`, `rten 0.27`).
    fn name(&self) -> &str;
}

/// Why a run did not happen.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// An image was given to a text network, or the like.
    #[error("the network takes {expected}, got {got}")]
    WrongKind {
        /// What it takes.
        expected: &'static str,
        /// What it got.
        got: &'static str,
    },
    /// The image has another number of values than `channels * height * width`.
    #[error("the network takes {expected} numbers per image, got {got}")]
    ImageSize {
        /// How many it takes.
        expected: usize,
        /// How many it got.
        got: usize,
    },
    /// No frames, a part of one, or more than the network has positions for.
    #[error("the network takes 1 to {max} frames of {dim} numbers, got {got} numbers")]
    FrameCount {
        /// The most it takes.
        max: usize,
        /// Numbers in a frame.
        dim: usize,
        /// How many numbers it got.
        got: usize,
    },
    /// No tokens, or more than the network has positions for.
    #[error("the network takes 1 to {max} tokens, got {got}")]
    TokenCount {
        /// The most it takes.
        max: usize,
        /// How many it got.
        got: usize,
    },
    /// A token id that the embedding table has no row for.
    #[error("token id {id} is not below the vocabulary size {vocabulary}")]
    TokenId {
        /// The id.
        id: u32,
        /// Rows of the table.
        vocabulary: usize,
    },
    /// The network gave something else than it promised.
    #[error("output `{name}` has shape {got:?}, expected {expected}")]
    OutputShape {
        /// The output.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// What was promised, in words.
        expected: String,
    },
    /// The weights hold no tensor of this name, or one of another shape than the graph was built with.
    #[error("weight `{name}` is missing or has another shape than the graph was built with")]
    Weight {
        /// The weight.
        name: String,
    },
    /// The engine itself failed.
    #[error("engine `{engine}` failed")]
    Backend {
        /// The engine.
        engine: String,
        /// What it said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl EngineError {
    /// What another crate's runtime said.
    pub(crate) fn backend(engine: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Backend { engine: engine.to_owned(), source: source.into() }
    }
}

/// Checks an example against what the network takes, so that engines need not.
pub fn check_input(expected: GraphInput, input: NetInput<'_>) -> Result<(), EngineError> {
    match (expected, input) {
        (GraphInput::Image { channels, height, width }, NetInput::Image(pixels)) => {
            let expected = channels * height * width;
            if pixels.len() == expected {
                Ok(())
            } else {
                Err(EngineError::ImageSize { expected, got: pixels.len() })
            }
        }
        (GraphInput::Tokens { max_tokens: max }, NetInput::Tokens(ids)) => {
            if (1..=max).contains(&ids.len()) {
                Ok(())
            } else {
                Err(EngineError::TokenCount { max, got: ids.len() })
            }
        }
        (GraphInput::Frames { dim, max_frames: max }, NetInput::Frames(frames)) => {
            if frames.len().is_multiple_of(dim) && (1..=max).contains(&(frames.len() / dim)) {
                Ok(())
            } else {
                Err(EngineError::FrameCount { max, dim, got: frames.len() })
            }
        }
        (GraphInput::Image { .. }, _) => {
            Err(EngineError::WrongKind { expected: "an image", got: input.kind() })
        }
        (GraphInput::Tokens { .. }, _) => {
            Err(EngineError::WrongKind { expected: "tokens", got: input.kind() })
        }
        (GraphInput::Frames { .. }, _) => {
            Err(EngineError::WrongKind { expected: "frames", got: input.kind() })
        }
    }
}

/// The outputs of a graph as an engine promises them.
pub fn output_specs(graph: &Graph) -> Vec<OutputSpec> {
    let spec = |(name, value): &(String, crate::graph::ValueId)| match graph.shape(*value) {
        Shape::Rows { rows, dim } => OutputSpec { name: name.clone(), rows: Some(rows), dim },
        Shape::Vector { dim } => OutputSpec { name: name.clone(), rows: None, dim },
        Shape::Tokens | Shape::Map { .. } => {
            unreachable!("the builder takes only rows and vectors as outputs")
        }
    };
    graph.outputs().iter().map(spec).collect()
}
