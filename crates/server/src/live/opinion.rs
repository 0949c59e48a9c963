//! What the quick model thinks of the examples of a data set, by their ids.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use pipeline::{Answers, Half, Judged, Says};

use crate::tasks::Answer;

/// From this probability on a label is suggested.
const EVEN: f64 = 0.5;
/// A suggestion surer than this speaks up against an answer.
const SURE: f64 = 0.9;

/// What the quick model thinks.
#[derive(Debug)]
pub(crate) struct Opinion {
    pub(crate) judged: Judged,
    pub(crate) ids: Arc<Vec<String>>,
    pub(crate) classes: Vec<String>,
    pub(crate) answers: Answers,
    /// Digits after the point that numbers are given with.
    pub(super) digits: usize,
    pub(super) rows: Arc<HashMap<String, usize>>,
    /// What to label next, the most useful first, and whether chance picked it.
    pub(crate) queue: Vec<(String, Half)>,
}

/// What it would answer about an example.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Suggestion<'o> {
    /// The class, and how probable it is.
    Class(&'o str, f64),
    /// The labels that are more probable than not, the most probable first.
    Classes(Vec<(&'o str, f64)>),
    /// A number, and the ends of the interval that holds it nine times of ten.
    Number { value: f64, low: f64, high: f64 },
}

/// What it has against an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Objection<'o> {
    /// Another class.
    Class(&'o str, f64),
    /// Labels that are missing and labels that should not be there, with how sure it is of that.
    Classes { missing: Vec<(&'o str, f64)>, wrong: Vec<(&'o str, f64)> },
    /// The ends of the interval outside of which a number is hardly possible.
    Number { low: f64, high: f64 },
}

impl Opinion {
    /// What it would answer.
    pub(crate) fn suggestion(&self, example: &str) -> Option<Suggestion<'_>> {
        let row = *self.rows.get(example)?;
        match &self.judged.says {
            Says::Nothing => None,
            Says::Classes(all) => {
                let (class, probability) = all[row]?;
                Some(Suggestion::Class(self.classes.get(class as usize)?, probability))
            }
            Says::Sets(probs) => {
                let mut likely: Vec<(&str, f64)> =
                    self.named(probs.row(row)).filter(|(_, p)| *p >= EVEN).collect();
                likely.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
                Some(Suggestion::Classes(likely))
            }
            Says::Numbers { told, likely, .. } => {
                let half = (*likely)?;
                let digits = self.digits.min(digits_of(half));
                let [low, high] = around(told[row], half, digits);
                Some(Suggestion::Number { value: rounded(told[row], digits), low, high })
            }
        }
    }

    /// What it has against an answer, if it is sure of that.
    pub(crate) fn objection(&self, example: &str, answer: &Answer) -> Option<Objection<'_>> {
        let row = *self.rows.get(example)?;
        match (&self.judged.says, answer) {
            (Says::Classes(all), Answer { label: Some(given), .. }) => {
                let (class, probability) = all[row]?;
                let class = self.classes.get(class as usize)?;
                (class != given && probability >= SURE).then_some(Objection::Class(class, probability))
            }
            (Says::Sets(probs), Answer { labels: Some(given), .. }) => {
                let has = |name: &str| given.iter().any(|given| given == name);
                let of = |there: bool, p: f64| if there { 1.0 - p } else { p };
                let (mut missing, mut wrong) = (Vec::new(), Vec::new());
                for (name, p) in self.named(probs.row(row)).filter(|(name, p)| of(has(name), *p) >= SURE) {
                    if has(name) { wrong.push((name, 1.0 - p)) } else { missing.push((name, p)) }
                }
                (!missing.is_empty() || !wrong.is_empty()).then_some(Objection::Classes { missing, wrong })
            }
            (Says::Numbers { told, possible, .. }, Answer { number: Some(given), .. }) => {
                let half = (*possible)?;
                let [low, high] = around(told[row], half, self.digits.min(digits_of(half)));
                (!(low..=high).contains(given)).then_some(Objection::Number { low, high })
            }
            _ => None,
        }
    }

    fn named<'o>(&'o self, probs: &'o [f64]) -> impl Iterator<Item = (&'o str, f64)> {
        self.classes.iter().map(String::as_str).zip(probs.iter().copied())
    }

    /// Whether chance picked an example to be labelled next.
    pub(crate) fn draws(&self, example: &str) -> bool {
        self.queue.iter().any(|(id, half)| id == example && *half == Half::Random)
    }

    /// Examples whose answer it would not have given, the surest first: another class; other labels; a number outside its interval.
    pub(crate) fn disagrees(&self) -> Vec<&str> {
        let mut rows: Vec<(usize, f64)> =
            (0..self.ids.len()).filter_map(|row| Some((row, self.against(row)?))).collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        rows.into_iter().map(|(row, _)| self.ids[row].as_str()).collect()
    }

    /// Whether it would not have given the answer of an example, by its row.
    pub(crate) fn is_against(&self, row: usize) -> bool {
        self.against(row).is_some()
    }

    /// The labels of a row that are more probable than not, by their places among the classes; only where several are asked for.
    pub(crate) fn suggested_set(&self, row: usize) -> Option<Vec<u32>> {
        let Says::Sets(probs) = &self.judged.says else { return None };
        Some((0..).zip(probs.row(row)).filter(|(_, p)| **p >= EVEN).map(|(class, _)| class).collect())
    }

    /// Examples whose answer it is this sure of, in their order: of its class, or of the label that it is least sure of.
    pub(crate) fn as_sure_as(&self, sure: &Range<f64>) -> Vec<&str> {
        let is = |row: &usize| self.sureness(*row).is_some_and(|sureness| sure.contains(&sureness));
        (0..self.ids.len()).filter(is).map(|row| self.ids[row].as_str()).collect()
    }

    /// How sure it is of an answer, by its row, in [0, 1]; absent where it says nothing, and of numbers.
    fn sureness(&self, row: usize) -> Option<f64> {
        match &self.judged.says {
            Says::Nothing | Says::Numbers { .. } => None,
            Says::Classes(all) => all[row].map(|(_, probability)| probability),
            Says::Sets(probs) => probs.row(row).iter().map(|p| p.max(1.0 - p)).min_by(f64::total_cmp),
        }
    }

    /// How much speaks against the answer of an example, in any unit; absent where nothing does.
    fn against(&self, row: usize) -> Option<f64> {
        match (&self.judged.says, &self.answers) {
            (Says::Classes(all), Answers::Classes(given)) => {
                let (class, probability) = all[row]?;
                (given[row]? != class).then_some(probability)
            }
            (Says::Sets(probs), Answers::Sets(given)) => {
                let given = given[row].as_ref()?;
                let other = |(class, p): (u32, &f64)| if given.contains(&class) { 1.0 - p } else { *p };
                let most = (0..).zip(probs.row(row)).map(other).fold(0.0, f64::max);
                (most > EVEN).then_some(most)
            }
            (Says::Numbers { told, likely, .. }, Answers::Numbers(given)) => {
                let off = (given[row]? - told[row]).abs();
                (off > (*likely)?).then_some(off)
            }
            _ => None,
        }
    }

    /// All examples, the one it is least sure of first; none while there is no model.
    pub(crate) fn by_doubt(&self) -> Vec<&str> {
        let mut rows: Vec<usize> = (0..self.judged.margins.len()).collect();
        rows.sort_by(|a, b| self.judged.margins[*a].total_cmp(&self.judged.margins[*b]).then(a.cmp(b)));
        rows.into_iter().map(|row| self.ids[row].as_str()).collect()
    }

    /// Examples with this label that it would call that; only where each has one class.
    pub(crate) fn confused(&self, label: &str, suggestion: &str) -> Vec<&str> {
        let (Says::Classes(says), Answers::Classes(given)) = (&self.judged.says, &self.answers) else {
            return Vec::new();
        };
        let class =
            |name: &str| self.classes.iter().position(|class| class == name).map(|class| class as u32);
        let (label, suggestion) = (class(label), class(suggestion));
        let is = |row: &usize| {
            label.is_some() && given[*row] == label && says[*row].map(|(class, _)| class) == suggestion
        };
        (0..self.ids.len()).filter(is).map(|row| self.ids[row].as_str()).collect()
    }
}

/// Digits after the point that tell apart what an interval of this half width does: two that count.
fn digits_of(half: f64) -> usize {
    if half > 0.0 { (1.0 - half.log10().floor()).clamp(0.0, 17.0) as usize } else { 17 }
}

/// The ends of an interval, rounded away from its middle.
fn around(middle: f64, half: f64, digits: usize) -> [f64; 2] {
    let scale = 10_f64.powi(digits as i32);
    [(scale * (middle - half)).floor() / scale, (scale * (middle + half)).ceil() / scale]
        .map(|end| rounded(end, digits))
}

fn rounded(number: f64, digits: usize) -> f64 {
    // A zero without its sign.
    format!("{number:.digits$}").parse().unwrap_or(number) + 0.0
}

#[cfg(test)]
mod tests {
    use linalg::Matrix;

    use super::*;

    fn opinion(says: Says, answers: Answers) -> Opinion {
        let ids: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let rows = ids.iter().enumerate().map(|(row, id)| (id.clone(), row)).collect();
        Opinion {
            judged: Judged { says, ..Judged::default() },
            ids: Arc::new(ids),
            classes: vec!["dirt".to_owned(), "dent".to_owned()],
            answers,
            digits: 1,
            rows: Arc::new(rows),
            queue: Vec::new(),
        }
    }

    #[test]
    fn labels_are_suggested_by_their_probability_and_objected_to_where_it_is_sure() {
        let probs = Matrix::from_rows(&[[0.6, 0.95], [0.05, 0.3], [0.97, 0.02]]);
        let given = vec![Some(vec![0]), None, Some(vec![1])];
        let opinion = opinion(Says::Sets(probs), Answers::Sets(given));
        assert_eq!(opinion.suggestion("a"), Some(Suggestion::Classes(vec![("dent", 0.95), ("dirt", 0.6)])));
        assert_eq!(opinion.suggestion("b"), Some(Suggestion::Classes(Vec::new())));
        assert_eq!(opinion.suggestion("x"), None);
        let objection = |id, given: &[&'static str]| {
            let labels = given.iter().map(|name| (*name).to_owned()).collect();
            opinion.objection(id, &Answer { labels: Some(labels), ..Answer::default() })
        };
        assert_eq!(objection("a", &["dent"]), None, "it is not sure of dirt");
        let Some(Objection::Classes { missing, wrong }) = objection("c", &["dent"]) else {
            panic!("it objects")
        };
        assert_eq!((missing, wrong.len()), (vec![("dirt", 0.97)], 1));
        assert_eq!(opinion.disagrees(), ["c", "a"], "the surest first");
        // Of two labels the one that is told less surely counts: .6, .7, .97.
        assert_eq!(opinion.as_sure_as(&(0.0..0.7)), ["a"]);
        assert_eq!(opinion.as_sure_as(&(0.7..f64::INFINITY)), ["b", "c"]);
    }

    #[test]
    fn numbers_are_rounded_as_people_give_them_and_objected_to_outside_of_what_is_possible() {
        let says = Says::Numbers { told: vec![2.04, 5.0, 9.0], likely: Some(0.51), possible: Some(1.3) };
        let opinion = opinion(says, Answers::Numbers(vec![Some(2.5), Some(7.0), None]));
        assert_eq!(opinion.suggestion("a"), Some(Suggestion::Number { value: 2.0, low: 1.5, high: 2.6 }));
        let objection =
            |number| opinion.objection("a", &Answer { number: Some(number), ..Answer::default() });
        assert_eq!(objection(3.3), None);
        assert_eq!(objection(20.0), Some(Objection::Number { low: 0.7, high: 3.4 }));
        assert_eq!(opinion.disagrees(), ["b"]);
        assert_eq!([digits_of(63.0), digits_of(6.3), digits_of(0.034), digits_of(0.0)], [0, 1, 3, 17]);
    }
}
