//! Whisper-base's encoder equals CTranslate2's own runtime on half a minute of made frames (`reference/whisper.py`).
//!
//! A base that is not in `DIANJING_CACHE` is fetched into it first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use base::cache::Cache;
use base::catalogue::Catalogue;
use base::engine::native::NativeEngine;
use base::engine::rten::RtenEngine;
use base::engine::{Engine, EngineError, NetInput, NetOutput};
use base::open;
use base::pull::PullOptions;
use serde::Deserialize;

const FRAMES: usize = 3_000;
const BANDS: usize = 80;

#[derive(Deserialize)]
struct Reference {
    rows: BTreeMap<usize, Vec<f32>>,
    mean: Vec<f32>,
}

/// `[3000, 80]`; the script makes the same.
fn frames() -> Vec<f32> {
    let places = (0..FRAMES).flat_map(|frame| (0..BANDS).map(move |band| (frame, band)));
    places
        .map(|(frame, band)| ((band * 31 + frame * 17 + band * frame) % 97) as f32 / 97.0 * 2.0 - 0.5)
        .collect()
}

fn folder() -> PathBuf {
    let home = || env::home_dir().unwrap().join(".cache/dianjing");
    let cache = Cache::new(env::var_os("DIANJING_CACHE").map_or_else(home, PathBuf::from).join("bases"));
    let catalogue = Catalogue::builtin();
    cache.pull(catalogue.entry("whisper-base").unwrap(), &PullOptions::default(), &mut |_| {}).unwrap()
}

fn largest_difference(output: &NetOutput, reference: &Reference) -> f32 {
    let dim = output.dim();
    let of_rows = reference.rows.iter().flat_map(|(row, kept)| {
        kept.iter().zip(&output.data[row * dim..]).map(|(theirs, ours)| (theirs - ours).abs())
    });
    let of_means = reference.mean.iter().enumerate().map(|(column, theirs)| {
        let sum: f64 = output.data.iter().skip(column).step_by(dim).map(|value| f64::from(*value)).sum();
        (f64::from(*theirs) - sum / output.rows as f64).abs() as f32
    });
    of_rows.chain(of_means).fold(0.0, f32::max)
}

#[test]
fn the_encoder_equals_ctranslate2s() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sound/whisper.json");
    let reference: Reference = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let (graph, weights) = open::network(&folder()).unwrap();
    let native = NativeEngine::new(&graph, &weights).unwrap();
    let rten = RtenEngine::new(&graph, &weights).unwrap();
    let frames = frames();
    for engine in [&native as &dyn Engine, &rten] {
        let output = engine.run(NetInput::Frames(&frames)).unwrap().remove(0);
        assert_eq!((output.rows, output.dim()), (FRAMES / 2, 512), "{}", engine.name());
        let difference = largest_difference(&output, &reference);
        assert!(difference < 1e-3, "{}: {difference}", engine.name());
    }
    let half = &frames[..160 * 7];
    let (ours, theirs) = (native.run(NetInput::Frames(half)), rten.run(NetInput::Frames(half)));
    let (ours, theirs) = (ours.unwrap().remove(0), theirs.unwrap().remove(0));
    assert_eq!(ours.rows, 7);
    assert!(ours.data.iter().zip(&theirs.data).all(|(a, b)| (a - b).abs() < 1e-3));
    assert!(matches!(native.run(NetInput::Frames(&frames[..100])), Err(EngineError::FrameCount { .. })));
    assert!(matches!(native.run(NetInput::Frames(&[])), Err(EngineError::FrameCount { .. })));
    assert!(matches!(native.run(NetInput::Tokens(&[1])), Err(EngineError::WrongKind { .. })));
}
