//! Runs a graph with plain loops in f64: slow, short, and what the fast engines are compared with.

use super::{Engine, EngineError, NetInput, NetOutput, OutputSpec, check_input, output_specs};
use crate::{
    graph::{Activation, Graph, GraphInput, Node, Op, Padding, Shape, Sight},
    weights::{Tensor, Weights},
};

/// A graph and its weights, run as they are written.
#[derive(Debug)]
pub struct ReferenceEngine {
    graph: Graph,
    weights: Weights,
    outputs: Vec<OutputSpec>,
}

impl ReferenceEngine {
    /// Keeps a graph beside its weights; every weight that the graph reads must be there.
    pub fn new(graph: Graph, weights: Weights) -> Result<Self, EngineError> {
        let mut read = graph.nodes().iter().flat_map(|node| node.op.weights());
        if let Some(name) = read.find(|name| weights.get(name).is_none()) {
            return Err(EngineError::Weight { name: name.to_owned() });
        }
        Ok(Self { outputs: output_specs(&graph), graph, weights })
    }

    fn tensor(&self, name: &str) -> &Tensor {
        self.weights.get(name).expect("checked when the engine was made")
    }

    fn bias(&self, name: Option<&str>, index: usize) -> f64 {
        name.map_or(0.0, |name| f64::from(self.tensor(name).data[index]))
    }

    /// The value that a node makes of the values before it.
    #[allow(clippy::too_many_lines, reason = "one arm an operation")]
    fn node(&self, node: &Node, values: &[Value]) -> Result<Value, EngineError> {
        let inputs: Vec<&Value> = node.inputs.iter().map(|value| &values[value.0]).collect();
        let x = inputs[0];
        let dim = x.dim();
        Ok(match &node.op {
            Op::Conv2d { weight, bias, stride, padding, groups, activation } => {
                let settings = ConvSettings {
                    bias: bias.as_deref(),
                    stride: *stride,
                    padding: *padding,
                    groups: *groups,
                };
                activate(self.conv2d(self.tensor(weight), &settings, x), *activation)
            }
            Op::Linear { weight, bias, activation } => {
                let weight = self.tensor(weight);
                let out = weight.shape[0];
                let column = |row: &[f64], o: usize| {
                    self.bias(bias.as_deref(), o) + dot(row, &weight.data[o * dim..(o + 1) * dim])
                };
                activate(x.map_rows(out, |row| (0..out).map(|o| column(row, o)).collect()), *activation)
            }
            Op::LayerNorm { gamma, beta, eps } => {
                let (gamma, beta) = (self.tensor(gamma), self.tensor(beta));
                x.map_rows(dim, |row| {
                    let mean = row.iter().sum::<f64>() / dim as f64;
                    let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / dim as f64;
                    let scale = 1.0 / (variance + f64::from(*eps)).sqrt();
                    (0..dim)
                        .map(|i| (row[i] - mean) * scale * f64::from(gamma.data[i]) + f64::from(beta.data[i]))
                        .collect()
                })
            }
            Op::Add => Value {
                data: x.data.iter().zip(&inputs[1].data).map(|(left, right)| left + right).collect(),
                ..x.clone()
            },
            Op::Attention { heads, sight } => attention(*heads, *sight, x, inputs[1], inputs[2]),
            Op::Embedding { table } => self.embedding(self.tensor(table), x)?,
            Op::AddPositions { table, first } => {
                let table = &self.tensor(table).data[first * dim..];
                Value {
                    data: x.data.iter().zip(table).map(|(value, place)| value + f64::from(*place)).collect(),
                    ..x.clone()
                }
            }
            Op::GlobalAvgPool => Value::vector(
                x.planes().map(|plane| plane.iter().sum::<f64>() / plane.len() as f64).collect(),
            ),
            Op::FlattenPatches => {
                let [channels, height, width] = x.map_shape();
                let cells = height * width;
                let data = (0..cells)
                    .flat_map(|cell| (0..channels).map(move |channel| x.data[channel * cells + cell]))
                    .collect();
                Value { data, shape: vec![cells, channels] }
            }
            Op::PrependRows { rows } => {
                let first = self.tensor(rows).data.iter().map(|value| f64::from(*value));
                Value::rows(first.chain(x.data.iter().copied()).collect(), dim)
            }
            Op::TakeRow(index) => Value::vector(x.data[index * dim..(index + 1) * dim].to_vec()),
            Op::TakeLastRow => Value::vector(x.data[x.data.len() - dim..].to_vec()),
            Op::DropRows(count) => Value::rows(x.data[count * dim..].to_vec(), dim),
            Op::MeanRows => x.mean_rows(|value| value, |mean| mean),
            Op::PowerMeanRows { power } => {
                let power = f64::from(*power);
                x.mean_rows(|value| value.max(1e-6).powf(power), |mean| mean.powf(1.0 / power))
            }
            Op::Scale { gamma } => {
                let gamma = self.tensor(gamma);
                x.map_rows(dim, |row| {
                    row.iter().zip(&*gamma.data).map(|(value, gamma)| value * f64::from(*gamma)).collect()
                })
            }
            Op::L2Normalize => x.map_rows(dim, |row| {
                let length = row.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-12);
                row.iter().map(|value| value / length).collect()
            }),
            Op::Concat => concat(&inputs),
            Op::WindowRows { before, after } => x.window_rows(*before, *after),
            Op::TakeColumns { first, count } => x.map_rows(*count, |row| row[*first..first + count].to_vec()),
            Op::TimesRootRows => {
                let root = (x.shape[0] as f64).sqrt();
                Value::vector(inputs[1].data.iter().map(|value| value * root).collect())
            }
        })
    }

    fn embedding(&self, table: &Tensor, ids: &Value) -> Result<Value, EngineError> {
        let (vocabulary, dim) = (table.shape[0], table.shape[1]);
        let mut data = Vec::with_capacity(ids.data.len() * dim);
        for id in ids.data.iter().map(|id| *id as usize) {
            let row = table.data.get(id * dim..(id + 1) * dim);
            data.extend(
                row.ok_or(EngineError::TokenId { id: id as u32, vocabulary })?
                    .iter()
                    .map(|value| f64::from(*value)),
            );
        }
        Ok(Value::rows(data, dim))
    }

    fn conv2d(&self, weight: &Tensor, settings: &ConvSettings<'_>, x: &Value) -> Value {
        let ConvSettings { bias, stride, padding, groups } = *settings;
        let [_, height, width] = x.map_shape();
        let [out, per_group, rows, columns] = weight.shape[..] else {
            unreachable!("checked when the graph was built")
        };
        let out_height = (height + padding.top + padding.bottom - rows) / stride + 1;
        let out_width = (width + padding.left + padding.right - columns) / stride + 1;
        let mut data = Vec::with_capacity(out * out_height * out_width);
        for o in 0..out {
            let first_channel = o / (out / groups) * per_group;
            for (y, x_out) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
                let mut sum = self.bias(bias, o);
                for (c, ky, kx) in (0..per_group)
                    .flat_map(|c| (0..rows).flat_map(move |ky| (0..columns).map(move |kx| (c, ky, kx))))
                {
                    let (row, column) = (y * stride + ky, x_out * stride + kx);
                    let inside = (padding.top..padding.top + height).contains(&row)
                        && (padding.left..padding.left + width).contains(&column);
                    if inside {
                        let pixel = x.data[((first_channel + c) * height + row - padding.top) * width
                            + column
                            - padding.left];
                        sum +=
                            pixel * f64::from(weight.data[((o * per_group + c) * rows + ky) * columns + kx]);
                    }
                }
                data.push(sum);
            }
        }
        Value { data, shape: vec![out, out_height, out_width] }
    }
}

struct ConvSettings<'a> {
    bias: Option<&'a str>,
    stride: usize,
    padding: Padding,
    groups: usize,
}

impl Engine for ReferenceEngine {
    fn run(&self, input: NetInput<'_>) -> Result<Vec<NetOutput>, EngineError> {
        check_input(self.graph.input(), input)?;
        let first = match (input, self.graph.input()) {
            (NetInput::Image(pixels), GraphInput::Image { channels, height, width }) => Value {
                data: pixels.iter().map(|value| f64::from(*value)).collect(),
                shape: vec![channels, height, width],
            },
            (NetInput::Tokens(ids), _) => Value::vector(ids.iter().map(|id| f64::from(*id)).collect()),
            (NetInput::Frames(frames), GraphInput::Frames { dim, .. }) => Value {
                data: frames.iter().map(|value| f64::from(*value)).collect(),
                shape: vec![frames.len() / dim, dim],
            },
            (NetInput::Image(_) | NetInput::Frames(_), _) => {
                unreachable!("check_input refuses the other kind")
            }
        };
        let mut values = vec![first];
        for node in self.graph.nodes() {
            values.push(self.node(node, &values)?);
        }
        let output = |(name, value): &(String, crate::graph::ValueId)| {
            let data: Vec<f32> = values[value.0].data.iter().map(|value| *value as f32).collect();
            let rows =
                if let Shape::Rows { dim, .. } = self.graph.shape(*value) { data.len() / dim } else { 1 };
            NetOutput { name: name.clone(), rows, data }
        };
        Ok(self.graph.outputs().iter().map(output).collect())
    }

    fn input(&self) -> GraphInput {
        self.graph.input()
    }

    fn outputs(&self) -> &[OutputSpec] {
        &self.outputs
    }

    fn name(&self) -> &str {
        "reference"
    }
}

/// A value in f64; token ids are kept as a vector.
#[derive(Debug, Clone)]
struct Value {
    data: Vec<f64>,
    shape: Vec<usize>,
}

impl Value {
    fn vector(data: Vec<f64>) -> Self {
        Self { shape: vec![data.len()], data }
    }

    fn rows(data: Vec<f64>, dim: usize) -> Self {
        Self { shape: vec![data.len() / dim, dim], data }
    }

    fn dim(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    fn map_shape(&self) -> [usize; 3] {
        self.shape[..].try_into().expect("the graph gives a map where one is needed")
    }

    fn planes(&self) -> impl Iterator<Item = &[f64]> {
        let [_, height, width] = self.map_shape();
        self.data.chunks_exact(height * width)
    }

    fn map_rows(&self, out_dim: usize, change: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        let data = self.data.chunks_exact(self.dim()).flat_map(change).collect();
        let mut shape = self.shape.clone();
        *shape.last_mut().expect("rows and vectors have an axis") = out_dim;
        Self { data, shape }
    }

    fn window_rows(&self, before: usize, after: usize) -> Self {
        let (dim, rows) = (self.dim(), self.shape[0]);
        let mut data = Vec::with_capacity(rows * (before + 1 + after) * dim);
        for place in (0..rows).flat_map(|row| row..=row + before + after) {
            // `place` counts from `before` rows ahead of the first.
            match place.checked_sub(before).filter(|row| *row < rows) {
                Some(row) => data.extend_from_slice(&self.data[row * dim..(row + 1) * dim]),
                None => data.resize(data.len() + dim, 0.0),
            }
        }
        Self::rows(data, (before + 1 + after) * dim)
    }

    fn mean_rows(&self, before: impl Fn(f64) -> f64, after: impl Fn(f64) -> f64) -> Self {
        let dim = self.dim();
        let rows = self.data.len() / dim;
        let column = |i: usize| {
            after((0..rows).map(|row| before(self.data[row * dim + i])).sum::<f64>() / rows as f64)
        };
        Self::vector((0..dim).map(column).collect())
    }
}

/// Vectors end to end, or the rows of each value beside those of the others.
fn concat(inputs: &[&Value]) -> Value {
    let rows = inputs[0].data.len() / inputs[0].dim();
    let row =
        |row: usize| inputs.iter().flat_map(move |value| &value.data[row * value.dim()..][..value.dim()]);
    let mut shape = inputs[0].shape.clone();
    *shape.last_mut().expect("rows and vectors have an axis") = inputs.iter().map(|value| value.dim()).sum();
    Value { data: (0..rows).flat_map(row).copied().collect(), shape }
}

fn dot(row: &[f64], weights: &[f32]) -> f64 {
    row.iter().zip(weights).map(|(value, weight)| value * f64::from(*weight)).sum()
}

fn activate(x: Value, activation: Activation) -> Value {
    let change: fn(f64) -> f64 = match activation {
        Activation::None => return x,
        Activation::Relu => |value| value.max(0.0),
        Activation::Relu6 => |value| value.clamp(0.0, 6.0),
        Activation::Tanh => f64::tanh,
        Activation::QuickGelu => |value| value / (1.0 + (-1.702 * value).exp()),
        Activation::Gelu => |value| 0.5 * value * (1.0 + erf(value / std::f64::consts::SQRT_2)),
    };
    Value { data: x.data.iter().map(|value| change(*value)).collect(), ..x }
}

/// The error function to about 1e-15: its Taylor series where that converges fast, else a continued fraction of `erfc`
/// (Abramowitz and Stegun 7.1.5 and 7.1.14).
fn erf(x: f64) -> f64 {
    let square = x * x;
    if x.abs() < 3.0 {
        let mut term = x;
        let mut sum = x;
        for n in 1..80 {
            term *= -square / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let fraction = (1..60).rev().fold(x.abs(), |tail, n| x.abs() + f64::from(n) / 2.0 / tail);
    let tail = (-square).exp() / fraction / std::f64::consts::PI.sqrt();
    x.signum() * (1.0 - tail)
}

fn attention(heads: usize, sight: Sight, query: &Value, key: &Value, value: &Value) -> Value {
    let dim = query.dim();
    let rows = query.data.len() / dim;
    let per_head = dim / heads;
    let mut data = vec![0.0; query.data.len()];
    for head in 0..heads {
        let part = |of: &Value, row: usize| of.data[row * dim + head * per_head..][..per_head].to_vec();
        for row in 0..rows {
            let asked = part(query, row);
            let score = |other: usize| {
                asked.iter().zip(part(key, other)).map(|(q, k)| q * k).sum::<f64>() / (per_head as f64).sqrt()
            };
            let seen = if sight == Sight::Back { row + 1 } else { rows };
            let scores: Vec<f64> = (0..seen).map(score).collect();
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
            let total: f64 = weights.iter().sum();
            for (other, weight) in weights.iter().enumerate() {
                for (i, v) in part(value, other).into_iter().enumerate() {
                    data[row * dim + head * per_head + i] += weight / total * v;
                }
            }
        }
    }
    Value { data, shape: query.shape.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_equals_published_values() {
        // NIST Digital Library of Mathematical Functions, table 7.23.
        for (x, expected) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (3.5, 0.999_999_256_901_627_7),
        ] {
            assert!((erf(x) - expected).abs() < 1e-14, "erf({x}) = {}", erf(x));
            assert!((erf(-x) + expected).abs() < 1e-14);
        }
    }
}
