//! One question about a case, as data; words are made of it where it is asked (methods 3.8).

use linalg::{Neighbours, k_centre};

use super::conflicts::closest;
use super::explain::mean;
use super::{Case, Conflict, Explanation, Labelled, Stump};

/// Examples shown of each side, and of each extreme.
const SHOWN: usize = 4;
const EXTREMES: usize = 2;

/// "These look alike; which rule applies?"
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The two classes.
    pub classes: (u32, u32),
    /// How many examples have either.
    pub counts: (usize, usize),
    /// Rows that cover what either side looks like, the most typical first; at most four.
    pub prototypes: [Vec<usize>; 2],
    /// Rows of the case farthest toward either class, by the difference of the means of the sides; at most two each.
    pub extremes: [Vec<usize>; 2],
    /// Pairs of the two sides that are closest together, no row in two; at most three.
    pub pairs: Vec<Conflict>,
    /// What parts the labels, where something does: the first that explains the case.
    pub explanation: Option<Explanation>,
    /// What may be answered.
    pub options: Vec<Choice>,
}

/// A possible answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// All have the first class.
    AllA,
    /// All have the second class.
    AllB,
    /// An attribute decides.
    Split(Stump),
    /// They are a class of their own.
    NewClass,
    /// They should not be used.
    Exclude,
}

/// Makes the question about a case; `near` and `conflicts` are those of the same examples.
pub fn question(examples: &Labelled<'_>, case: &Case, near: &Neighbours, conflicts: &[Conflict]) -> Question {
    let means = case.sides.each_ref().map(|rows| mean(examples, rows));
    let direction: Vec<f64> = means[1].iter().zip(&means[0]).map(|(b, a)| b - a).collect();
    let along = |row: usize| -> f64 {
        examples.x().row(row).iter().zip(&direction).map(|(value, along)| f64::from(*value) * along).sum()
    };
    let mut toward_b: Vec<(f64, usize)> = case.rows().into_iter().map(|row| (along(row), row)).collect();
    toward_b.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
    let end = EXTREMES.min(toward_b.len() / 2);
    let rows = |ends: &[(f64, usize)]| ends.iter().map(|(_, row)| *row).collect::<Vec<_>>();
    let last: Vec<(f64, usize)> = toward_b.iter().rev().take(end).copied().collect();
    let split = case.stump.clone().map(Choice::Split);
    Question {
        classes: case.classes,
        counts: (case.sides[0].len(), case.sides[1].len()),
        prototypes: case.sides.each_ref().map(|rows| prototypes(examples, rows, SHOWN)),
        extremes: [rows(&toward_b[..end]), rows(&last)],
        pairs: closest(case, near, conflicts),
        explanation: case.explanations.first().filter(|found| found.explains).cloned(),
        options: [Choice::AllA, Choice::AllB]
            .into_iter()
            .chain(split)
            .chain([Choice::NewClass, Choice::Exclude])
            .collect(),
    }
}

/// At most `count` rows that cover the others: the one nearest to their mean, then each time the farthest (k-centre).
fn prototypes(examples: &Labelled<'_>, rows: &[usize], count: usize) -> Vec<usize> {
    let middle: Vec<f32> = mean(examples, rows).into_iter().map(|value| value as f32).collect();
    let x = examples.x().to_owned().select_rows(rows);
    let off = |place: &usize| linalg::squared_distance(x.row(*place), &middle);
    let Some(first) = (0..rows.len()).min_by(|a, b| off(a).total_cmp(&off(b))) else { return Vec::new() };
    k_centre(x.view(), count, first).picks.into_iter().map(|place| rows[place]).collect()
}
