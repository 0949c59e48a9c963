//! BERT and what shares its layers: MiniLM, multilingual E5, XLM-R.
//!
//! Post-norm transformer encoder (Devlin et al. 2019) under the Hugging Face names (`embeddings.word_embeddings.weight`,
//! `encoder.layer.N.attention.self.query.weight`, ...), with or without a prefix such as `bert.`.

use serde::{Deserialize, Serialize};

use super::{ArchError, as_matrix, count_layers, layers, prefix_before, without_prefix};
use crate::{
    graph::{Activation, Graph, GraphBuilder, GraphInput, Op, Sight, ValueId},
    weights::{Tensor, Weights},
};

/// What the tensors of a BERT do not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bert {
    /// Attention heads in each layer.
    pub heads: usize,
    /// Added to the variance in every layer norm; 1e-12 for BERT, 1e-5 for XLM-R.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f32,
    /// The position of the first token: 0, but `pad_token_id + 1` (so 2) in true RoBERTa and XLM-R checkpoints. Multilingual E5
    /// small has XLM-R's vocabulary and BERT's positions: 0.
    #[serde(default)]
    pub first_position: usize,
    /// The longest input in tokens, when shorter than the table of positions.
    #[serde(default)]
    pub max_tokens: Option<usize>,
}

fn default_eps() -> f32 {
    1e-12
}

const WORDS: &str = "embeddings.word_embeddings.weight";
const POSITIONS: &str = "embeddings.position_embeddings.weight";
const TOKEN_TYPES: &str = "embeddings.token_type_embeddings.weight";

/// Builds the network. Outputs, each of length 1:
/// - `mean`: `[dim]`, the mean over all tokens, special ones included (what sentence encoders are trained on);
/// - `cls`: `[dim]`, the first token.
pub(super) fn prepare(config: &Bert, weights: Weights) -> Result<(Graph, Weights), ArchError> {
    let prefix = prefix_before(&weights, WORDS)?;
    let mut weights = without_prefix(weights, &prefix);
    let max_tokens = place_token_type(&mut weights, config)?;
    let layers = count_layers(&weights, "encoder.layer.", ".attention.self.query.weight")?;
    let mut net = Net { config, graph: GraphBuilder::new(GraphInput::Tokens { max_tokens }, &weights) };
    let mut x = net.embed()?;
    for layer in 0..layers {
        x = net.layer(&format!("encoder.layer.{layer}"), x)?;
    }
    let mean = net.graph.push("mean", Op::MeanRows, &[x])?;
    let cls = net.graph.push("cls", Op::TakeRow(0), &[x])?;
    for (name, value) in [("mean", mean), ("cls", cls)] {
        let unit = net.graph.push(format!("{name}.unit"), Op::L2Normalize, &[value])?;
        net.graph.output(name, unit)?;
    }
    let graph = net.graph.finish()?;
    Ok((graph, weights))
}

/// Adds the embedding of token type 0, which every token has, to the positions; returns how many tokens there are positions for.
fn place_token_type(weights: &mut Weights, config: &Bert) -> Result<usize, ArchError> {
    let (rows, dim, positions) = as_matrix(weights, POSITIONS)?;
    let mut table = positions.to_vec();
    if weights.get(TOKEN_TYPES).is_some() {
        let (_, width, types) = as_matrix(weights, TOKEN_TYPES)?;
        if width != dim {
            let expected = format!("[types, {dim}]");
            return Err(ArchError::TensorShape {
                name: TOKEN_TYPES.to_owned(),
                got: vec![types.len() / width, width],
                expected,
            });
        }
        table
            .chunks_exact_mut(dim)
            .for_each(|row| row.iter_mut().zip(types).for_each(|(value, more)| *value += more));
    }
    weights.insert(POSITIONS, Tensor::new(vec![rows, dim], table));
    let places = rows.saturating_sub(config.first_position);
    let max_tokens = config.max_tokens.unwrap_or(places);
    if max_tokens == 0 || max_tokens > places {
        let reason =
            format!("the table has {rows} positions and the first token is at {}", config.first_position);
        return Err(ArchError::Setting { setting: "max_tokens", got: max_tokens.to_string(), reason });
    }
    Ok(max_tokens)
}

struct Net<'w> {
    config: &'w Bert,
    graph: GraphBuilder<'w>,
}

impl Net<'_> {
    fn embed(&mut self) -> Result<ValueId, ArchError> {
        let words = self.graph.push(
            "embeddings.words",
            Op::Embedding { table: WORDS.to_owned() },
            &[ValueId::INPUT],
        )?;
        let positions = Op::AddPositions { table: POSITIONS.to_owned(), first: self.config.first_position };
        let placed = self.graph.push("embeddings.positions", positions, &[words])?;
        self.norm("embeddings.LayerNorm", placed)
    }

    /// Attention, add, norm; widen, GELU, narrow, add, norm.
    fn layer(&mut self, layer: &str, x: ValueId) -> Result<ValueId, ArchError> {
        let query = self.linear(&format!("{layer}.attention.self.query"), Activation::None, x)?;
        let key = self.linear(&format!("{layer}.attention.self.key"), Activation::None, x)?;
        let value = self.linear(&format!("{layer}.attention.self.value"), Activation::None, x)?;
        let heads = Op::Attention { heads: self.config.heads, sight: Sight::All };
        let attended = self.graph.push(format!("{layer}.attention"), heads, &[query, key, value])?;
        let attended = self.linear(&format!("{layer}.attention.output.dense"), Activation::None, attended)?;
        let attended = self.graph.push(format!("{layer}.attention.add"), Op::Add, &[attended, x])?;
        let attended = self.norm(&format!("{layer}.attention.output.LayerNorm"), attended)?;
        let wide = self.linear(&format!("{layer}.intermediate.dense"), Activation::Gelu, attended)?;
        let narrow = self.linear(&format!("{layer}.output.dense"), Activation::None, wide)?;
        let sum = self.graph.push(format!("{layer}.add"), Op::Add, &[narrow, attended])?;
        self.norm(&format!("{layer}.output.LayerNorm"), sum)
    }

    fn linear(&mut self, name: &str, activation: Activation, x: ValueId) -> Result<ValueId, ArchError> {
        layers::linear(&mut self.graph, name, activation, x)
    }

    fn norm(&mut self, name: &str, x: ValueId) -> Result<ValueId, ArchError> {
        layers::norm(&mut self.graph, name, self.config.layer_norm_eps, x)
    }
}
