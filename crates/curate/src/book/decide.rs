//! From a case and its answer to an entry of the book.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::space::{distance, placed};
use super::{Entry, Exemplar, Region, Rule};
use crate::consistency::{Case, Labelled, Question};

/// An answer, and what is to be kept about it.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// What was decided.
    pub rule: &'a Rule,
    /// Who decided.
    pub author: &'a str,
    /// `YYYY-MM-DD`
    pub date: &'a str,
    /// Of the data.
    pub fingerprint: &'a str,
}

/// All of an entry that does not depend on the answer: what can be kept until somebody gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The first class.
    pub a: String,
    /// The second class.
    pub b: String,
    /// Where the rule will hold.
    pub region: Region,
    /// Examples that show what it is about.
    pub exemplars: Vec<Exemplar>,
    /// Ids of the examples it will be decided for.
    pub members: Vec<String>,
}

/// Makes the entry of one case.
///
/// # Panics
/// As [`Draft::of`].
pub fn decide(
    examples: &Labelled<'_>,
    case: &Case,
    question: &Question,
    decision: Decision<'_>,
    ids: &[String],
    class_names: &[String],
) -> Entry {
    Draft::of(examples, case, question, ids, class_names).decided(decision)
}

impl Draft {
    /// What is known of a case before it is decided.
    ///
    /// `ids` is `[n]` and `class_names` is `[k]`, those of `examples`; `question` is that of `case`. The radius is the one that best
    /// tells the members from the other examples of the two classes (the largest difference of the two shares inside).
    ///
    /// # Panics
    /// When there are fewer ids or names than examples or classes.
    pub fn of(
        examples: &Labelled<'_>,
        case: &Case,
        question: &Question,
        ids: &[String],
        class_names: &[String],
    ) -> Self {
        let members = case.rows();
        let (a, b) = case.classes;
        let exemplar = |row: &usize, class: u32| Exemplar {
            id: ids[*row].clone(),
            given: class_names[class as usize].clone(),
            features: examples.x().row(*row).to_vec(),
        };
        let [of_a, of_b] = &question.prototypes;
        Self {
            a: class_names[a as usize].clone(),
            b: class_names[b as usize].clone(),
            region: region(examples, &members, (a, b)),
            exemplars: of_a
                .iter()
                .map(|row| exemplar(row, a))
                .chain(of_b.iter().map(|row| exemplar(row, b)))
                .collect(),
            members: members.iter().map(|row| ids[*row].clone()).collect(),
        }
    }

    /// The entry, with its answer.
    pub fn decided(self, decision: Decision<'_>) -> Entry {
        let Self { a, b, region, exemplars, members } = self;
        Entry {
            a,
            b,
            rule: decision.rule.clone(),
            region,
            exemplars,
            members,
            date: decision.date.to_owned(),
            author: decision.author.to_owned(),
            fingerprint: decision.fingerprint.to_owned(),
        }
    }
}

fn region(examples: &Labelled<'_>, members: &[usize], classes: (u32, u32)) -> Region {
    let x = examples.x();
    let mut centroid = vec![0.0_f64; x.cols()];
    for row in members {
        let at = placed(x.row(*row));
        centroid.iter_mut().zip(at).for_each(|(sum, value)| *sum += f64::from(value) / members.len() as f64);
    }
    let centroid: Vec<f32> = centroid.into_iter().map(|value| value as f32).collect();
    let inside: BTreeSet<usize> = members.iter().copied().collect();
    let of_pair =
        |row: &usize| examples.labels()[*row].is_some_and(|label| label == classes.0 || label == classes.1);
    let mut distances: Vec<(f32, bool)> = (0..examples.n())
        .filter(of_pair)
        .map(|row| (distance(&placed(x.row(row)), &centroid), inside.contains(&row)))
        .collect();
    // Members before others at the same distance.
    distances.sort_by(|x, y| x.0.total_cmp(&y.0).then(y.1.cmp(&x.1)));
    let n_members = members.len() as f64;
    let n_others = (distances.len() - members.len()).max(1) as f64;
    let (mut found, mut others) = (0.0, 0.0);
    let (mut best, mut radius, mut reach) = (f64::NEG_INFINITY, 0.0, 0.0);
    for (at, member) in distances {
        if member {
            found += 1.0;
            reach = at;
        } else {
            others += 1.0;
        }
        let apart = found / n_members - others / n_others;
        if member && apart > best {
            (best, radius) = (apart, at);
        }
    }
    Region { centroid, radius, reach }
}
