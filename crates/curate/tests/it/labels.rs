//! Scores and rules against cleanlab 2.9.0 (`tests/reference/labels.py`).

use curate::labels::Judged;
use curate::labels::boxes::{GivenBox, JudgedImage, PredictedBox, box_scores, flagged_boxes};
use curate::labels::confident::{confident_joint, confident_thresholds};
use curate::labels::filter::{Filter, flagged};
use curate::labels::multilabel::JudgedSets;
use curate::labels::pixels::{JudgedPixels, flagged_pixels, image_scores, unflagged_shares};
use curate::labels::regression::{JudgedNumbers, outre_scores, residual_scores};
use curate::labels::score::{
    adjusted_probs, confidence_weighted_entropy, normalized_margin, self_confidence,
};
use curate::labels::tokens::{flagged_tokens, token_quality};
use linalg::Matrix;
use serde_json::Value;

/// Sums are taken in another order than numpy's.
const TOLERANCE: f64 = 1e-9;

fn reference(part: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../reference/labels.json")).unwrap();
    all[part].clone()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn whole<T: TryFrom<u64, Error: std::fmt::Debug>>(value: &Value) -> Vec<T> {
    value.as_array().unwrap().iter().map(|value| value.as_u64().unwrap().try_into().unwrap()).collect()
}

fn matrix(value: &Value) -> Matrix<f64> {
    Matrix::from_rows(&value.as_array().unwrap().iter().map(floats).collect::<Vec<_>>())
}

fn rows(mask: &[bool]) -> Vec<usize> {
    (0..mask.len()).filter(|row| mask[*row]).collect()
}

#[track_caller]
fn agrees(what: &str, got: &[f64], expected: &Value) {
    let expected = floats(expected);
    assert_eq!(got.len(), expected.len(), "{what}");
    for (row, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert!((got - expected).abs() < TOLERANCE, "{what}, row {row}: {got}, expected {expected}");
    }
}

#[test]
fn classes_are_scored_counted_and_flagged_alike() {
    for (name, case) in reference("multiclass").as_object().unwrap() {
        let (labels, probs) = (whole::<u32>(&case["labels"]), matrix(&case["probs"]));
        let judged = Judged::new(&labels, probs.view()).unwrap();
        agrees(name, &confident_thresholds(judged), &case["thresholds"]);
        agrees(name, &self_confidence(judged), &case["scores"]["self_confidence"]);
        agrees(name, &normalized_margin(judged), &case["scores"]["normalized_margin"]);
        agrees(name, &confidence_weighted_entropy(judged), &case["scores"]["confidence_weighted_entropy"]);
        for (row, expected) in case["adjusted"].as_array().unwrap().iter().enumerate() {
            agrees(name, adjusted_probs(judged).row(row), expected);
        }
        let joint = confident_joint(judged);
        assert_eq!(joint.contradicted, whole::<usize>(&case["contradicted"]), "{name}");
        for (given, expected) in case["joint"].as_array().unwrap().iter().enumerate() {
            let row: Vec<usize> =
                (0..judged.n_classes()).map(|truth| joint.count(given as u32, truth as u32)).collect();
            assert_eq!(row, whole::<usize>(expected), "{name}, given {given}");
        }
        for filter in Filter::ALL {
            let expected = whole::<usize>(&case["flagged"][filter.name()]);
            assert_eq!(rows(&flagged(judged, filter)), expected, "{name}, {filter:?}");
        }
    }
}

#[test]
fn sets_of_labels_are_scored_and_flagged_alike() {
    let case = reference("multilabel");
    let labels: Vec<Vec<u32>> = case["labels"].as_array().unwrap().iter().map(whole).collect();
    let probs = matrix(&case["probs"]);
    let sets = JudgedSets::new(&labels, probs.view()).unwrap();
    agrees("scores", &sets.scores(), &case["scores"]);
    for filter in Filter::ALL {
        let expected = whole::<usize>(&case["flagged"][filter.name()]);
        assert_eq!(rows(&sets.flagged(filter)), expected, "{filter:?}");
    }
    let flags = sets.flagged_classes(Filter::PruneByNoiseRate);
    let pairs: Vec<Vec<usize>> =
        rows(flags.data()).into_iter().map(|at| vec![at / flags.cols(), at % flags.cols()]).collect();
    let expected: Vec<Vec<usize>> = case["flagged_classes"].as_array().unwrap().iter().map(whole).collect();
    assert_eq!(pairs, expected);
}

#[test]
fn tokens_are_scored_and_flagged_alike() {
    let case = reference("tokens");
    let (labels, probs) = (whole::<u32>(&case["labels"]), matrix(&case["probs"]));
    let lengths = whole::<usize>(&case["lengths"]);
    let judged = Judged::new(&labels, probs.view()).unwrap();
    let quality = token_quality(judged, &lengths).unwrap();
    agrees("min", &quality.sentences, &case["min"]);
    agrees("softmin", &quality.soft_sentences, &case["softmin"]);
    let found = flagged_tokens(judged, &lengths, Filter::PruneByNoiseRate).unwrap();
    let expected: Vec<Vec<usize>> = case["flagged"].as_array().unwrap().iter().map(whole).collect();
    assert_eq!(found.into_iter().map(|(a, b)| vec![a, b]).collect::<Vec<_>>(), expected);
}

#[test]
fn numbers_are_scored_alike() {
    let case = reference("numbers");
    let (labels, predictions) = (floats(&case["labels"]), floats(&case["predictions"]));
    let judged = JudgedNumbers::new(&labels, &predictions).unwrap();
    agrees("residual", &residual_scores(judged), &case["residual"]);
    agrees("outre", &outre_scores(judged), &case["outre"]);
}

#[test]
fn pixels_are_scored_and_flagged_alike() {
    let case = reference("pixels");
    let (labels, probs) = (whole::<u32>(&case["labels"]), matrix(&case["probs"]));
    let pixels = case["pixels"].as_u64().unwrap() as usize;
    let judged = JudgedPixels::new(&labels, probs.view(), pixels).unwrap();
    agrees("softmin", &image_scores(judged), &case["softmin"]);
    agrees("unflagged", &unflagged_shares(judged), &case["unflagged"]);
    assert_eq!(rows(&flagged_pixels(judged)), whole::<usize>(&case["flagged"]));
}

fn images(case: &Value) -> Vec<JudgedImage> {
    let part = |name: &str| -> Vec<Vec<Vec<f64>>> {
        let images = case[name].as_array().unwrap();
        images.iter().map(|boxes| boxes.as_array().unwrap().iter().map(floats).collect()).collect()
    };
    let corners = |values: &[f64]| [values[0], values[1], values[2], values[3]];
    let given = |values: Vec<f64>| GivenBox { corners: corners(&values), class: values[4] as u32 };
    let predicted = |values: Vec<f64>| PredictedBox {
        corners: corners(&values),
        class: values[4] as u32,
        confidence: values[5],
    };
    part("given")
        .into_iter()
        .zip(part("predicted"))
        .map(|(a, b)| JudgedImage {
            given: a.into_iter().map(given).collect(),
            predicted: b.into_iter().map(predicted).collect(),
        })
        .collect()
}

#[test]
fn boxes_are_scored_and_flagged_alike() {
    let case = reference("boxes");
    let images = images(&case);
    let scores = box_scores(&images).unwrap();
    agrees("image", &scores.iter().map(|scores| scores.image).collect::<Vec<_>>(), &case["image"]);
    for (image, scores) in scores.iter().enumerate() {
        agrees("bad location", &scores.bad_location, &case["bad_location"][image]);
        agrees("swapped", &scores.swapped, &case["swapped"][image]);
        for (place, score) in scores.overlooked.iter().enumerate() {
            let expected = case["overlooked"][image][place].as_f64();
            let difference = score.unwrap_or(-1.0) - expected.unwrap_or(-1.0);
            assert!(difference.abs() < TOLERANCE, "image {image}, box {place}: {score:?}, {expected:?}");
        }
    }
    let flags: Vec<bool> = flagged_boxes(&images).unwrap().iter().map(|flagged| flagged.any()).collect();
    assert_eq!(rows(&flags), whole::<usize>(&case["flagged"]));
}
