//! What advice says of clouds whose truth is known.

use linalg::{Matrix, random};

use super::*;

const N: usize = 120;

fn class(class: u32) -> Option<Label> {
    Some(Label::Class(class))
}

/// Three clouds, forty rows each, in turn; the labels are the clouds.
fn asked() -> Asked {
    let mut rng = Seed(7).rng();
    let values = (0..N * 6).map(|at| {
        let centre = if at % 6 == at / 6 % 3 { 2.0 } else { 0.0 };
        (centre + random::normal(&mut rng)) as f32
    });
    let x = Matrix::from_vec(N, 6, values.collect());
    let folds: Vec<u8> = (0..N).map(|row| (row / 3 % 5) as u8).collect();
    let labels: Vec<Option<Label>> = (0..N).map(|row| class((row % 3) as u32)).collect();
    Asked {
        what_if: WhatIf::new(&x, &folds, Seed(1)),
        ids: (0..N).map(|row| row.to_string()).collect(),
        right: labels.clone(),
        sure: vec![1.0; N],
        labels,
        names: ["a", "b", "c"].map(str::to_owned).to_vec(),
        metric: Metric::Accuracy,
        seed: Seed(1),
    }
}

fn finding(number: usize, fault: Fault, action: Action, rows: Vec<usize>) -> AuditFinding {
    let ids = rows.iter().map(usize::to_string).collect();
    AuditFinding { number, ..AuditFinding::new(fault, rows, ids, 0.1, action) }
}

fn of(advice: &[Advice], action: Action) -> Vec<&Advice> {
    advice.iter().filter(|advice| advice.action == action).collect()
}

#[test]
fn labels_put_right_are_worth_more_than_nothing_and_the_best_a_minute_comes_first() {
    let mut asked = asked();
    // A third of one cloud is called by another's name.
    for row in (0..N).step_by(9) {
        asked.labels[row] = class(1);
    }
    let advice = worth(&asked, &[]).advice;
    let relabel = of(&advice, Action::Relabel)[0];
    assert_eq!(relabel.n, asked.labels.iter().zip(&asked.right).filter(|(a, b)| a != b).count());
    assert!(relabel.gain.value > 0.0 && relabel.gain.low < relabel.gain.value, "{:?}", relabel.gain);
    let rates: Vec<f64> = advice.iter().map(|advice| advice.gain.value / advice.minutes).collect();
    assert!(rates.windows(2).all(|pair| pair[0] >= pair[1]), "{rates:?}");
}

#[test]
fn doubtful_suggestions_are_worth_less_and_random_labels_nothing() {
    let mut asked = asked();
    for row in (0..N).step_by(9) {
        asked.labels[row] = class(1);
    }
    let sure = relabel(&asked, &asked.answers(&asked.labels)).unwrap().gain;
    asked.sure = vec![0.0; N];
    let unsure = relabel(&asked, &asked.answers(&asked.labels)).unwrap().gain;
    assert!(unsure.value == 0.0 && unsure.value < sure.value, "{sure:?} {unsure:?}");
    assert!(worth(&asked, &[]).caution.is_none());
    // Labels by the throw of a die, and suggestions that heads find in them.
    let mut rng = Seed(5).rng();
    asked.labels.iter_mut().for_each(|label| *label = class(random::below(&mut rng, 3) as u32));
    asked.right = asked.answers(&asked.labels);
    let Worth { advice, caution } = worth(&asked, &[]);
    assert!(of(&advice, Action::Relabel).is_empty());
    assert!(caution.unwrap().en.starts_with("It is not shown that models can tell"));
}

#[test]
fn of_copies_one_is_kept_and_an_outlier_goes_whole() {
    let asked = asked();
    let findings = [
        finding(1, Fault::Duplicate, Action::KeepOne, vec![0, 3, 6]),
        finding(2, Fault::Outlier, Action::CheckMembership, vec![9]),
    ];
    let advice = worth(&asked, &findings).advice;
    assert_eq!(of(&advice, Action::KeepOne)[0].n, 2);
    assert_eq!(of(&advice, Action::CheckMembership)[0].n, 1);
    assert!(of(&advice, Action::Relabel).is_empty());
}

#[test]
fn deciding_a_rule_is_worth_what_its_region_gains() {
    let mut asked = asked();
    // Every other row of a cloud has another label, as a second person would give it.
    let region: Vec<usize> = (0..N).step_by(3).collect();
    for row in region.iter().step_by(2) {
        (asked.labels[*row], asked.right[*row]) = (class(1), class(1));
    }
    asked.labels[3] = class(0);
    let rest = region.iter().skip(1).copied();
    let advice = worth(&asked, &[finding(4, Fault::Conflict, Action::DecideRule, rest.collect())]).advice;
    let decide = of(&advice, Action::DecideRule)[0];
    assert_eq!((decide.finding, decide.n), (Some(4), region.len() - 1));
    assert!(
        decide.gain.value > 0.0 && decide.gain.low < 0.0 && decide.gain.high > decide.gain.value,
        "{:?}",
        decide.gain
    );
}

#[test]
fn more_is_collected_of_parts_that_have_a_name_and_of_three_parts_at_most() {
    let mut asked = asked();
    // Of the third cloud few are known, so that each more teaches.
    (2..N).step_by(3).skip(8).for_each(|row| asked.labels[row] = None);
    let weak: Vec<usize> = (2..N).step_by(3).take(8).collect();
    let mut dark = finding(5, Fault::WeakSlice, Action::CollectSimilar, weak.clone());
    dark.part = Some(Sentence { en: "`brightness` is low".to_owned(), zh: "“亮度”偏低".to_owned() });
    let nameless = finding(6, Fault::WeakSlice, Action::CollectSimilar, weak);
    let advice = worth(&asked, &[dark.clone(), nameless]).advice;
    let similar = of(&advice, Action::CollectSimilar);
    assert_eq!(similar.len(), 1, "only the part that can be told is advised: {advice:?}");
    assert_eq!((similar[0].finding, similar[0].n, similar[0].minutes), (Some(5), 8, 4.0));
    assert!(similar[0].told.en.contains("(`brightness` is low)") && similar[0].told.zh.contains("亮度"));
    let many = worth(&asked, &vec![dark; 5]).advice;
    assert_eq!(of(&many, Action::CollectSimilar).len(), 3);
}

#[test]
fn what_was_done_is_measured_as_it_was_predicted() {
    let mut wrong = asked();
    let rows: Vec<usize> = (0..N).step_by(9).collect();
    for row in &rows {
        wrong.labels[*row] = class(1);
    }
    let predicted =
        worth(&wrong, &[]).advice.into_iter().find(|advice| advice.action == Action::Relabel).unwrap();
    let names: Vec<(String, &str)> =
        rows.iter().map(|row| (row.to_string(), ["a", "b", "c"][row % 3])).collect();
    let done: BTreeMap<&str, Done<'_>> = names
        .iter()
        .map(|(id, label)| (id.as_str(), Done { label: Some(label), is_decided: false }))
        .collect();
    assert_eq!(wrong.gain_of(&done), predicted.gain);
    let found = finding(1, Fault::Duplicate, Action::KeepOne, (0..N).step_by(3).collect());
    let predicted =
        worth(&asked(), &[found]).advice.into_iter().find(|advice| advice.action == Action::KeepOne).unwrap();
    let gone: Vec<String> = (0..N).step_by(3).skip(1).map(|row| row.to_string()).collect();
    let done: BTreeMap<&str, Done<'_>> =
        gone.iter().map(|id| (id.as_str(), Done { label: None, is_decided: false })).collect();
    assert_eq!(asked().gain_of(&done), predicted.gain);
}

/// The clouds with other labels; `wrong` says what every ninth is called.
fn asked_of(metric: Metric, right: impl Fn(usize) -> Label, wrong: impl Fn(usize) -> Label) -> Asked {
    let right: Vec<Option<Label>> = (0..N).map(|row| Some(right(row))).collect();
    let mut labels = right.clone();
    (0..N).step_by(9).for_each(|row| labels[row] = Some(wrong(row)));
    Asked { labels, right, metric, ..asked() }
}

#[test]
fn sets_put_right_and_one_label_more_of_are_worth_something() {
    // The first cloud has two labels, the second one of them, the third another.
    let set = |row: usize| Label::Set([vec![0, 1], vec![1], vec![2]][row % 3].clone());
    let asked = asked_of(Metric::Jaccard, set, |row| set(row + 1));
    let advice = worth(&asked, &[]).advice;
    let relabel = of(&advice, Action::Relabel)[0];
    assert_eq!((relabel.n, relabel.metric), (14, Metric::Jaccard));
    assert!(relabel.gain.value > 0.0, "{advice:?}");
    assert!(relabel.sentence(Lang::En).contains("points of overlap with the right labels"));
    let mut few = asked_of(Metric::Jaccard, set, set);
    (2..N).step_by(3).skip(8).for_each(|row| few.labels[row] = None);
    let advice = worth(&few, &[]).advice;
    let more = of(&advice, Action::CollectMore);
    assert!(more.iter().any(|advice| advice.class.as_deref() == Some("c") && advice.n == 8), "{advice:?}");
}

#[test]
fn numbers_put_right_explain_more() {
    let number = |row: usize| Label::Number([1.0, 5.0, 20.0][row % 3]);
    let asked = asked_of(Metric::R2, number, |_| Label::Number(100.0));
    let advice = worth(&asked, &[]).advice;
    let relabel = of(&advice, Action::Relabel)[0];
    assert_eq!((relabel.n, relabel.metric), (14, Metric::R2));
    let Gain { value, low, high } = relabel.gain;
    assert!(value > 0.1 && low < value && value < high, "{:?}", relabel.gain);
    assert!(relabel.sentence(Lang::Zh).contains("可解释方差（R²）"));
    let written: Vec<(String, &str)> =
        (0..N).step_by(9).map(|row| (row.to_string(), ["1", "5", "20"][row % 3])).collect();
    let done: BTreeMap<&str, Done<'_>> = written
        .iter()
        .map(|(id, label)| (id.as_str(), Done { label: Some(label), is_decided: false }))
        .collect();
    assert_eq!(asked.gain_of(&done), relabel.gain);
}
