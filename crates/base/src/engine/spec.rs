//! How an ONNX file is fed and what of it is read.

use serde::{Deserialize, Serialize};

use super::OutputSpec;
use crate::{
    emit,
    graph::{Graph, GraphInput, RowCount, Shape},
};

/// An ONNX network as `base.toml` describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnnxSpec {
    /// What goes in.
    pub input: OnnxInput,
    /// What comes out, in the order the base gives it; at least one.
    pub outputs: Vec<OnnxOutput>,
}

/// The file's input; the names are those in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OnnxInput {
    /// One f32 image with a batch axis.
    Image {
        /// The input's name.
        name: String,
        /// Which axis the colours are on.
        #[serde(default)]
        layout: ImageLayout,
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
    /// One row of int64 token ids with a batch axis.
    Tokens {
        /// The name of the ids.
        ids: String,
        /// The name of the attention mask, if there is one; it is all ones.
        #[serde(default)]
        mask: Option<String>,
        /// The name of the token types, if there are any; they are all zeros.
        #[serde(default)]
        types: Option<String>,
        /// The longest input.
        max_tokens: usize,
    },
    /// One sound's frames with a batch axis, f32.
    Frames {
        /// The name of the frames.
        name: String,
        /// The name of the mask, if there is one; it is all ones.
        #[serde(default)]
        mask: Option<String>,
        /// Numbers in a frame.
        dim: usize,
        /// The longest input.
        max_frames: usize,
    },
}

/// Which axis of an image holds the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageLayout {
    /// `[1, 3, height, width]`.
    #[default]
    Nchw,
    /// `[1, height, width, 3]`.
    Nhwc,
}

/// One output of the file and what is taken of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnnxOutput {
    /// The name that the base gives it (`pooled`, `mean`).
    pub name: String,
    /// The name in the file.
    pub from: String,
    /// Numbers in the vector, or in a row.
    pub dim: usize,
    /// What is taken.
    pub take: Take,
    /// Whether each row is then divided by its length.
    #[serde(default)]
    pub unit_length: bool,
}

/// What is taken of an output that has a batch axis of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Take {
    /// `[1, dim]`, or with more axes of length 1: the vector.
    Vector,
    /// `[1, t, dim]`: all rows.
    Rows,
    /// `[1, t, dim]`: the mean over rows.
    MeanRows,
    /// `[1, t, dim]`: the first row.
    FirstRow,
    /// `[1, dim, h, w]`: the mean of each plane.
    MeanMap,
}

impl OnnxSpec {
    /// How the file that [`emit::to_onnx`] writes is fed and read.
    pub fn of_graph(graph: &Graph) -> Self {
        let input = match graph.input() {
            GraphInput::Image { height, width, .. } => OnnxInput::Image {
                name: emit::IMAGE_INPUT.to_owned(),
                layout: ImageLayout::Nchw,
                height,
                width,
            },
            GraphInput::Tokens { max_tokens } => OnnxInput::Tokens {
                ids: emit::TOKENS_INPUT.to_owned(),
                mask: Some(emit::MASK_INPUT.to_owned()),
                types: None,
                max_tokens,
            },
            GraphInput::Frames { dim, max_frames } => OnnxInput::Frames {
                name: emit::FRAMES_INPUT.to_owned(),
                mask: Some(emit::MASK_INPUT.to_owned()),
                dim,
                max_frames,
            },
        };
        let outputs = graph.outputs().iter().map(|(name, value)| {
            let (dim, take) = match graph.shape(*value) {
                Shape::Rows { dim, .. } => (dim, Take::Rows),
                Shape::Vector { dim } => (dim, Take::Vector),
                Shape::Tokens | Shape::Map { .. } => {
                    unreachable!("the builder takes only rows and vectors as outputs")
                }
            };
            OnnxOutput { name: name.clone(), from: name.clone(), dim, take, unit_length: false }
        });
        Self { input, outputs: outputs.collect() }
    }

    /// The input as engines take it.
    pub fn graph_input(&self) -> GraphInput {
        match self.input {
            OnnxInput::Image { height, width, .. } => GraphInput::Image { channels: 3, height, width },
            OnnxInput::Tokens { max_tokens, .. } => GraphInput::Tokens { max_tokens },
            OnnxInput::Frames { dim, max_frames, .. } => GraphInput::Frames { dim, max_frames },
        }
    }

    /// The outputs as engines promise them. The number of rows of an image network's output is not known from the description: it is
    /// given as [`RowCount::Tokens`], as many as the network makes.
    pub fn output_specs(&self) -> Vec<OutputSpec> {
        let spec = |output: &OnnxOutput| OutputSpec {
            name: output.name.clone(),
            rows: (output.take == Take::Rows).then_some(RowCount::Tokens),
            dim: output.dim,
        };
        self.outputs.iter().map(spec).collect()
    }
}
