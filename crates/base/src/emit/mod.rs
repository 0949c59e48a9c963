//! Turns a graph and its weights into an ONNX model.
//!
//! [`emit`] writes the network with a batch axis `n` in front of every value; an [`OnnxModel`] can then be extended by a head
//! ([`head`]) and gets its outputs and metadata. Text networks take `input_ids` and `attention_mask`, both `[n, t]`, and ignore what is
//! masked (padding goes on the right). [`to_onnx`] is the short way for a network alone. [`OnnxModel::of_photos`] begins a model
//! that takes photos as they are and may run several networks over parts of them ([`planes`], [`cells`]).

mod cells;
mod head;
mod ops;
mod planes;
#[cfg(test)]
mod tests;
mod writer;

use prost::Message;

pub use cells::{Bank, Cells};
pub use head::Batch;
pub use planes::Planes;

use crate::{
    graph::{Graph, GraphInput, RowCount, Shape},
    onnx::{ModelProto, OperatorSetIdProto, StringStringEntryProto, data_type},
    weights::Weights,
};
use ops::Emitter;
use writer::{Dim, Name, Writer, int};

/// The name of an image network's input, `[n, channels, height, width]`.
pub const IMAGE_INPUT: &str = "image";
/// The name of the input of a model over whole photos, bytes `[n, height, width, 3]`.
pub const PHOTO_INPUT: &str = "photo";
/// The name of a text network's tokens, `[n, t]`.
pub const TOKENS_INPUT: &str = "input_ids";
/// The name of a sound network's frames, `[n, t, dim]`.
pub const FRAMES_INPUT: &str = "frames";
/// The name of the mask of a network over texts or sounds, `[n, t]`: 1 for a token or frame, 0 for padding.
pub const MASK_INPUT: &str = "attention_mask";

/// ONNX's operator set: the first with `LayerNormalization`.
const OPERATOR_SET: i64 = 17;
/// The file version that came with that operator set.
const FILE_VERSION: i64 = 8;

/// Why a model was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The graph reads a weight that is not there.
    #[error("the graph reads weight `{name}`, which is missing")]
    MissingWeight {
        /// The weight.
        name: String,
    },
    /// An output was asked for that the network does not have, or that is not a vector.
    #[error("the network has no vector `{name}`; it has {have:?}")]
    NoVector {
        /// The name asked for.
        name: String,
        /// The vectors there are.
        have: Vec<String>,
    },
    /// The network gives something else than the cells of a square.
    #[error("the network's `{name}` is no square of cells")]
    NoGrid {
        /// The output.
        name: String,
    },
    /// Two outputs, or an output and an input, share a name.
    #[error("the model already has an input or output `{name}`")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A matrix or vector of the head does not fit the batch it is applied to.
    #[error("{what} holds {got} numbers, expected {expected}")]
    Length {
        /// Which argument.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length that fits.
        expected: usize,
    },
    /// An operation over several batches got none.
    #[error("{what} needs at least one batch")]
    Empty {
        /// Which operation.
        what: &'static str,
    },
}

/// How an exported image network takes its pixels.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// Already normalised.
    Prepared,
    /// As values 0 to 255; the model does `(x - mean) / std` itself, one pair per channel.
    Raw {
        /// Subtracted from each channel.
        mean: Vec<f32>,
        /// Divides each channel.
        std: Vec<f32>,
    },
}

/// What the operations of a network over texts or sounds need of its inputs.
#[derive(Debug, Clone)]
struct TokenInputs {
    /// `[1]` int64: t.
    length: Name,
    /// `[n, t, 1]`: 1 for a token, 0 for padding.
    mask: Name,
    /// `[n, 1]`: how many tokens, at least 1.
    count: Name,
    /// `[n, 1, 1, t]`: 0 for a token, very negative for padding.
    attention_bias: Name,
}

/// An ONNX model that is being written.
#[derive(Debug)]
pub struct OnnxModel {
    writer: Writer,
    network_outputs: Vec<(String, Name, Shape)>,
    metadata: Vec<(String, String)>,
}

/// Writes a network that takes prepared pixels or tokens and gives all its outputs.
pub fn to_onnx(graph: &Graph, weights: &Weights) -> Result<Vec<u8>, EmitError> {
    let mut model = emit(graph, weights, &Pixels::Prepared)?;
    model.output_network()?;
    Ok(model.into_bytes())
}

/// Writes the network; the model has no outputs yet.
pub fn emit(graph: &Graph, weights: &Weights, pixels: &Pixels) -> Result<OnnxModel, EmitError> {
    let mut writer = Writer::new("input");
    let n = Dim::Dynamic("n");
    let (input, tokens) = match graph.input() {
        GraphInput::Image { channels, height, width } => {
            let shape = [n, Dim::Fixed(channels), Dim::Fixed(height), Dim::Fixed(width)];
            let image = writer.input(IMAGE_INPUT, data_type::FLOAT, &shape);
            (normalise(&mut writer, image, channels, pixels)?, None)
        }
        GraphInput::Tokens { .. } => {
            let ids = writer.input(TOKENS_INPUT, data_type::INT64, &[n, Dim::Dynamic("t")]);
            let mask = writer.input(MASK_INPUT, data_type::INT64, &[n, Dim::Dynamic("t")]);
            let tokens = token_inputs(&mut writer, &ids, &mask);
            (ids, Some(tokens))
        }
        GraphInput::Frames { dim, .. } => {
            let shape = [n, Dim::Dynamic("t"), Dim::Fixed(dim)];
            let frames = writer.input(FRAMES_INPUT, data_type::FLOAT, &shape);
            let mask = writer.input(MASK_INPUT, data_type::INT64, &[n, Dim::Dynamic("t")]);
            let tokens = token_inputs(&mut writer, &frames, &mask);
            (frames, Some(tokens))
        }
    };
    let network_outputs = write_network(&mut writer, graph, weights, input, tokens)?;
    Ok(OnnxModel { network_outputs, writer, metadata: Vec::new() })
}

/// Writes every node of a network over its prepared input; gives its outputs.
fn write_network(
    writer: &mut Writer,
    graph: &Graph,
    weights: &Weights,
    input: Name,
    tokens: Option<TokenInputs>,
) -> Result<Vec<(String, Name, Shape)>, EmitError> {
    let mut values = vec![input];
    let mut emitter = Emitter { graph, weights, writer, tokens };
    for node in graph.nodes() {
        let value = emitter.node(node, &values)?;
        values.push(value);
    }
    let outputs = graph.outputs().iter();
    Ok(outputs.map(|(name, value)| (name.clone(), values[value.0].clone(), graph.shape(*value))).collect())
}

fn normalise(writer: &mut Writer, image: Name, channels: usize, pixels: &Pixels) -> Result<Name, EmitError> {
    let Pixels::Raw { mean, std } = pixels else { return Ok(image) };
    let mut per_channel = |what: &'static str, values: &[f32]| {
        if values.len() != channels {
            return Err(EmitError::Length { what, got: values.len(), expected: channels });
        }
        Ok(writer.tensor(format!("pixels/{what}"), &[channels, 1, 1], || values.into()))
    };
    let (mean, std) = (per_channel("mean", mean)?, per_channel("std", std)?);
    let centred = writer.node("Sub", &[&image, &mean], vec![]);
    Ok(writer.node("Div", &[&centred, &std], vec![]))
}

/// `input` is `[n, t]` ids or `[n, t, dim]` frames.
fn token_inputs(writer: &mut Writer, input: &Name, mask: &Name) -> TokenInputs {
    let shape = writer.node("Shape", &[input], vec![]);
    let [one, two, one_and_two] = [&[1][..], &[2], &[1, 2]].map(|values| writer.integers(values));
    let length = writer.node("Slice", &[&shape, &one, &two], vec![]);
    let mask = writer.node("Cast", &[mask], vec![int("to", i64::from(data_type::FLOAT))]);
    let sum = writer.node("ReduceSum", &[&mask, &one], vec![int("keepdims", 1)]);
    let at_least_one = writer.number(1.0);
    let count = writer.node("Max", &[&sum, &at_least_one], vec![]);
    let column = writer.node("Unsqueeze", &[&mask, &two], vec![]);
    // 0 for a token; for padding a number that no score outweighs, finite so that a row of padding only is not NaN.
    let padding = writer.node("Sub", &[&mask, &at_least_one], vec![]);
    let big = writer.number(1e30);
    let bias = writer.node("Mul", &[&padding, &big], vec![]);
    let attention_bias = writer.node("Unsqueeze", &[&bias, &one_and_two], vec![]);
    TokenInputs { length, mask: column, count, attention_bias }
}

impl OnnxModel {
    /// Makes every output of the network an output of the model, under its own name.
    pub fn output_network(&mut self) -> Result<(), EmitError> {
        for (name, value, shape) in self.network_outputs.clone() {
            let n = Dim::Dynamic("n");
            let shape = match shape {
                Shape::Rows { rows: RowCount::Tokens, dim } => vec![n, Dim::Dynamic("t"), Dim::Fixed(dim)],
                Shape::Rows { rows: RowCount::Fixed(rows), dim } => {
                    vec![n, Dim::Fixed(rows), Dim::Fixed(dim)]
                }
                Shape::Vector { dim } => vec![n, Dim::Fixed(dim)],
                Shape::Tokens | Shape::Map { .. } => {
                    unreachable!("the builder takes only rows and vectors as outputs")
                }
            };
            self.declare(&name, &value, &shape)?;
        }
        Ok(())
    }

    fn declare(&mut self, name: &str, value: &Name, shape: &[Dim]) -> Result<(), EmitError> {
        self.declare_as(name, value, data_type::FLOAT, shape)
    }

    fn declare_as(
        &mut self,
        name: &str,
        value: &Name,
        data_type: i32,
        shape: &[Dim],
    ) -> Result<(), EmitError> {
        if self.writer.is_taken(name) {
            return Err(EmitError::NameTaken { name: name.to_owned() });
        }
        self.writer.output(name, value, data_type, shape);
        Ok(())
    }

    /// Adds a line to the file's metadata, such as the names of the classes.
    pub fn metadata(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.metadata.push((key.into(), value.into()));
    }

    /// The file's bytes; the same model gives the same bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        let entry =
            |(key, value): (String, String)| StringStringEntryProto { key: Some(key), value: Some(value) };
        let model = ModelProto {
            ir_version: Some(FILE_VERSION),
            producer_name: Some("dianjing".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            graph: Some(self.writer.finish("network")),
            opset_import: vec![OperatorSetIdProto {
                domain: Some(String::new()),
                version: Some(OPERATOR_SET),
            }],
            metadata_props: self.metadata.into_iter().map(entry).collect(),
        };
        model.encode_to_vec()
    }
}

/// Whether a length is the one that fits.
fn check(what: &'static str, got: usize, expected: usize) -> Result<(), EmitError> {
    if got == expected { Ok(()) } else { Err(EmitError::Length { what, got, expected }) }
}
