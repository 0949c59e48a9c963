//! ViT (Dosovitskiy et al. 2021) and DINOv2 (Oquab et al. 2024), with or without registers.
//!
//! Pre-norm transformer over square patches, under the names of the published Hugging Face checkpoints: `encoder.layer.N.norm1`,
//! `mlp.fc1`, `layer_scale1` for DINOv2, `layernorm_before`, `intermediate.dense` for ViT. The two differ in names and LayerScale only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ArchError, DetectionMaps, as_matrix, count_layers, layers,
    positions::{self, Bicubic},
    prefix_before, tensor, unknown_map, without_prefix,
};
use crate::{
    graph::{Activation, Graph, GraphBuilder, GraphInput, Op, Padding, Sight, ValueId},
    weights::{Tensor, Weights},
};

/// What the tensors of a ViT do not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vit {
    /// Attention heads in each layer.
    pub heads: usize,
    /// Side of the square input in pixels, a multiple of the patch size. Positions are resampled when it is not the trained one.
    pub image_size: usize,
    /// Added to the variance in every layer norm; 1e-6 for DINOv2, 1e-12 for ViT.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f32,
}

fn default_eps() -> f32 {
    1e-6
}

const PROJECTION: &str = "embeddings.patch_embeddings.projection.weight";
const PROJECTION_BIAS: &str = "embeddings.patch_embeddings.projection.bias";
const POSITIONS: &str = "embeddings.position_embeddings";
const CLASS: &str = "embeddings.cls_token";
const REGISTERS: &str = "embeddings.register_tokens";

/// Made at load: the class token with its position, then the registers, `[1 + registers, dim]`.
const PREFIX_ROWS: &str = "embeddings.prefix_rows";
/// Made at load: the positions of the patches at the input size, `[patches, dim]`.
const PATCH_POSITIONS: &str = "embeddings.patch_positions";

/// Builds the network. Outputs, all after the last layer norm:
/// - `cls`: `[dim]`, the class token;
/// - `patch-mean`: `[dim]`, the mean of the patch tokens (registers are in neither);
/// - `patches`: `[h * w, dim]`, the patch tokens row by row.
pub(super) fn prepare(config: &Vit, weights: Weights) -> Result<(Graph, Weights), ArchError> {
    let (weights, layout) = ready(config, weights)?;
    let mut net = Net::new(config, &weights);
    let mut x = net.embed(layout.patch_size)?;
    for layer in 0..layout.layers {
        x = net.layer(&format!("encoder.layer.{layer}"), x)?;
    }
    let x = net.norm("layernorm", x)?;
    let cls = net.graph.push("cls", Op::TakeRow(0), &[x])?;
    let patches = net.graph.push("patches", Op::DropRows(layout.prefix_rows), &[x])?;
    let mean = net.graph.push("patch-mean", Op::MeanRows, &[patches])?;
    net.graph.output("cls", cls)?;
    net.graph.output("patch-mean", mean)?;
    net.graph.output("patches", patches)?;
    let graph = net.graph.finish()?;
    Ok((graph, weights))
}

/// Builds the network as far as the maps named: the patch tokens after a block (`block7`), or after the last layer norm (`last`).
pub(super) fn prepare_maps(
    config: &Vit,
    weights: Weights,
    size: usize,
    maps: &[&str],
) -> Result<(Graph, Weights), ArchError> {
    let config = Vit { image_size: size, ..config.clone() };
    let (weights, layout) = ready(&config, weights)?;
    let known = || (0..layout.layers).map(|layer| format!("block{layer}")).chain(["last".to_owned()]);
    if let Some(map) = maps.iter().find(|map| known().all(|name| name != **map)) {
        return Err(unknown_map(map, known()));
    }
    let mut net = Net::new(&config, &weights);
    let mut x = net.embed(layout.patch_size)?;
    let mut tokens = BTreeMap::new();
    for layer in 0..layout.layers {
        x = net.layer(&format!("encoder.layer.{layer}"), x)?;
        tokens.insert(format!("block{layer}"), x);
        if maps.iter().all(|map| tokens.contains_key(*map)) {
            break;
        }
    }
    if maps.contains(&"last") {
        tokens.insert("last".to_owned(), net.norm("layernorm", x)?);
    }
    for map in maps {
        let rows = net.graph.push(*map, Op::DropRows(layout.prefix_rows), &[tokens[*map]])?;
        net.graph.output(*map, rows)?;
    }
    let graph = net.graph.finish()?;
    Ok((graph, weights))
}

/// The block at three fifths of the depth, and the end.
pub(super) fn detection_maps(weights: &Weights) -> Result<DetectionMaps, ArchError> {
    let prefix = prefix_before(weights, PROJECTION)?;
    let kernel = &tensor(weights, &format!("{prefix}{PROJECTION}"))?.shape;
    let cell = kernel.last().copied().unwrap_or_default();
    let is_dinov2 = weights.get(&format!("{prefix}encoder.layer.0.norm1.weight")).is_some();
    let norm = if is_dinov2 { &DINOV2_NAMES } else { &VIT_NAMES }.norm_before;
    let layers = count_layers(weights, &format!("{prefix}encoder.layer."), &format!(".{norm}.weight"))?;
    let middle = (3 * layers / 5).min(layers - 1);
    let views = vec![vec![format!("block{middle}")], vec!["last".to_owned()]];
    let pooled = vec!["last".to_owned()];
    Ok(DetectionMaps { views, pooled, more: Vec::new(), cell, detail: None, step: cell })
}

/// The tensors under their short names with the positions at the input size, and how the network is laid out.
fn ready(config: &Vit, weights: Weights) -> Result<(Weights, Layout), ArchError> {
    let prefix = prefix_before(&weights, PROJECTION)?;
    let mut weights = without_prefix(weights, &prefix);
    let norm = names(&weights).norm_before;
    let layers = count_layers(&weights, "encoder.layer.", &format!(".{norm}.weight"))?;
    let (patch_size, prefix_rows) = place_positions(&mut weights, config)?;
    Ok((weights, Layout { patch_size, prefix_rows, layers }))
}

fn names(weights: &Weights) -> &'static Names {
    if weights.get("encoder.layer.0.norm1.weight").is_some() { &DINOV2_NAMES } else { &VIT_NAMES }
}

/// How the token sequence is laid out.
struct Layout {
    patch_size: usize,
    /// Class token and registers.
    prefix_rows: usize,
    layers: usize,
}

/// Resamples the positions to the input size and adds the first one to the class token. Gives the patch size and how many
/// rows come before the patches.
fn place_positions(weights: &mut Weights, config: &Vit) -> Result<(usize, usize), ArchError> {
    let kernel = &tensor(weights, PROJECTION)?.shape;
    let [dim, 3, patch_size, _] = kernel[..] else {
        return Err(ArchError::TensorShape {
            name: PROJECTION.to_owned(),
            got: kernel.clone(),
            expected: "[dim, 3, p, p]".to_owned(),
        });
    };
    if patch_size == 0 || config.image_size == 0 || !config.image_size.is_multiple_of(patch_size) {
        let reason = format!("it is not a multiple of the patch size {patch_size}");
        return Err(ArchError::Setting { setting: "image_size", got: config.image_size.to_string(), reason });
    }
    let (rows, width, table) = as_matrix(weights, POSITIONS)?;
    let trained = (rows - 1).isqrt();
    if width != dim || trained == 0 || trained * trained + 1 != rows {
        let expected = format!("[1 + a square, {dim}]");
        return Err(ArchError::TensorShape { name: POSITIONS.to_owned(), got: vec![rows, width], expected });
    }
    let (_, _, class) = as_matrix(weights, CLASS)?;
    let mut prefix: Vec<f32> = class.iter().zip(table).map(|(token, position)| token + position).collect();
    let has_registers = weights.get(REGISTERS).is_some();
    if has_registers {
        prefix.extend_from_slice(as_matrix(weights, REGISTERS)?.2);
    }
    let grid = config.image_size / patch_size;
    let kind = if has_registers { Bicubic::Antialiased } else { Bicubic::Plain };
    let patches = positions::resample(&table[dim..], dim, trained, grid, kind);
    let prefix_rows = prefix.len() / dim;
    if prefix.len() != prefix_rows * dim {
        let expected = format!("[1, n, {dim}]");
        return Err(ArchError::TensorShape {
            name: REGISTERS.to_owned(),
            got: tensor(weights, REGISTERS)?.shape.clone(),
            expected,
        });
    }
    weights.insert(PREFIX_ROWS, Tensor::new(vec![prefix_rows, dim], prefix));
    weights.insert(PATCH_POSITIONS, Tensor::new(vec![grid * grid, dim], patches));
    Ok((patch_size, prefix_rows))
}

/// What the two checkpoints call the parts of a layer.
struct Names {
    norm_before: &'static str,
    norm_after: &'static str,
    widen: &'static str,
    narrow: &'static str,
}

const DINOV2_NAMES: Names =
    Names { norm_before: "norm1", norm_after: "norm2", widen: "mlp.fc1", narrow: "mlp.fc2" };
const VIT_NAMES: Names = Names {
    norm_before: "layernorm_before",
    norm_after: "layernorm_after",
    widen: "intermediate.dense",
    narrow: "output.dense",
};

struct Net<'w> {
    config: &'w Vit,
    names: &'static Names,
    weights: &'w Weights,
    graph: GraphBuilder<'w>,
}

impl<'w> Net<'w> {
    fn new(config: &'w Vit, weights: &'w Weights) -> Self {
        let input = GraphInput::Image { channels: 3, height: config.image_size, width: config.image_size };
        Self { config, names: names(weights), weights, graph: GraphBuilder::new(input, weights) }
    }

    fn embed(&mut self, patch_size: usize) -> Result<ValueId, ArchError> {
        let project = Op::Conv2d {
            weight: PROJECTION.to_owned(),
            bias: self.weights.get(PROJECTION_BIAS).map(|_| PROJECTION_BIAS.to_owned()),
            stride: patch_size,
            padding: Padding::default(),
            groups: 1,
            activation: Activation::None,
        };
        let map = self.graph.push("embeddings.projection", project, &[ValueId::INPUT])?;
        let patches = self.graph.push("embeddings.patches", Op::FlattenPatches, &[map])?;
        let positions = Op::AddPositions { table: PATCH_POSITIONS.to_owned(), first: 0 };
        let placed = self.graph.push("embeddings.positions", positions, &[patches])?;
        Ok(self.graph.push(
            "embeddings.prefix",
            Op::PrependRows { rows: PREFIX_ROWS.to_owned() },
            &[placed],
        )?)
    }

    /// Norm, attention, scale, add; norm, widen, GELU, narrow, scale, add.
    fn layer(&mut self, layer: &str, x: ValueId) -> Result<ValueId, ArchError> {
        let part = |part: &str| format!("{layer}.{part}");
        let normed = self.norm(&part(self.names.norm_before), x)?;
        let query = self.linear(&part("attention.attention.query"), Activation::None, normed)?;
        let key = self.linear(&part("attention.attention.key"), Activation::None, normed)?;
        let value = self.linear(&part("attention.attention.value"), Activation::None, normed)?;
        let heads = Op::Attention { heads: self.config.heads, sight: Sight::All };
        let attended = self.graph.push(part("attention"), heads, &[query, key, value])?;
        let attended = self.linear(&part("attention.output.dense"), Activation::None, attended)?;
        let attended = self.scale(&part("layer_scale1.lambda1"), attended)?;
        let x = self.graph.push(part("attention.add"), Op::Add, &[attended, x])?;
        let normed = self.norm(&part(self.names.norm_after), x)?;
        let wide = self.linear(&part(self.names.widen), Activation::Gelu, normed)?;
        let narrow = self.linear(&part(self.names.narrow), Activation::None, wide)?;
        let narrow = self.scale(&part("layer_scale2.lambda1"), narrow)?;
        Ok(self.graph.push(part("add"), Op::Add, &[narrow, x])?)
    }

    fn linear(&mut self, name: &str, activation: Activation, x: ValueId) -> Result<ValueId, ArchError> {
        let bias = format!("{name}.bias");
        let bias = self.weights.get(&bias).map(|_| bias);
        Ok(self.graph.push(name, Op::Linear { weight: format!("{name}.weight"), bias, activation }, &[x])?)
    }

    fn norm(&mut self, name: &str, x: ValueId) -> Result<ValueId, ArchError> {
        layers::norm(&mut self.graph, name, self.config.layer_norm_eps, x)
    }

    /// LayerScale, where the checkpoint has it.
    fn scale(&mut self, gamma: &str, x: ValueId) -> Result<ValueId, ArchError> {
        if self.weights.get(gamma).is_none() {
            return Ok(x);
        }
        Ok(self.graph.push(gamma, Op::Scale { gamma: gamma.to_owned() }, &[x])?)
    }
}
