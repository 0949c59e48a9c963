//! An inspector as one ONNX graph: from the bytes of photos of one size to a score, an alarm and a map.
//!
//! Scaling, tiles and networks are written by [`base::patches::emit_patches`]; here come the memories, what defects have taught,
//! and the weighing, in the order in which [`Inspector::opinion`] goes.

use std::collections::BTreeMap;
use std::path::Path;

use base::emit::{Bank, Cells, EmitError, OnnxModel};
use base::patches::emit_patches;
use linalg::Matrix;
use tune::detect::{LocalMemory, PatchLogit};

use super::contents::InspectionBundle;
use super::inspector::{Inspector, Teaching};
use super::map::top_count;
use super::sight::LEAST_SPREAD;
use super::votes::Detector;
use super::weighing::Usual;
use super::{marks, memories};
use crate::BundleError;

/// Writes an inspector with the base in `base_dir` as one ONNX file for photos of this width and height in pixels.
///
/// It takes `photo`, bytes `[n, height, width, 3]`, red first, upright, and gives `score` `[n]`, `alarm` `[n]` and `map`
/// `[n, rows, cols]`, the suspicion by cell. The file's metadata tell what they mean.
///
/// # Errors
/// [`BundleError::ExportDrawn`] for an inspector of sounds, videos or series, [`BundleError::ExportPrepared`] for one that lays photos over a reference
/// or paints over their background first; photos with too many cells.
pub fn export_inspector(
    bundle: &InspectionBundle,
    base_dir: &Path,
    (width, height): (u32, u32),
) -> Result<Vec<u8>, BundleError> {
    let inspector = &bundle.inspector;
    can_export(bundle)?;
    let (mut model, photo) = OnnxModel::of_photos(width as usize, height as usize);
    let mut grids = Vec::new();
    for look in &inspector.sight.looks {
        grids.push(emit_patches(&mut model, &photo, base_dir, &look.plan)?);
    }
    let (score, map) = opinion(&mut model, inspector, &grids).map_err(failed)?;
    model.scope("outputs");
    model.output_number("score", &score).map_err(failed)?;
    let threshold = bundle.alarm.threshold.threshold();
    model.output_above("alarm", &score, threshold as f32).map_err(failed)?;
    model.output_map("map", &map).map_err(failed)?;
    for (key, value) in metadata(bundle, (width, height), &map) {
        model.metadata(key, value);
    }
    Ok(model.into_bytes())
}

/// Whether the way of looking is one that an ONNX graph knows.
///
/// # Errors
/// [`BundleError::ExportDrawn`] and [`BundleError::ExportPrepared`].
pub fn can_export(bundle: &InspectionBundle) -> Result<(), BundleError> {
    let inspector = &bundle.inspector;
    if inspector.sight.canvas.is_some() || bundle.manifest.base.modality == "sound" {
        Err(BundleError::ExportDrawn)
    } else if inspector.prepares() {
        Err(BundleError::ExportPrepared)
    } else {
        Ok(())
    }
}

fn failed(error: EmitError) -> BundleError {
    BundleError::Export { detail: error.to_string() }
}

/// Score and map, from what is seen at each scale.
fn opinion(
    model: &mut OnnxModel,
    inspector: &Inspector,
    grids: &[Cells],
) -> Result<(Cells, Cells), EmitError> {
    let units = &inspector.units;
    let voices = voices(model, inspector, grids)?;
    let (mut tops, mut mapped) = (Vec::new(), Vec::new());
    let drawn = || voices.iter().zip(&units.voices).filter(|(_, of)| of.draws()).map(|(map, _)| map);
    let finest = drawn().max_by_key(|map| map.count()).unwrap_or(&grids[0]);
    for (number, (map, of)) in voices.iter().zip(&units.voices).enumerate() {
        model.scope(&format!("voice{number}"));
        if units.votes.contains(of) {
            let top = model.top_mean(map, top_count(memories::TOP, map.count()))?;
            tops.push(in_units(model, &top, units.tops[number]));
        }
        if of.draws() {
            let map = model.regrid(map, finest.rows(), finest.cols())?;
            mapped.push(in_units(model, &map, units.patches[number]));
        }
    }
    let wholes =
        if units.votes.contains(&Detector::Whole) { wholes(model, inspector, grids)? } else { Vec::new() };
    model.scope("opinion");
    let mut map = mean(model, &mapped)?;
    if let Some(ground) = &units.ground {
        let edges: Vec<f32> = ground.edges_of(map.rows(), map.cols()).collect();
        map = model.less_level(&map, &edges, ground.level().map(|end| end as f32))?;
    }
    let mut parts = Vec::new();
    for said in [&tops, &wholes] {
        if !said.is_empty() {
            parts.push(mean(model, said)?);
        }
    }
    let alone = model.sum_cells(&parts)?;
    match &inspector.taught {
        Some(taught) => joined(model, inspector, taught, grids, (alone, map)),
        None => Ok((alone, map)),
    }
}

/// The map of every voice, in the order of [`super::Memories::say`].
fn voices(model: &mut OnnxModel, inspector: &Inspector, grids: &[Cells]) -> Result<Vec<Cells>, EmitError> {
    let Inspector { sight, memories, .. } = inspector;
    let mut voices = Vec::new();
    let looks = sight.looks.iter().zip(grids);
    let views = looks.flat_map(|(look, grid)| look.views.iter().map(move |view| (view, grid)));
    for (number, ((view, grid), memory)) in views.zip(&memories.views).enumerate() {
        if let Some(memory) = memory {
            model.scope(&format!("view{number}"));
            let columns = model.columns(grid, view);
            voices.push(apart(model, &columns, memory)?);
        }
    }
    for (scale, residual) in memories.residuals.iter().enumerate() {
        model.scope(&format!("residual{scale}"));
        let columns = model.columns(&grids[scale], &sight.looks[scale].views[0]);
        // How far a patch leaves the directions of good ones is its distance to the middle, where those directions are short.
        let middle = Matrix::zeros(1, residual.map().rows());
        let bank = Bank { mean: residual.mean(), map: residual.map(), rows: &middle, weight: &[1.0] };
        voices.push(model.nearest(&columns, &bank)?);
    }
    Ok(voices)
}

/// What the comparisons of whole photos say, by scale.
fn wholes(model: &mut OnnxModel, inspector: &Inspector, grids: &[Cells]) -> Result<Vec<Cells>, EmitError> {
    let Inspector { sight, memories, units, .. } = inspector;
    let looks = sight.looks.iter().zip(grids).filter(|(look, _)| !look.is_detail());
    let mut wholes = Vec::new();
    for (scale, ((look, grid), (memory, units))) in
        looks.zip(memories.pooled.iter().zip(&units.pooled)).enumerate()
    {
        model.scope(&format!("whole{scale}"));
        let columns = model.columns(grid, &look.pooled);
        let whole = model.mean_and_log_spread(&columns, LEAST_SPREAD as f32);
        let distance = apart(model, &whole, memory)?;
        wholes.push(in_units(model, &distance, *units));
    }
    Ok(wholes)
}

/// The distance of each cell to what a memory holds, as [`LocalMemory::scores`] tells it.
fn apart(model: &mut OnnxModel, x: &Cells, memory: &LocalMemory) -> Result<Cells, EmitError> {
    let rows = memory.bank().widened();
    let bank = Bank { mean: memory.mean(), map: memory.map(), rows: &rows, weight: memory.weight() };
    model.nearest(x, &bank)
}

fn in_units(model: &mut OnnxModel, x: &Cells, usual: Usual) -> Cells {
    model.affine_cells(x, (1.0 / usual.spread) as f32, (-usual.middle / usual.spread) as f32)
}

fn mean(model: &mut OnnxModel, parts: &[Cells]) -> Result<Cells, EmitError> {
    let sum = model.sum_cells(parts)?;
    Ok(model.affine_cells(&sum, 1.0 / parts.len() as f32, 0.0))
}

/// Score and map by good parts alone, joined with what defects have taught.
fn joined(
    model: &mut OnnxModel,
    inspector: &Inspector,
    taught: &Teaching,
    grids: &[Cells],
    (alone, map): (Cells, Cells),
) -> Result<(Cells, Cells), EmitError> {
    model.scope("taught");
    let (marks, joining) = (&taught.marks, &taught.joining);
    let logits = patch_logits(model, inspector, &marks.patch, grids)?;
    let top = model.top_mean(&logits, top_count(marks::TOP, logits.count()))?;
    let whole = whole(model, inspector, grids)?;
    let photo = model.weigh_columns(&whole, &marks.photo.weight, marks.photo.bias)?;
    let top = in_units(model, &top, joining.marks.top);
    let photo = in_units(model, &photo, joining.marks.photo);
    let both = model.sum_cells(&[alone.clone(), top, photo])?;
    let alone = in_units(model, &alone, joining.alone);
    let both = in_units(model, &both, joining.both);
    let score = model.max_cells(&[alone, both])?;
    if !marks.marked {
        return Ok((score, map));
    }
    let marked = model.regrid(&logits, map.rows(), map.cols())?;
    let marked = in_units(model, &marked, joining.marks.patches);
    let map = mean(model, &[map, marked])?;
    Ok((score, map))
}

/// The logit of every patch of the finest grid. What the coarser scales add is brought to it as a logit: that is the same as
/// bringing features to it, and less work.
fn patch_logits(
    model: &mut OnnxModel,
    inspector: &Inspector,
    patch: &PatchLogit,
    grids: &[Cells],
) -> Result<Cells, EmitError> {
    let fine = &grids[0];
    let mut rest = &patch.weight[..];
    let mut take = |count: usize| {
        let (part, left) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = left;
        part
    };
    let mut parts = vec![model.weigh_columns(fine, take(fine.dim()), patch.bias)?];
    let wide = inspector.sight.looks.iter().zip(grids).filter(|(look, _)| !look.is_detail());
    for (look, grid) in wide.skip(1) {
        let columns = model.columns(grid, &look.pooled);
        let logit = model.weigh_columns(&columns, take(look.pooled.len()), 0.0)?;
        parts.push(model.regrid(&logit, fine.rows(), fine.cols())?);
    }
    if !rest.is_empty() {
        let (got, expected) = (patch.weight.len(), patch.weight.len() - rest.len());
        return Err(EmitError::Length { what: "the patch head", got, expected });
    }
    model.sum_cells(&parts)
}

/// Mean and spread of all columns at the finest scale and of the pooled ones at the others.
fn whole(model: &mut OnnxModel, inspector: &Inspector, grids: &[Cells]) -> Result<Cells, EmitError> {
    let mut parts = Vec::new();
    let wide = inspector.sight.looks.iter().zip(grids).filter(|(look, _)| !look.is_detail());
    for (scale, (look, grid)) in wide.enumerate() {
        let columns = if scale == 0 { grid.clone() } else { model.columns(grid, &look.pooled) };
        parts.push(model.mean_and_log_spread(&columns, LEAST_SPREAD as f32));
    }
    model.join(&parts)
}

/// What whoever runs the file has to know.
fn metadata(bundle: &InspectionBundle, (width, height): (u32, u32), map: &Cells) -> BTreeMap<String, String> {
    let alarm = &bundle.alarm;
    let input = serde_json::json!({
        "name": base::emit::PHOTO_INPUT,
        "type": "uint8",
        "layout": "NHWC",
        "width": width,
        "height": height,
        "colours": "RGB",
        "bits_used_of_16": bundle.inspector.sight.depth.bits(),
        "values": "0 to 255 as decoded, sRGB, upright as EXIF says, what is transparent on white; the graph scales and normalises",
    });
    let outputs = serde_json::json!({
        "score": { "shape": ["n"], "meaning": "suspicion of the part, higher for more" },
        "alarm": { "shape": ["n"], "meaning": "true when the score is above the threshold" },
        "map": {
            "shape": ["n", map.rows(), map.cols()],
            "meaning": "suspicion by cell over the whole photo; scale bilinearly (half-pixel centres) to its size; good parts hardly reach the mark",
        },
    });
    BTreeMap::from([
        ("dianjing.bundle".to_owned(), bundle.manifest.identity().to_string()),
        (
            "dianjing.base".to_owned(),
            format!("{} ({})", bundle.manifest.base.id, bundle.manifest.base.licence),
        ),
        ("dianjing.input".to_owned(), input.to_string()),
        ("dianjing.outputs".to_owned(), outputs.to_string()),
        ("dianjing.threshold".to_owned(), alarm.threshold.threshold().to_string()),
        ("dianjing.promise".to_owned(), serde_json::json!(alarm.threshold).to_string()),
        ("dianjing.mark".to_owned(), alarm.mark.threshold().to_string()),
        ("dianjing.good_scores".to_owned(), serde_json::json!(alarm.good).to_string()),
    ])
}
