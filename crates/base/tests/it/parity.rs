//! Every family equals timm's and transformers' networks, on every engine.
//!
//! The networks are small and their weights made by a formula; `reference/networks.py` and `reference/clip.py` made the values.

use std::{collections::BTreeMap, fs, path::Path};

use base::{
    arch::{self, Family},
    engine::{
        Engine, EngineError,
        native::{NativeEngine, Unsupported},
        reference::ReferenceEngine,
        rten::RtenEngine,
    },
    graph::Graph,
    weights::Weights,
};
use serde::Deserialize;

use crate::made::{self, Given, Kept};

#[derive(Deserialize)]
struct Networks {
    weights: Vec<Vec<(String, Vec<usize>)>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    family: Family,
    /// Which list of weights; an EfficientNet-Lite's follow from its definition.
    weights: usize,
    input: Given,
    outputs: BTreeMap<String, Kept>,
}

/// The networks of every script.
fn networks() -> impl Iterator<Item = (Case, Vec<(String, Vec<usize>)>)> {
    ["networks.json", "clip.json"].into_iter().flat_map(|file| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference").join(file);
        let Networks { weights, cases } = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        cases.into_iter().map(move |case| {
            let shapes = weights.get(case.weights).cloned().unwrap_or_default();
            (case, shapes)
        })
    })
}

/// Runs every case on the engine that `open` makes.
#[track_caller]
fn check(open: impl Fn(&Graph, &Weights) -> Result<Box<dyn Engine>, EngineError>) {
    let (run, unsupported) = check_supported(open);
    assert_eq!(unsupported, Vec::<String>::new());
    assert!(run >= 20);
}

/// Runs the cases that the engine has kernels for; gives how many those were, and the names of the others.
#[track_caller]
fn check_supported(
    open: impl Fn(&Graph, &Weights) -> Result<Box<dyn Engine>, EngineError>,
) -> (usize, Vec<String>) {
    let (mut run, mut unsupported) = (0, Vec::new());
    for (case, shapes) in networks() {
        let weights = match &case.family {
            Family::EfficientnetLite(config) => lite_weights(u8::from(config.variant)),
            _ => made::weights(shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()))),
        };
        let (graph, weights) =
            arch::prepare(&case.family, weights).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        match open(&graph, &weights) {
            Ok(engine) => {
                made::check(&case.name, &*engine, &image_name(&case), &case.input, &case.outputs);
                run += 1;
            }
            Err(EngineError::Backend { source, .. }) if source.is::<Unsupported>() => {
                unsupported.push(case.name)
            }
            Err(error) => panic!("{}: {error:?}", case.name),
        }
    }
    (run, unsupported)
}

/// The scripts name an image after its network, and a ViT's after its size too.
fn image_name(case: &Case) -> String {
    case.name.trim_end_matches("px").replace('-', "")
}

#[test]
fn plain_loops_equal_the_reference() {
    check(|graph, weights| Ok(Box::new(ReferenceEngine::new(graph.clone(), weights.clone())?)));
}

#[test]
fn native_equals_the_reference() {
    // The tiny transformers of the reference have heads narrower than the kernels' 16 lanes; those fall back to rten.
    let (run, unsupported) =
        check_supported(|graph, weights| Ok(Box::new(NativeEngine::new(graph, weights)?)));
    assert!(run >= 5, "{run} ran, unsupported: {unsupported:?}");
    let is_for_all = |name: &String| name.starts_with("lite") || name.starts_with("clip");
    assert!(!unsupported.iter().any(is_for_all), "{unsupported:?}");
}

#[test]
fn emitted_onnx_on_rten_equals_the_reference() {
    check(|graph, weights| Ok(Box::new(RtenEngine::new(graph, weights)?)));
}

/// `make test` installs the library and names it in `DIANJING_ORT_LIBRARY`.
#[cfg(feature = "ort")]
#[test]
fn emitted_onnx_on_onnxruntime_equals_the_reference() {
    use base::engine::ort::OrtEngine;
    let library =
        std::env::var_os("DIANJING_ORT_LIBRARY").expect("run this through `make test`, which sets it");
    check(|graph, weights| Ok(Box::new(OrtEngine::new(Path::new(&library), graph, weights)?)));
}

/// The tensors of EfficientNet-Lite, from the definition: B0's stages, widths times the factor rounded to eights, depths rounded up, stem,
/// head and the depth of the first and last stage unscaled.
fn lite_weights(variant: u8) -> Weights {
    let width = [1.0, 1.0, 1.1, 1.2, 1.4][usize::from(variant)];
    let depth = [1.0, 1.1, 1.2, 1.4, 1.8][usize::from(variant)];
    let scaled = |channels: f64| {
        let wanted = channels * width;
        let rounded = ((wanted + 4.0) / 8.0).floor() * 8.0;
        (if rounded < 0.9 * wanted { rounded + 8.0 } else { rounded }) as usize
    };
    let mut shapes: Vec<(String, Vec<usize>)> = Vec::new();
    let mut conv = |name: String, norm: String, shape: [usize; 4]| {
        shapes.push((format!("{name}.weight"), shape.to_vec()));
        for part in ["weight", "bias", "running_mean", "running_var"] {
            shapes.push((format!("{norm}.{part}"), vec![shape[0]]));
        }
    };
    conv("_conv_stem".into(), "_bn0".into(), [32, 3, 3, 3]);
    let (mut channels, mut block) = (32, 0);
    let stages = [
        (1, 3, 16.0, 1),
        (2, 3, 24.0, 6),
        (2, 5, 40.0, 6),
        (3, 3, 80.0, 6),
        (3, 5, 112.0, 6),
        (4, 5, 192.0, 6),
        (1, 3, 320.0, 6),
    ];
    for (stage, (repeats, kernel, out, expand)) in stages.into_iter().enumerate() {
        let repeats =
            if stage == 0 || stage == 6 { repeats } else { (f64::from(repeats) * depth).ceil() as i32 };
        for _ in 0..repeats {
            let (wide, part) = (channels * expand, |part: &str| format!("_blocks.{block}.{part}"));
            if expand > 1 {
                conv(part("_expand_conv"), part("_bn0"), [wide, channels, 1, 1]);
            }
            conv(part("_depthwise_conv"), part("_bn1"), [wide, 1, kernel, kernel]);
            conv(part("_project_conv"), part("_bn2"), [scaled(out), wide, 1, 1]);
            (channels, block) = (scaled(out), block + 1);
        }
    }
    conv("_conv_head".into(), "_bn1".into(), [1280, channels, 1, 1]);
    made::weights(shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())))
}
