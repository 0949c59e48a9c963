//! A network as operations over named weights.
//!
//! A [`Graph`] is a list of [`Node`]s in the order they run. It describes **one example, without a batch axis**, and it names its
//! weights but does not hold them, so the same graph can be interpreted ([`crate::engine`]), written as ONNX ([`crate::emit`]) or
//! traced with gradients. Every node makes exactly one value; [`GraphBuilder`] checks shapes as nodes are added, so a graph that
//! exists is well formed for the weights it was built with.

use std::{collections::BTreeMap, fmt};

mod error;
mod infer;

pub use error::GraphError;

/// Names a value: 0 is the input, `i + 1` is what node `i` made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub usize);

impl ValueId {
    /// The network's input.
    pub const INPUT: Self = Self(0);
}

/// What a network is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphInput {
    /// A prepared image, `[channels, height, width]` in f32.
    Image {
        /// Colour channels, 3 for RGB.
        channels: usize,
        /// Rows of pixels.
        height: usize,
        /// Columns of pixels.
        width: usize,
    },
    /// Token ids, `[t]` with `1 <= t <= max_tokens`.
    Tokens {
        /// The longest sequence that the network has positions for.
        max_tokens: usize,
    },
    /// Frames of a sound, `[t, dim]` in f32 with `1 <= t <= max_frames`; each counts as a token.
    Frames {
        /// Numbers in a frame.
        dim: usize,
        /// The longest sequence that the network has positions for.
        max_frames: usize,
    },
}

/// How many rows a `[rows, dim]` value has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowCount {
    /// Known when the graph is built.
    Fixed(usize),
    /// As many as there are input tokens or frames.
    Tokens,
}

/// The shape of a value; everything is f32 in row-major order, except token ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `[t]` token ids; only the input of a text network.
    Tokens,
    /// `[channels, height, width]`.
    Map {
        /// Planes.
        channels: usize,
        /// Rows of a plane.
        height: usize,
        /// Columns of a plane.
        width: usize,
    },
    /// `[rows, dim]`.
    Rows {
        /// Tokens or patches.
        rows: RowCount,
        /// Numbers in a row.
        dim: usize,
    },
    /// `[dim]`.
    Vector {
        /// Numbers in the vector.
        dim: usize,
    },
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens => write!(f, "tokens [t]"),
            Self::Map { channels, height, width } => write!(f, "map [{channels}, {height}, {width}]"),
            Self::Rows { rows: RowCount::Fixed(n), dim } => write!(f, "rows [{n}, {dim}]"),
            Self::Rows { rows: RowCount::Tokens, dim } => write!(f, "rows [t, {dim}]"),
            Self::Vector { dim } => write!(f, "vector [{dim}]"),
        }
    }
}

/// What follows a convolution or a linear map, elementwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// The value itself.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x / 2 * (1 + erf(x / sqrt 2))`: the exact form, as BERT and ViT use it.
    Gelu,
    /// `x / (1 + exp(-1.702 x))`: what the first CLIP was trained with instead.
    QuickGelu,
    /// The hyperbolic tangent.
    Tanh,
}

/// Which rows a row attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sight {
    /// All of its example.
    #[default]
    All,
    /// Itself and those before it (causal).
    Back,
}

/// Zeros added around a map before a convolution, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Columns to the left.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Padding {
    /// TensorFlow's `SAME` (ONNX `SAME_UPPER`): the output is `ceil(size / stride)`, and an odd pixel goes below and to the right.
    pub fn same_upper((height, width): (usize, usize), kernel: usize, stride: usize) -> Self {
        let total = |size: usize| ((size.div_ceil(stride) - 1) * stride + kernel).saturating_sub(size);
        let (rows, columns) = (total(height), total(width));
        Self { top: rows / 2, left: columns / 2, bottom: rows - rows / 2, right: columns - columns / 2 }
    }
}

/// One operation. Weights are referred to by name; their shapes are given in brackets.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Map `[in, h, w]` -> map `[out, h', w']`, with `h' = (h + top + bottom - kh) / stride + 1`. Correlation, not flipped.
    Conv2d {
        /// `[out, in / groups, kh, kw]`.
        weight: String,
        /// `[out]`; no bias is zero.
        bias: Option<String>,
        /// Step in both directions, at least 1.
        stride: usize,
        /// Zeros around the input.
        padding: Padding,
        /// 1 is a full convolution, `in` a depthwise one.
        groups: usize,
        /// What follows.
        activation: Activation,
    },
    /// Rows `[r, in]` -> rows `[r, out]`, or vector `[in]` -> vector `[out]`: `x weight^T + bias`.
    Linear {
        /// `[out, in]`.
        weight: String,
        /// `[out]`; no bias is zero.
        bias: Option<String>,
        /// What follows.
        activation: Activation,
    },
    /// Each row minus its mean, over `sqrt(variance + eps)` (variance over `dim`, not `dim - 1`), times `gamma`, plus `beta`. Rows or vector.
    LayerNorm {
        /// `[dim]`.
        gamma: String,
        /// `[dim]`.
        beta: String,
        /// Added to the variance.
        eps: f32,
    },
    /// The sum of two values of equal shape.
    Add,
    /// Queries, keys, values, each rows `[r, dim]` -> rows `[r, dim]`. Head `h` owns the columns `h * dim / heads ..`;
    /// weights are `softmax(q k^T / sqrt(dim / heads))` over the rows in sight.
    Attention {
        /// How many heads; divides `dim`.
        heads: usize,
        /// Which rows are in sight.
        sight: Sight,
    },
    /// Tokens `[t]` -> rows `[t, dim]`: row `id` of the table.
    Embedding {
        /// `[vocabulary, dim]`.
        table: String,
    },
    /// Rows `[r, dim]` plus rows `first .. first + r` of the table.
    AddPositions {
        /// `[positions, dim]`.
        table: String,
        /// The row that the first input row gets (2 in RoBERTa-like checkpoints, else 0).
        first: usize,
    },
    /// Map `[c, h, w]` -> vector `[c]`: the mean of each plane.
    GlobalAvgPool,
    /// Map `[c, h, w]` -> rows `[h * w, c]`, row by row from the top left.
    FlattenPatches,
    /// Rows `[r, dim]` -> rows `[n + r, dim]`: the weight's rows come first (class token, registers).
    PrependRows {
        /// `[n, dim]`.
        rows: String,
    },
    /// Rows `[r, dim]` -> vector `[dim]`: one row.
    TakeRow(usize),
    /// Rows `[r, dim]` -> vector `[dim]`: the last row of the example.
    TakeLastRow,
    /// Rows `[r, dim]` -> rows `[r - n, dim]`: all but the first `n`. Needs a fixed number of rows.
    DropRows(usize),
    /// Rows `[r, dim]` -> vector `[dim]`: the mean over rows.
    MeanRows,
    /// Rows `[r, dim]` -> vector `[dim]`: generalised mean, `mean(max(x, 1e-6)^power)^(1 / power)` (Radenovic et al. 2018).
    PowerMeanRows {
        /// At least 1; 3 is usual.
        power: f32,
    },
    /// Each row times `gamma`, elementwise (ViT's LayerScale). Rows or vector.
    Scale {
        /// `[dim]`.
        gamma: String,
    },
    /// Each row over `max(length, 1e-12)`. Rows or vector.
    L2Normalize,
    /// Any number of vectors, end to end; or of rows, all of the same number, each with its like.
    Concat,
    /// Rows `[r, dim]` -> rows `[r, (before + 1 + after) * dim]`: each row with its neighbours, in their order, and zeros where there are
    /// none. A linear map of it is a convolution over the rows.
    WindowRows {
        /// How many neighbours before.
        before: usize,
        /// How many after.
        after: usize,
    },
    /// Each row's `count` columns from `first` on. Rows or vector.
    TakeColumns {
        /// The first column kept.
        first: usize,
        /// How many are kept, at least 1.
        count: usize,
    },
    /// Rows `[r, any]` and a vector `[dim]` -> vector `[dim]`: the vector times `sqrt(r)`. After [`Op::MeanRows`] it makes of a mean the sum
    /// over the square root of the number (Cer et al. 2018, section 3.2).
    TimesRootRows,
}

impl Op {
    /// The names of the weights it reads.
    pub fn weights(&self) -> Vec<&str> {
        match self {
            Self::Conv2d { weight, bias, .. } | Self::Linear { weight, bias, .. } => {
                [Some(weight.as_str()), bias.as_deref()].into_iter().flatten().collect()
            }
            Self::LayerNorm { gamma, beta, .. } => vec![gamma, beta],
            Self::Embedding { table } | Self::AddPositions { table, .. } => vec![table],
            Self::PrependRows { rows } => vec![rows],
            Self::Scale { gamma } => vec![gamma],
            Self::Add
            | Self::Attention { .. }
            | Self::GlobalAvgPool
            | Self::FlattenPatches
            | Self::TakeRow(_)
            | Self::TakeLastRow
            | Self::DropRows(_)
            | Self::MeanRows
            | Self::PowerMeanRows { .. }
            | Self::L2Normalize
            | Self::Concat
            | Self::WindowRows { .. }
            | Self::TakeColumns { .. }
            | Self::TimesRootRows => Vec::new(),
        }
    }
}

/// An operation and what it is applied to.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// To which values, all made earlier.
    pub inputs: Vec<ValueId>,
    /// Unique within the graph, for messages and for ONNX (`encoder.layer.3.attention`).
    pub name: String,
}

/// A network, checked against the weights it was built with. Made by [`GraphBuilder`].
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    input: GraphInput,
    nodes: Vec<Node>,
    outputs: Vec<(String, ValueId)>,
    shapes: Vec<Shape>,
}

impl Graph {
    /// What the network is given.
    pub fn input(&self) -> GraphInput {
        self.input
    }

    /// The operations, in the order they run; node `i` makes `ValueId(i + 1)`.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What the network gives, named; each is a vector or rows.
    pub fn outputs(&self) -> &[(String, ValueId)] {
        &self.outputs
    }

    /// The shape of a value of this graph.
    ///
    /// # Panics
    /// When `value` is not of this graph.
    pub fn shape(&self, value: ValueId) -> Shape {
        self.shapes[value.0]
    }

    /// Keeps only the named outputs and the nodes they need; the order of the outputs is as in `names`.
    ///
    /// `Err` holds the first name that is not an output.
    pub fn with_outputs(&self, names: &[&str]) -> Result<Self, GraphError> {
        let outputs = names.iter().map(|name| self.find_output(name)).collect::<Result<Vec<_>, _>>()?;
        let mut needed = vec![false; self.shapes.len()];
        needed[ValueId::INPUT.0] = true;
        outputs.iter().for_each(|(_, value)| needed[value.0] = true);
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if needed[index + 1] {
                node.inputs.iter().for_each(|value| needed[value.0] = true);
            }
        }
        Ok(self.keep(&needed, outputs))
    }

    fn find_output(&self, name: &str) -> Result<(String, ValueId), GraphError> {
        let found = self.outputs.iter().find(|(have, _)| have == name).cloned();
        found.ok_or_else(|| GraphError::NoSuchOutput {
            name: name.to_owned(),
            have: self.outputs.iter().map(|(name, _)| name.clone()).collect(),
        })
    }

    /// Renumbers the values that `needed` marks and drops the rest.
    fn keep(&self, needed: &[bool], outputs: Vec<(String, ValueId)>) -> Self {
        let mut renumbered = vec![ValueId::INPUT; needed.len()];
        let kept_values = needed.iter().enumerate().filter(|(_, needed)| **needed);
        for (next, (value, _)) in kept_values.enumerate() {
            renumbered[value] = ValueId(next);
        }
        let kept = |value: &usize| needed[*value];
        let nodes = (0..self.nodes.len()).filter(|index| kept(&(index + 1))).map(|index| {
            let node = &self.nodes[index];
            Node { inputs: node.inputs.iter().map(|value| renumbered[value.0]).collect(), ..node.clone() }
        });
        Self {
            input: self.input,
            nodes: nodes.collect(),
            outputs: outputs.into_iter().map(|(name, value)| (name, renumbered[value.0])).collect(),
            shapes: (0..self.shapes.len()).filter(kept).map(|value| self.shapes[value]).collect(),
        }
    }
}

/// Gives the shapes of weights by name, so that a graph can be checked without touching their numbers.
pub trait WeightShapes {
    /// The shape of the weight called `name`, if there is one.
    fn shape_of(&self, name: &str) -> Option<&[usize]>;
}

impl WeightShapes for BTreeMap<String, Vec<usize>> {
    fn shape_of(&self, name: &str) -> Option<&[usize]> {
        self.get(name).map(Vec::as_slice)
    }
}

/// Builds a graph node by node and refuses what does not fit.
pub struct GraphBuilder<'w> {
    weights: &'w dyn WeightShapes,
    graph: Graph,
}

impl<'w> GraphBuilder<'w> {
    /// Starts an empty graph over `weights`.
    pub fn new(input: GraphInput, weights: &'w dyn WeightShapes) -> Self {
        let shape = match input {
            GraphInput::Image { channels, height, width } => Shape::Map { channels, height, width },
            GraphInput::Tokens { .. } => Shape::Tokens,
            GraphInput::Frames { dim, .. } => Shape::Rows { rows: RowCount::Tokens, dim },
        };
        Self { weights, graph: Graph { input, nodes: Vec::new(), outputs: Vec::new(), shapes: vec![shape] } }
    }

    /// Adds a node and returns the value it makes.
    pub fn push(
        &mut self,
        name: impl Into<String>,
        op: Op,
        inputs: &[ValueId],
    ) -> Result<ValueId, GraphError> {
        let node = Node { op, inputs: inputs.to_vec(), name: name.into() };
        if self.graph.nodes.iter().any(|other| other.name == node.name) {
            return Err(GraphError::DuplicateName { name: node.name });
        }
        let shape = infer::shape_of_node(&node, &self.graph, self.weights)?;
        self.graph.nodes.push(node);
        self.graph.shapes.push(shape);
        Ok(ValueId(self.graph.nodes.len()))
    }

    /// The shape of a value made so far.
    ///
    /// # Panics
    /// When `value` was not made by this builder.
    pub fn shape(&self, value: ValueId) -> Shape {
        self.graph.shape(value)
    }

    /// Names a vector or rows as an output.
    pub fn output(&mut self, name: impl Into<String>, value: ValueId) -> Result<(), GraphError> {
        let name = name.into();
        if self.graph.outputs.iter().any(|(other, _)| *other == name) {
            return Err(GraphError::DuplicateName { name });
        }
        match self.shape(value) {
            Shape::Rows { .. } | Shape::Vector { .. } => self.graph.outputs.push((name, value)),
            got => return Err(GraphError::BadOutput { name, got }),
        }
        Ok(())
    }

    /// The finished graph; it must have an output.
    pub fn finish(self) -> Result<Graph, GraphError> {
        if self.graph.outputs.is_empty() { Err(GraphError::NoOutput) } else { Ok(self.graph) }
    }
}

impl fmt::Debug for GraphBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphBuilder").field("graph", &self.graph).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
