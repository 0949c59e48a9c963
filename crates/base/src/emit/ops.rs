//! Each [`Op`] as ONNX nodes, with a batch axis in front.

use std::borrow::Cow;

use super::{
    EmitError, TokenInputs,
    writer::{Name, Writer, float, int, ints},
};
use crate::{
    graph::{Activation, Graph, GraphInput, Node, Op, Padding, RowCount, Shape, Sight},
    weights::{Tensor, Weights},
};

/// Added to a score, it leaves no attention; finite, so that no row is NaN.
const HIDDEN: f32 = -1e30;

/// The graph that is written, and what it is written from.
pub(super) struct Emitter<'a> {
    pub(super) graph: &'a Graph,
    pub(super) weights: &'a Weights,
    pub(super) writer: &'a mut Writer,
    /// Present in a text network.
    pub(super) tokens: Option<TokenInputs>,
}

impl<'a> Emitter<'a> {
    /// Writes one node over the values made so far and returns the value it makes.
    #[allow(clippy::too_many_lines, reason = "one arm an operation")]
    pub(super) fn node(&mut self, node: &Node, values: &[Name]) -> Result<Name, EmitError> {
        self.writer.scope.clone_from(&node.name);
        let inputs: Vec<&Name> = node.inputs.iter().map(|value| &values[value.0]).collect();
        let shape = node.inputs.first().map(|value| self.graph.shape(*value));
        let rows = match shape {
            Some(Shape::Rows { rows, .. }) => rows,
            _ => RowCount::Fixed(1),
        };
        let x = inputs.first().copied().cloned().unwrap_or_default();
        match &node.op {
            Op::Conv2d { weight, bias, stride, padding, groups, activation } => {
                let settings = ConvSettings { stride: *stride, padding: *padding, groups: *groups };
                let y = self.conv2d(&x, weight, bias.as_deref(), settings)?;
                Ok(self.activate(y, *activation))
            }
            Op::Linear { weight, bias, activation } => {
                let y = self.linear(&x, weight, bias.as_deref())?;
                Ok(self.activate(y, *activation))
            }
            Op::LayerNorm { gamma, beta, eps } => {
                let (gamma, beta) = (self.weight(gamma)?, self.weight(beta)?);
                Ok(self.writer.node(
                    "LayerNormalization",
                    &[&x, &gamma, &beta],
                    vec![int("axis", -1), float("epsilon", *eps)],
                ))
            }
            Op::Add => Ok(self.writer.node("Add", &inputs, vec![])),
            Op::Attention { heads, sight } => Ok(self.attention(*heads, *sight, &inputs, shape)),
            Op::Embedding { table } => {
                let table = self.weight(table)?;
                Ok(self.writer.node("Gather", &[&table, &x], vec![int("axis", 0)]))
            }
            Op::AddPositions { table, first } => self.add_positions(&x, rows, table, *first),
            Op::GlobalAvgPool => {
                let pooled = self.writer.node("GlobalAveragePool", &[&x], vec![]);
                Ok(self.writer.node("Flatten", &[&pooled], vec![int("axis", 1)]))
            }
            Op::FlattenPatches => {
                let flat = self.writer.integers(&[0, 0, -1]);
                let flat = self.writer.node("Reshape", &[&x, &flat], vec![]);
                Ok(self.writer.node("Transpose", &[&flat], vec![ints("perm", &[0, 2, 1])]))
            }
            Op::PrependRows { rows } => self.prepend_rows(&x, rows),
            Op::TakeRow(index) => {
                let index = self.writer.integer(*index as i64);
                Ok(self.writer.node("Gather", &[&x, &index], vec![int("axis", 1)]))
            }
            Op::TakeLastRow => Ok(self.take_last_row(&x, rows)),
            Op::DropRows(count) => {
                let [start, end, axis] =
                    [&[*count as i64], &[i64::MAX], &[1]].map(|value| self.writer.integers(value));
                Ok(self.writer.node("Slice", &[&x, &start, &end, &axis], vec![]))
            }
            Op::MeanRows => Ok(self.mean_rows(&x, rows)),
            Op::PowerMeanRows { power } => Ok(self.power_mean_rows(&x, rows, *power)),
            Op::Scale { gamma } => {
                let gamma = self.weight(gamma)?;
                Ok(self.writer.node("Mul", &[&x, &gamma], vec![]))
            }
            Op::L2Normalize => Ok(l2_normalize(self.writer, &x)),
            Op::Concat => Ok(self.writer.node("Concat", &inputs, vec![int("axis", -1)])),
            Op::WindowRows { before, after } => Ok(self.window_rows(&x, rows, *before, *after)),
            Op::TakeColumns { first, count } => {
                let [start, end, axis] =
                    [*first as i64, (first + count) as i64, -1].map(|value| self.writer.integers(&[value]));
                Ok(self.writer.node("Slice", &[&x, &start, &end, &axis], vec![]))
            }
            Op::TimesRootRows => Ok(self.times_root_rows(inputs[1], rows)),
        }
    }

    fn conv2d(
        &mut self,
        x: &Name,
        weight: &str,
        bias: Option<&str>,
        settings: ConvSettings,
    ) -> Result<Name, EmitError> {
        let ConvSettings { stride, padding, groups } = settings;
        let mut inputs = vec![x.clone(), self.weight(weight)?];
        if let Some(bias) = bias {
            inputs.push(self.weight(bias)?);
        }
        let stride = stride as i64;
        let pads = [padding.top, padding.left, padding.bottom, padding.right].map(|pad| pad as i64);
        let attributes = vec![
            ints("strides", &[stride, stride]),
            ints("pads", &pads),
            ints("dilations", &[1, 1]),
            int("group", groups as i64),
        ];
        Ok(self.writer.node("Conv", &inputs.iter().collect::<Vec<_>>(), attributes))
    }

    /// `x W^T + b`; the weight is written transposed, because ONNX multiplies from the right.
    fn linear(&mut self, x: &Name, weight: &str, bias: Option<&str>) -> Result<Name, EmitError> {
        let tensor = self.tensor(weight)?;
        let (out, inner) = (tensor.shape[0], tensor.shape[1]);
        let transposed = self
            .writer
            .tensor(format!("{weight}^T"), &[inner, out], || transpose(&tensor.data, out, inner).into());
        let product = self.writer.node("MatMul", &[x, &transposed], vec![]);
        let Some(bias) = bias else { return Ok(product) };
        let bias = self.weight(bias)?;
        Ok(self.writer.node("Add", &[&product, &bias], vec![]))
    }

    fn activate(&mut self, x: Name, activation: Activation) -> Name {
        match activation {
            Activation::None => x,
            Activation::Relu => self.writer.node("Relu", &[&x], vec![]),
            Activation::Tanh => self.writer.node("Tanh", &[&x], vec![]),
            Activation::Relu6 => {
                let (zero, six) = (self.writer.number(0.0), self.writer.number(6.0));
                self.writer.node("Clip", &[&x, &zero, &six], vec![])
            }
            Activation::QuickGelu => {
                let steep = self.writer.number(1.702);
                let scaled = self.writer.node("Mul", &[&x, &steep], vec![]);
                let share = self.writer.node("Sigmoid", &[&scaled], vec![]);
                self.writer.node("Mul", &[&x, &share], vec![])
            }
            // Operator set 17 has no Gelu; engines recognise this order of operations and fuse it.
            Activation::Gelu => {
                let [sqrt_2, one, half] =
                    [std::f32::consts::SQRT_2, 1.0, 0.5].map(|value| self.writer.number(value));
                let scaled = self.writer.node("Div", &[&x, &sqrt_2], vec![]);
                let erf = self.writer.node("Erf", &[&scaled], vec![]);
                let shifted = self.writer.node("Add", &[&erf, &one], vec![]);
                let product = self.writer.node("Mul", &[&x, &shifted], vec![]);
                self.writer.node("Mul", &[&product, &half], vec![])
            }
        }
    }

    /// `[n, t, dim]` three times -> `[n, t, dim]`; padding tokens get no attention, nor, where a row sees only what came before it,
    /// those behind it.
    fn attention(&mut self, heads: usize, sight: Sight, inputs: &[&Name], shape: Option<Shape>) -> Name {
        let Some(Shape::Rows { rows, dim }) = shape else { unreachable!("attention is over rows") };
        let per_head = dim / heads;
        let split = self.writer.integers(&[0, 0, heads as i64, per_head as i64]);
        let split_heads = |writer: &mut Writer, x: &Name, perm: &[i64]| {
            let parts = writer.node("Reshape", &[x, &split], vec![]);
            writer.node("Transpose", &[&parts], vec![ints("perm", perm)])
        };
        let query = split_heads(self.writer, inputs[0], &[0, 2, 1, 3]);
        let key = split_heads(self.writer, inputs[1], &[0, 2, 3, 1]);
        let value = split_heads(self.writer, inputs[2], &[0, 2, 1, 3]);
        let scores = self.writer.node("MatMul", &[&query, &key], vec![]);
        let root = self.writer.number((per_head as f32).sqrt());
        let mut scores = self.writer.node("Div", &[&scores, &root], vec![]);
        if let (RowCount::Tokens, Some(tokens)) = (rows, &self.tokens) {
            scores = self.writer.node("Add", &[&scores, &tokens.attention_bias], vec![]);
        }
        if sight == Sight::Back {
            let behind = self.behind(rows);
            scores = self.writer.node("Add", &[&scores, &behind], vec![]);
        }
        let weights = self.writer.node("Softmax", &[&scores], vec![int("axis", -1)]);
        let mixed = self.writer.node("MatMul", &[&weights, &value], vec![]);
        let mixed = self.writer.node("Transpose", &[&mixed], vec![ints("perm", &[0, 2, 1, 3])]);
        let join = self.writer.integers(&[0, 0, dim as i64]);
        self.writer.node("Reshape", &[&mixed, &join], vec![])
    }

    /// What is added to scores, `[t, t]`: nothing up to the diagonal, and beyond it so much that no attention is left.
    fn behind(&mut self, rows: RowCount) -> Name {
        let most = match (rows, self.graph.input()) {
            (RowCount::Fixed(count), _) => count,
            (
                RowCount::Tokens,
                GraphInput::Tokens { max_tokens: most } | GraphInput::Frames { max_frames: most, .. },
            ) => most,
            (RowCount::Tokens, GraphInput::Image { .. }) => {
                unreachable!("only networks over tokens or frames have as many rows")
            }
        };
        let table = self.writer.tensor(format!("behind[{most}]"), &[most, most], || {
            let hidden = |place: usize| if place % most > place / most { HIDDEN } else { 0.0 };
            (0..most * most).map(hidden).collect()
        });
        let (RowCount::Tokens, Some(tokens)) = (rows, &self.tokens) else { return table };
        let length = tokens.length.clone();
        [0, 1].into_iter().fold(table, |table, axis| {
            let [start, axis] = [0, axis].map(|value| self.writer.integers(&[value]));
            self.writer.node("Slice", &[&table, &start, &length, &axis], vec![])
        })
    }

    /// `[n, r, dim]` -> `[n, dim]`: the row before the padding, which is on the right.
    fn take_last_row(&mut self, x: &Name, rows: RowCount) -> Name {
        let (RowCount::Tokens, Some(tokens)) = (rows, &self.tokens) else {
            let last = self.writer.integer(-1);
            return self.writer.node("Gather", &[x, &last], vec![int("axis", 1)]);
        };
        let mask = tokens.mask.clone();
        // The mask less itself one place to the left is 1 at the last token only.
        let pads = self.writer.integers(&[0, 0, 0, 0, 1, 0]);
        let padded = self.writer.node("Pad", &[&mask, &pads], vec![]);
        let [start, end, axis] = [1, i64::MAX, 1].map(|value| self.writer.integers(&[value]));
        let next = self.writer.node("Slice", &[&padded, &start, &end, &axis], vec![]);
        let is_last = self.writer.node("Sub", &[&mask, &next], vec![]);
        let kept = self.writer.node("Mul", &[x, &is_last], vec![]);
        self.writer.node("ReduceSum", &[&kept, &axis], vec![int("keepdims", 0)])
    }

    fn add_positions(
        &mut self,
        x: &Name,
        rows: RowCount,
        table: &str,
        first: usize,
    ) -> Result<Name, EmitError> {
        let start = first as i64;
        let placed = match (rows, &self.tokens) {
            (RowCount::Fixed(count), _) => {
                let tensor = self.tensor(table)?;
                let dim = tensor.shape[1];
                let part = &tensor.data[first * dim..(first + count) * dim];
                self.writer
                    .tensor(format!("{table}[{first}..{}]", first + count), &[count, dim], || part.into())
            }
            (RowCount::Tokens, Some(tokens)) => {
                let length = tokens.length.clone();
                let table = self.weight(table)?;
                let [start, axis] = [&[start], &[0]].map(|value| self.writer.integers(value));
                let end = self.writer.node("Add", &[&length, &start], vec![]);
                self.writer.node("Slice", &[&table, &start, &end, &axis], vec![])
            }
            (RowCount::Tokens, None) => unreachable!("only networks over tokens or frames have as many rows"),
        };
        Ok(self.writer.node("Add", &[x, &placed], vec![]))
    }

    /// `[n, r, dim]` -> `[n, k + r, dim]`: the weight's `k` rows before each example's.
    fn prepend_rows(&mut self, x: &Name, rows: &str) -> Result<Name, EmitError> {
        let tensor = self.tensor(rows)?;
        let (count, dim) = (tensor.shape[0], tensor.shape[1]);
        let rows = self.weight(rows)?;
        let shape = self.writer.node("Shape", &[x], vec![]);
        let [start, end] = [&[0], &[1]].map(|value| self.writer.integers(value));
        let batch = self.writer.node("Slice", &[&shape, &start, &end], vec![]);
        let fixed = self.writer.integers(&[count as i64, dim as i64]);
        let target = self.writer.node("Concat", &[&batch, &fixed], vec![int("axis", 0)]);
        let repeated = self.writer.node("Expand", &[&rows, &target], vec![]);
        Ok(self.writer.node("Concat", &[&repeated, x], vec![int("axis", 1)]))
    }

    fn mean_rows(&mut self, x: &Name, rows: RowCount) -> Name {
        match (rows, &self.tokens) {
            (RowCount::Tokens, Some(tokens)) => {
                let (mask, count) = (tokens.mask.clone(), tokens.count.clone());
                let kept = self.writer.node("Mul", &[x, &mask], vec![]);
                let axes = self.writer.integers(&[1]);
                let sum = self.writer.node("ReduceSum", &[&kept, &axes], vec![int("keepdims", 0)]);
                self.writer.node("Div", &[&sum, &count], vec![])
            }
            _ => self.writer.node("ReduceMean", &[x], vec![ints("axes", &[1]), int("keepdims", 0)]),
        }
    }

    fn power_mean_rows(&mut self, x: &Name, rows: RowCount, power: f32) -> Name {
        let [floor, exponent, root] = [1e-6, power, 1.0 / power].map(|value| self.writer.number(value));
        let positive = self.writer.node("Max", &[x, &floor], vec![]);
        let raised = self.writer.node("Pow", &[&positive, &exponent], vec![]);
        let mean = self.mean_rows(&raised, rows);
        self.writer.node("Pow", &[&mean, &root], vec![])
    }

    /// `[n, r, dim]` -> `[n, r, w * dim]`: `w` shifted copies side by side. Padding counts as absent, so it is zero like what lies outside.
    fn window_rows(&mut self, x: &Name, rows: RowCount, before: usize, after: usize) -> Name {
        let kept = match (rows, &self.tokens) {
            (RowCount::Tokens, Some(tokens)) => {
                let mask = tokens.mask.clone();
                self.writer.node("Mul", &[x, &mask], vec![])
            }
            _ => x.clone(),
        };
        let pads = self.writer.integers(&[0, before as i64, 0, 0, after as i64, 0]);
        let padded = self.writer.node("Pad", &[&kept, &pads], vec![]);
        let axis = self.writer.integers(&[1]);
        let width = before + 1 + after;
        let shifted = (0..width).map(|start| {
            // From the end, because how many rows there are is known only when it runs.
            let end = if start + 1 == width { i64::MAX } else { start as i64 + 1 - width as i64 };
            let [start, end] = [start as i64, end].map(|place| self.writer.integers(&[place]));
            self.writer.node("Slice", &[&padded, &start, &end, &axis], vec![])
        });
        let shifted: Vec<Name> = shifted.collect();
        self.writer.node("Concat", &shifted.iter().collect::<Vec<_>>(), vec![int("axis", -1)])
    }

    fn times_root_rows(&mut self, vector: &Name, rows: RowCount) -> Name {
        let root = match (rows, &self.tokens) {
            (RowCount::Tokens, Some(tokens)) => {
                let count = tokens.count.clone();
                self.writer.node("Sqrt", &[&count], vec![])
            }
            (RowCount::Fixed(count), _) => self.writer.number((count as f32).sqrt()),
            (RowCount::Tokens, None) => unreachable!("only networks over tokens or frames have as many rows"),
        };
        self.writer.node("Mul", &[vector, &root], vec![])
    }

    fn tensor(&self, name: &str) -> Result<&'a Tensor, EmitError> {
        self.weights.get(name).ok_or_else(|| EmitError::MissingWeight { name: name.to_owned() })
    }

    /// Writes a weight as it is, once.
    fn weight(&mut self, name: &str) -> Result<Name, EmitError> {
        let tensor = self.tensor(name)?;
        Ok(self.writer.tensor(name.to_owned(), &tensor.shape, || Cow::Borrowed(&tensor.data)))
    }
}

/// How a kernel moves over a map.
struct ConvSettings {
    stride: usize,
    padding: Padding,
    groups: usize,
}

/// Each row over its length, which is at least 1e-12.
pub(super) fn l2_normalize(writer: &mut Writer, x: &Name) -> Name {
    let length = writer.node("ReduceL2", &[x], vec![ints("axes", &[-1]), int("keepdims", 1)]);
    let floor = writer.number(1e-12);
    let length = writer.node("Max", &[&length, &floor], vec![]);
    writer.node("Div", &[x, &length], vec![])
}

/// `[rows, columns]` -> `[columns, rows]`.
pub(super) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| values[row * columns + column]));
    }
    out
}
