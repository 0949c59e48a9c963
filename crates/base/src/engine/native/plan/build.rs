//! From a graph and its weights to steps.

use super::groups::{ConvKind, Group, Residual, conv_kind, groups};
use super::slots::Slots;
use super::{Plan, Planned};
use crate::engine::EngineError;
use crate::engine::native::memory::Shelf;
use crate::engine::native::simd::LANES;
use crate::engine::native::steps::Step;
use crate::engine::native::steps::bottleneck::{Bottleneck, DepthwiseFilter, Sizes, Source};
use crate::engine::native::steps::image::{ImageConv, ImageSizes};
use crate::engine::native::steps::product::Product;
use crate::engine::native::steps::rows::Rows;
use crate::engine::native::steps::tokens::{AddPositions, Attend, Embed, Frames, Normalise};
use crate::engine::native::values::{Extent, Value};
use crate::engine::native::{NAME, Unsupported};
use crate::graph::{Activation, Graph, GraphInput, Node, Op, RowCount, Shape, ValueId};
use crate::weights::{Tensor, Weights};
use std::io;

impl Plan {
    /// Packs the weights and orders the work.
    pub(crate) fn build(graph: &Graph, weights: &Weights) -> Result<Self, EngineError> {
        let mut builder = Builder { graph, weights, shelf: Shelf::default() };
        let mut groups = groups(graph, weights);
        groups.retain(|group| builder.memory_of(group.value()) == group.value());
        let reads: Vec<Vec<ValueId>> = groups.iter().map(|group| builder.reads(group)).collect();
        let outputs: Vec<ValueId> =
            graph.outputs().iter().map(|(_, value)| builder.memory_of(*value)).collect();

        let mut slots = Slots::new(graph.nodes().len() + 1, reads.iter().flatten().chain(&outputs));
        let mut made: Vec<Option<Value>> = vec![None; graph.nodes().len() + 1];
        let value =
            |made: &[Option<Value>], id: ValueId| made[id.0].expect("groups come after what they read");
        let mut steps = Vec::new();
        let frame_dim = builder.frame_dim();
        if frame_dim.is_some() {
            let (extent, dim) = builder.extent(ValueId::INPUT);
            let out = Value { slot: slots.take(), extent, dim };
            made[ValueId::INPUT.0] = Some(out);
            steps.push(Planned { step: Box::new(Frames { dim }), inputs: Vec::new(), out });
        }
        for (group, reads) in groups.iter().zip(&reads) {
            let step = builder.step(group)?;
            let (extent, dim) = builder.extent(group.value());
            let out = Value { slot: slots.take(), extent, dim };
            made[group.value().0] = Some(out);
            let inputs: Vec<Value> = reads.iter().map(|read| value(&made, *read)).collect();
            reads.iter().zip(&inputs).for_each(|(read, input)| slots.read(*read, input.slot));
            steps.push(Planned { step, inputs, out });
        }
        builder.shelf.close();
        let outputs = outputs.iter().map(|output| value(&made, *output)).collect();
        Ok(Self { steps, slots: slots.total(), outputs, vocabulary: builder.vocabulary(), frame_dim })
    }
}

struct Builder<'a> {
    graph: &'a Graph,
    weights: &'a Weights,
    shelf: Shelf,
}

impl<'a> Builder<'a> {
    /// The value whose memory a value is: flattening a map into rows changes nothing here.
    fn memory_of(&self, value: ValueId) -> ValueId {
        match value.0.checked_sub(1).map(|node| &self.graph.nodes()[node]) {
            Some(Node { op: Op::FlattenPatches, inputs, .. }) if inputs[0] != ValueId::INPUT => {
                self.memory_of(inputs[0])
            }
            _ => value,
        }
    }

    /// The values that a group reads, apart from a picture or tokens: those are no rows, and steps take them from the batch.
    fn reads(&self, group: &Group) -> Vec<ValueId> {
        let (first, add) = match *group {
            Group::One(node) => (node, None),
            Group::Product { product, add } => (product, add),
            Group::Bottleneck { source, depthwise, add, .. } => (source.unwrap_or(depthwise), add),
        };
        let other = add.map(|Residual { other, .. }| other);
        let reads = self.graph.nodes()[first].inputs.iter().copied().chain(other);
        let is_value = |value: &ValueId| *value != ValueId::INPUT || self.frame_dim().is_some();
        reads.filter(is_value).map(|value| self.memory_of(value)).collect()
    }

    fn extent(&self, value: ValueId) -> (Extent, usize) {
        let fixed = |rows| Extent { per_token: 0, per_example: rows };
        match self.graph.shape(value) {
            Shape::Tokens => (Extent { per_token: 1, per_example: 0 }, 1),
            Shape::Map { channels, height, width } => (fixed(height * width), channels),
            Shape::Rows { rows: RowCount::Tokens, dim } => (Extent { per_token: 1, per_example: 0 }, dim),
            Shape::Rows { rows: RowCount::Fixed(rows), dim } => (fixed(rows), dim),
            Shape::Vector { dim } => (fixed(1), dim),
        }
    }

    fn frame_dim(&self) -> Option<usize> {
        if let GraphInput::Frames { dim, .. } = self.graph.input() { Some(dim) } else { None }
    }

    fn vocabulary(&self) -> Option<usize> {
        self.graph.nodes().iter().find_map(|node| match &node.op {
            Op::Embedding { table } => self.weights.get(table).map(|table| table.shape[0]),
            _ => None,
        })
    }

    fn step(&mut self, group: &Group) -> Result<Box<dyn Step>, EngineError> {
        Ok(match *group {
            Group::One(node) => return self.one(&self.graph.nodes()[node]),
            Group::Product { product, .. } => Box::new(self.product(product)?),
            Group::Bottleneck { source, depthwise, narrowing, add } => {
                let source = source.map_or(Ok(Source::Input), |node| self.source(node))?;
                let narrowing = narrowing.map(|node| self.product(node)).transpose()?;
                let (filter, sizes) = self.depthwise(depthwise)?;
                Box::new(Bottleneck::new(source, filter, sizes, narrowing, add.is_some()))
            }
        })
    }

    fn one(&mut self, node: &Node) -> Result<Box<dyn Step>, EngineError> {
        let image = matches!(self.graph.input(), GraphInput::Image { .. });
        if image && node.inputs.contains(&ValueId::INPUT) && !matches!(node.op, Op::Conv2d { .. }) {
            return Err(unsupported(node, "something other than a convolution of the input image"));
        }
        Ok(match &node.op {
            Op::Conv2d { .. } => match conv_kind(node, self.graph, self.weights) {
                Some(ConvKind::Image) => Box::new(self.image(node)?),
                _ => {
                    return Err(unsupported(
                        node,
                        "a convolution that is neither 1x1, nor depthwise 3x3 or 5x5, nor of the input",
                    ));
                }
            },
            Op::LayerNorm { gamma, beta, eps } => {
                Box::new(Normalise::new(self.weight(gamma)?, self.weight(beta)?, *eps))
            }
            Op::Attention { heads, sight } => {
                let (_, dim) = self.extent(node.inputs[0]);
                if dim / heads % LANES != 0 {
                    return Err(unsupported(node, "attention heads that are no multiple of 16 wide"));
                }
                Box::new(Attend { heads: *heads, head_dim: dim / heads, sight: *sight })
            }
            Op::Embedding { table } => {
                Box::new(Embed { table: self.tensor(table)?.data.clone(), dim: self.width(table)? })
            }
            Op::AddPositions { table, first } => Box::new(self.positions(table, *first)?),
            Op::Add => Box::new(Rows::Add),
            Op::GlobalAvgPool | Op::MeanRows => Box::new(Rows::Mean),
            Op::PrependRows { rows } => Box::new(Rows::Prepend(self.weight(rows)?.to_vec())),
            Op::TakeLastRow => Box::new(Rows::Last),
            Op::TakeRow(first) | Op::DropRows(first) => Box::new(Rows::Keep(*first)),
            Op::PowerMeanRows { power } => Box::new(Rows::PowerMean(*power)),
            Op::Scale { gamma } => Box::new(Rows::scale(self.weight(gamma)?)),
            Op::L2Normalize => Box::new(Rows::L2Normalize),
            Op::Concat => Box::new(Rows::Concat),
            Op::WindowRows { before, after } => {
                if !self.extent(node.inputs[0]).1.is_multiple_of(LANES) {
                    return Err(unsupported(node, "windows of rows that are no multiple of 16 wide"));
                }
                Box::new(Rows::Window { before: *before, after: *after })
            }
            Op::TakeColumns { first, count } => Box::new(Rows::TakeColumns { first: *first, count: *count }),
            Op::TimesRootRows => Box::new(Rows::TimesRoot),
            Op::Linear { .. } | Op::FlattenPatches => {
                unreachable!("linear maps are products, and flattening is no step except of the input")
            }
        })
    }

    fn positions(&self, name: &str, first: usize) -> Result<AddPositions, EngineError> {
        let (table, dim) = (self.tensor(name)?.data.clone(), self.width(name)?);
        match self.graph.input() {
            GraphInput::Tokens { max_tokens: longest } | GraphInput::Frames { max_frames: longest, .. }
                if table.len() < (first + longest) * dim =>
            {
                Err(EngineError::Weight { name: name.to_owned() })
            }
            _ => Ok(AddPositions { table, dim, first }),
        }
    }

    fn product(&mut self, node: usize) -> Result<Product, EngineError> {
        match &self.graph.nodes()[node].op {
            Op::Linear { weight, bias, activation } | Op::Conv2d { weight, bias, activation, .. } => {
                let (weight, bias) = (self.weight(weight)?, self.bias(weight, bias.as_deref())?);
                Product::new(&mut self.shelf, weight, &bias, *activation).map_err(no_memory)
            }
            _ => unreachable!("groups only take linear maps and convolutions for products"),
        }
    }

    fn source(&mut self, node: usize) -> Result<Source, EngineError> {
        match conv_kind(&self.graph.nodes()[node], self.graph, self.weights) {
            Some(ConvKind::Image) => Ok(Source::Image(self.image(&self.graph.nodes()[node])?)),
            _ => Ok(Source::Widened(self.product(node)?)),
        }
    }

    fn depthwise(&mut self, node: usize) -> Result<(DepthwiseFilter, Sizes), EngineError> {
        let node = &self.graph.nodes()[node];
        let Op::Conv2d { weight, bias, stride, padding, activation, .. } = &node.op else {
            unreachable!("groups only take convolutions for depthwise ones")
        };
        let ([channels, height, width], [_, out_height, out_width]) = self.maps(node);
        let (bias, moves) = (self.bias(weight, bias.as_deref())?, (self.width(weight)?, *stride));
        let (weight, relu6) = (self.weight(weight)?, *activation == Activation::Relu6);
        let filter = DepthwiseFilter::new(&mut self.shelf, weight, &bias, moves, relu6).map_err(no_memory)?;
        Ok((filter, Sizes { channels, height, width, padding: *padding, out_height, out_width }))
    }

    fn image(&mut self, node: &Node) -> Result<ImageConv, EngineError> {
        let Op::Conv2d { weight, bias, stride, padding, activation, .. } = &node.op else {
            unreachable!("groups only take convolutions for those of the image")
        };
        let ([channels, height, width], [_, out_height, out_width]) = self.maps(node);
        let (size, stride, padding) = (self.width(weight)?, *stride, *padding);
        let sizes = ImageSizes { channels, height, width, size, stride, padding, out_height, out_width };
        let (weight, bias) = (self.weight(weight)?, self.bias(weight, bias.as_deref())?);
        let relu6 = *activation == Activation::Relu6;
        ImageConv::new(&mut self.shelf, weight, &bias, sizes, relu6).map_err(no_memory)
    }

    /// The shapes of a convolution's input and output.
    fn maps(&self, node: &Node) -> ([usize; 3], [usize; 3]) {
        let map = |value| match self.graph.shape(value) {
            Shape::Map { channels, height, width } => [channels, height, width],
            _ => unreachable!("a graph's convolutions are between maps"),
        };
        let out = self.graph.nodes().iter().position(|other| other.name == node.name);
        (map(node.inputs[0]), map(ValueId(out.map_or(0, |node| node + 1))))
    }

    fn tensor(&self, name: &str) -> Result<&'a Tensor, EngineError> {
        self.weights.get(name).ok_or_else(|| EngineError::Weight { name: name.to_owned() })
    }

    fn weight(&self, name: &str) -> Result<&'a [f32], EngineError> {
        Ok(&self.tensor(name)?.data)
    }

    /// The last axis of a weight.
    fn width(&self, name: &str) -> Result<usize, EngineError> {
        let last = self.tensor(name)?.shape.last().copied();
        last.ok_or_else(|| EngineError::Weight { name: name.to_owned() })
    }

    /// The bias, or zeros for each output of `weight`.
    fn bias(&self, weight: &str, bias: Option<&str>) -> Result<Vec<f32>, EngineError> {
        match bias {
            Some(bias) => Ok(self.weight(bias)?.to_vec()),
            None => Ok(vec![0.0; self.tensor(weight)?.shape.first().copied().unwrap_or(0)]),
        }
    }
}

fn no_memory(source: io::Error) -> EngineError {
    EngineError::Backend { engine: NAME.to_owned(), source: source.into() }
}

fn unsupported(node: &Node, what: &'static str) -> EngineError {
    EngineError::Backend {
        engine: NAME.to_owned(),
        source: Unsupported { node: node.name.clone(), what }.into(),
    }
}
