//! An exported bundle gives in ONNX Runtime what `predict` gives.
//!
//! `make test` installs ONNX Runtime for Python below `DIANJING_CACHE`; without it these tests fail and say so.

use std::path::PathBuf;
use std::process::Command;

use base::tokenizer::Tokenizer;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::run::{Place, cache};

/// Side of the pictures that the network takes: nothing is cut or scaled, so both sides see the same pixels.
const SIDE: u32 = 224;
/// How far probabilities may be apart, across engines.
const TOLERANCE: f64 = 1e-3;

/// Runs a model on inputs read from a file, prints the probabilities.
const SCRIPT: &str = r"
import json, sys
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])
rows = []
for feed in json.load(open(sys.argv[2])):
    types = {'tensor(float)': numpy.float32, 'tensor(int64)': numpy.int64}
    feed = {i.name: numpy.array(feed[i.name], types[i.type]) for i in session.get_inputs()}
    rows.append(session.run(['probabilities'], feed)[0][0].tolist())
print(json.dumps(rows))
";

pub(crate) fn python() -> PathBuf {
    let home = cache().join("python");
    assert!(
        home.join("ready").exists(),
        "no ONNX Runtime in {}: run this through `make test`",
        home.display()
    );
    home.join("bin/python")
}

/// Probabilities of the exported graph, input by input.
fn in_onnx_runtime(place: &Place, python: &PathBuf, feeds: &Value) -> Vec<Vec<f64>> {
    place.write("feeds.json", feeds.to_string());
    let ran = Command::new(python)
        .args(["-c", SCRIPT, "model.onnx", "feeds.json"])
        .current_dir(place.dir.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// Compares with `predict --json`, class by class.
fn compare(place: &Place, bundle: &str, inputs: &[&str], theirs: &[Vec<f64>]) {
    let predicted = place.run(&[&["predict", bundle, "--json"][..], inputs].concat()).fine();
    let answers: Value = serde_json::from_str(&predicted.out).unwrap();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), theirs.len());
    for (answer, theirs) in answers.iter().zip(theirs) {
        let ours = answer["prediction"]["probs"].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            let apart = (ours.as_f64().unwrap() - theirs).abs();
            assert!(apart < TOLERANCE, "{answer} and {theirs}");
        }
    }
}

#[test]
fn an_exported_picture_model_answers_as_predict_does() {
    let python = python();
    let place = Place::new();
    place.pictures("parts", 14);
    place.run(&["tune", "parts", "--base", "efficientnet-lite0"]).fine();
    let sized = place.run(&["export", "parts.djm", "--onnx", "model.onnx", "--size", "224x224"]);
    assert!(sized.code == 2 && sized.err.contains("--size is for inspectors"), "{}", sized.err);
    place.run(&["export", "parts.djm", "--onnx", "model.onnx"]).fine();
    let pictures: Vec<RgbImage> = (0..3)
        .map(|index| {
            RgbImage::from_fn(SIDE, SIDE, |x, y| {
                Rgb([(x * (index + 1)) as u8, (y + 40 * index) as u8, ((x / 16 + y / 16) % 2 * 200) as u8])
            })
        })
        .collect();
    let mut names = Vec::new();
    for (index, picture) in pictures.iter().enumerate() {
        names.push(format!("{index}.png"));
        picture.save(place.path(&names[index])).unwrap();
    }
    let feeds: Vec<Value> = pictures
        .iter()
        .map(|picture| {
            let plane = |channel: usize| -> Vec<Vec<u8>> {
                picture.rows().map(|row| row.map(|pixel| pixel.0[channel]).collect()).collect()
            };
            json!({ "image": [[plane(0), plane(1), plane(2)]] })
        })
        .collect();
    let theirs = in_onnx_runtime(&place, &python, &json!(feeds));
    compare(&place, "parts.djm", &names.iter().map(String::as_str).collect::<Vec<_>>(), &theirs);
}

#[test]
fn an_exported_text_model_answers_as_predict_does() {
    let python = python();
    let place = Place::new();
    let row = |index: usize| {
        let intent = ["card", "top up", "refund"][index % 3];
        format!("please help with my {intent} number {index},{intent}\n")
    };
    place.write("tickets.csv", "text,intent\n".to_owned() + &(0..36).map(row).collect::<String>());
    place.run(&["tune", "tickets.csv", "--base", "minilm-l6-en", "--no-words"]).fine();
    place.run(&["export", "tickets.djm", "--onnx", "model.onnx"]).fine();
    let texts = ["where is my card", "I want my money back", "topping up failed again"];
    place.write("new.csv", "text\n".to_owned() + &texts.join("\n") + "\n");
    let tokenizer = Tokenizer::from_file(&cache().join("bases/minilm-l6-en/tokenizer.json"), 256).unwrap();
    let feeds: Vec<Value> = texts
        .iter()
        .map(|text| {
            let ids = tokenizer.encode(text).unwrap();
            json!({ "input_ids": [ids], "attention_mask": [vec![1; ids.len()]] })
        })
        .collect();
    let theirs = in_onnx_runtime(&place, &python, &json!(feeds));
    compare(&place, "tickets.djm", &["new.csv"], &theirs);
}

#[test]
#[cfg(feature = "ort")]
fn another_engine_gives_the_same_answers() {
    let place = Place::new();
    place.pictures("parts", 14);
    place.run(&["tune", "parts", "--base", "efficientnet-lite0"]).fine();
    let probs = |engine: &str| -> Vec<f64> {
        let ran = place.run(&["predict", "parts.djm", "parts/disc", "--json", "--engine", engine]).fine();
        let answers: Value = serde_json::from_str(&ran.out).unwrap();
        let first = |answer: &Value| answer["prediction"]["probs"][0].as_f64().unwrap();
        answers.as_array().unwrap().iter().map(first).collect()
    };
    let ours = probs("native");
    for engine in ["ort", "rten"] {
        assert!(ours.iter().zip(probs(engine)).all(|(ours, theirs)| (ours - theirs).abs() < TOLERANCE));
    }
}
