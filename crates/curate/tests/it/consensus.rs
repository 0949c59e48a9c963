//! Consensus against cleanlab 2.9.0 and crowd-kit 1.4.1 (`tests/reference/consensus.py`), and by simulation.

use curate::CurateError;
use curate::consensus::{
    Annotator, Consensus, Drift, JudgedVotes, Model, Part, Scale, Vote, Votes, active_scores, annotators,
    consensus, consensus_by, crowdlab, dawid_skene, drift, glad, krippendorff_alpha, mace, majority,
    next_questions, one_coin, vote_shares,
};
use linalg::{Matrix, Seed, random};
use serde_json::Value;

/// Sums are taken in another order than numpy's.
const TOLERANCE: f64 = 1e-9;

struct Reference {
    json: Value,
    votes: Votes,
    probs: Matrix<f64>,
}

fn reference() -> Reference {
    let json: Value = serde_json::from_str(include_str!("../reference/consensus.json")).unwrap();
    let id = |value: &Value| value.as_u64().unwrap() as u32;
    let given: Vec<Vote> = json["votes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|vote| Vote { example: id(&vote[0]), annotator: id(&vote[1]), class: id(&vote[2]) })
        .collect();
    let size = |name: &str| json[name].as_u64().unwrap() as usize;
    let votes = Votes::new(&given, size("n"), size("annotators"), size("classes")).unwrap().0;
    let probs = matrix(&json["probs"]);
    Reference { json, votes, probs }
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Matrix<f64> {
    Matrix::from_rows(&value.as_array().unwrap().iter().map(floats).collect::<Vec<_>>())
}

#[track_caller]
fn agrees(what: &str, got: &[f64], expected: &Value) {
    let expected = floats(expected);
    assert_eq!(got.len(), expected.len(), "{what}");
    for (row, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert!((got - expected).abs() < TOLERANCE, "{what}, row {row}: {got}, expected {expected}");
    }
}

fn best(posterior: &Matrix<f64>) -> Vec<u32> {
    posterior
        .iter_rows()
        .map(|row| {
            (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best }) as u32
        })
        .collect()
}

fn share_equal(a: &[u32], b: &[u32]) -> f64 {
    a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64
}

#[test]
fn crowdlab_and_active_scores_are_those_of_cleanlab() {
    let Reference { json, votes, probs } = reference();
    let judged = JudgedVotes::new(&votes, probs.view()).unwrap();
    let found = crowdlab(judged).unwrap();
    let labels: Vec<f64> = found.labels.iter().map(|label| f64::from(*label)).collect();
    agrees("labels", &labels, &json["labels"]);
    agrees("quality", &found.quality, &json["quality"]);
    agrees("agreement", &found.agreement, &json["agreement"]);
    agrees("weights", &found.annotator_weights, &json["annotator_weights"]);
    assert!((found.model_weight - json["model_weight"].as_f64().unwrap()).abs() < TOLERANCE);
    let quality: Vec<f64> = found.annotator_quality.iter().map(|quality| quality.unwrap()).collect();
    agrees("annotators", &quality, &json["annotator_quality"]);
    let scores = active_scores(judged, matrix(&json["unvoted"]).view()).unwrap();
    agrees("voted", &scores.voted, &json["active"]);
    agrees("unvoted", &scores.unvoted, &json["active_unvoted"]);
}

#[test]
fn labels_from_votes_are_nearly_those_of_crowd_kit() {
    let Reference { json, votes, .. } = reference();
    let found = [
        ("dawid_skene", best(&dawid_skene(&votes, 0.01).unwrap().posterior)),
        ("glad", best(&glad(&votes).unwrap().posterior)),
        ("mace", best(&mace(&votes, Seed(1)).unwrap().posterior)),
    ];
    for (name, labels) in found {
        let expected: Vec<u32> =
            json[name].as_array().unwrap().iter().map(|label| label.as_u64().unwrap() as u32).collect();
        let equal = share_equal(&labels, &expected);
        assert!(equal >= 0.9, "{name}: {equal}");
    }
    let alpha = krippendorff_alpha(&votes, Scale::Nominal, Seed(1)).unwrap().alpha;
    assert!((alpha - json["alpha"].as_f64().unwrap()).abs() < TOLERANCE, "{alpha}");
}

/// `per_example` votes on each of n examples with k classes, by annotators who are right as often as `accuracy` says.
fn made(n: u32, k: u32, per_example: usize, accuracy: &[f64], seed: u64) -> (Vec<u32>, Votes) {
    let mut rng = Seed(seed).rng();
    let truth: Vec<u32> = (0..n).map(|_| random::below(&mut rng, k as usize) as u32).collect();
    let mut given = Vec::new();
    for (example, truth) in truth.iter().enumerate() {
        for annotator in random::sample_without_replacement(accuracy.len(), per_example, &mut rng) {
            let right = random::uniform(&mut rng) < accuracy[annotator];
            let other = (truth + 1 + random::below(&mut rng, k as usize - 1) as u32) % k;
            let class = if right { *truth } else { other };
            given.push(Vote { example: example as u32, annotator: annotator as u32, class });
        }
    }
    (truth, Votes::new(&given, n as usize, accuracy.len(), k as usize).unwrap().0)
}

/// What a model says that is right with this probability.
fn model(truth: &[u32], k: usize, accuracy: f64, seed: u64) -> Matrix<f64> {
    let mut rng = Seed(seed).rng();
    let mut probs = Matrix::zeros(truth.len(), k);
    for (row, truth) in truth.iter().enumerate() {
        let right = random::uniform(&mut rng) < accuracy;
        let class = if right { *truth as usize } else { random::below(&mut rng, k) };
        let values = probs.row_mut(row);
        values.fill(0.2 / k as f64);
        values[class] += 0.8;
    }
    probs
}

#[test]
fn every_method_finds_the_truth_where_annotators_are_good_and_spammers_by_name() {
    let accuracy = [0.9, 0.9, 0.85, 0.8, 0.8, 0.25, 0.25];
    let (truth, votes) = made(400, 4, 4, &accuracy, 1);
    let coin = one_coin(&votes).unwrap();
    let spam = mace(&votes, Seed(2)).unwrap();
    let skill = glad(&votes).unwrap();
    for (name, posterior) in [
        ("Dawid-Skene", &dawid_skene(&votes, 1.0).unwrap().posterior),
        ("one coin", &coin.posterior),
        ("GLAD", &skill.posterior),
        ("MACE", &spam.posterior),
        ("consensus", &consensus(&votes, None).unwrap().posterior),
    ] {
        let right = share_equal(&best(posterior), &truth);
        assert!(right > 0.9, "{name}: {right}");
    }
    for (name, values) in
        [("accuracy", &coin.accuracy), ("competence", &spam.competence), ("skill", &skill.skill)]
    {
        let worst_good = values[..5].iter().copied().fold(f64::INFINITY, f64::min);
        let best_spammer = values[5..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(worst_good > best_spammer + 0.2, "{name}: {values:?}");
    }
}

fn helped(votes: &Votes, probs: &Matrix<f64>, says: &[bool]) -> Consensus {
    consensus(votes, Some(Model { probs: probs.view(), says })).unwrap()
}

#[test]
fn where_a_good_model_says_nothing_the_crowd_does() {
    let (truth, votes) = made(300, 5, 3, &[0.55, 0.55, 0.55, 0.5, 0.6], 3);
    let mut probs = model(&truth, 5, 0.95, 4);
    let says: Vec<bool> = (0..300).map(|example| example % 10 != 0).collect();
    (0..300).step_by(10).for_each(|example| probs.row_mut(example).fill(0.2));
    // The commonest class of the model, were it asked.
    (0..300).step_by(10).for_each(|example| probs.row_mut(example)[4] += 1e-9);
    let found = helped(&votes, &probs, &says);
    assert!(matches!(found.chosen, Part::Model | Part::Crowdlab), "{:?}", found.evidence);
    let crowd = consensus(&votes, None).unwrap();
    for example in (0..300).step_by(10) {
        assert_eq!(found.labels[example], crowd.labels[example]);
        assert_eq!(found.posterior.row(example), crowd.posterior.row(example));
    }
    assert!(matches!(
        consensus(&votes, Some(Model { probs: probs.view(), says: &says[1..] })),
        Err(CurateError::Shape { got: 299, .. })
    ));
}

#[test]
fn a_method_asked_for_by_name_answers_whatever_the_evidence() {
    let (truth, votes) = made(300, 5, 3, &[0.9; 6], 5);
    let by = |part, model: Option<Model<'_>>| consensus_by(part, &votes, model, Seed(2));
    for (part, posterior) in [
        (Part::Majority, &vote_shares(&votes).unwrap()),
        (Part::DawidSkene, &dawid_skene(&votes, 1.0).unwrap().posterior),
        (Part::OneCoin, &one_coin(&votes).unwrap().posterior),
        (Part::Glad, &glad(&votes).unwrap().posterior),
        (Part::Mace, &mace(&votes, Seed(2)).unwrap().posterior),
        (Part::Crowd, &consensus(&votes, None).unwrap().posterior),
    ] {
        let found = by(part, None).unwrap();
        assert_eq!((found.chosen, &found.posterior), (part, posterior));
        assert!(found.evidence.is_empty());
    }
    assert!(matches!(by(Part::Crowdlab, None), Err(CurateError::Empty { .. })));
    let probs = model(&truth, 5, 0.1, 6);
    let says = [true; 300];
    let forced = by(Part::Model, Some(Model { probs: probs.view(), says: &says })).unwrap();
    assert_eq!(forced.posterior, probs);
}

#[test]
fn a_good_model_is_used_and_a_bad_one_is_not() {
    let (truth, votes) = made(300, 5, 2, &[0.55, 0.55, 0.55, 0.5, 0.6], 3);
    let good = helped(&votes, &model(&truth, 5, 0.95, 4), &[true; 300]);
    assert!(matches!(good.chosen, Part::Model | Part::Crowdlab), "{:?}", good.evidence);
    let labels: Vec<u32> = good.labels.iter().map(|label| label.unwrap()).collect();
    assert!(share_equal(&labels, &truth) > 0.9);

    let (truth, votes) = made(300, 5, 3, &[0.9; 6], 5);
    let bad = helped(&votes, &model(&truth, 5, 0.1, 6), &[true; 300]);
    assert_eq!(bad.chosen, Part::Crowd, "{:?}", bad.evidence);
    let crowd = consensus(&votes, None).unwrap();
    assert_eq!(bad.posterior, crowd.posterior);
}

#[test]
fn the_order_of_votes_changes_nothing() {
    let (_, votes) = made(100, 3, 3, &[0.8; 5], 7);
    let mut shuffled = votes.all().to_vec();
    random::shuffle(&mut shuffled, &mut Seed(8).rng());
    let again = Votes::new(&shuffled, 100, 5, 3).unwrap().0;
    assert_eq!(consensus(&votes, None).unwrap(), consensus(&again, None).unwrap());
}

#[test]
fn examples_without_votes_get_no_label_unless_a_model_has_one() {
    let vote = |example, annotator, class| Vote { example, annotator, class };
    let given = [vote(0, 0, 1), vote(0, 1, 1), vote(1, 0, 0)];
    let votes = Votes::new(&given, 3, 3, 2).unwrap().0;
    let found = consensus(&votes, None).unwrap();
    assert_eq!(found.labels, [Some(1), Some(0), None]);
    assert!((found.posterior.row(2).iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(majority(&votes)[2], None);
    let all = annotators(&votes, &found.posterior).unwrap();
    assert_eq!((all[2].n_votes, all[2].low, all[2].high), (0, 0.0, 1.0));
    assert!(all[1].high - all[1].low > 0.5, "one vote says little: {:?}", all[1]);
}

#[test]
fn a_hundred_thousand_classes_are_counted_or_refused() {
    let vote = |example, annotator, class| Vote { example, annotator, class };
    let given = [vote(0, 0, 99_999), vote(0, 1, 99_999), vote(1, 0, 5), vote(1, 1, 6)];
    let votes = Votes::new(&given, 2, 2, 100_000).unwrap().0;
    assert!(matches!(dawid_skene(&votes, 1.0), Err(CurateError::TooLarge { .. })));
    let found = consensus(&votes, None).unwrap();
    assert!(found.accuracies_only);
    assert_eq!(found.labels[0], Some(99_999));
    let many = Votes::new(&given, 5_000, 2, 100_000).unwrap().0;
    assert!(matches!(consensus(&many, None), Err(CurateError::TooLarge { .. })));
    assert_eq!(majority(&many)[0].unwrap().class, 99_999);
    assert!(majority(&many)[1].unwrap().tied);
}

/// Votes of five on 200 examples in order of time, by whom `tired` guesses from the 120th on; and what is found.
fn drifts_with(tired: Option<u32>, seed: u64, day: impl Fn(u32) -> u32) -> Vec<Drift> {
    let mut rng = Seed(seed).rng();
    let truth: Vec<u32> = (0..200).map(|_| random::below(&mut rng, 3) as u32).collect();
    let mut given = Vec::new();
    for annotator in 0..5_u32 {
        for (example, truth) in truth.iter().enumerate() {
            let accuracy = if Some(annotator) == tired && example >= 120 { 0.4 } else { 0.85 };
            let right = random::uniform(&mut rng) < accuracy;
            let class = if right { *truth } else { (truth + 1) % 3 };
            given.push(Vote { example: example as u32, annotator, class });
        }
    }
    let votes = Votes::new(&given, 200, 5, 3).unwrap().0;
    let found = consensus(&votes, None).unwrap();
    let times: Vec<Option<f64>> = votes.all().iter().map(|vote| Some(f64::from(day(vote.example)))).collect();
    assert!(drift(&votes, &found.posterior, &times[1..], Seed(1)).is_err());
    drift(&votes, &found.posterior, &times, Seed(1)).unwrap()
}

#[test]
fn an_annotator_who_tires_is_found_and_those_who_do_not_are_seldom_told() {
    let mut others = 0;
    for seed in 0..10 {
        let drifts = drifts_with(Some(2), seed, |example| example);
        assert!(drifts[0].annotator == 2 && drifts[0].is_change, "{drifts:?}");
        assert!(drifts[0].accuracy[0] > drifts[0].accuracy[3] + 0.2);
        others += drifts[1..].iter().filter(|drift| drift.is_change).count();
    }
    // Of ten that are told one may be chance, and where one guesses the truth is less sure for all.
    assert!(others <= 3, "{others}");
    let told = (0..20).filter(|seed| drifts_with(None, *seed, |example| example)[0].is_change).count();
    assert!(told <= 4, "{told} of 20");
    // Of one day, or of three, nothing can be told, whatever the order of the examples.
    assert!([1, 3].iter().all(|days| drifts_with(Some(2), 9, |example| example % days).is_empty()));
}

#[test]
fn the_doubtful_example_is_asked_of_the_best_who_has_not_answered() {
    let (_, votes) = made(60, 3, 3, &[0.95, 0.6, 0.6, 0.6, 0.9], 11);
    let found = consensus(&votes, None).unwrap();
    let who: Vec<Annotator> = annotators(&votes, &found.posterior).unwrap();
    let questions = next_questions(&votes, &found.confidence, &who, 10);
    assert_eq!(questions.len(), 10);
    assert!(questions.windows(2).all(|pair| pair[0].score <= pair[1].score));
    for question in &questions {
        let annotator = question.annotator.unwrap();
        assert!(votes.of(question.example as usize).iter().all(|vote| vote.annotator != annotator));
    }
}

#[test]
fn probabilities_that_do_not_fit_are_named() {
    let (_, votes) = made(10, 2, 1, &[0.9, 0.9], 12);
    let wrong = |probs: Matrix<f64>| JudgedVotes::new(&votes, probs.view()).unwrap_err();
    assert!(matches!(wrong(Matrix::zeros(9, 2)), CurateError::Shape { got: 9, expected: 10, .. }));
    assert!(matches!(wrong(Matrix::zeros(10, 3)), CurateError::Shape { got: 3, expected: 2, .. }));
    assert_eq!(wrong(Matrix::zeros(10, 2)), CurateError::NotNormalised { row: 0, sum: 0.0 });
    let even = Matrix::from_vec(10, 2, vec![0.5; 20]);
    let judged = JudgedVotes::new(&votes, even.view()).unwrap();
    assert_eq!(crowdlab(judged).unwrap_err(), CurateError::Empty { what: "examples with two votes" });
    assert_eq!(active_scores(judged, Matrix::zeros(0, 2).view()).unwrap().voted[0], 0.5);
}
