//! The metrics of defect detectors against scikit-learn, SciPy and anomalib (reference/inspection.py).

use std::path::Path;

use evaluate::inspect::{
    GoodScores, Plane, Promise, ScoredImage, aupimo, auroc, average_precision, benjamini_hochberg,
    find_regions, pixel_metrics, proven_threshold,
};
use linalg::Seed;
use serde::Deserialize;

/// Both sides add some thousands of terms in 64 bits.
const TOLERANCE: f64 = 1e-9;
/// Anomalib adds up AUPRO in 32 bits.
const TOLERANCE_32_BITS: f64 = 1e-6;
/// Anomalib reads AUPIMO at 300,000 evenly spaced thresholds: a pixel between two scores of good pixels can fall on the wrong side
/// of a step.
const TOLERANCE_SPACED: f64 = 1e-5;

#[derive(Deserialize)]
struct Reference {
    maps: Vec<MapCase>,
    ranks: Vec<RankCase>,
    thresholds: Vec<ThresholdCase>,
    batches: Vec<BatchCase>,
}

#[derive(Deserialize)]
struct MapCase {
    name: String,
    n: usize,
    height: usize,
    width: usize,
    score_bits: u32,
    fpr_bounds: (f64, f64),
    n_regions: usize,
    areas: Vec<usize>,
    pixel_auroc: f64,
    aupro: f64,
    aupro_anomalib: f64,
    aupimo: Vec<f64>,
    aupimo_anomalib: Vec<f64>,
}

#[derive(Deserialize)]
struct RankCase {
    name: String,
    n: usize,
    score_bits: u32,
    auroc: f64,
    average_precision: f64,
}

#[derive(Deserialize)]
struct ThresholdCase {
    name: String,
    n: usize,
    rate: f64,
    confidence: f64,
    rank: usize,
}

#[derive(Deserialize)]
struct BatchCase {
    name: String,
    n: usize,
    rate: f64,
    called: usize,
}

fn reference() -> Reference {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/inspection.json");
    let text = std::fs::read_to_string(path).expect("the reference values are in the repository");
    serde_json::from_str(&text).expect("the script wrote what this file reads")
}

/// SplitMix64 started at the FNV-1a hash of the name, as in reference/made.py.
fn bits(name: &str, count: usize) -> impl Iterator<Item = u64> + use<> {
    let start = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (1..=count as u64).map(move |index| {
        let x = start.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    })
}

/// The highest `score_bits` of a word as a share of 1, a quarter higher in a defect.
fn score(word: u64, score_bits: u32, defect: bool) -> f64 {
    (word >> (64 - score_bits)) as f64 / f64::from(1_u32 << score_bits) + 0.25 * f64::from(defect)
}

#[track_caller]
fn check(name: &str, got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() < tolerance, "{name}: {got}, expected {expected}");
}

/// Maps and masks of a case.
fn made(case: &MapCase) -> Vec<(Vec<f32>, Vec<bool>)> {
    let n_pixels = case.height * case.width;
    let image = |image: usize| {
        let salt = bits(&format!("{}/{image}/mask", case.name), n_pixels).map(|word| word >> 60);
        let mask: Vec<bool> = salt.map(|salt| salt < 3 && image.is_multiple_of(2)).collect();
        let words = bits(&format!("{}/{image}", case.name), n_pixels).zip(&mask);
        (words.map(|(word, defect)| score(word, case.score_bits, *defect) as f32).collect(), mask)
    };
    (0..case.n).map(image).collect()
}

#[test]
fn metrics_of_maps_agree() {
    for case in reference().maps {
        let maps = made(&case);
        let (height, width) = (case.height, case.width);
        let areas: Vec<usize> = maps
            .iter()
            .map(|(_, marked)| find_regions(Plane::new(height, width, marked).unwrap()))
            .flat_map(|found| found.list().to_vec())
            .map(|region| region.area)
            .collect();
        assert_eq!(areas.len(), case.n_regions, "{}", case.name);
        assert!(areas.starts_with(&case.areas), "{}", case.name);
        let mut images = Vec::new();
        for (scores, marked) in &maps {
            let (scores, marked) = (Plane::new(height, width, scores), Plane::new(height, width, marked));
            images.push(ScoredImage::with_defects(scores.unwrap(), marked.unwrap()).unwrap());
        }
        let groups: Vec<u32> = (0..case.n as u32).collect();
        let metrics = pixel_metrics(&images, &groups, 0.3, Seed(0)).unwrap();
        assert_eq!(metrics.n_regions, case.n_regions);
        check(&case.name, metrics.auroc.value, case.pixel_auroc, TOLERANCE);
        check(&case.name, metrics.aupro.value, case.aupro, TOLERANCE);
        check(&case.name, metrics.aupro.value, case.aupro_anomalib, TOLERANCE_32_BITS);
        let result = aupimo(&images, &groups, case.fpr_bounds, Seed(0)).unwrap();
        let values: Vec<f64> = result.per_image.into_iter().flatten().collect();
        assert_eq!(values.len(), case.aupimo.len());
        values.iter().zip(&case.aupimo).for_each(|(got, value)| check(&case.name, *got, *value, TOLERANCE));
        let spaced = values.iter().zip(&case.aupimo_anomalib);
        spaced.for_each(|(got, value)| check(&case.name, *got, *value, TOLERANCE_SPACED));
    }
}

#[test]
fn metrics_of_scores_agree() {
    for case in reference().ranks {
        let defect: Vec<bool> =
            bits(&format!("{}/defect", case.name), case.n).map(|word| word >> 62 == 0).collect();
        let words = bits(&case.name, case.n).zip(&defect);
        let scores: Vec<f64> = words.map(|(word, defect)| score(word, case.score_bits, *defect)).collect();
        let groups: Vec<u32> = (0..case.n as u32).collect();
        let value = auroc(&scores, &defect, &groups, Seed(0)).unwrap().value;
        check(&case.name, value, case.auroc, TOLERANCE);
        let value = average_precision(&scores, &defect, &groups, Seed(0)).unwrap().value;
        check(&case.name, value, case.average_precision, TOLERANCE);
    }
}

#[test]
fn ranks_of_proven_thresholds_agree() {
    for case in reference().thresholds {
        let scores: Vec<f64> = (1..=case.n).map(|score| score as f64).collect();
        let good = GoodScores::of_parts(&scores).unwrap();
        let proven = proven_threshold(&good, Promise::new(case.rate, case.confidence).unwrap());
        assert_eq!(proven.map_or(0, |proven| proven.rank), case.rank, "{}", case.name);
    }
}

#[test]
fn numbers_of_called_parts_agree() {
    for case in reference().batches {
        let uniform = bits(&case.name, case.n).map(|word| ((word >> 44) as f64 + 1.0) / 1_048_576.0);
        let p_value = |(row, p): (usize, f64)| if row < case.n / 4 { p / 64.0 } else { p };
        let p_values: Vec<f64> = uniform.enumerate().map(p_value).collect();
        let called = benjamini_hochberg(&p_values, case.rate).into_iter().filter(|called| *called).count();
        assert_eq!(called, case.called, "{}", case.name);
    }
}
