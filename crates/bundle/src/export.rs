//! Base and head as one ONNX graph, for the edge.
//!
//! Pictures go in as bytes 0 to 255 at the network's size, `[n, 3, size, size]`, already cut and scaled; texts as token ids with
//! a mask. Out come `logits` and, for classes and labels, `probabilities`, calibrated as the bundle does it.

use std::collections::BTreeMap;
use std::path::Path;

use base::emit::{Batch, EmitError, OnnxModel, Pixels, emit};
use base::prep::Preprocess;
use evaluate::Calibration;
use tune::{Link, Member};

use crate::{Bundle, BundleError};

/// Writes a bundle with the base in `base_dir` as one ONNX file.
///
/// # Errors
/// [`BundleError::Export`] when the head counts words, which no ONNX operation does, or the base is itself an ONNX file.
pub fn export_onnx(bundle: &Bundle, base_dir: &Path) -> Result<Vec<u8>, BundleError> {
    if bundle.head.members.iter().any(|member| member.words.is_some()) {
        let detail =
            "its head counts words, which ONNX cannot; tune with --no-words and export that".to_owned();
        return Err(BundleError::Export { detail });
    }
    let (graph, weights) = base::open::network(base_dir)?;
    let preprocess = base::open::preprocess_of(base_dir)?;
    let pixels = match &preprocess {
        Preprocess::Image(image) => Pixels::Raw { mean: image.mean.to_vec(), std: image.std.to_vec() },
        Preprocess::Text(_) => Pixels::Prepared,
        Preprocess::Sound(_) | Preprocess::Video(_) | Preprocess::Series(_) => {
            let detail = "its base pools over the pieces of a sound, the frames of a video or the steps of a series, which an ONNX graph cannot";
            return Err(BundleError::Export { detail: detail.to_owned() });
        }
    };
    let mut model = emit(&graph, &weights, &pixels).map_err(export)?;
    model.scope("head");
    let logits = logits(&mut model, bundle).map_err(export)?;
    model.output("logits", &logits).map_err(export)?;
    if let Some(probabilities) = probabilities(&mut model, bundle, &logits).map_err(export)? {
        model.output("probabilities", &probabilities).map_err(export)?;
    }
    for (key, value) in metadata(bundle, &preprocess) {
        model.metadata(key, value);
    }
    Ok(model.into_bytes())
}

fn export(error: EmitError) -> BundleError {
    BundleError::Export { detail: error.to_string() }
}

fn logits(model: &mut OnnxModel, bundle: &Bundle) -> Result<Batch, EmitError> {
    let scores =
        bundle.head.members.iter().map(|member| scores(model, member)).collect::<Result<Vec<_>, _>>()?;
    model.sum(&scores)
}

fn scores(model: &mut OnnxModel, member: &Member) -> Result<Batch, EmitError> {
    let mut parts = Vec::new();
    for set in &member.input.sets {
        let vector = model.vector(set)?;
        parts.push(if member.input.unit { model.l2_normalize(&vector) } else { vector });
    }
    let x = match &parts[..] {
        [only] => only.clone(),
        several => model.concat(&several.iter().collect::<Vec<_>>())?,
    };
    model.linear(&x, member.weight.data(), &member.bias)
}

fn probabilities(model: &mut OnnxModel, bundle: &Bundle, logits: &Batch) -> Result<Option<Batch>, EmitError> {
    let maps = &bundle.decision.calibration;
    Ok(match bundle.head.link {
        Link::Identity => None,
        Link::Softmax => {
            let scaled = match maps[0] {
                Calibration::Temperature { scale } => model.scale(logits, scale as f32),
                Calibration::Identity | Calibration::Platt { .. } => logits.clone(),
            };
            Some(model.softmax(&scaled))
        }
        Link::Sigmoid => {
            let (slopes, offsets): (Vec<f32>, Vec<f32>) = maps
                .iter()
                .map(|map| match *map {
                    Calibration::Identity => (1.0, 0.0),
                    Calibration::Temperature { scale } => (scale as f32, 0.0),
                    Calibration::Platt { slope, offset } => (slope as f32, offset as f32),
                })
                .unzip();
            let mapped = model.affine(logits, &slopes, &offsets)?;
            Some(model.sigmoid(&mapped))
        }
    })
}

/// What whoever runs the file has to know.
fn metadata(bundle: &Bundle, preprocess: &Preprocess) -> BTreeMap<String, String> {
    let json = |value: serde_json::Value| value.to_string();
    let mut lines = BTreeMap::from([
        ("dianjing.bundle".to_owned(), bundle.identity().to_string()),
        ("dianjing.outputs".to_owned(), json(serde_json::json!(bundle.manifest.task.outputs()))),
        ("dianjing.preprocess".to_owned(), json(serde_json::json!(preprocess))),
        (
            "dianjing.base".to_owned(),
            format!("{} ({})", bundle.manifest.base.id, bundle.manifest.base.licence),
        ),
    ]);
    if let Some(rule) = &bundle.decision.reject {
        lines.insert("dianjing.reject_below".to_owned(), rule.threshold.to_string());
    }
    lines
}
