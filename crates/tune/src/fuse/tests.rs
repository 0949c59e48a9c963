//! Facts about fusion on made data, where Bayes' rule is known.

use linalg::logits::log_softmax;
use linalg::{Matrix, Seed, random};

use super::block::Block;
use super::coupling::Coupling;
use super::*;
use crate::TuneError;

/// Nobody asks to stop.
static NEVER: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Gaussians with unit covariance: each class has its mean in each sense.
pub(super) struct Made {
    pub(super) features: Vec<Matrix>,
    pub(super) log_probs: Vec<Matrix<f64>>,
    present: Vec<Vec<bool>>,
    labels: Vec<u32>,
    groups: Vec<u32>,
    k: usize,
}

impl Made {
    /// `distances` says how far apart classes are in each sense; the log-probabilities are the true ones.
    pub(super) fn new(n: usize, k: usize, d: usize, distances: &[f64], seed: u64) -> Self {
        let mut rng = Seed(seed).rng();
        let labels: Vec<u32> = (0..n).map(|row| (row % k) as u32).collect();
        let (mut features, mut log_probs) = (Vec::new(), Vec::new());
        for distance in distances {
            let means: Vec<f64> = (0..k * d).map(|_| distance * random::normal(&mut rng)).collect();
            let mut x = Matrix::zeros(n, d);
            let mut said = Matrix::zeros(n, k);
            for (row, label) in labels.iter().enumerate() {
                let mean = &means[*label as usize * d..][..d];
                let values = x.row_mut(row).iter_mut().zip(mean);
                values.for_each(|(x, mean)| *x = (mean + random::normal(&mut rng)) as f32);
                let score = |class: usize| {
                    let off = x.row(row).iter().zip(&means[class * d..][..d]);
                    -0.5 * off.map(|(x, mean)| (f64::from(*x) - mean).powi(2)).sum::<f64>()
                };
                said.row_mut(row).copy_from_slice(&log_softmax(&(0..k).map(score).collect::<Vec<_>>()));
            }
            features.push(x);
            log_probs.push(said);
        }
        let present = vec![vec![true; n]; distances.len()];
        Self { features, log_probs, present, labels, groups: (0..n as u32).collect(), k }
    }

    pub(super) fn lacking(mut self, share: f64, seed: u64) -> Self {
        let mut rng = Seed(seed).rng();
        let m = self.present.len();
        for row in 0..self.labels.len() {
            let kept = random::below(&mut rng, m);
            for sense in (0..m).filter(|sense| *sense != kept) {
                self.present[sense][row] = random::uniform(&mut rng) >= share;
            }
        }
        self
    }

    pub(super) fn with<T>(&self, ask: impl FnOnce(&FuseInput<'_>) -> T) -> T {
        self.with_senses(&(0..self.features.len()).collect::<Vec<_>>(), ask)
    }

    fn with_senses<T>(&self, which: &[usize], ask: impl FnOnce(&FuseInput<'_>) -> T) -> T {
        let senses: Vec<Sense<'_>> = which
            .iter()
            .map(|sense| Sense {
                name: ["photo", "text", "sound", "table", "radar", "depth", "touch"][*sense],
                log_probs: &self.log_probs[*sense],
                features: Some(&self.features[*sense]),
                present: &self.present[*sense],
            })
            .collect();
        let (labels, groups) = (&self.labels[..], &self.groups[..]);
        ask(&FuseInput { senses: &senses, labels, n_classes: self.k, groups })
    }

    pub(super) fn seen(&self, row: usize) -> Vec<Option<Seen<'_>>> {
        let sense = |sense: usize| {
            let (log_probs, features) = (self.log_probs[sense].row(row), self.features[sense].row(row));
            self.present[sense][row].then_some(Seen { log_probs, features, familiarity: None })
        };
        (0..self.features.len()).map(sense).collect()
    }

    fn loss(&self, answer: impl Fn(usize) -> Vec<f64>) -> f64 {
        let rows = 0..self.labels.len();
        rows.map(|row| -answer(row)[self.labels[row] as usize]).sum::<f64>() / self.labels.len() as f64
    }
}

#[test]
fn independent_senses_speak_fully_and_a_useless_one_is_not_heard() {
    let made = Made::new(3000, 3, 2, &[1.0, 0.8, 0.0], 1);
    let pool = made.with(|input| LatePool::fit(input).unwrap());
    let weights = pool.weights(Subset::all(3));
    assert!(weights[..2].iter().all(|weight| (weight - 1.0).abs() < 0.12), "{weights:?}");
    // The true log-probabilities of a sense without classes are the same for all, so its weight changes nothing; make it noise.
    let mut noisy = made;
    let mut rng = Seed(9).rng();
    for row in 0..3000 {
        let said: Vec<f64> = (0..3).map(|_| random::normal(&mut rng)).collect();
        noisy.log_probs[2].row_mut(row).copy_from_slice(&log_softmax(&said));
    }
    let weights = noisy.with(|input| LatePool::fit(input).unwrap()).weights(Subset::all(3));
    assert!(weights[2] < 0.05 && weights[0] > 0.85, "{weights:?}");
}

#[test]
fn copies_of_one_sense_share_its_weight() {
    let mut made = Made::new(1500, 3, 2, &[1.0, 1.0, 1.0], 2);
    made.log_probs = vec![made.log_probs[0].clone(); 3];
    let pool = made.with(|input| LatePool::fit(input).unwrap());
    let weights = pool.weights(Subset::all(3));
    assert!(weights.iter().all(|weight| (weight - 1.0 / 3.0).abs() < 0.05), "{weights:?}");
    // One copy alone says all.
    assert!(pool.weights(Subset::only(1))[0] > 0.9, "{pool:?}");
}

#[test]
fn a_pool_with_a_missing_sense_is_the_pool_of_the_others() {
    let made = Made::new(1500, 4, 3, &[0.7, 0.6, 0.5], 3);
    let all = made.with(|input| LatePool::fit(input).unwrap());
    for which in [[0, 1], [0, 2], [1, 2]] {
        let few = made.with_senses(&which, |input| LatePool::fit(input).unwrap());
        let masked = made.loss(|row| {
            let said = |sense: usize| which.contains(&sense).then(|| made.log_probs[sense].row(row));
            all.log_probs(&[0, 1, 2].map(said), &[1.0; 3])
        });
        let own = made
            .loss(|row| few.log_probs(&which.map(|sense| Some(made.log_probs[sense].row(row))), &[1.0; 2]));
        assert!((masked - own).abs() < 1e-9, "{which:?}: {masked} {own}");
    }
}

#[test]
fn a_joint_model_with_a_missing_sense_is_the_model_of_the_others() {
    let made = Made::new(90, 3, 4, &[0.7, 0.6, 0.5], 4).lacking(0.2, 5);
    let all = made.with(|input| JointGda::with_gamma(input, 0.25).unwrap());
    for which in [vec![0], vec![0, 1], vec![0, 2], vec![1, 2]] {
        let few = made.with_senses(&which, |input| {
            let rows: Vec<usize> = (0..90).filter(|row| !input.subset(*row).is_empty()).collect();
            let subsets: Vec<Subset> = Subset::every(which.len()).collect();
            JointGda::fit_rows(input, &rows, Some(0.25), &subsets).unwrap()
        });
        for row in 0..90 {
            let of = |sense: usize| Some(made.features[sense].row(row));
            let masked = all.log_probs(&[0, 1, 2].map(|sense| of(sense).filter(|_| which.contains(&sense))));
            let own = few.log_probs(&which.iter().map(|sense| of(*sense)).collect::<Vec<_>>());
            for (a, b) in masked.iter().zip(&own) {
                assert!((a - b).abs() < 1e-9, "{which:?} {row}: {a} {b}");
            }
        }
    }
}

#[test]
fn without_coupling_the_joint_model_is_the_product_of_experts() {
    let made = Made::new(80, 3, 4, &[0.7, 0.6], 6);
    let joint = made.with(|input| JointGda::with_gamma(input, 0.0).unwrap());
    let experts = [0, 1].map(|sense| made.with_senses(&[sense], |input| JointGda::fit(input).unwrap()));
    // Each sense adds what it says alone, but for the scale of both together.
    for sense in [0, 1] {
        let ratio = |row: usize| {
            let x = [0, 1].map(|sense| Some(made.features[sense].row(row)));
            let part = joint.parts(&x)[sense].clone().unwrap();
            let alone = experts[sense].log_probs(&x[sense..=sense]);
            (part[0] - part[1]) / (alone[0] - alone[1])
        };
        for row in 1..80 {
            assert!((ratio(row) / ratio(0) - 1.0).abs() < 1e-3, "{row}: {} {}", ratio(row), ratio(0));
        }
    }
}

#[test]
fn joint_leave_one_out_equals_fitting_without_each_row() {
    let made = Made::new(24, 2, 3, &[0.5, 0.5], 7);
    made.with(|input| {
        let gdas: Vec<crate::gda::Gda> = made
            .features
            .iter()
            .map(|x| crate::gda::Gda::new(x.map(f64::from).view(), &made.labels, 2))
            .collect();
        let rows: Vec<usize> = (0..24).collect();
        let blocks: Vec<Block> = gdas.iter().map(|gda| Block::at(gda, 2.0, &made.labels)).collect();
        let coupling = Coupling::new(&blocks, &made.labels, &rows);
        let (fast, labels) = coupling.left_out(Subset::all(2), 0.5);
        assert_eq!(labels, input.labels);
        for row in 0..24 {
            let others: Vec<usize> = rows.iter().copied().filter(|other| *other != row).collect();
            let slow = brute_force(&made, &others, row);
            for (a, b) in log_softmax(fast.row(row)).iter().zip(&slow) {
                assert!((a - b).abs() < 1e-8, "{row}: {a} {b}");
            }
        }
    });
}

/// Log-probabilities by the plain formula: ridge 2 in each block, `gamma` 0.5.
fn brute_force(made: &Made, train: &[usize], row: usize) -> Vec<f64> {
    let whole = Matrix::hstack(&[&made.features[0], &made.features[1]]).map(f64::from);
    let labels: Vec<u32> = train.iter().map(|row| made.labels[*row]).collect();
    let x = whole.select_rows(train);
    let (means, _) = crate::gda::class_means(x.view(), &labels, 2);
    let mut off = x;
    for (place, label) in labels.iter().enumerate() {
        off.row_mut(place).iter_mut().zip(means.row(*label as usize)).for_each(|(x, mean)| *x -= mean);
    }
    let mut a = linalg::matmul_tn(off.view(), off.view());
    for i in 0..6 {
        for j in 0..6 {
            a.row_mut(i)[j] *= if i / 3 == j / 3 { 1.0 } else { 0.5 };
        }
        a.row_mut(i)[i] += 2.0;
    }
    let factor = linalg::decompose::cholesky(a.view()).unwrap();
    let score = |class: usize| {
        let mut y: Vec<f64> = whole.row(row).iter().zip(means.row(class)).map(|(x, mean)| x - mean).collect();
        linalg::decompose::solve_lower(factor.view(), &mut y);
        -0.5 * (train.len() - 2) as f64 * y.iter().map(|y| y * y).sum::<f64>()
    };
    log_softmax(&[score(0), score(1)])
}

#[test]
fn coupling_is_believed_where_senses_share_their_noise() {
    let mut made = Made::new(400, 2, 3, &[0.6, 0.0], 8);
    // The second sense shows the noise of the first and nothing of the class.
    let mut rng = Seed(3).rng();
    let (means, _) = crate::gda::class_means(made.features[0].map(f64::from).view(), &made.labels, 2);
    for row in 0..400 {
        let noise: Vec<f32> = (0..3)
            .map(|j| {
                made.features[0].row(row)[j] - means.row(made.labels[row] as usize)[j] as f32
                    + 0.3 * random::normal(&mut rng) as f32
            })
            .collect();
        made.features[1].row_mut(row).copy_from_slice(&noise);
    }
    made.with(|input| {
        let joint = JointGda::fit(input).unwrap();
        assert_eq!(joint.gamma(), 0.5);
        let choice = choose(input, Seed(1), &NEVER).unwrap();
        assert_eq!(choice.kind, Kind::Joint, "{:?}", choice.tried[2].over_single);
        assert!(choice.tried[2].over_single.interval.1 < 0.0, "{:?}", choice.tried[2].over_single);
    });
}

#[test]
fn what_is_shipped_is_not_worse_than_the_best_sense() {
    for seed in 0..20 {
        let mut rng = Seed(seed).rng();
        let distances: Vec<f64> = (0..3).map(|_| random::uniform(&mut rng)).collect();
        let made = Made::new(60, 3, 3, &distances, 100 + seed).lacking(0.15, seed);
        let choice = made.with(|input| choose(input, Seed(seed), &NEVER).unwrap());
        let tried = choice.tried.iter().find(|tried| tried.kind == choice.kind).unwrap();
        assert!(tried.over_single.mean <= tried.over_single.error, "{seed}: {:?}", tried.over_single);
        assert_eq!(choice.validated.len(), 60);
    }
}

#[test]
fn the_gate_bounds_what_a_corrupted_sense_costs() {
    let made = Made::new(1000, 3, 2, &[1.2, 1.2], 11);
    let fused = Fused::Late(made.with(|input| LatePool::fit(input).unwrap()));
    let mut corrupted = made;
    let mut rng = Seed(2).rng();
    let broken: Vec<bool> = (0..1000).map(|_| random::uniform(&mut rng) < 0.3).collect();
    let clean = corrupted.loss(|row| fused.answer(&corrupted.seen(row)).unwrap().log_probs);
    for row in (0..1000).filter(|row| broken[*row]) {
        let wrong: Vec<f64> = (0..3).map(|_| 6.0 * random::normal(&mut rng)).collect();
        corrupted.log_probs[1].row_mut(row).copy_from_slice(&log_softmax(&wrong));
    }
    let gated = |row: usize, p: f64| {
        let mut seen = corrupted.seen(row);
        if broken[row] {
            seen[1].as_mut().unwrap().familiarity = Some(p);
        }
        fused.answer(&seen).unwrap()
    };
    let open = corrupted.loss(|row| gated(row, 1.0).log_probs);
    let shut = corrupted.loss(|row| gated(row, 0.001).log_probs);
    println!("clean {clean:.3}, gated {shut:.3}, not gated {open:.3}");
    assert!(shut - clean < 0.25 * (open - clean), "clean {clean} gated {shut} open {open}");
    let row = broken.iter().position(|broken| *broken).unwrap();
    let reliance = gated(row, 0.001).reliance;
    assert!(reliance[0] > 0.95 && (reliance.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{reliance:?}");
}

#[test]
fn an_answer_says_when_it_rests_on_nothing() {
    let made = Made::new(60, 3, 2, &[1.0, 1.0], 12);
    let (late, joint) = made.with(|input| (LatePool::fit(input).unwrap(), JointGda::fit(input).unwrap()));
    for fused in [Fused::Late(late), Fused::Joint(joint)] {
        let none = fused.answer(&[None, None]).unwrap();
        assert_eq!((none.basis, &none.reliance[..]), (Basis::Prior, &[0.0, 0.0][..]));
        assert!(none.log_probs.iter().all(|value| (value.exp() - 1.0 / 3.0).abs() < 1e-9));
        let mut odd = made.seen(0);
        odd.iter_mut().flatten().for_each(|seen| seen.familiarity = Some(0.005));
        let (nothing, usual) = (fused.answer(&odd).unwrap(), fused.answer(&made.seen(0)).unwrap());
        assert_eq!((nothing.basis, &nothing.reliance[..]), (Basis::Nothing, &[0.0, 0.0][..]));
        assert!(nothing.log_probs.iter().zip(&usual.log_probs).all(|(a, b)| (a - b).abs() < 1e-9));
        odd[0].as_mut().unwrap().familiarity = Some(0.02);
        assert_eq!(fused.answer(&odd).unwrap().basis, Basis::Senses);
        // The strange one is as one that is not there.
        assert_eq!(fused.answer(&odd).unwrap(), fused.answer(&[odd[0], None]).unwrap());
        odd[0].as_mut().unwrap().familiarity = Some(f64::NAN);
        assert!(matches!(fused.answer(&odd), Err(TuneError::Setting { .. })));
        assert!(matches!(fused.answer(&odd[..1]), Err(TuneError::Rows { .. })));
    }
}

#[test]
fn one_sense_alone_answers_as_its_head_does() {
    let mut made = Made::new(800, 3, 2, &[0.6, 0.6], 21);
    // Most rows are called the first class: a weight other than 1, or a doubt of what is a little strange, would tilt answers toward it.
    made.labels.iter_mut().enumerate().filter(|(row, _)| row % 4 != 0).for_each(|(_, label)| *label = 0);
    let pool = Fused::Late(made.with(|input| LatePool::fit(input).unwrap()));
    let best = |values: &[f64]| {
        (0..3).fold(0, |best, class| if values[class] > values[best] { class } else { best })
    };
    for row in 0..800 {
        for familiarity in [0.5, 0.02, 0.001] {
            let mut seen = vec![made.seen(row)[0], None];
            seen[0].as_mut().unwrap().familiarity = Some(familiarity);
            let answer = pool.answer(&seen).unwrap();
            assert_eq!(best(&answer.log_probs), best(made.log_probs[0].row(row)), "{row}, {familiarity}");
        }
    }
}

#[test]
fn a_sense_that_contradicts_the_other_is_a_conflict() {
    let mut made = Made::new(400, 3, 2, &[2.0, 2.0], 13);
    let other = (0..400).find(|row| made.labels[*row] != made.labels[7]).unwrap();
    made.log_probs[0].row_mut(7).copy_from_slice(&[-0.001, -7.6, -7.6]);
    made.log_probs[1].row_mut(7).copy_from_slice(&[-7.6, -0.001, -7.6]);
    made.present[1][other] = false;
    let found = made.with(|input| conflicts(input).unwrap());
    assert!(found.rows.contains(&7) && found.rows.len() <= 4, "{found:?}");
    assert!(found.scores[7].unwrap() < 0.1 && found.scores[other].is_none());
    let same = made.log_probs[0].row(0);
    assert!(disagreement(&[same, same]).unwrap() < 1e-9 && disagreement(&[same]).is_none());
}

#[test]
fn masked_losses_rank_the_senses() {
    let made = Made::new(150, 3, 3, &[1.2, 0.4, 0.4], 14).lacking(0.1, 1);
    for kind in [Kind::Late, Kind::Joint] {
        let masked = made.with(|input| masked_losses(input, kind, Seed(1), &NEVER).unwrap());
        assert_eq!(
            masked.iter().map(|masked| masked.subset.len()).collect::<Vec<_>>(),
            [1, 1, 1, 2, 2, 2, 3]
        );
        assert!(masked[0].loss < masked[1].loss, "{masked:?}");
        assert_eq!(masked[6].over_all.mean, 0.0);
        let without_best = masked.iter().find(|masked| masked.subset == Subset::all(3).without(0)).unwrap();
        assert!(without_best.over_all.interval.0 > 0.0, "{without_best:?}");
    }
}

#[test]
fn stored_models_answer_the_same_and_damage_is_noticed() {
    let made = Made::new(60, 3, 2, &[1.0, 0.7], 15);
    let choice = made.with(|input| choose(input, Seed(1), &NEVER).unwrap());
    let (late, joint) = made.with(|input| (LatePool::fit(input).unwrap(), JointGda::fit(input).unwrap()));
    let single = Single { order: vec![1, 0], scales: vec![1.0, 1.1], log_prior: vec![0.1, -0.3, 0.2] };
    for fused in [choice.fused, Fused::Late(late), Fused::Joint(joint), Fused::Single(single)] {
        let (structure, mut tensors) = fused.to_tensors();
        let text = serde_json::to_string(&structure).unwrap();
        let read = Fused::from_tensors(&serde_json::from_str(&text).unwrap(), &tensors).unwrap();
        assert_eq!(read, fused);
        if tensors.pop_first().is_some() {
            assert!(matches!(Fused::from_tensors(&structure, &tensors), Err(TuneError::Head { .. })));
        }
    }
    let bad = serde_json::json!({ "late": { "weights": [-1.0], "scales": [1.0], "log_prior": [0.0, 0.0] } });
    assert!(matches!(Fused::from_tensors(&bad, &Default::default()), Err(TuneError::Head { .. })));
}

#[test]
fn the_same_on_any_number_of_threads() {
    let made = Made::new(70, 3, 4, &[0.6, 0.6, 0.3], 16).lacking(0.2, 2);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| made.with(|input| choose(input, Seed(4), &NEVER).unwrap()))
    };
    assert_eq!(on(1).tried, on(3).tried);
    assert_eq!(on(1).fused, on(2).fused);
}

#[test]
fn bad_input_is_refused_by_name() {
    let good = || Made::new(30, 3, 2, &[1.0, 1.0], 17);
    let refused = |made: &Made| made.with(|input| choose(input, Seed(0), &NEVER).unwrap_err());
    let none = good().with_senses(&[], |input| choose(input, Seed(0), &NEVER).unwrap_err());
    assert_eq!(none, TuneError::NoSense);
    let mut made = good();
    made.labels = vec![1; 30];
    assert_eq!(refused(&made), TuneError::OneClass { n: 30 });
    let mut made = good();
    made.labels[3] = 9;
    assert_eq!(refused(&made), TuneError::ClassIndex { row: 3, class: 9, n_classes: 3 });
    let mut made = good();
    made.log_probs[1].row_mut(4)[0] = f64::NAN;
    assert_eq!(refused(&made), TuneError::NotFinite { set: "text".to_owned(), row: 4 });
    made.present[1][4] = false;
    assert!(made.with(|input| choose(input, Seed(0), &NEVER).is_ok()), "what a row lacks is not read");
    let mut made = good();
    made.features[0].row_mut(5)[1] = f32::INFINITY;
    assert_eq!(refused(&made), TuneError::NotFinite { set: "photo".to_owned(), row: 5 });
    let mut made = good();
    made.present[0][6] = false;
    made.present[1][6] = false;
    assert_eq!(refused(&made), TuneError::SilentRow { row: 6 });
    let mut made = good();
    made.present[1] = vec![false; 30];
    assert_eq!(refused(&made), TuneError::SilentSense { sense: "text".to_owned() });
    let mut made = good();
    made.groups.pop();
    assert!(matches!(refused(&made), TuneError::Rows { .. }));
    let seven = Made::new(30, 3, 2, &[1.0; 7], 18);
    assert_eq!(refused(&seven), TuneError::ManySenses { got: 7, most: 6 });
}

#[test]
fn a_class_that_a_sense_never_showed_rules_out_the_joint_model_only() {
    let mut made = Made::new(60, 3, 2, &[1.0, 1.0], 19);
    (0..60).filter(|row| row % 3 == 2).for_each(|row| made.present[1][row] = false);
    made.with(|input| {
        let unseen = TuneError::UnseenClass { sense: "text".to_owned(), class: 2 };
        assert_eq!(JointGda::fit(input).unwrap_err(), unseen);
        let choice = choose(input, Seed(0), &NEVER).unwrap();
        assert_eq!((choice.without_joint, choice.tried.len()), (Some(unseen), 2));
    });
}
