//! The multilingual Universal Sentence Encoder, from its package's file to its output, against the package's own code.
//!
//! `reference/use.py` made a small random network and the values; the real one is compared in `parity_tokens.rs` as far as its tokens go.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base::arch::{self, ArchError, Family};
use base::containers::{Fault, Limits, usem3};
use base::emit;
use base::engine::{Engine, NetInput, native::NativeEngine, reference::ReferenceEngine, rten::RtenEngine};
use base::graph::Graph;
use base::weights::{Tensor, Weights};
use rten_tensor::NdTensor;
use serde::Deserialize;

use crate::made::{self, Given, Kept};

const FILE: &[u8] = include_bytes!("../data/usem3.npz");
/// One sentence alone and the same in a padded batch: the same arithmetic, in another order where a product is split otherwise.
const BATCH_TOLERANCE: f32 = 1e-6;

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: Given,
    outputs: BTreeMap<String, Kept>,
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/use.json");
    serde_json::from_slice::<Cases>(&fs::read(path).unwrap()).unwrap().cases
}

fn family() -> Family {
    toml::from_str("family = \"use-multilingual\"").unwrap()
}

fn network() -> (Graph, Weights) {
    arch::prepare(&family(), usem3::read(FILE, &Limits::default()).unwrap()).unwrap()
}

#[track_caller]
fn check(engine: &dyn Engine) {
    for case in cases() {
        made::check(&case.name, engine, "", &case.input, &case.outputs);
    }
}

#[test]
fn plain_loops_equal_the_package() {
    let (graph, weights) = network();
    check(&ReferenceEngine::new(graph, weights).unwrap());
}

#[test]
fn the_built_in_engine_equals_the_package() {
    let (graph, weights) = network();
    check(&NativeEngine::new(&graph, &weights).unwrap());
}

#[test]
fn emitted_onnx_on_rten_equals_the_package() {
    let (graph, weights) = network();
    check(&RtenEngine::new(&graph, &weights).unwrap());
}

#[test]
fn the_output_has_length_one_and_the_name_pooled() {
    let (graph, weights) = network();
    assert_eq!(graph.outputs().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["pooled"]);
    let engine = NativeEngine::new(&graph, &weights).unwrap();
    let output = engine.run(NetInput::Tokens(&[1, 7, 2])).unwrap().remove(0);
    let length = output.data.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    assert!((length - 1.0).abs() < 1e-6, "{length}");
}

/// Texts of different lengths together: what pads the shorter ones must not show, whatever its ids are.
#[test]
fn a_padded_batch_of_the_onnx_equals_its_sentences_alone() {
    let (graph, weights) = network();
    let model = rten::Model::load(emit::to_onnx(&graph, &weights).unwrap()).unwrap();
    let texts: [&[i32]; 4] = [&[5], &[1, 7, 2], &[9, 9, 30, 4, 50, 11, 2], &[3, 40]];
    let run = |texts: &[&[i32]]| {
        let width = texts.iter().map(|text| text.len()).max().unwrap();
        let (mut ids, mut mask) =
            (NdTensor::zeros([texts.len(), width]), NdTensor::zeros([texts.len(), width]));
        for (row, text) in texts.iter().enumerate() {
            for column in 0..width {
                ids[[row, column]] = text.get(column).copied().unwrap_or(17);
                mask[[row, column]] = i32::from(column < text.len());
            }
        }
        let inputs = [("input_ids", ids), ("attention_mask", mask)];
        let inputs = inputs.map(|(name, value)| (model.node_id(name).unwrap(), value.into()));
        let [output] = model.run_n(inputs.into(), [model.node_id("pooled").unwrap()], None).unwrap();
        let output: NdTensor<f32, 2> = output.try_into().unwrap();
        output.into_data()
    };
    let dim = 32;
    let together = run(&texts);
    for (text, got) in texts.iter().zip(together.chunks(dim)) {
        let alone = run(&[text]);
        let worst = got.iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= BATCH_TOLERANCE, "{text:?}: off by {worst:e}");
    }
}

#[test]
fn texts_together_on_the_built_in_engine_give_the_bits_of_each_alone() {
    let (graph, weights) = network();
    let engine = NativeEngine::new(&graph, &weights).unwrap();
    let texts: [&[u32]; 4] = [&[5], &[1, 7, 2], &[9, 9, 30, 4, 50, 11, 2], &[3, 40]];
    let alone: Vec<_> = texts.iter().map(|text| engine.run(NetInput::Tokens(text)).unwrap()).collect();
    assert_eq!(engine.run_texts(&texts).unwrap(), alone);
}

#[test]
fn the_table_is_dealt_and_rounded_as_the_package_does() {
    let weights = usem3::read(FILE, &Limits::default()).unwrap();
    let table = weights.get("embedding.weight").unwrap();
    assert_eq!(table.shape, [51, 32]);
    let raw = base::containers::npz::read(FILE, &Limits::default()).unwrap();
    let at = |name: &str, index: usize| raw.get(name).unwrap().data[index];
    // Token 20 is row 1 of part 20 % 17 = 3, which is called q4.
    assert_eq!(table.data[20 * 32 + 5], at("q4", 32 + 5) * at("scale", 3) + at("lo", 3));
}

#[test]
fn what_is_missing_or_does_not_fit_is_named() {
    let fault = usem3::read(include_bytes!("../data/sound.npz"), &Limits::default()).unwrap_err().fault;
    assert_eq!(fault, Fault::Format { what: "weights of the Universal Sentence Encoder" });
    let small = Limits { values: 1000, ..Limits::default() };
    assert!(matches!(usem3::read(FILE, &small).unwrap_err().fault, Fault::Limit { .. }));
    let missing = arch::prepare(&family(), Weights::new()).unwrap_err();
    assert!(matches!(missing, ArchError::MissingTensor { .. }), "{missing}");
    let (_, mut weights) = network();
    weights.insert("ngram.3.second.weight", Tensor::new(vec![16, 32], vec![0.0; 512]));
    let error = arch::prepare(&family(), weights).unwrap_err();
    assert!(matches!(error, ArchError::Graph(_)), "{error}");
}
