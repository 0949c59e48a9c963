//! Whole networks against the [reference engine](ReferenceEngine), on every instruction set that this machine has.

use super::simd::Cpu;
use super::{NativeEngine, Unsupported};
use crate::engine::reference::ReferenceEngine;
use crate::engine::{Engine, EngineError, NetInput, NetOutput};
use crate::graph::{Activation, Graph, GraphBuilder, GraphInput, Op, Padding, Shape, Sight, ValueId};
use crate::weights::{Tensor, Weights};
use std::error::Error as _;

/// Of the largest value of an output: a tenth of what a base may be off.
const TOLERANCE: f32 = 1e-5;

/// Repeatable values in [-1, 1).
fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Makes up weights as a network asks for them.
struct Net {
    weights: Weights,
    nodes: Vec<(String, Op, Vec<ValueId>)>,
    input: GraphInput,
    shapes: Vec<Shape>,
}

impl Net {
    fn new(input: GraphInput) -> Self {
        let mut net = Self { weights: Weights::new(), nodes: Vec::new(), input, shapes: Vec::new() };
        net.shapes = vec![net.build(|_| ()).0.shape(ValueId::INPUT)];
        net
    }

    fn build<T>(&self, finish: impl FnOnce(&mut GraphBuilder<'_>) -> T) -> (GraphBuilder<'_>, T) {
        let mut builder = GraphBuilder::new(self.input, &self.weights);
        for (name, op, inputs) in &self.nodes {
            builder.push(name, op.clone(), inputs).unwrap();
        }
        let made = finish(&mut builder);
        (builder, made)
    }

    /// A weight of outputs near 1 when the inputs are.
    fn weight(&mut self, shape: &[usize]) -> String {
        let name = format!("w{}", self.weights.len());
        let inputs = shape[1..].iter().product::<usize>().max(1);
        let scale = (3.0 / inputs as f32).sqrt();
        let values = noise(shape.iter().product(), self.weights.len() as u64);
        self.weights.insert(&name, Tensor::new(shape.to_vec(), values.iter().map(|x| scale * x).collect()));
        name
    }

    fn push(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        self.nodes.push((format!("n{}", self.nodes.len()), op, inputs.to_vec()));
        let value = ValueId(self.nodes.len());
        let shape = self.build(|_| ()).0.shape(value);
        self.shapes.push(shape);
        value
    }

    fn dim(&self, value: ValueId) -> usize {
        match self.shapes[value.0] {
            Shape::Map { channels: dim, .. } | Shape::Rows { dim, .. } | Shape::Vector { dim } => dim,
            Shape::Tokens => unreachable!("tokens have no channels"),
        }
    }

    /// A convolution with `SAME` padding; `outputs` is `None` for a depthwise one.
    fn conv(
        &mut self,
        x: ValueId,
        outputs: Option<usize>,
        size: usize,
        stride: usize,
        activation: Activation,
    ) -> ValueId {
        let Shape::Map { channels, height, width } = self.shapes[x.0] else { unreachable!("a map") };
        let (outputs, groups) = outputs.map_or((channels, channels), |outputs| (outputs, 1));
        let weight = self.weight(&[outputs, channels / groups, size, size]);
        let bias = Some(self.weight(&[outputs]));
        let padding = Padding::same_upper((height, width), size, stride);
        self.push(Op::Conv2d { weight, bias, stride, padding, groups, activation }, &[x])
    }

    fn linear(&mut self, x: ValueId, outputs: usize, activation: Activation) -> ValueId {
        let weight = self.weight(&[outputs, self.dim(x)]);
        let bias = Some(self.weight(&[outputs]));
        self.push(Op::Linear { weight, bias, activation }, &[x])
    }

    fn norm(&mut self, x: ValueId) -> ValueId {
        let (gamma, beta) = (self.weight(&[self.dim(x)]), self.weight(&[self.dim(x)]));
        self.push(Op::LayerNorm { gamma, beta, eps: 1e-6 }, &[x])
    }

    /// Attention and a two-layer perceptron, each added to what it reads.
    fn encoder_layer(&mut self, x: ValueId, heads: usize, sight: Sight) -> ValueId {
        let [q, k, v] = [(); 3].map(|()| self.linear(x, self.dim(x), Activation::None));
        let attention = self.push(Op::Attention { heads, sight }, &[q, k, v]);
        let o = self.linear(attention, self.dim(x), Activation::None);
        let sum = self.push(Op::Add, &[o, x]);
        let x = self.norm(sum);
        let wide = self.linear(x, 4 * self.dim(x), Activation::Gelu);
        let narrow = self.linear(wide, self.dim(x), Activation::None);
        let sum = self.push(Op::Add, &[x, narrow]);
        self.norm(sum)
    }

    fn finish(&self, outputs: &[ValueId]) -> Graph {
        let name = |b: &mut GraphBuilder<'_>| {
            outputs.iter().enumerate().for_each(|(i, value)| b.output(format!("o{i}"), *value).unwrap());
        };
        self.build(name).0.finish().unwrap()
    }
}

/// The largest difference relative to the largest value expected, over all outputs.
#[track_caller]
fn assert_equal(got: &[NetOutput], expected: &[NetOutput], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        assert_eq!((got.rows, got.dim()), (expected.rows, expected.dim()), "{what} `{}`", got.name);
        let largest = expected.data.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        for (i, (x, y)) in got.data.iter().zip(&expected.data).enumerate() {
            let error = (x - y).abs() / largest;
            assert!(error <= TOLERANCE, "{what} `{}` [{i}]: {x} {y}", got.name);
        }
    }
}

/// Runs twice on each instruction set: against the reference, and vectors against vectors bit by bit.
#[track_caller]
fn check(net: &Net, outputs: &[ValueId], input: NetInput<'_>) {
    let graph = net.finish(outputs);
    let expected = ReferenceEngine::new(graph.clone(), net.weights.clone()).unwrap().run(input).unwrap();
    let mut vector: Option<Vec<NetOutput>> = None;
    for cpu in Cpu::all() {
        let engine = NativeEngine::on(cpu, &graph, &net.weights).unwrap();
        let got = engine.run(input).unwrap();
        assert_equal(&got, &expected, cpu.name());
        assert_eq!(engine.run(input).unwrap(), got, "{} again, on used memory", cpu.name());
        if cpu.name() != "portable" {
            assert_eq!(vector.get_or_insert_with(|| got.clone()), &got, "{}", cpu.name());
        }
    }
}

/// A network like EfficientNet-Lite: widths are multiples of nothing.
fn mobile(
    (height, width): (usize, usize),
    blocks: &[(usize, usize, usize, usize)],
) -> (Net, Vec<ValueId>, Vec<f32>) {
    let mut net = Net::new(GraphInput::Image { channels: 3, height, width });
    let mut x = net.conv(ValueId::INPUT, Some(20), 3, 2, Activation::Relu6);
    let mut pooled = Vec::new();
    for &(widen, size, stride, outputs) in blocks {
        let input = x;
        if widen > 1 {
            x = net.conv(x, Some(widen * net.dim(x)), 1, 1, Activation::Relu6);
        }
        x = net.conv(x, None, size, stride, Activation::Relu6);
        x = net.conv(x, Some(outputs), 1, 1, Activation::None);
        if stride == 1 && outputs == net.dim(input) {
            x = net.push(Op::Add, &[x, input]);
        }
        pooled.push(net.push(Op::GlobalAvgPool, &[x]));
    }
    let head = net.conv(x, Some(70), 1, 1, Activation::Relu6);
    pooled.push(net.push(Op::GlobalAvgPool, &[head]));
    let all = net.push(Op::Concat, &pooled);
    let unit = net.push(Op::L2Normalize, &[all]);
    pooled.push(unit);
    (net, pooled, noise(3 * height * width, 77))
}

#[test]
fn a_mobile_network_is_the_reference() {
    let blocks = [(1, 3, 1, 12), (6, 5, 2, 21), (6, 5, 1, 21), (6, 3, 2, 40), (3, 3, 1, 40), (6, 5, 1, 33)];
    for size in [(33, 47), (64, 64), (7, 9)] {
        let (net, outputs, image) = mobile(size, &blocks);
        check(&net, &outputs, NetInput::Image(&image));
    }
}

#[test]
fn strips_of_a_large_map_and_groups_of_a_wide_one_do_not_show() {
    // The wide maps take 1.6 MB and 0.7 MB: cut into strips. The last is small and wide: cut into groups.
    let (net, outputs, image) = mobile((161, 158), &[(4, 5, 1, 16), (4, 3, 2, 24), (4, 3, 1, 24)]);
    check(&net, &outputs, NetInput::Image(&image));
    let (net, outputs, image) = mobile((17, 18), &[(20, 3, 1, 70), (20, 5, 1, 70)]);
    check(&net, &outputs, NetInput::Image(&image));
}

#[test]
fn depthwise_layers_stand_alone_or_side_by_side() {
    let mut net = Net::new(GraphInput::Image { channels: 1, height: 12, width: 11 });
    let stem = net.conv(ValueId::INPUT, Some(18), 3, 1, Activation::None);
    let first = net.conv(stem, None, 3, 1, Activation::None);
    let between = net.conv(first, Some(35), 1, 1, Activation::Gelu);
    let second = net.conv(between, None, 5, 2, Activation::Relu6);
    let sum = net.push(Op::Add, &[first, stem]);
    let outputs = [first, second, sum, between].map(|x| net.push(Op::FlattenPatches, &[x]));
    check(&net, &outputs, NetInput::Image(&noise(132, 5)));
}

fn text_net(max_tokens: usize) -> (Net, Vec<ValueId>) {
    let mut net = Net::new(GraphInput::Tokens { max_tokens });
    let table = net.weight(&[50, 48]);
    let mut x = net.push(Op::Embedding { table }, &[ValueId::INPUT]);
    let table = net.weight(&[max_tokens + 2, 48]);
    x = net.push(Op::AddPositions { table, first: 2 }, &[x]);
    x = net.norm(x);
    for (heads, sight) in [(3, Sight::All), (1, Sight::Back)] {
        x = net.encoder_layer(x, heads, sight);
    }
    let last = net.push(Op::TakeLastRow, &[x]);
    let bent = net.linear(last, 20, Activation::QuickGelu);
    let mean = net.push(Op::MeanRows, &[x]);
    let unit = net.push(Op::L2Normalize, &[mean]);
    let class = net.push(Op::TakeRow(0), &[x]);
    let pooler = net.linear(class, 10, Activation::Gelu);
    (net, vec![x, unit, pooler, bent])
}

fn ids(n: usize, seed: u64) -> Vec<u32> {
    noise(n, seed).iter().map(|x| ((x + 1.0) * 25.0) as u32).collect()
}

#[test]
fn a_text_network_is_the_reference() {
    let (net, outputs) = text_net(80);
    for tokens in [1, 2, 15, 16, 17, 80] {
        check(&net, &outputs, NetInput::Tokens(&ids(tokens, tokens as u64)));
    }
}

#[test]
fn texts_together_give_the_bits_of_each_alone() {
    let (net, outputs) = text_net(80);
    let graph = net.finish(&outputs);
    let texts: Vec<Vec<u32>> = [3, 80, 1, 16, 33, 2].map(|n| ids(n, n as u64)).into();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    for cpu in Cpu::all() {
        let engine = NativeEngine::on(cpu, &graph, &net.weights).unwrap();
        let alone: Vec<_> = texts.iter().map(|text| engine.run(NetInput::Tokens(text)).unwrap()).collect();
        assert_eq!(engine.run_texts(&texts).unwrap(), alone, "{}", cpu.name());
        let reversed: Vec<&[u32]> = texts.iter().rev().copied().collect();
        assert_eq!(engine.run_texts(&reversed).unwrap(), alone.into_iter().rev().collect::<Vec<_>>());
        assert!(engine.run_texts(&[]).unwrap().is_empty());
    }
}

#[test]
fn an_image_transformer_is_the_reference() {
    let mut net = Net::new(GraphInput::Image { channels: 3, height: 24, width: 18 });
    let weight = net.weight(&[32, 3, 6, 6]);
    let (stride, padding, groups, activation) = (6, Padding::default(), 1, Activation::None);
    let patches = Op::Conv2d { weight, bias: None, stride, padding, groups, activation };
    let mut x = net.push(patches, &[ValueId::INPUT]);
    x = net.push(Op::FlattenPatches, &[x]);
    let rows = net.weight(&[2, 32]);
    x = net.push(Op::PrependRows { rows }, &[x]);
    let table = net.weight(&[14, 32]);
    x = net.push(Op::AddPositions { table, first: 0 }, &[x]);
    x = net.encoder_layer(x, 2, Sight::All);
    let gamma = net.weight(&[32]);
    x = net.push(Op::Scale { gamma }, &[x]);
    let class = net.push(Op::TakeRow(1), &[x]);
    let patches = net.push(Op::DropRows(2), &[x]);
    let [mean, other] = [3.0, 2.5].map(|power| net.push(Op::PowerMeanRows { power }, &[patches]));
    let both = net.push(Op::Concat, &[class, mean, other]);
    check(&net, &[both, patches], NetInput::Image(&noise(3 * 24 * 18, 3)));
}

#[test]
fn neighbours_on_other_threads_do_not_show() {
    let (net, outputs, image) = mobile((40, 40), &[(6, 5, 2, 21), (6, 3, 1, 21)]);
    let engine = NativeEngine::new(&net.finish(&outputs), &net.weights).unwrap();
    let alone = engine.run(NetInput::Image(&image)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..8).for_each(|_| assert_eq!(engine.run(NetInput::Image(&image)).unwrap(), alone))
            });
        }
    });
}

#[track_caller]
fn assert_unsupported(net: &Net, output: ValueId, words: &str) {
    let error = NativeEngine::new(&net.finish(&[output]), &net.weights).unwrap_err();
    let source = error.source().and_then(|source| source.downcast_ref::<Unsupported>());
    assert!(source.is_some_and(|source| source.to_string().contains(words)), "{error}: {source:?}");
}

#[test]
fn what_there_is_no_kernel_for_is_said_at_load() {
    let image = || Net::new(GraphInput::Image { channels: 16, height: 8, width: 8 });
    let mut net = image();
    let flat = net.push(Op::FlattenPatches, &[ValueId::INPUT]);
    assert_unsupported(&net, flat, "input image");
    let mut net = image();
    let stem = net.conv(ValueId::INPUT, Some(8), 3, 1, Activation::None);
    let full = net.conv(stem, Some(8), 3, 1, Activation::None);
    let pooled = net.push(Op::GlobalAvgPool, &[full]);
    assert_unsupported(&net, pooled, "neither 1x1");
    let mut net = image();
    let stem = net.conv(ValueId::INPUT, Some(24), 2, 2, Activation::None);
    let rows = net.push(Op::FlattenPatches, &[stem]);
    let attention = net.push(Op::Attention { heads: 2, sight: Sight::All }, &[rows, rows, rows]);
    assert_unsupported(&net, attention, "multiple of 16");
}

#[test]
fn windows_of_rows_that_fill_no_vector_go_to_another_engine() {
    let mut net = Net::new(GraphInput::Tokens { max_tokens: 4 });
    let table = net.weight(&[5, 10]);
    let words = net.push(Op::Embedding { table }, &[ValueId::INPUT]);
    let window = net.push(Op::WindowRows { before: 1, after: 0 }, &[words]);
    assert_unsupported(&net, window, "multiple of 16");
}

#[test]
fn input_that_does_not_fit_is_refused() {
    let (net, outputs) = text_net(8);
    let engine = NativeEngine::new(&net.finish(&outputs), &net.weights).unwrap();
    let error = |ids: &[u32]| engine.run(NetInput::Tokens(ids)).unwrap_err();
    assert!(matches!(error(&[1, 50]), EngineError::TokenId { id: 50, vocabulary: 50 }));
    assert!(matches!(error(&[]), EngineError::TokenCount { max: 8, got: 0 }));
    assert!(matches!(error(&[0; 9]), EngineError::TokenCount { max: 8, got: 9 }));
    assert!(matches!(engine.run(NetInput::Image(&[])), Err(EngineError::WrongKind { .. })));
    assert!(matches!(engine.run_texts(&[&[1], &[60]]), Err(EngineError::TokenId { id: 60, .. })));
}

/// An n-gram network: windows, rows side by side, widths that fill no vector, and every activation.
fn ngram_net() -> (Net, Vec<ValueId>) {
    let mut net = Net::new(GraphInput::Tokens { max_tokens: 40 });
    let table = net.weight(&[50, 40]);
    let words = net.push(Op::Embedding { table }, &[ValueId::INPUT]);
    let narrow = net.linear(words, 16, Activation::Relu);
    let window = net.push(Op::WindowRows { before: 2, after: 1 }, &[narrow]);
    let seen = net.linear(window, 32, Activation::Relu);
    let part = net.push(Op::TakeColumns { first: 5, count: 19 }, &[words]);
    let whole = net.push(Op::TakeColumns { first: 16, count: 16 }, &[words]);
    let all = net.push(Op::Concat, &[words, seen, narrow, part, whole]);
    let mean = net.push(Op::MeanRows, &[all]);
    let root = net.push(Op::TimesRootRows, &[all, mean]);
    let bent = net.linear(root, 20, Activation::Tanh);
    (net, vec![all, bent])
}

#[test]
fn an_ngram_network_is_the_reference() {
    let (net, outputs) = ngram_net();
    for tokens in [1, 2, 3, 17, 40] {
        check(&net, &outputs, NetInput::Tokens(&ids(tokens, tokens as u64)));
    }
}
