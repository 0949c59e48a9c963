//! Network families, each written once as a plain function over [`crate::graph`].
//!
//! Start at [`prepare`]: it takes a checkpoint's tensors under their published names and gives a graph with exactly the weights that
//! it reads. Sizes (layers, width, vocabulary) are read off the tensors; a [`Family`] holds only what the tensors do not say.

mod batch_norm;
mod bert;
mod clip;
mod efficientnet_lite;
mod layers;
mod positions;
mod sentence_cnn;
mod vit;
mod whisper;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use bert::Bert;
pub use clip::{Clip, Gelu, Tower};
pub use efficientnet_lite::{EfficientNetLite, LiteVariant};
pub use sentence_cnn::SentenceCnn;
pub use vit::Vit;
pub use whisper::Whisper;

use crate::{
    engine::OnnxSpec,
    graph::{Graph, GraphError, Node},
    weights::{Tensor, Weights},
};

/// Which network a base is, as `base.toml` says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "kebab-case")]
pub enum Family {
    /// EfficientNet-Lite 0 to 4: convolutions, no squeeze-and-excitation.
    EfficientnetLite(EfficientNetLite),
    /// BERT and what shares its layers: MiniLM, multilingual E5, XLM-R.
    Bert(Bert),
    /// The multilingual Universal Sentence Encoder: n-grams of token embeddings.
    UseMultilingual(SentenceCnn),
    /// ViT and DINOv2.
    Vit(Vit),
    /// The encoder of Whisper: sounds.
    Whisper(Whisper),
    /// CLIP: a tower that looks and one that reads, into one space.
    Clip(Clip),
    /// A network that exists only as an ONNX file: it runs frozen, and cannot be taken apart.
    Onnx(OnnxSpec),
}

/// Why a checkpoint did not become a network.
#[derive(Debug, thiserror::Error)]
pub enum ArchError {
    /// A tensor that the family has is not in the checkpoint.
    #[error("the checkpoint has no tensor `{name}`; is it another family?")]
    MissingTensor {
        /// Its published name.
        name: String,
    },
    /// A tensor has a shape that the family does not have.
    #[error("tensor `{name}` is {got:?}, expected {expected}")]
    TensorShape {
        /// Its published name.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// What the family has, in words.
        expected: String,
    },
    /// A setting of `base.toml` is out of range.
    #[error("{setting} {got} does not fit: {reason}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// Its value.
        got: String,
        /// Why not.
        reason: String,
    },
    /// The tensors do not fit together.
    #[error("the checkpoint does not fit its family")]
    Graph(#[from] GraphError),
    /// An ONNX file has no graph here: give it to an engine as it is.
    #[error("a base that is an ONNX file runs as it is and has no layers to prepare")]
    FrozenOnly,
    /// The network does not look at pictures, or nothing is known of where it sees defects.
    #[error("only EfficientNet-Lite, ViT and DINOv2 have maps that show defects")]
    NoMaps,
}

/// Builds the network of `family` over a checkpoint.
///
/// Takes the tensors under their published names and gives back only those that the graph reads, with batch norms folded into their
/// convolutions and constant embeddings summed. Tensors that are used as they are are moved, so a mapped table stays mapped.
pub fn prepare(family: &Family, weights: Weights) -> Result<(Graph, Weights), ArchError> {
    Ok(only_used(match family {
        Family::EfficientnetLite(config) => efficientnet_lite::prepare(config, weights)?,
        Family::Bert(config) => bert::prepare(config, weights)?,
        Family::UseMultilingual(config) => sentence_cnn::prepare(config, weights)?,
        Family::Vit(config) => vit::prepare(config, weights)?,
        Family::Whisper(config) => whisper::prepare(config, weights)?,
        Family::Clip(config) => clip::prepare(config, weights)?,
        Family::Onnx(_) => return Err(ArchError::FrozenOnly),
    }))
}

/// Builds the part of a vision network that makes the inner maps named, for square pictures of `size` pixels.
///
/// Every output is `[h * w, c]`, row by row; EfficientNet-Lite has `stage0` to `stage6`, a ViT has `block0`, `block1`, ... and
/// `last`.
///
/// # Errors
/// [`ArchError::NoMaps`] for networks of other senses, [`ArchError::Setting`] for a map or a size that the family does not have.
pub fn prepare_maps(
    family: &Family,
    weights: Weights,
    size: usize,
    maps: &[&str],
) -> Result<(Graph, Weights), ArchError> {
    Ok(only_used(match family {
        Family::EfficientnetLite(config) => efficientnet_lite::prepare_maps(config, weights, size, maps)?,
        Family::Vit(config) => vit::prepare_maps(config, weights, size, maps)?,
        Family::Onnx(_) => return Err(ArchError::FrozenOnly),
        Family::Bert(_) | Family::UseMultilingual(_) | Family::Whisper(_) | Family::Clip(_) => {
            return Err(ArchError::NoMaps);
        }
    }))
}

/// Which inner maps show defects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectionMaps {
    /// Groups of maps, each compared with good parts by itself: what surfaces look like, then what things are where.
    pub views: Vec<Vec<String>>,
    /// Those of the maps whose mean and spread over a whole photo are compared as well.
    pub pooled: Vec<String>,
    /// Further maps that help once defects are marked.
    pub more: Vec<String>,
    /// Side of a cell in pixels: the stride of the first view.
    pub cell: usize,
    /// An earlier map that shows fine detail, and the side of its cells; too narrow a view to judge a photo by.
    pub detail: Option<(String, usize)>,
    /// Sides of tiles are multiples of this.
    pub step: usize,
}

/// The inner maps of a vision network that show defects; measured in `docs/inspection.md` for EfficientNet-Lite, and for a ViT
/// the middle depth that SubspaceAD and the last block that AnomalyDINO look at (methods 2.1).
///
/// # Errors
/// [`ArchError::NoMaps`] for networks of other senses, and what [`prepare`] gives for weights that do not fit.
pub fn detection_maps(family: &Family, weights: &Weights) -> Result<DetectionMaps, ArchError> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    match family {
        Family::EfficientnetLite(_) => Ok(DetectionMaps {
            views: vec![names(&["stage3", "stage4"]), names(&["stage5"])],
            pooled: names(&["stage4", "stage5"]),
            more: names(&["stage2", "stage6"]),
            cell: 16,
            detail: Some(("stage2".to_owned(), 8)),
            step: 32,
        }),
        Family::Vit(_) => vit::detection_maps(weights),
        Family::Onnx(_) => Err(ArchError::FrozenOnly),
        Family::Bert(_) | Family::UseMultilingual(_) | Family::Whisper(_) | Family::Clip(_) => {
            Err(ArchError::NoMaps)
        }
    }
}

/// Whether a network, as cards and the catalogue describe it, has a tower that reads beside the one that looks.
pub(crate) fn has_reader(network: &toml::Table) -> bool {
    network.get("family").and_then(toml::Value::as_str) == Some("clip")
}

/// The graph with the weights that it reads, and no others.
fn only_used((graph, mut weights): (Graph, Weights)) -> (Graph, Weights) {
    let used: BTreeSet<&str> = graph.nodes().iter().flat_map(|Node { op, .. }| op.weights()).collect();
    let unused: Vec<String> =
        weights.names().filter(|name| !used.contains(name)).map(str::to_owned).collect();
    for name in unused {
        weights.remove(&name);
    }
    (graph, weights)
}

/// The error that a family has no such map.
fn unknown_map(map: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> ArchError {
    let known: Vec<String> = known.into_iter().map(|name| name.as_ref().to_owned()).collect();
    ArchError::Setting {
        setting: "map",
        got: map.to_owned(),
        reason: format!("the network has {}", known.join(", ")),
    }
}

/// The tensor of that name, or the error that it is missing.
fn tensor<'w>(weights: &'w Weights, name: &str) -> Result<&'w Tensor, ArchError> {
    weights.get(name).ok_or_else(|| ArchError::MissingTensor { name: name.to_owned() })
}

/// A tensor whose leading axes of length 1 are dropped until `[rows, dim]` is left.
fn as_matrix<'w>(weights: &'w Weights, name: &str) -> Result<(usize, usize, &'w [f32]), ArchError> {
    let found = tensor(weights, name)?;
    match found.shape[..] {
        [rows, dim] | [1, rows, dim] if rows * dim > 0 => Ok((rows, dim, &found.data)),
        _ => Err(ArchError::TensorShape {
            name: name.to_owned(),
            got: found.shape.clone(),
            expected: "[rows, dim]".to_owned(),
        }),
    }
}

/// The part of every tensor's name before `known` (checkpoints of a whole model carry `bert.` or `dinov2.` in front).
fn prefix_before(weights: &Weights, known: &str) -> Result<String, ArchError> {
    let prefix = weights.names().find_map(|name| name.strip_suffix(known)).map(str::to_owned);
    prefix.ok_or_else(|| ArchError::MissingTensor { name: known.to_owned() })
}

/// Drops `prefix` from the names that have it, and the tensors that do not.
fn without_prefix(mut weights: Weights, prefix: &str) -> Weights {
    if prefix.is_empty() {
        return weights;
    }
    let names: Vec<String> = weights.names().map(str::to_owned).collect();
    let inside =
        names.iter().filter_map(|name| Some((name.strip_prefix(prefix)?.to_owned(), weights.remove(name)?)));
    inside.collect()
}

/// How many `{before}{n}{after}` there are, for n = 0, 1, ...
fn count_layers(weights: &Weights, before: &str, after: &str) -> Result<usize, ArchError> {
    let name = |layer: usize| format!("{before}{layer}{after}");
    let count = (0..).take_while(|layer| weights.get(&name(*layer)).is_some()).count();
    if count == 0 { Err(ArchError::MissingTensor { name: name(0) }) } else { Ok(count) }
}
