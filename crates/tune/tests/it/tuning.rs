//! Tuning as a whole: it learns what is there, admits what is not, and gives the same answer on any number of threads.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use linalg::{Matrix, Seed, random};
use tune::{FeatureSet, Head, Link, Targets, TuneConfig, TuneError, TuneInput, Tuned, tune};

/// `n` points around `k` centres, `spread` apart.
fn blobs(n: usize, d: usize, k: usize, spread: f64) -> (Vec<FeatureSet>, Vec<u32>) {
    let mut rng = Seed(1).rng();
    let centres: Vec<f64> = (0..k * d).map(|_| spread * random::normal(&mut rng)).collect();
    let labels: Vec<u32> = (0..n).map(|row| (row % k) as u32).collect();
    let value = |at: usize, noise: f64| (centres[labels[at / d] as usize * d + at % d] + noise) as f32;
    let x = (0..n * d).map(|at| value(at, random::normal(&mut rng))).collect();
    (vec![FeatureSet { name: "pooled".into(), x: Matrix::from_vec(n, d, x) }], labels)
}

fn alone(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}

fn run(features: &[FeatureSet], targets: Targets<'_>, groups: &[u32]) -> Result<Tuned, TuneError> {
    let input = TuneInput { features, texts: None, targets, groups };
    tune(input, &TuneConfig::default().check().unwrap(), Seed(0), &AtomicBool::new(false))
}

fn accuracy(head: &Head, features: &[FeatureSet], labels: &[u32]) -> f64 {
    let right = (0..labels.len()).filter(|row| {
        let logits = head.logits(&BTreeMap::from([("pooled", features[0].x.row(*row))]), None);
        let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap();
        best == labels[*row] as usize
    });
    right.count() as f64 / labels.len() as f64
}

#[test]
fn separated_classes_are_learned_and_the_estimate_says_so() {
    let (features, labels) = blobs(60, 40, 3, 2.0);
    let tuned = run(&features, Targets::Single { labels: &labels, n_classes: 3 }, &alone(60)).unwrap();
    assert_eq!(accuracy(&tuned.head, &features, &labels), 1.0);
    assert!(tuned.candidates[tuned.chosen].score > 0.95);
    assert_eq!((tuned.losses.rows(), tuned.losses.cols()), (60, tuned.candidates.len()));
}

#[test]
fn noise_is_not_learned_and_the_estimate_says_so() {
    let (features, labels) = blobs(80, 50, 2, 0.0);
    let tuned = run(&features, Targets::Single { labels: &labels, n_classes: 2 }, &alone(80)).unwrap();
    let best = &tuned.candidates[tuned.chosen];
    assert!(best.score < 0.7 && best.loss > 0.6, "{} {}", best.score, best.loss);
}

#[test]
fn the_answer_does_not_depend_on_threads() {
    let (features, labels) = blobs(90, 30, 3, 0.7);
    let targets = Targets::Single { labels: &labels, n_classes: 3 };
    let heads: Vec<Head> = [1, 2, 5]
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&features, targets, &alone(90)).unwrap().head)
        })
        .to_vec();
    assert!(heads[0] == heads[1] && heads[1] == heads[2]);
}

#[test]
fn renaming_classes_renames_the_answer() {
    let (features, labels) = blobs(60, 20, 2, 1.0);
    let swapped: Vec<u32> = labels.iter().map(|label| 1 - label).collect();
    let fit = |labels: &[u32]| run(&features, Targets::Single { labels, n_classes: 2 }, &alone(60)).unwrap();
    let (a, b) = (fit(&labels), fit(&swapped));
    assert_eq!(accuracy(&a.head, &features, &labels), accuracy(&b.head, &features, &swapped));
}

#[test]
fn one_example_per_class_gives_prototypes_and_no_claim() {
    let (features, labels) = blobs(3, 10, 3, 3.0);
    let tuned = run(&features, Targets::Single { labels: &labels, n_classes: 3 }, &alone(3)).unwrap();
    assert!(tuned.validated.is_empty() && tuned.candidates[0].score.is_nan());
    assert_eq!(accuracy(&tuned.head, &features, &labels), 1.0);
}

#[test]
fn a_class_with_one_example_is_kept_but_not_validated() {
    let (features, mut labels) = blobs(21, 10, 2, 2.0);
    labels[20] = 2;
    let tuned = run(&features, Targets::Single { labels: &labels, n_classes: 3 }, &alone(21)).unwrap();
    assert_eq!(tuned.validated, (0..20).collect::<Vec<_>>());
    assert_eq!(tuned.head.outputs(), 3);
}

#[test]
fn duplicates_in_one_group_do_not_flatter() {
    // Each point of pure noise is there four times: without groups the copies would vouch for each other.
    let (features, labels) = blobs(30, 40, 2, 0.0);
    let rows: Vec<usize> = (0..120).map(|row| row / 4).collect();
    let features = vec![FeatureSet { name: "pooled".into(), x: features[0].x.select_rows(&rows) }];
    let labels: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
    let groups: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
    let targets = Targets::Single { labels: &labels, n_classes: 2 };
    let score = |groups: &[u32]| {
        let tuned = run(&features, targets, groups).unwrap();
        tuned.candidates[tuned.chosen].score
    };
    assert!(score(&alone(120)) > 0.9);
    assert!(score(&groups) < 0.75, "{}", score(&groups));
}

#[test]
fn equal_features_and_two_rows_do_not_fail() {
    let features = vec![FeatureSet { name: "pooled".into(), x: Matrix::from_vec(6, 4, vec![0.5; 24]) }];
    let labels = [0, 1, 0, 1, 0, 1];
    let tuned = run(&features, Targets::Single { labels: &labels, n_classes: 2 }, &alone(6)).unwrap();
    assert!(
        tuned
            .head
            .logits(&BTreeMap::from([("pooled", &[0.5_f32; 4][..])]), None)
            .iter()
            .all(|z| z.is_finite())
    );
    let (features, labels) = blobs(2, 4, 2, 1.0);
    assert!(run(&features, Targets::Single { labels: &labels, n_classes: 2 }, &alone(2)).is_ok());
}

#[test]
fn bad_input_is_named() {
    let (mut features, labels) = blobs(10, 4, 2, 1.0);
    let single = Targets::Single { labels: &labels, n_classes: 2 };
    let one = Targets::Single { labels: &[0; 10], n_classes: 2 };
    assert_eq!(run(&features, one, &alone(10)).unwrap_err(), TuneError::OneClass { n: 10 });
    let many = Targets::Single { labels: &labels, n_classes: 100_000_000 };
    assert!(matches!(run(&features, many, &alone(10)), Err(TuneError::TooLarge { .. })));
    features[0].x.row_mut(7)[2] = f32::NAN;
    assert_eq!(
        run(&features, single, &alone(10)).unwrap_err(),
        TuneError::NotFinite { set: "pooled".into(), row: 7 }
    );
}

#[test]
fn a_hundred_thousand_classes_are_refused_or_learned_within_memory() {
    let n = 1200;
    let labels: Vec<u32> = (0..n as u32).map(|row| row / 2 * 150).collect();
    let features = vec![FeatureSet { name: "pooled".into(), x: blobs(n, 4, 2, 1.0).0.remove(0).x }];
    let wide = Targets::Single { labels: &labels, n_classes: 1_000_000 };
    assert!(matches!(
        run(&features, wide, &alone(n)),
        Err(TuneError::TooLarge { n: 1200, n_classes: 1_000_000 })
    ));
}

#[test]
fn several_labels_and_numbers_are_learned() {
    let (features, labels) = blobs(90, 20, 3, 2.0);
    let sets: Vec<Vec<u32>> =
        labels.iter().map(|label| if *label == 2 { vec![0, 1] } else { vec![*label] }).collect();
    let tuned = run(&features, Targets::Multi { labels: &sets, n_classes: 2 }, &alone(90)).unwrap();
    assert_eq!(tuned.head.link, Link::Sigmoid);
    assert!(tuned.candidates[tuned.chosen].score > 0.95);
    let numbers: Vec<f64> = features[0].x.iter_rows().map(|row| f64::from(row[0]) * 3.0 + 1.0).collect();
    let tuned = run(&features, Targets::Numbers(&numbers), &alone(90)).unwrap();
    let predicted = tuned.head.logits(&BTreeMap::from([("pooled", features[0].x.row(5))]), None)[0];
    assert!((predicted - numbers[5]).abs() < 0.5, "{predicted} {}", numbers[5]);
}

#[test]
fn counted_words_help_where_vectors_say_nothing() {
    let texts: Vec<String> = (0..80)
        .map(|row| format!("order {} {}", row, if row % 2 == 0 { "refund" } else { "delivery" }))
        .collect();
    let labels: Vec<u32> = (0..80).map(|row| row % 2).collect();
    let (features, _) = blobs(80, 8, 2, 0.0);
    let targets = Targets::Single { labels: &labels, n_classes: 2 };
    let input = TuneInput { features: &features, texts: Some(&texts), targets, groups: &alone(80) };
    let tuned =
        tune(input, &TuneConfig::default().check().unwrap(), Seed(0), &AtomicBool::new(false)).unwrap();
    assert!(tuned.recipe.members.iter().any(|member| member.input.words));
    assert!(tuned.candidates[tuned.chosen].score > 0.97);
    let (structure, tensors) = tuned.head.to_tensors();
    assert!(Head::from_tensors(&structure, &tensors).unwrap() == tuned.head);
}

#[test]
fn a_run_that_was_stopped_gives_no_head() {
    let (features, labels) = blobs(60, 8, 3, 1.0);
    let groups: Vec<u32> = (0..60).collect();
    let targets = Targets::Single { labels: &labels, n_classes: 3 };
    let input = TuneInput { features: &features, texts: None, targets, groups: &groups };
    let stopped = tune(input, &TuneConfig::default().check().unwrap(), Seed(0), &AtomicBool::new(true));
    assert_eq!(stopped.unwrap_err(), TuneError::Cancelled);
}
