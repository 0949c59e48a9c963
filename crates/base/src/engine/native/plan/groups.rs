//! Which nodes of a graph run together as one step.

use crate::engine::native::kernels::depthwise::Filter;
use crate::graph::{Activation, Graph, Node, Op, Padding, Shape, ValueId, WeightShapes};

/// Nodes, by index, that run as one step; the last one makes its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Group {
    /// A node by itself.
    One(usize),
    /// A linear map or 1x1 convolution, and the sum its result goes into.
    Product { product: usize, add: Option<Residual> },
    /// A depthwise convolution, what makes its input, the 1x1 convolution of its result, and the sum that goes into.
    Bottleneck { source: Option<usize>, depthwise: usize, narrowing: Option<usize>, add: Option<Residual> },
}

/// A sum with something that was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Residual {
    pub(crate) node: usize,
    pub(crate) other: ValueId,
}

impl Group {
    /// The node whose value the step makes.
    fn result(&self) -> usize {
        match *self {
            Self::One(node) => node,
            Self::Product { product, add } => add.map_or(product, |add| add.node),
            Self::Bottleneck { depthwise, narrowing, add, .. } => {
                add.map_or(narrowing.unwrap_or(depthwise), |add| add.node)
            }
        }
    }

    /// The value that the step makes.
    pub(crate) fn value(&self) -> ValueId {
        ValueId(self.result() + 1)
    }

    fn nodes(&self) -> impl Iterator<Item = usize> {
        let nodes = match *self {
            Self::One(node) => [Some(node), None, None, None],
            Self::Product { product, add } => [Some(product), add.map(|add| add.node), None, None],
            Self::Bottleneck { source, depthwise, narrowing, add } => {
                [source, Some(depthwise), narrowing, add.map(|add| add.node)]
            }
        };
        nodes.into_iter().flatten()
    }
}

/// What kind of convolution the kernels see in a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConvKind {
    /// Each channel by itself.
    Depthwise,
    /// 1x1 over all channels.
    Pointwise,
    /// Of the network's input image.
    Image,
}

/// Tells what kind of convolution a node is; `None` if it is none, or one that there is no kernel for.
pub(crate) fn conv_kind(node: &Node, graph: &Graph, weights: &dyn WeightShapes) -> Option<ConvKind> {
    let Op::Conv2d { weight, stride, padding, groups, activation, .. } = &node.op else { return None };
    let &[outputs, per_group, height, width] = weights.shape_of(weight)? else { return None };
    let clipped = matches!(activation, Activation::None | Activation::Relu6);
    let pointwise = (height, width, *stride, *groups) == (1, 1, 1, 1) && *padding == Padding::default();
    let depthwise = per_group == 1 && *groups == outputs && Filter::supported(height, *stride);
    if node.inputs == [ValueId::INPUT] && matches!(graph.shape(ValueId::INPUT), Shape::Map { .. }) {
        (*groups == 1 && height == width && clipped).then_some(ConvKind::Image)
    } else if pointwise {
        Some(ConvKind::Pointwise)
    } else {
        (depthwise && height == width && clipped).then_some(ConvKind::Depthwise)
    }
}

/// Deals the nodes of a graph into groups, in an order that they can run in.
///
/// Whatever a group reads was made by nodes before its result, and only results are read by others: so the order of
/// the results will do.
pub(crate) fn groups(graph: &Graph, weights: &dyn WeightShapes) -> Vec<Group> {
    let n = graph.nodes().len();
    let mut dealer = Dealer { graph, weights, taken: vec![false; n], groups: Vec::new() };
    (0..n).for_each(|node| dealer.deal(node, Dealer::bottleneck));
    (0..n).for_each(|node| dealer.deal(node, Dealer::product));
    (0..n).for_each(|node| dealer.deal(node, |_, node| Some(Group::One(node))));
    dealer.groups.sort_by_key(Group::result);
    dealer.groups
}

struct Dealer<'a> {
    graph: &'a Graph,
    weights: &'a dyn WeightShapes,
    taken: Vec<bool>,
    groups: Vec<Group>,
}

impl Dealer<'_> {
    fn deal(&mut self, node: usize, make: fn(&Self, usize) -> Option<Group>) {
        if !self.taken[node]
            && let Some(group) = make(self, node)
        {
            group.nodes().for_each(|node| self.taken[node] = true);
            self.groups.push(group);
        }
    }

    fn kind(&self, node: usize) -> Option<ConvKind> {
        conv_kind(&self.graph.nodes()[node], self.graph, self.weights)
    }

    /// The only node that reads what `node` makes; `None` when there are others, or it is an output, or it is taken.
    fn only_reader(&self, node: usize) -> Option<usize> {
        let value = ValueId(node + 1);
        let reads = |node: &Node| node.inputs.iter().filter(|&&input| input == value).count();
        let mut readers = self.graph.nodes().iter().enumerate().filter(|(_, node)| reads(node) > 0);
        let (only, reader) = readers.next()?;
        let output = self.graph.outputs().iter().any(|(_, output)| *output == value);
        (readers.next().is_none() && reads(reader) == 1 && !output && !self.taken[only]).then_some(only)
    }

    /// The sum that a product alone flows into.
    fn residual(&self, product: usize) -> Option<Residual> {
        let node = self.only_reader(product)?;
        let Node { op: Op::Add, inputs, .. } = &self.graph.nodes()[node] else { return None };
        let other = *inputs.iter().find(|&&value| value != ValueId(product + 1))?;
        (plain(&self.graph.nodes()[product]) && other != ValueId::INPUT).then_some(Residual { node, other })
    }

    fn product(&self, node: usize) -> Option<Group> {
        let linear = matches!(self.graph.nodes()[node].op, Op::Linear { .. });
        (linear || self.kind(node) == Some(ConvKind::Pointwise))
            .then(|| Group::Product { product: node, add: self.residual(node) })
    }

    fn bottleneck(&self, depthwise: usize) -> Option<Group> {
        if self.kind(depthwise) != Some(ConvKind::Depthwise) {
            return None;
        }
        let before = self.graph.nodes()[depthwise].inputs[0].0.checked_sub(1);
        let source = before.filter(|&node| {
            let fits = matches!(self.kind(node), Some(ConvKind::Pointwise | ConvKind::Image));
            fits && !self.taken[node] && self.only_reader(node) == Some(depthwise)
        });
        let narrowing =
            self.only_reader(depthwise).filter(|&node| self.kind(node) == Some(ConvKind::Pointwise));
        let add = narrowing.and_then(|node| self.residual(node));
        Some(Group::Bottleneck { source, depthwise, narrowing, add })
    }
}

/// Whether no activation stands between a product and a sum.
fn plain(node: &Node) -> bool {
    matches!(
        node.op,
        Op::Linear { activation: Activation::None, .. } | Op::Conv2d { activation: Activation::None, .. }
    )
}
