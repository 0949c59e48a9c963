//! The part of a base that makes its inner maps.

use std::path::Path;

use super::{Base, BaseError, EngineChoice, engine_of, family};
use crate::arch::{self, DetectionMaps, Family};
use crate::cache::{Card, MODEL};
use crate::engine::Engine;
use crate::graph::Graph;
use crate::prep::Preprocess;
use crate::weights::Weights;

/// A base opened for its inner maps.
pub(crate) struct Maps {
    pub(crate) id: String,
    pub(crate) hash: store::Hash,
    pub(crate) preprocess: Preprocess,
    /// One for each size of picture.
    pub(crate) engines: Vec<Box<dyn Engine>>,
}

/// Opens the part of a base that makes these inner maps of square pictures of each size.
pub(crate) fn maps(
    dir: &Path,
    choice: &EngineChoice,
    sizes: &[usize],
    maps: &[&str],
) -> Result<Maps, BaseError> {
    let base = Base::open(dir, choice)?;
    let family = family(&base.card)?;
    let engine = |size: &usize| {
        let (graph, weights) = maps_of(dir, &base.card.id, &family, *size, maps)?;
        engine_of(&graph, &weights, choice, &base.card.id)
    };
    let engines = sizes.iter().map(engine).collect::<Result<_, _>>()?;
    Ok(Maps { id: base.card.id, hash: base.hash, preprocess: base.preprocess, engines })
}

/// The part of a base that makes these inner maps of square pictures of one size, with its weights; for export.
pub(crate) fn maps_network(dir: &Path, size: usize, maps: &[&str]) -> Result<(Graph, Weights), BaseError> {
    let card = Card::read(dir)?;
    maps_of(dir, &card.id, &family(&card)?, size, maps)
}

fn maps_of(
    dir: &Path,
    id: &str,
    family: &Family,
    size: usize,
    maps: &[&str],
) -> Result<(Graph, Weights), BaseError> {
    let weights = Weights::load(&dir.join(MODEL))?;
    arch::prepare_maps(family, weights, size, maps)
        .map_err(|source| BaseError::Arch { id: id.to_owned(), source })
}

/// Which inner maps of the base in a folder show defects.
pub(crate) fn detection_maps(dir: &Path) -> Result<DetectionMaps, BaseError> {
    let card = Card::read(dir)?;
    let weights = Weights::load(&dir.join(MODEL))?;
    arch::detection_maps(&family(&card)?, &weights)
        .map_err(|source| BaseError::Arch { id: card.id.clone(), source })
}
