//! What a model said of the examples that it was measured on: kept beside its bundle, so that two models can be compared on the same ones.

use std::collections::{BTreeSet, HashMap};

use dataset::{ClassIdx, Target, Task};
use evaluate::{Paired, paired, paired_scores};
use linalg::Seed;
use pipeline::{HeldOutAnswer, Metric};
use serde::{Deserialize, Serialize};

/// Ending of the file.
pub(crate) const ENDING: &str = "answers.json";

/// Answers of models that had not seen the example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answers {
    classes: Vec<String>,
    #[serde(flatten)]
    said: Said,
}

/// Each as our id, the label and what was predicted; classes by their places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    /// One class of several.
    Answers(Vec<(String, u32, u32)>),
    /// Any number of classes.
    Sets(Vec<(String, Vec<u32>, Vec<u32>)>),
    Numbers(Vec<(String, f64, f64)>),
}

/// Two models on the same examples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compared {
    /// By what they are compared.
    pub(crate) metric: Metric,
    /// On the examples that both were measured on and whose label was the same for both; absent where these are too few.
    pub(crate) paired: Option<Paired>,
    /// Examples that both were measured on, with other labels: neither label judges both.
    pub(crate) n_relabelled: usize,
}

impl Answers {
    /// Under our ids, which `example` finds by names.
    pub(crate) fn of(
        task: &Task,
        held_out: &[HeldOutAnswer],
        example: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let (classes, said) = match task {
            Task::SingleLabel { classes } => (
                classes.clone(),
                Said::Answers(ours(held_out, example, |target| match target {
                    Target::Class(ClassIdx(class)) => Some(*class),
                    _ => None,
                })),
            ),
            Task::MultiLabel { classes } => (
                classes.clone(),
                Said::Sets(ours(held_out, example, |target| match target {
                    Target::Classes(classes) => Some(classes.iter().map(|class| class.0).collect()),
                    _ => None,
                })),
            ),
            Task::Regression { .. } => (
                Vec::new(),
                Said::Numbers(ours(held_out, example, |target| match target {
                    Target::Number(number) => Some(*number),
                    _ => None,
                })),
            ),
        };
        Self { classes, said }
    }

    /// Calls classes by other names; two that have one name are one class.
    pub(crate) fn rename(&mut self, now: impl Fn(&str) -> String) {
        self.classes.iter_mut().for_each(|class| *class = now(class));
    }

    /// How a later model compares with this one; `None` where one was asked for something else.
    pub(crate) fn compare(&self, later: &Self) -> Option<Compared> {
        let seed = Seed(0);
        Some(match (&self.said, &later.said) {
            (Said::Answers(before), Said::Answers(after)) => {
                let (same, n_relabelled) =
                    same(before, after, |class| self.name(*class), |class| later.name(*class));
                let right = same.iter().map(|[given, first, second]| (first == given, second == given));
                Compared { metric: Metric::Accuracy, paired: paired(right), n_relabelled }
            }
            (Said::Sets(before), Said::Sets(after)) => {
                let (same, n_relabelled) = same(before, after, |set| self.names(set), |set| later.names(set));
                let scores =
                    same.iter().map(|[given, first, second]| (overlap(given, first), overlap(given, second)));
                Compared { metric: Metric::Jaccard, paired: paired_scores(scores, seed), n_relabelled }
            }
            (Said::Numbers(before), Said::Numbers(after)) => {
                let (same, n_relabelled) = same(before, after, |number| *number, |number| *number);
                let mean = same.iter().map(|[given, ..]| given).sum::<f64>() / same.len() as f64;
                let variance =
                    same.iter().map(|[given, ..]| (given - mean).powi(2)).sum::<f64>() / same.len() as f64;
                let score = |given: f64, said: f64| -(said - given).powi(2) / variance;
                let scores =
                    same.iter().map(|[given, first, second]| (score(*given, *first), score(*given, *second)));
                // Of numbers that are all the same nothing is to be explained.
                let paired = if variance > 0.0 { paired_scores(scores, seed) } else { None };
                Compared { metric: Metric::R2, paired, n_relabelled }
            }
            _ => return None,
        })
    }

    fn name(&self, class: u32) -> &str {
        self.classes.get(class as usize).map_or("", String::as_str)
    }

    fn names(&self, set: &[u32]) -> BTreeSet<&str> {
        set.iter().map(|class| self.name(*class)).collect()
    }
}

/// Answers under our ids, as `read` has them.
fn ours<T>(
    held_out: &[HeldOutAnswer],
    example: impl Fn(&str) -> Option<String>,
    read: impl Fn(&Target) -> Option<T>,
) -> Vec<(String, T, T)> {
    let one = |answer: &HeldOutAnswer| {
        Some((example(&answer.example.0)?, read(&answer.given)?, read(&answer.predicted)?))
    };
    held_out.iter().filter_map(one).collect()
}

/// Of examples that both answered and whose label is the same: the label, what the first and what the second said; and how many have
/// another label. Both are read into the same words.
fn same<T, L: PartialEq>(
    before: &[(String, T, T)],
    after: &[(String, T, T)],
    first: impl Fn(&T) -> L,
    second: impl Fn(&T) -> L,
) -> (Vec<[L; 3]>, usize) {
    let known: HashMap<&str, (&T, &T)> =
        before.iter().map(|(id, given, said)| (id.as_str(), (given, said))).collect();
    let mut n_relabelled = 0;
    let both = after.iter().filter_map(|(id, given, said)| {
        let (given_before, said_before) = known.get(id.as_str())?;
        let given = second(given);
        if first(given_before) != given {
            n_relabelled += 1;
            return None;
        }
        Some([given, first(said_before), second(said)])
    });
    (both.collect(), n_relabelled)
}

/// What two sets share, of all that is in either; all of it where both are empty.
fn overlap(one: &BTreeSet<&str>, other: &BTreeSet<&str>) -> f64 {
    match one.union(other).count() {
        0 => 1.0,
        all => one.intersection(other).count() as f64 / all as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(classes: &[&str], answers: &[(&str, u32, u32)]) -> Answers {
        let said = Said::Answers(
            answers.iter().map(|(id, given, said)| ((*id).to_owned(), *given, *said)).collect(),
        );
        Answers { classes: classes.iter().map(|class| (*class).to_owned()).collect(), said }
    }

    #[test]
    fn models_are_compared_where_both_were_asked_the_same() {
        let before = answers(&["a", "b"], &[("1", 0, 1), ("2", 0, 0), ("3", 1, 1), ("4", 1, 1)]);
        // Classes are known by their names, examples by their ids.
        let after =
            answers(&["0", "a", "b"], &[("3", 2, 1), ("2", 1, 1), ("1", 1, 1), ("4", 1, 1), ("5", 1, 1)]);
        let told = before.compare(&after).expect("classes as well");
        let paired = told.paired.expect("three in common");
        assert_eq!((paired.difference.n, paired.n_won, paired.n_lost, told.n_relabelled), (3, 1, 1, 1));
        assert_eq!(before.compare(&answers(&["a"], &[("9", 0, 0)])).and_then(|told| told.paired), None);
    }

    #[test]
    fn a_class_that_is_called_otherwise_is_the_same_class() {
        let mut before = answers(&["a", "b"], &[("1", 0, 0), ("2", 0, 1), ("3", 1, 1)]);
        let after = answers(&["b"], &[("1", 0, 0), ("2", 0, 0), ("3", 0, 0)]);
        assert_eq!(before.compare(&after).expect("classes as well").n_relabelled, 2);
        before.rename(|class| class.replace('a', "b"));
        let told = before.compare(&after).expect("classes as well");
        let paired = told.paired.expect("three in common");
        assert_eq!((paired.difference.n, paired.n_won, paired.n_lost, told.n_relabelled), (3, 0, 0, 0));
    }

    #[track_caller]
    fn check(before: &str, after: &str, metric: Metric, difference: f64, counts: [usize; 4]) {
        let [before, after]: [Answers; 2] =
            [before, after].map(|json| serde_json::from_str(json).expect("answers as they are kept"));
        let told = before.compare(&after).expect("the same is asked");
        let paired = told.paired.expect("some in common");
        assert_eq!(told.metric, metric);
        assert!((paired.difference.value - difference).abs() < 1e-12, "{paired:?}");
        assert_eq!([paired.difference.n, paired.n_won, paired.n_lost, told.n_relabelled], counts);
        let again: Answers =
            serde_json::from_str(&serde_json::to_string(&after).expect("plain")).expect("answers");
        assert_eq!(again, after);
    }

    #[test]
    fn sets_are_compared_by_what_they_share() {
        let before = r#"{"classes": ["a", "b", "c"], "sets": [["1", [0, 1], [0]], ["2", [], []], ["3", [2], [0]], ["4", [0], [0]]]}"#;
        let after = r#"{"classes": ["c", "b", "a"], "sets": [["1", [1, 2], [1, 2]], ["2", [], [1]], ["3", [0], [0, 1]], ["4", [1], [1]]]}"#;
        // From a half, all and nothing to all, nothing and a half; the fourth has another label.
        check(before, after, Metric::Jaccard, 0.0, [3, 2, 1, 1]);
    }

    #[test]
    fn numbers_are_compared_by_what_is_explained() {
        let before = r#"{"classes": [], "numbers": [["1", 0.0, 1.0], ["2", 2.0, 1.0], ["3", 5.0, 5.0]]}"#;
        let after = r#"{"classes": [], "numbers": [["3", 4.0, 5.0], ["2", 2.0, 2.0], ["1", 0.0, 0.5]]}"#;
        // The variance is 1; squared errors fall from 1 and 1 to a quarter and nothing.
        check(before, after, Metric::R2, 0.875, [2, 2, 0, 1]);
    }

    #[test]
    fn what_was_kept_before_is_read_and_other_questions_are_not_compared() {
        let old = r#"{"classes": ["a", "b"], "answers": [["1", 0, 1], ["2", 1, 1]]}"#;
        check(old, old, Metric::Accuracy, 0.0, [2, 0, 0, 0]);
        let [old, numbers]: [Answers; 2] = [old, r#"{"classes": [], "numbers": [["1", 1.0, 2.0]]}"#]
            .map(|json| serde_json::from_str(json).expect("answers"));
        assert_eq!(old.compare(&numbers), None);
        assert_eq!(numbers.compare(&numbers).and_then(|told| told.paired), None, "one number says nothing");
    }
}
