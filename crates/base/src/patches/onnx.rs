//! The patches of photos of one size as part of an ONNX model: scaling, tiles and network.

use std::path::Path;

use super::{PatchPlan, tiling::Tiling};
use crate::emit::{Cells, EmitError, OnnxModel, Pixels, Planes};
use crate::open::{self, BaseError};
use crate::prep::{self, Filter, PrepError, Preprocess};

/// Adds what [`super::PatchBase::grid`] does, with the base in a folder of the cache, for a plan
/// that it was opened with.
///
/// # Errors
/// [`PrepError::TooLarge`] for photos with more than a million cells at this scale; a base without inner maps.
pub fn emit_patches(
    model: &mut OnnxModel,
    photo: &Planes,
    dir: &Path,
    plan: &PatchPlan,
) -> Result<Cells, BaseError> {
    let Preprocess::Image(preprocess) = open::preprocess_of(dir)? else {
        return Err(PrepError::OtherKind { expected: "text" }.into());
    };
    let side = |pixels: usize| u32::try_from(pixels).expect("photos are smaller than 2^32 pixels");
    let tiling = plan.tiling(side(photo.cols()), side(photo.rows()))?;
    model.scope("scaled");
    let scaled = scaled(model, photo, tiling.scaled, preprocess.filter)?;
    let tile_side = plan.tiles[tiling.size];
    let tiles: Vec<Planes> = tiling
        .tiles()
        .map(|tile| {
            let rows = plan.shown(tile.top, tile_side, scaled.rows());
            let cols = plan.shown(tile.left, tile_side, scaled.cols());
            model.pick(&scaled, &rows, &cols)
        })
        .collect();
    let maps: Vec<&str> = plan.maps.iter().map(String::as_str).collect();
    let (graph, weights) = open::maps_network(dir, tile_side, &maps)?;
    let pixels = Pixels::Raw { mean: preprocess.mean.to_vec(), std: preprocess.std.to_vec() };
    let outputs = model.network(&graph, &weights, &tiles, &pixels)?;
    model.scope("patches");
    let fitted = outputs
        .iter()
        .map(|output| model.regrid(output, tiling.cells, tiling.cells))
        .collect::<Result<Vec<_>, EmitError>>()?;
    let joined = model.join(&fitted)?;
    let grid = (tiling.rows, tiling.cols);
    let patches = model.assemble(&joined, tiles.len(), &places(&tiling), grid)?;
    Ok(model.as_halves(&patches))
}

/// The photo at another size, rounded to bytes after each side as [`prep::scale`] does.
fn scaled(
    model: &mut OnnxModel,
    photo: &Planes,
    (width, height): (usize, usize),
    filter: Filter,
) -> Result<Planes, EmitError> {
    let mut scaled = photo.clone();
    if height != photo.rows() {
        let down = model.resample_down(&scaled, &prep::resampling(photo.rows(), height, filter))?;
        scaled = model.as_bytes(&down);
    }
    if width != photo.cols() {
        let across = model.resample_across(&scaled, &prep::resampling(photo.cols(), width, filter))?;
        scaled = model.as_bytes(&across);
    }
    Ok(scaled)
}

/// For each cell of the photo's grid, its place among the cells of all tiles.
fn places(tiling: &Tiling) -> Vec<usize> {
    let mut places = vec![0; tiling.rows * tiling.cols];
    for (number, tile) in tiling.tiles().enumerate() {
        for (place, from) in tile.gives {
            places[place] = number * tiling.cells * tiling.cells + from;
        }
    }
    places
}
