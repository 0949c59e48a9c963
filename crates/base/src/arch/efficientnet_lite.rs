//! EfficientNet-Lite 0 to 4.
//!
//! EfficientNet (Tan and Le 2019) for the edge: no squeeze-and-excitation, ReLU6 instead of swish, and the stem, the first and last
//! stages and the head keep their size in every variant (TensorFlow's `efficientnet_lite_builder.py`). Tensor names are those of the
//! PyTorch packages (`_conv_stem`, `_blocks.N._expand_conv`, ...); the convolutions pad as TensorFlow's `SAME`.

use serde::{Deserialize, Serialize};

use super::{ArchError, batch_norm, tensor, unknown_map};
use crate::{
    graph::{Activation, Graph, GraphBuilder, GraphInput, Op, Padding, Shape, ValueId},
    weights::Weights,
};

/// What the tensors of an EfficientNet-Lite do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfficientNetLite {
    /// Which of the five.
    pub variant: LiteVariant,
    /// Side of the square input in pixels; without it, the size that the variant was trained on.
    #[serde(default)]
    pub image_size: Option<usize>,
}

/// The scale of the network, 0 (smallest) to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct LiteVariant(u8);

impl LiteVariant {
    /// The side of the square images that it was trained on, in pixels.
    pub fn trained_size(self) -> usize {
        [224, 240, 260, 280, 300][usize::from(self.0)]
    }

    /// Blocks in each of the seven stages: EfficientNet-B0's, times the depth factor (1, 1.1, 1.2, 1.4, 1.8), rounded up.
    fn blocks(self) -> [usize; 7] {
        [
            [1, 2, 2, 3, 3, 4, 1],
            [1, 3, 3, 4, 4, 5, 1],
            [1, 3, 3, 4, 4, 5, 1],
            [1, 3, 3, 5, 5, 6, 1],
            [1, 4, 4, 6, 6, 8, 1],
        ][usize::from(self.0)]
    }
}

impl TryFrom<u8> for LiteVariant {
    type Error = ArchError;

    fn try_from(variant: u8) -> Result<Self, ArchError> {
        let reason = || "there are EfficientNet-Lite 0 to 4".to_owned();
        if variant <= 4 {
            Ok(Self(variant))
        } else {
            Err(ArchError::Setting { setting: "variant", got: variant.to_string(), reason: reason() })
        }
    }
}

impl From<LiteVariant> for u8 {
    fn from(variant: LiteVariant) -> Self {
        variant.0
    }
}

/// Added to every batch norm's variance; TensorFlow's default, not PyTorch's.
const BATCH_NORM_EPS: f64 = 1e-3;

/// The stride of the first block of each stage.
const STAGE_STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];

/// The stages that end at stride 8, 16 and 32.
const POOLED_STAGES: [usize; 3] = [2, 4, 6];

/// The stage that ends at stride 16, whose map is the patch grid.
const PATCH_STAGE: usize = 4;

/// The inner maps that can be had: the end of each stage, at strides 2, 4, 8, 16, 16, 32 and 32.
const MAPS: [&str; 7] = ["stage0", "stage1", "stage2", "stage3", "stage4", "stage5", "stage6"];

/// Builds the network. Outputs:
/// - `pooled`: `[1280]`, the mean of the head's map, which the classifier was trained on;
/// - `stages`: the means of the maps at stride 8, 16 and 32, end to end (`[40 + 112 + 320]` for Lite0);
/// - `patch-gem`: `[1280]`, the generalised mean (power 3) of the head's map, for small objects;
/// - `patches`: `[h * w, c]`, the map at stride 16, row by row.
pub(super) fn prepare(
    config: &EfficientNetLite,
    mut weights: Weights,
) -> Result<(Graph, Weights), ArchError> {
    let size = config.image_size.unwrap_or(config.variant.trained_size());
    fold_batch_norms(&mut weights, config.variant)?;
    let mut net = Net::new(&weights, size)?;
    let stage_ends = net.stages(config.variant, STAGE_STRIDES.len())?;
    let head = net.conv("_conv_head", 1, Activation::Relu6, stage_ends[6])?;
    let graph = net.outputs(head, &stage_ends)?;
    Ok((graph, weights))
}

/// Builds the network as far as the maps named, each an output `[h * w, c]`, row by row.
pub(super) fn prepare_maps(
    config: &EfficientNetLite,
    mut weights: Weights,
    size: usize,
    maps: &[&str],
) -> Result<(Graph, Weights), ArchError> {
    let stages = maps
        .iter()
        .map(|map| {
            let known = MAPS.iter().position(|name| name == map);
            known.ok_or_else(|| unknown_map(map, MAPS))
        })
        .collect::<Result<Vec<usize>, ArchError>>()?;
    fold_batch_norms(&mut weights, config.variant)?;
    let mut net = Net::new(&weights, size)?;
    let stage_ends = net.stages(config.variant, stages.iter().max().map_or(0, |last| last + 1))?;
    for (map, stage) in maps.iter().zip(stages) {
        let rows = net.graph.push(*map, Op::FlattenPatches, &[stage_ends[stage]])?;
        net.graph.output(*map, rows)?;
    }
    let graph = net.graph.finish()?;
    Ok((graph, weights))
}

/// The convolutions of a block with their batch norms; the first block has no expansion.
const BLOCK_CONVS: [(&str, &str); 3] =
    [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")];

fn fold_batch_norms(weights: &mut Weights, variant: LiteVariant) -> Result<(), ArchError> {
    batch_norm::fold(weights, "_conv_stem", "_bn0", BATCH_NORM_EPS)?;
    batch_norm::fold(weights, "_conv_head", "_bn1", BATCH_NORM_EPS)?;
    for block in 0..variant.blocks().iter().sum() {
        for (conv, norm) in BLOCK_CONVS.iter().skip(usize::from(block == 0)) {
            batch_norm::fold(
                weights,
                &format!("_blocks.{block}.{conv}"),
                &format!("_blocks.{block}.{norm}"),
                BATCH_NORM_EPS,
            )?;
        }
    }
    Ok(())
}

/// The graph so far, and the tensors whose shapes decide kernels and groups.
struct Net<'w> {
    weights: &'w Weights,
    graph: GraphBuilder<'w>,
}

impl<'w> Net<'w> {
    fn new(weights: &'w Weights, size: usize) -> Result<Self, ArchError> {
        if size < 32 {
            let reason = "the network divides it by 32".to_owned();
            return Err(ArchError::Setting { setting: "image_size", got: size.to_string(), reason });
        }
        let input = GraphInput::Image { channels: 3, height: size, width: size };
        Ok(Self { weights, graph: GraphBuilder::new(input, weights) })
    }

    /// The stem and the first `n` stages; the end of each.
    fn stages(&mut self, variant: LiteVariant, n: usize) -> Result<Vec<ValueId>, ArchError> {
        let mut x = self.conv("_conv_stem", 2, Activation::Relu6, ValueId::INPUT)?;
        let mut ends = Vec::with_capacity(n);
        let mut block = 0;
        for (blocks, first_stride) in variant.blocks().into_iter().zip(STAGE_STRIDES).take(n) {
            for index in 0..blocks {
                x = self.block(block, if index == 0 { first_stride } else { 1 }, x)?;
                block += 1;
            }
            ends.push(x);
        }
        Ok(ends)
    }

    /// A convolution with `SAME` padding; one input channel per filter means depthwise.
    fn conv(
        &mut self,
        name: &str,
        stride: usize,
        activation: Activation,
        x: ValueId,
    ) -> Result<ValueId, ArchError> {
        let weight = format!("{name}.weight");
        let kernel = &tensor(self.weights, &weight)?.shape;
        let Shape::Map { channels, height, width } = self.graph.shape(x) else {
            unreachable!("only maps flow between convolutions")
        };
        let (groups, side) = match kernel[..] {
            [out, 1, side, _] if out == channels => (channels, side),
            [_, _, side, _] => (1, side),
            _ => {
                return Err(ArchError::TensorShape {
                    name: weight,
                    got: kernel.clone(),
                    expected: "[out, in, k, k]".to_owned(),
                });
            }
        };
        let padding = Padding::same_upper((height, width), side, stride);
        let op =
            Op::Conv2d { weight, bias: Some(format!("{name}.bias")), stride, padding, groups, activation };
        Ok(self.graph.push(name, op, &[x])?)
    }

    /// An inverted residual: widen, filter each channel, narrow without activation, add the input when nothing changed size.
    fn block(&mut self, block: usize, stride: usize, x: ValueId) -> Result<ValueId, ArchError> {
        let name = |part: &str| format!("_blocks.{block}.{part}");
        let wide = if block == 0 { x } else { self.conv(&name("_expand_conv"), 1, Activation::Relu6, x)? };
        let filtered = self.conv(&name("_depthwise_conv"), stride, Activation::Relu6, wide)?;
        let narrow = self.conv(&name("_project_conv"), 1, Activation::None, filtered)?;
        if self.graph.shape(narrow) != self.graph.shape(x) {
            return Ok(narrow);
        }
        Ok(self.graph.push(name("add"), Op::Add, &[narrow, x])?)
    }

    fn outputs(mut self, head: ValueId, stage_ends: &[ValueId]) -> Result<Graph, ArchError> {
        let graph = &mut self.graph;
        let pooled = graph.push("pooled", Op::GlobalAvgPool, &[head])?;
        graph.output("pooled", pooled)?;
        let mut means = Vec::new();
        for stage in POOLED_STAGES {
            means.push(graph.push(format!("stage{stage}.mean"), Op::GlobalAvgPool, &[stage_ends[stage]])?);
        }
        let stages = graph.push("stages", Op::Concat, &means)?;
        graph.output("stages", stages)?;
        let cells = graph.push("head.cells", Op::FlattenPatches, &[head])?;
        let gem = graph.push("patch-gem", Op::PowerMeanRows { power: 3.0 }, &[cells])?;
        graph.output("patch-gem", gem)?;
        let patches = graph.push("patches", Op::FlattenPatches, &[stage_ends[PATCH_STAGE]])?;
        graph.output("patches", patches)?;
        Ok(self.graph.finish()?)
    }
}
