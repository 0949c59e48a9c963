//! CLIP (Radford et al. 2021): a vision transformer and a causal text transformer, each with a linear map into one space.
//!
//! Under the names of the published Hugging Face checkpoints: `vision_model.encoder.layers.N.self_attn.q_proj`, `visual_projection`,
//! `text_model.*`, `text_projection`. Both towers are pre-norm and have the same layers; a [`Clip`] says which of them is built.

use serde::{Deserialize, Serialize};

use super::{
    ArchError, as_matrix, count_layers, layers,
    positions::{self, Bicubic},
    tensor,
};
use crate::{
    graph::{Activation, Graph, GraphBuilder, GraphInput, Op, Padding, Sight, ValueId},
    weights::{Tensor, Weights},
};

/// What the tensors of a CLIP do not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// Attention heads in each layer of the tower that looks.
    pub heads: usize,
    /// Attention heads in each layer of the tower that reads.
    pub text_heads: usize,
    /// Side of the square picture in pixels, a multiple of the patch size. Positions are resampled when it is not the trained one.
    pub image_size: usize,
    /// The longest text in tokens, at most as many as there are positions.
    #[serde(default = "default_tokens")]
    pub max_tokens: usize,
    /// Added to the variance in every layer norm.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f32,
    /// What stands between the two linear maps of a layer.
    #[serde(default)]
    pub gelu: Gelu,
    /// Which tower is built.
    #[serde(default)]
    pub tower: Tower,
}

/// The form of GELU that a CLIP was trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gelu {
    /// `x / (1 + exp(-1.702 x))`: OpenAI's.
    #[default]
    Quick,
    /// The exact one: OpenCLIP's own trainings.
    Exact,
}

/// One of the two networks of a joint base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tower {
    /// The one for pictures.
    #[default]
    Looks,
    /// The one for texts.
    Reads,
}

fn default_tokens() -> usize {
    77
}

fn default_eps() -> f32 {
    1e-5
}

const PATCHES: &str = "vision_model.embeddings.patch_embedding.weight";
const PLACES: &str = "vision_model.embeddings.position_embedding.weight";
const CLASS: &str = "vision_model.embeddings.class_embedding";
const WORDS: &str = "text_model.embeddings.token_embedding.weight";
const POSITIONS: &str = "text_model.embeddings.position_embedding.weight";

/// Made at load: the class token with its position, `[1, dim]`.
const PREFIX_ROWS: &str = "vision_model.embeddings.prefix_rows";
/// Made at load: the positions of the patches at the input size, `[patches, dim]`.
const PATCH_PLACES: &str = "vision_model.embeddings.patch_places";

/// Builds one tower. Outputs:
/// - `joint`: `[projection]`, of length 1, in the space of both towers;
/// - `pooled`: `[dim]`, what that is a linear map of: the class token, or the last token of a text.
pub(super) fn prepare(config: &Clip, mut weights: Weights) -> Result<(Graph, Weights), ArchError> {
    let graph = match config.tower {
        Tower::Looks => {
            let patch_size = place_positions(&mut weights, config)?;
            looking(config, &weights, patch_size)?
        }
        Tower::Reads => reading(config, &weights)?,
    };
    Ok((graph, weights))
}

fn looking(config: &Clip, weights: &Weights, patch_size: usize) -> Result<Graph, ArchError> {
    let input = GraphInput::Image { channels: 3, height: config.image_size, width: config.image_size };
    let mut net = Net::new(config, config.heads, Sight::All, GraphBuilder::new(input, weights));
    let x = net.patches(patch_size)?;
    let mut x = net.norm("vision_model.pre_layrnorm", x)?;
    for layer in 0..count_layers(weights, "vision_model.encoder.layers.", ".layer_norm1.weight")? {
        x = net.layer(&format!("vision_model.encoder.layers.{layer}"), x)?;
    }
    let class = net.graph.push("class", Op::TakeRow(0), &[x])?;
    let pooled = net.norm("vision_model.post_layernorm", class)?;
    net.finish(pooled, "visual_projection.weight")
}

fn reading(config: &Clip, weights: &Weights) -> Result<Graph, ArchError> {
    let (rows, ..) = as_matrix(weights, POSITIONS)?;
    let max_tokens = config.max_tokens;
    if !(1..=rows).contains(&max_tokens) {
        let reason = format!("the table has {rows} positions");
        return Err(ArchError::Setting { setting: "max_tokens", got: max_tokens.to_string(), reason });
    }
    let input = GraphInput::Tokens { max_tokens };
    let mut net = Net::new(config, config.text_heads, Sight::Back, GraphBuilder::new(input, weights));
    let words = Op::Embedding { table: WORDS.to_owned() };
    let words = net.graph.push("text_model.words", words, &[ValueId::INPUT])?;
    let positions = Op::AddPositions { table: POSITIONS.to_owned(), first: 0 };
    let mut x = net.graph.push("text_model.positions", positions, &[words])?;
    for layer in 0..count_layers(weights, "text_model.encoder.layers.", ".layer_norm1.weight")? {
        x = net.layer(&format!("text_model.encoder.layers.{layer}"), x)?;
    }
    // Each token sees only what came before it, so the end of the text, which closes it, has seen all.
    let end = net.graph.push("end", Op::TakeLastRow, &[x])?;
    let pooled = net.norm("text_model.final_layer_norm", end)?;
    net.finish(pooled, "text_projection.weight")
}

/// Resamples the positions to the input size and adds the first one to the class token. Gives the patch size.
fn place_positions(weights: &mut Weights, config: &Clip) -> Result<usize, ArchError> {
    let wrong = |name: &str, got: Vec<usize>, expected: String| ArchError::TensorShape {
        name: name.to_owned(),
        got,
        expected,
    };
    let kernel = &tensor(weights, PATCHES)?.shape;
    let [dim, 3, patch_size, _] = kernel[..] else {
        return Err(wrong(PATCHES, kernel.clone(), "[dim, 3, p, p]".to_owned()));
    };
    if patch_size == 0 || config.image_size == 0 || !config.image_size.is_multiple_of(patch_size) {
        let reason = format!("it is not a multiple of the patch size {patch_size}");
        return Err(ArchError::Setting { setting: "image_size", got: config.image_size.to_string(), reason });
    }
    let (rows, width, table) = as_matrix(weights, PLACES)?;
    let trained = (rows - 1).isqrt();
    if width != dim || trained == 0 || trained * trained + 1 != rows {
        return Err(wrong(PLACES, vec![rows, width], format!("[1 + a square, {dim}]")));
    }
    let class = tensor(weights, CLASS)?;
    if class.data.len() != dim {
        return Err(wrong(CLASS, class.shape.clone(), format!("[{dim}]")));
    }
    let prefix: Vec<f32> = class.data.iter().zip(table).map(|(token, place)| token + place).collect();
    let grid = config.image_size / patch_size;
    let places = positions::resample(&table[dim..], dim, trained, grid, Bicubic::Plain);
    weights.insert(PREFIX_ROWS, Tensor::new(vec![1, dim], prefix));
    weights.insert(PATCH_PLACES, Tensor::new(vec![grid * grid, dim], places));
    Ok(patch_size)
}

/// One tower that is being built.
struct Net<'w> {
    config: &'w Clip,
    heads: usize,
    sight: Sight,
    graph: GraphBuilder<'w>,
}

impl<'w> Net<'w> {
    fn new(config: &'w Clip, heads: usize, sight: Sight, graph: GraphBuilder<'w>) -> Self {
        Self { config, heads, sight, graph }
    }

    /// The class token, then the patches row by row, each at its place.
    fn patches(&mut self, patch_size: usize) -> Result<ValueId, ArchError> {
        let project = Op::Conv2d {
            weight: PATCHES.to_owned(),
            bias: None,
            stride: patch_size,
            padding: Padding::default(),
            groups: 1,
            activation: Activation::None,
        };
        let map = self.graph.push("vision_model.map", project, &[ValueId::INPUT])?;
        let patches = self.graph.push("vision_model.patches", Op::FlattenPatches, &[map])?;
        let places = Op::AddPositions { table: PATCH_PLACES.to_owned(), first: 0 };
        let placed = self.graph.push("vision_model.places", places, &[patches])?;
        let prefix = Op::PrependRows { rows: PREFIX_ROWS.to_owned() };
        Ok(self.graph.push("vision_model.prefix", prefix, &[placed])?)
    }

    /// Norm, attention, add; norm, widen, GELU, narrow, add.
    fn layer(&mut self, layer: &str, x: ValueId) -> Result<ValueId, ArchError> {
        let part = |part: &str| format!("{layer}.{part}");
        let normed = self.norm(&part("layer_norm1"), x)?;
        let query = self.linear(&part("self_attn.q_proj"), Activation::None, normed)?;
        let key = self.linear(&part("self_attn.k_proj"), Activation::None, normed)?;
        let value = self.linear(&part("self_attn.v_proj"), Activation::None, normed)?;
        let attention = Op::Attention { heads: self.heads, sight: self.sight };
        let attended = self.graph.push(part("self_attn"), attention, &[query, key, value])?;
        let attended = self.linear(&part("self_attn.out_proj"), Activation::None, attended)?;
        let x = self.graph.push(part("self_attn.add"), Op::Add, &[attended, x])?;
        let normed = self.norm(&part("layer_norm2"), x)?;
        let gelu = match self.config.gelu {
            Gelu::Quick => Activation::QuickGelu,
            Gelu::Exact => Activation::Gelu,
        };
        let wide = self.linear(&part("mlp.fc1"), gelu, normed)?;
        let narrow = self.linear(&part("mlp.fc2"), Activation::None, wide)?;
        Ok(self.graph.push(part("add"), Op::Add, &[narrow, x])?)
    }

    fn linear(&mut self, name: &str, activation: Activation, x: ValueId) -> Result<ValueId, ArchError> {
        layers::linear(&mut self.graph, name, activation, x)
    }

    fn norm(&mut self, name: &str, x: ValueId) -> Result<ValueId, ArchError> {
        layers::norm(&mut self.graph, name, self.config.layer_norm_eps, x)
    }

    /// Maps what was pooled into the space of both towers.
    fn finish(mut self, pooled: ValueId, projection: &str) -> Result<Graph, ArchError> {
        let project = Op::Linear { weight: projection.to_owned(), bias: None, activation: Activation::None };
        let projected = self.graph.push("joint", project, &[pooled])?;
        let unit = self.graph.push("joint.unit", Op::L2Normalize, &[projected])?;
        self.graph.output("joint", unit)?;
        self.graph.output("pooled", pooled)?;
        Ok(self.graph.finish()?)
    }
}
