//! Planted conflicts are found, explained and told from noise and from hard boundaries.

use curate::attributes::{Attribute, AttributeValues};
use curate::consistency::planted::{Made, Plan, Rule, planted};
use curate::consistency::{
    Choice, Consistency, Labelled, Split, Study, class_pairs, conflicts, consistency, study,
};
use curate::{CurateError, Duplicates, duplicates_among, nearest};
use linalg::{Matrix, Seed};

const TRIALS: usize = 20;
const PLAN: Plan = Plan { n: 1000, n_classes: 5, dim: 32, noise: 0.05, region: None };

fn look(made: &Made) -> Consistency {
    let groups: Vec<u32> = (0..made.labels.len() as u32).collect();
    try_look(&made.x, &made.labels, 5, &groups, &made.attributes).unwrap()
}

fn try_look(
    x: &Matrix,
    labels: &[Option<u32>],
    n_classes: usize,
    groups: &[u32],
    attributes: &[Attribute],
) -> Result<Consistency, CurateError> {
    let near = nearest(x.view())?;
    let duplicates = duplicates_among(&near, x.rows());
    let examples = Labelled::new(x.view(), &near, labels, n_classes, groups)?;
    consistency(&examples, &near, &duplicates, attributes, Seed(1))
}

/// Sets in which the planted conflict is among the first ten cases and the attribute that makes it is named.
fn explained(rule: Rule) -> usize {
    study(Plan { region: Some((60, rule)), ..PLAN }, TRIALS, |_| (), Seed(5)).unwrap().explained
}

#[test]
fn a_rule_that_one_annotator_follows_is_found_and_named() {
    let explained = explained(Rule::Annotator);
    assert!(explained >= 16, "{explained} of {TRIALS}");
}

#[test]
fn a_rule_by_size_is_found_and_its_threshold_is_offered() {
    let explained = explained(Rule::Size);
    assert!(explained >= 16, "{explained} of {TRIALS}");
    let made = planted(Plan { region: Some((60, Rule::Size)), ..PLAN }, Seed(0));
    let question = look(&made).questions.remove(0);
    let split = question.options.iter().find_map(|option| match option {
        Choice::Split(stump) => Some(stump.clone()),
        _ => None,
    });
    let split = split.expect("a division is offered");
    assert_eq!(made.attributes[split.attribute].name, "size");
    assert!(split.accuracy > 0.8 && split.accuracy > split.baseline + 0.2, "{split:?}");
    assert!(
        matches!(split.split, Split::At { threshold, .. } if (40.0..60.0).contains(&threshold)),
        "{split:?}"
    );
}

/// Cases, and those that are called rules, in all trials.
fn cases(plan: Plan, change: impl Fn(&mut Made)) -> (usize, usize) {
    let Study { cases, rules, .. } = study(plan, TRIALS, change, Seed(5)).unwrap();
    (cases, rules)
}

#[test]
fn noise_makes_few_cases_and_hardly_a_rule() {
    for noise in [0.05, 0.15] {
        let (cases, rules) = cases(Plan { noise, ..PLAN }, |_| ());
        assert!(cases <= 7 && rules <= 2, "noise {noise}: {cases} cases, {rules} rules in {TRIALS} sets");
    }
}

#[test]
fn noise_in_one_class_alone_is_no_conflict() {
    let one_sided = |made: &mut Made| {
        for row in 0..made.labels.len() {
            if made.labels[row] == Some(1) && row % 25 < 5 {
                made.labels[row] = Some(0);
            }
        }
    };
    let (cases, rules) = cases(Plan { noise: 0.0, ..PLAN }, one_sided);
    assert!(cases <= 7 && rules <= 2, "{cases} cases, {rules} rules in {TRIALS} sets");
}

#[test]
fn a_hard_boundary_is_not_called_a_rule() {
    let (_, rules) = cases(Plan { region: Some((60, Rule::Place)), ..PLAN }, |_| ());
    assert!(rules <= 3, "{rules} rules in {TRIALS} sets");
}

#[test]
fn annotators_who_were_each_given_a_class_explain_nothing() {
    // Nine of ten labels of class 0 come from one annotator, everywhere: so they do in the region.
    let given_one_class = |made: &mut Made| {
        let who = |(row, label): (usize, &Option<u32>)| {
            Some(if (*label == Some(0)) == (row / 7 % 10 != 0) { "first" } else { "second" }.to_owned())
        };
        let annotators = made.labels.iter().enumerate().map(who).collect();
        made.attributes =
            vec![Attribute { name: "annotator".to_owned(), values: AttributeValues::Names(annotators) }];
    };
    let (cases, rules) = cases(Plan { region: Some((60, Rule::Coin)), ..PLAN }, given_one_class);
    assert!(cases >= 10 && rules <= 2, "{cases} cases, {rules} rules in {TRIALS} sets");
}

#[test]
fn the_question_shows_both_sides() {
    let made = planted(Plan { region: Some((60, Rule::Annotator)), ..PLAN }, Seed(0));
    let found = look(&made);
    let (case, question) = (&found.cases[0], &found.questions[0]);
    for side in 0..2 {
        let class = Some([question.classes.0, question.classes.1][side]);
        let shown = &question.prototypes[side];
        assert!(!shown.is_empty() && shown.len() <= 4, "{shown:?}");
        assert!(shown.iter().all(|row| made.labels[*row] == class && case.sides[side].contains(row)));
        assert_eq!(question.extremes[side].len(), 2);
    }
    assert_eq!(question.counts, (case.sides[0].len(), case.sides[1].len()));
    assert!(case.impact > 0.0 && case.z > 3.0);
    assert_eq!(question.options.last(), Some(&Choice::Exclude));
    // The closest pairs of the two sides, each row in one of them.
    assert_eq!(question.pairs.len(), 3, "{:?}", question.pairs);
    let side = |row: usize| case.sides.iter().position(|rows| rows.contains(&row)).unwrap();
    assert!(question.pairs.iter().all(|pair| side(pair.first) != side(pair.second)));
    let mut rows: Vec<usize> = question.pairs.iter().flat_map(|pair| [pair.first, pair.second]).collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), 6);
}

#[test]
fn the_same_seed_gives_the_same_on_any_number_of_threads() {
    let made = planted(Plan { region: Some((60, Rule::Size)), ..PLAN }, Seed(3));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert_eq!(one.install(|| look(&made)), look(&made));
}

#[test]
fn duplicates_that_contradict_each_other_count_once() {
    let mut made = planted(PLAN, Seed(1));
    let copy = made.x.row(500).to_vec();
    for row in [501, 502, 503] {
        made.x.row_mut(row).copy_from_slice(&copy);
    }
    let of = |row: usize| if row == 503 { Some(3) } else { Some(2) };
    (500..504).for_each(|row| made.labels[row] = of(row));
    let groups: Vec<u32> = (0..1000).map(|row| if (500..504).contains(&row) { 500 } else { row }).collect();
    let found = try_look(&made.x, &made.labels, 5, &groups, &[]).unwrap();
    let first = found.conflicts[0];
    assert_eq!((first.first, first.second, first.duplicates), (500, 503, true));
    assert_eq!(found.conflicts.iter().filter(|conflict| conflict.duplicates).count(), 1);
    let inside = |row: usize| (500..504).contains(&row);
    assert!(
        found.conflicts.iter().skip(1).all(|conflict| !(inside(conflict.first) && inside(conflict.second)))
    );
}

#[test]
fn close_pairs_are_mutual_and_contradict_each_other() {
    let made = planted(Plan { region: Some((60, Rule::Coin)), ..PLAN }, Seed(2));
    let near = nearest(made.x.view()).unwrap();
    let groups: Vec<u32> = (0..1000).collect();
    let examples = Labelled::new(made.x.view(), &near, &made.labels, 5, &groups).unwrap();
    let none = Duplicates { components: Vec::new(), scores: vec![1.0; 1000] };
    let found = conflicts(&examples, &near, &none);
    assert!(!found.is_empty());
    for conflict in &found {
        assert_ne!(made.labels[conflict.first], made.labels[conflict.second]);
        assert!(examples.mutual(conflict.first, conflict.second) && conflict.first < conflict.second);
    }
    assert!(found.is_sorted_by(|x, y| x.distance <= y.distance));
}

#[test]
fn few_equal_and_unlabelled_rows_are_defined() {
    let empty = |x: &Matrix, labels: &[Option<u32>], n_classes: usize| {
        let groups: Vec<u32> = (0..labels.len() as u32).collect();
        try_look(x, labels, n_classes, &groups, &[]).unwrap().cases.is_empty()
    };
    let x = planted(Plan { n: 60, ..PLAN }, Seed(1)).x;
    assert!(empty(&x, &[None; 60], 0), "no labels, no classes");
    assert!(empty(&x, &[Some(0); 60], 1), "one class");
    for n in [0, 1, 2, 3] {
        let labels: Vec<Option<u32>> = (0..n as u32).map(|row| Some(row % 2)).collect();
        assert!(empty(&x.select_rows(&(0..n).collect::<Vec<_>>()), &labels, 2), "{n} rows");
    }
    let equal = Matrix::from_vec(30, 4, vec![1.0; 120]);
    let labels: Vec<Option<u32>> = (0..30).map(|row| Some(row % 2)).collect();
    let groups: Vec<u32> = vec![0; 30];
    let found = try_look(&equal, &labels, 2, &groups, &[]).unwrap();
    assert_eq!((found.cases.len(), found.conflicts.len()), (0, 1), "one thing, labelled in two ways");
    let near = nearest(equal.view()).unwrap();
    assert!(
        class_pairs(&Labelled::new(equal.view(), &near, &labels, 2, &groups).unwrap(), Seed(1)).is_empty()
    );
}

#[test]
fn broken_input_is_named() {
    let made = planted(Plan { n: 60, ..PLAN }, Seed(1));
    let groups: Vec<u32> = (0..60).collect();
    let with = |x: &Matrix, labels: &[Option<u32>], groups: &[u32], attributes: &[Attribute]| {
        try_look(x, labels, 5, groups, attributes).unwrap_err()
    };
    let mut broken = made.x.clone();
    broken.row_mut(7)[0] = f32::NAN;
    assert_eq!(with(&broken, &made.labels, &groups, &[]), CurateError::NotFinite { row: 7 });
    let shape = |what, got| CurateError::Shape { what, got, expected: 60 };
    assert_eq!(with(&made.x, &made.labels[1..], &groups, &[]), shape("labels", 59));
    assert_eq!(with(&made.x, &made.labels, &groups[2..], &[]), shape("groups", 58));
    let mut labels = made.labels.clone();
    labels[3] = Some(5);
    let range = CurateError::LabelOutOfRange { row: 3, label: 5, n_classes: 5 };
    assert_eq!(with(&made.x, &labels, &groups, &[]), range);
    let number =
        |name: &str, values| Attribute { name: name.to_owned(), values: AttributeValues::Numbers(values) };
    let short = number("size", vec![None; 3]);
    assert_eq!(with(&made.x, &made.labels, &groups, &[short]), shape("values of an attribute", 3));
}

#[test]
fn numbers_that_are_none_are_not_known() {
    let made = planted(Plan { region: Some((60, Rule::Size)), ..PLAN }, Seed(0));
    let groups: Vec<u32> = (0..1000).collect();
    let with = |unknown: Option<f64>| {
        let mut attributes = made.attributes.clone();
        let AttributeValues::Numbers(sizes) = &mut attributes[2].values else { panic!("sizes are numbers") };
        sizes.iter_mut().step_by(3).for_each(|size| *size = unknown);
        try_look(&made.x, &made.labels, 5, &groups, &attributes).unwrap()
    };
    assert_eq!(with(Some(f64::NAN)), with(None));
}
