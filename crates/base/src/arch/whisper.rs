//! The encoder of Whisper (Radford et al. 2022), under CTranslate2's names.
//!
//! Two convolutions over time, the second of which halves the frames, then a pre-norm transformer. The network runs on a clip's own
//! frames, not on thirty seconds of padding; the table of positions begins at the clip's first frame all the same.
//!
//! It is fed *pairs* of log-mel frames, one row for each row that it gives: a convolution of stride two then is a linear map of a pair
//! and its neighbours, and the graph needs no operation that changes how many rows there are.

use serde::{Deserialize, Serialize};

use super::{ArchError, EfficientNetLite, as_matrix, count_layers, tensor};
use crate::{
    graph::{Activation, Graph, GraphBuilder, GraphInput, Op, Sight, ValueId},
    weights::{Tensor, Weights},
};

/// What the tensors of a Whisper encoder do not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whisper {
    /// Attention heads in each layer.
    pub heads: usize,
    /// Added to the variance in every layer norm.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f32,
    /// A vision network that looks at a picture of the same sound, with weights of its own.
    #[serde(default)]
    pub picture: Option<EfficientNetLite>,
}

fn default_eps() -> f32 {
    1e-5
}

/// Name of the only output: rows `[t, dim]`, one for each pair of frames.
const ROWS: &str = "rows";
const POSITIONS: &str = "position_encodings/encodings";
/// The convolutions as linear maps of pairs.
const FIRST: &str = "pairs/first";
const SECOND: &str = "pairs/second";
/// Width of both kernels.
const KERNEL: usize = 3;

/// Builds the network over pairs of log-mel frames, `[t, 2 * bands]`.
pub(super) fn prepare(config: &Whisper, mut weights: Weights) -> Result<(Graph, Weights), ArchError> {
    let bands = place_convolutions(&mut weights)?;
    let (positions, dim, _) = as_matrix(&weights, POSITIONS)?;
    let layers = count_layers(&weights, "layer_", "/self_attention/linear_0/weight")?;
    for layer in 0..layers {
        divide_projection(&mut weights, &format!("layer_{layer}/self_attention/linear_0"), dim)?;
    }
    let input = GraphInput::Frames { dim: 2 * bands, max_frames: positions };
    let mut net = Net { config, graph: GraphBuilder::new(input, &weights) };
    let mut x = net.embed()?;
    for layer in 0..layers {
        x = net.layer(&format!("layer_{layer}"), x)?;
    }
    let rows = net.norm("layer_norm", x)?;
    net.graph.output(ROWS, rows)?;
    let graph = net.graph.finish()?;
    Ok((graph, weights))
}

/// Writes both convolutions as linear maps; gives the number of mel bands.
fn place_convolutions(weights: &mut Weights) -> Result<usize, ArchError> {
    let (bands, first) = first_of_pairs(weights)?;
    let second = second_of_pairs(weights)?;
    let bias = tensor(weights, "conv1/bias")?.data.to_vec();
    let twice = [bias.as_slice(), bias.as_slice()].concat();
    weights.insert(format!("{FIRST}/bias"), Tensor::new(vec![twice.len()], twice));
    weights.insert(format!("{FIRST}/weight"), first);
    let bias = tensor(weights, "conv2/bias")?.clone();
    weights.insert(format!("{SECOND}/bias"), bias);
    weights.insert(format!("{SECOND}/weight"), second);
    Ok(bands)
}

/// From the pairs before, at and after a place (six frames) to the convolved frames of the pair at it: `[2 * out, 6 * bands]`.
fn first_of_pairs(weights: &Weights) -> Result<(usize, Tensor), ArchError> {
    let ([out, bands], kernel) = kernel(weights, "conv1/weight")?;
    let mut linear = vec![0.0; 2 * out * 6 * bands];
    for (frame, row) in (0..2).flat_map(|frame| (0..out).map(move |row| (frame, row))) {
        let to = &mut linear[(frame * out + row) * 6 * bands..][..6 * bands];
        for (place, band) in (0..KERNEL).flat_map(|place| (0..bands).map(move |band| (place, band))) {
            // The pair at the place holds frames 2 and 3 of the six.
            to[(1 + frame + place) * bands + band] = kernel[(row * bands + band) * KERNEL + place];
        }
    }
    Ok((bands, Tensor::new(vec![2 * out, 6 * bands], linear)))
}

/// From the convolved pairs before and at a place (four frames) to the row of the place: `[out, 4 * inputs]`.
fn second_of_pairs(weights: &Weights) -> Result<Tensor, ArchError> {
    let ([out, inputs], kernel) = kernel(weights, "conv2/weight")?;
    let mut linear = vec![0.0; out * 4 * inputs];
    for (row, to) in linear.chunks_exact_mut(4 * inputs).enumerate() {
        for (place, input) in (0..KERNEL).flat_map(|place| (0..inputs).map(move |input| (place, input))) {
            to[(1 + place) * inputs + input] = kernel[(row * inputs + input) * KERNEL + place];
        }
    }
    Ok(Tensor::new(vec![out, 4 * inputs], linear))
}

fn kernel<'w>(weights: &'w Weights, name: &str) -> Result<([usize; 2], &'w [f32]), ArchError> {
    let kernel = tensor(weights, name)?;
    match kernel.shape[..] {
        [out, inputs, KERNEL] if out * inputs > 0 => Ok(([out, inputs], &kernel.data)),
        _ => Err(ArchError::TensorShape {
            name: name.to_owned(),
            got: kernel.shape.clone(),
            expected: format!("[out, in, {KERNEL}]"),
        }),
    }
}

/// The queries, keys and values are projected by one matrix: makes three of it.
fn divide_projection(weights: &mut Weights, name: &str, dim: usize) -> Result<(), ArchError> {
    let (rows, width, matrix) = as_matrix(weights, &format!("{name}/weight"))?;
    let bias = tensor(weights, &format!("{name}/bias"))?;
    if rows != 3 * dim || width != dim || bias.data.len() != rows {
        let expected = format!("[{}, {dim}] with a bias for each row", 3 * dim);
        return Err(ArchError::TensorShape { name: name.to_owned(), got: vec![rows, width], expected });
    }
    let parts: Vec<(Tensor, Tensor)> = (0..3)
        .map(|part| {
            let weight = matrix[part * dim * dim..][..dim * dim].to_vec();
            let bias = bias.data[part * dim..][..dim].to_vec();
            (Tensor::new(vec![dim, dim], weight), Tensor::new(vec![dim], bias))
        })
        .collect();
    for (part, (weight, bias)) in ["query", "key", "value"].into_iter().zip(parts) {
        weights.insert(format!("{name}/{part}/weight"), weight);
        weights.insert(format!("{name}/{part}/bias"), bias);
    }
    Ok(())
}

struct Net<'w> {
    config: &'w Whisper,
    graph: GraphBuilder<'w>,
}

impl Net<'_> {
    fn embed(&mut self) -> Result<ValueId, ArchError> {
        let around = Op::WindowRows { before: 1, after: 1 };
        let pairs = self.graph.push("pairs/first/around", around, &[ValueId::INPUT])?;
        let x = self.linear(FIRST, Activation::Gelu, pairs)?;
        let around = Op::WindowRows { before: 1, after: 0 };
        let pairs = self.graph.push("pairs/second/around", around, &[x])?;
        let x = self.linear(SECOND, Activation::Gelu, pairs)?;
        let positions = Op::AddPositions { table: POSITIONS.to_owned(), first: 0 };
        Ok(self.graph.push("positions", positions, &[x])?)
    }

    /// Norm, attention, add; norm, widen, GELU, narrow, add.
    fn layer(&mut self, layer: &str, x: ValueId) -> Result<ValueId, ArchError> {
        let attention = format!("{layer}/self_attention");
        let normed = self.norm(&format!("{attention}/layer_norm"), x)?;
        let projected = |net: &mut Self, part: &str| {
            net.linear(&format!("{attention}/linear_0/{part}"), Activation::None, normed)
        };
        let [query, key, value] =
            [projected(self, "query")?, projected(self, "key")?, projected(self, "value")?];
        let heads = Op::Attention { heads: self.config.heads, sight: Sight::All };
        let attended = self.graph.push(attention.clone(), heads, &[query, key, value])?;
        let attended = self.linear(&format!("{attention}/linear_1"), Activation::None, attended)?;
        let x = self.graph.push(format!("{attention}/add"), Op::Add, &[attended, x])?;
        let normed = self.norm(&format!("{layer}/ffn/layer_norm"), x)?;
        let wide = self.linear(&format!("{layer}/ffn/linear_0"), Activation::Gelu, normed)?;
        let narrow = self.linear(&format!("{layer}/ffn/linear_1"), Activation::None, wide)?;
        Ok(self.graph.push(format!("{layer}/add"), Op::Add, &[narrow, x])?)
    }

    fn linear(&mut self, name: &str, activation: Activation, x: ValueId) -> Result<ValueId, ArchError> {
        let tensor = |part: &str| format!("{name}/{part}");
        let op = Op::Linear { weight: tensor("weight"), bias: Some(tensor("bias")), activation };
        Ok(self.graph.push(name, op, &[x])?)
    }

    fn norm(&mut self, name: &str, x: ValueId) -> Result<ValueId, ArchError> {
        let op = Op::LayerNorm {
            gamma: format!("{name}/gamma"),
            beta: format!("{name}/beta"),
            eps: self.config.layer_norm_eps,
        };
        Ok(self.graph.push(name, op, &[x])?)
    }
}
