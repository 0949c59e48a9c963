//! Regions in which two classes contradict each other, with what explains them (methods 3.8).

use linalg::Seed;

use super::explain::{accuracy_by_features, explanations, keep_significant};
use super::impact::{hearers, impact};
use super::stump::best_stump;
use super::{ClassPair, Explanation, Labelled, Side, Stump, Zone};
use crate::CurateError;
use crate::attributes::Attribute;

/// Without an attribute that explains it, a zone is a case when its classes have this many standard deviations more joins
/// than noise, and noise makes one as large at most this often: in one of 200 draws.
const Z: f64 = 3.0;
const BY_CHANCE: f64 = 0.01;
/// With one it is, when noise makes one as large at most this often. Noise has nothing to do with attributes, so that the
/// explanation is evidence by itself.
const BY_CHANCE_EXPLAINED: f64 = 0.5;
/// The least examples of a case, and of either side of it.
const LEAST: usize = 6;
const LEAST_SIDE: usize = 2;
/// The features tell the sides apart when they do so with this many standard deviations more than a coin.
const SURE: f64 = 3.0;

/// What a case looks like. The order is that in which questions are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An attribute, such as who labelled it, parts the labels where the features do not: two rules are in use.
    Rule,
    /// Nothing that is known parts the labels: the definition leaves it open.
    Open,
    /// The labels follow the features through the region: two classes that shade into each other.
    Boundary,
}

/// A region in which two classes contradict each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The two classes, the smaller first.
    pub classes: (u32, u32),
    /// Rows of the first class and of the second, each ascending.
    pub sides: [Vec<usize>; 2],
    /// What it looks like.
    pub kind: Kind,
    /// [`ClassPair::z`] of its classes.
    pub z: f64,
    /// How often noise makes a zone as large.
    pub p_value: f64,
    /// The drop of the neighbours' log-loss, over all labels and in nats, if the case were given one class: its size times what
    /// an example of it is worth.
    pub impact: f64,
    /// How well the features tell the sides apart: the mean of the two sides' shares nearer to the mean of their own.
    pub accuracy_by_features: f64,
    /// What attributes say, those that explain it first.
    pub explanations: Vec<Explanation>,
    /// The best division by one attribute, if one is better than none.
    pub stump: Option<Stump>,
}

impl Case {
    /// Number of examples.
    pub fn n(&self) -> usize {
        self.sides[0].len() + self.sides[1].len()
    }

    /// All rows, ascending.
    pub fn rows(&self) -> Vec<usize> {
        let mut rows = self.sides.concat();
        rows.sort_unstable();
        rows
    }
}

/// Makes cases of the zones of `pairs` that are more than noise, or that an attribute explains: by kind, then by impact, the largest first.
///
/// # Errors
/// An attribute that does not have `n` values.
pub fn cases(
    examples: &Labelled<'_>,
    pairs: &[ClassPair],
    attributes: &[Attribute],
    seed: Seed,
) -> Result<Vec<Case>, CurateError> {
    if let Some(short) = attributes.iter().find(|attribute| attribute.values.len() != examples.n()) {
        let (got, expected) = (short.values.len(), examples.n());
        return Err(CurateError::Shape { what: "values of an attribute", got, expected });
    }
    let hearers = hearers(examples);
    let mut cases = Vec::new();
    for pair in pairs {
        let large = |zone: &&Zone| zone.p_value <= BY_CHANCE_EXPLAINED && zone.rows.len() >= LEAST;
        for zone in pair.zones.iter().filter(large) {
            let purpose = seed.derive("case").nth(cases.len());
            cases.extend(case(examples, pair, zone, &hearers, attributes, purpose));
        }
    }
    keep_significant(&mut cases.iter_mut().map(|case| &mut case.explanations).collect::<Vec<_>>());
    for case in &mut cases {
        case.kind = kind(case);
    }
    cases.retain(|case| case.kind == Kind::Rule || (case.z > Z && case.p_value <= BY_CHANCE));
    cases.sort_by(|a, b| {
        let first = |case: &Case| (case.classes, case.sides[0][0]);
        a.kind.cmp(&b.kind).then(b.impact.total_cmp(&a.impact)).then(first(a).cmp(&first(b)))
    });
    Ok(cases)
}

/// `None` when a side has too few examples to be more than noise.
fn case(
    examples: &Labelled<'_>,
    pair: &ClassPair,
    zone: &Zone,
    hearers: &[Vec<u32>],
    attributes: &[Attribute],
    seed: Seed,
) -> Option<Case> {
    let (a, b) = pair.classes;
    let rows = &zone.rows;
    let of_class = |class: u32, inside: bool| -> Vec<usize> {
        let keep =
            |row: &usize| examples.labels()[*row] == Some(class) && rows.binary_search(row).is_ok() == inside;
        (0..examples.n()).filter(keep).collect()
    };
    let sides = [of_class(a, true), of_class(b, true)];
    if sides.iter().any(|rows| rows.len() < LEAST_SIDE) {
        return None;
    }
    let elsewhere = [of_class(a, false), of_class(b, false)];
    let side = |row: &usize| if examples.labels()[*row] == Some(a) { Side::A } else { Side::B };
    Some(Case {
        classes: pair.classes,
        kind: Kind::Open,
        z: pair.z,
        p_value: zone.p_value,
        impact: impact(examples, hearers, rows, a, b),
        accuracy_by_features: accuracy_by_features(examples, &sides),
        explanations: explanations(attributes, &sides, &elsewhere, seed),
        stump: best_stump(attributes, rows, &rows.iter().map(side).collect::<Vec<_>>()),
        sides,
    })
}

fn kind(case: &Case) -> Kind {
    // The variance of the mean of two shares when a coin decides.
    let variance: f64 = case.sides.iter().map(|rows| 0.25 / rows.len() as f64).sum::<f64>() / 4.0;
    if case.explanations.iter().any(|explanation| explanation.explains) {
        Kind::Rule
    } else if case.accuracy_by_features - 0.5 > SURE * variance.sqrt() {
        Kind::Boundary
    } else {
        Kind::Open
    }
}
