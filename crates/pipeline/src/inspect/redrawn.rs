//! Whether a promise survives that the shipped inspector is not the one that judged the good parts: good parts drawn anew, fitted anew, judged
//! on fresh ones.

use std::sync::atomic::AtomicBool;

use base::patches::{PatchGrid, PatchPlan};
use base::prep::Depth;
use bundle::inspection::{Inspector, Look, Seen, Sight};
use dataset::{ExampleId, InspectionExample, Verdict};
use evaluate::inspect::{AlarmThreshold, GoodScores, Promise, alarm_threshold};
use linalg::{Matrix, Seed, random};
use rayon::prelude::*;

use super::fitting::{self, Lesson};
use super::seeing::Photo;
use crate::Run;

/// Rows and columns of a photo's grid, and columns of a patch.
const GRID: (usize, usize, usize) = (4, 5, 4);
/// Good photos to learn from: with 22 the second largest score proves 20 % with 95 % confidence.
const GOOD: usize = 22;
const RATE: f64 = 0.2;
const CONFIDENCE: f64 = 0.95;
/// Draws of good photos.
const DRAWS: u64 = 200;
/// Fresh good photos that each inspector is asked about.
const FRESH: u64 = 200;

fn sight() -> Sight {
    let plan = PatchPlan { scale: 1.0, tiles: vec![160], margin: 32, cell: 8, maps: vec!["a".to_owned()] };
    let looks = vec![Look { plan, views: std::iter::once(0..4).collect(), pooled: 0..4 }];
    Sight { looks, without_background: false, depth: Depth::FULL, canvas: None, sides: None }
}

/// A good photo: light and grain differ from photo to photo, some are much grainier.
fn good(seed: Seed) -> Seen {
    let mut rng = seed.rng();
    let (rows, cols, dim) = GRID;
    let light = random::normal(&mut rng);
    let grain = random::normal(&mut rng).abs() + 0.3;
    let values = (0..rows * cols * dim).map(|_| (light + grain * random::normal(&mut rng)) as f32).collect();
    Seen {
        size: (40, 32),
        grids: vec![PatchGrid { rows, cols, x: Matrix::from_vec(rows * cols, dim, values) }],
        laid: None,
    }
}

/// The share of fresh good photos that alarm: by the shipped inspector at the threshold that was proven.
fn false_alarms(draw: u64) -> f64 {
    let seed = Seed(draw).derive("good parts drawn anew");
    let example = InspectionExample {
        id: ExampleId(String::new()),
        path: std::path::PathBuf::new(),
        verdict: Verdict::Good,
        mask: None,
        by_mask: false,
        group: None,
        part: None,
    };
    let photo = |at: u64| Photo {
        example: &example,
        seen: good(seed.derive(&format!("learned {at}"))),
        turned: Vec::new(),
        mask: None,
    };
    let photos: Vec<Photo<'_>> = (0..GOOD as u64).map(photo).collect();
    let groups: Vec<u32> = (0..GOOD as u32).collect();
    let (sight, cancelled) = (sight(), AtomicBool::new(false));
    let lesson = Lesson {
        sight: &sight,
        aligner: None,
        photos: &photos,
        groups: &groups,
        asked: None,
        seed: Seed(draw),
    };
    let fitted = fitting::fit(&lesson, &Run::new(&|_| {}, &cancelled)).unwrap();
    let scores: Vec<f64> = fitted.held_out.iter().map(|opinion| opinion.score).collect();
    let promise = Promise::new(RATE, CONFIDENCE).unwrap();
    let threshold = alarm_threshold(&GoodScores::of_parts(&scores).unwrap(), promise);
    assert!(matches!(threshold, AlarmThreshold::Proven(_)));
    let alarms = |inspector: &Inspector, at: u64| {
        let seen = good(seed.derive(&format!("fresh {at}")));
        threshold.alarms(inspector.opinion(&seen).unwrap().score)
    };
    (0..FRESH).filter(|at| alarms(&fitted.inspector, *at)).count() as f64 / FRESH as f64
}

#[test]
fn a_promise_that_held_out_parts_proved_is_kept_by_the_inspector_that_learned_them_all() {
    let mut rates: Vec<f64> = (0..DRAWS).into_par_iter().map(false_alarms).collect();
    rates.sort_by(f64::total_cmp);
    let broken = rates.iter().filter(|rate| **rate > RATE).count() as f64 / rates.len() as f64;
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    let told =
        format!("broken in {broken:.3} of draws, mean {mean:.3}, median {:.3}", rates[rates.len() / 2]);
    // Measured: broken in .050 of draws, mean .073. The theorem, of one and the same inspector: at most .048 of draws, and 2/23 = .087 on average. A
    // tenth of draws is beyond the noise of 200 draws.
    assert!(broken <= 0.1, "{told}");
    assert!((0.03..=0.11).contains(&mean), "{told}");
}
