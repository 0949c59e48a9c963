//! What a model said of the examples that it was measured on: kept beside its bundle, so that two models can be compared on the same ones.

use std::collections::HashMap;

use evaluate::{Paired, paired};
use pipeline::HeldOutAnswer;
use serde::{Deserialize, Serialize};

/// Ending of the file.
pub(crate) const ENDING: &str = "answers.json";

/// Answers of models that had not seen the example: each as our id, the class it was given, and the class that was predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answers {
    classes: Vec<String>,
    /// Places among the classes.
    answers: Vec<(String, u32, u32)>,
}

/// Two models on the same examples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compared {
    /// On the examples that both were measured on and whose label was the same for both; absent where there are none.
    pub(crate) paired: Option<Paired>,
    /// Examples that both were measured on, with other labels: neither label judges both.
    pub(crate) n_relabelled: usize,
}

impl Answers {
    /// Under our ids, which `example` finds by names.
    pub(crate) fn of(
        classes: Vec<String>,
        held_out: &[HeldOutAnswer],
        example: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let ours =
            |answer: &HeldOutAnswer| Some((example(&answer.example.0)?, answer.given, answer.predicted));
        Self { classes, answers: held_out.iter().filter_map(ours).collect() }
    }

    /// Calls classes by other names; two that have one name are one class.
    pub(crate) fn rename(&mut self, now: impl Fn(&str) -> String) {
        self.classes.iter_mut().for_each(|class| *class = now(class));
    }

    /// How a later model compares with this one.
    pub(crate) fn compare(&self, later: &Self) -> Compared {
        let before: HashMap<&str, (&str, bool)> =
            self.each().map(|(id, given, right)| (id, (given, right))).collect();
        let mut n_relabelled = 0;
        let both = later.each().filter_map(|(id, given, right)| {
            let (given_before, right_before) = before.get(id)?;
            if *given_before != given {
                n_relabelled += 1;
                return None;
            }
            Some((*right_before, right))
        });
        let paired = paired(both.collect::<Vec<_>>().into_iter());
        Compared { paired, n_relabelled }
    }

    /// Each example with its class and whether it was found.
    fn each(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        let name = |class: u32| self.classes.get(class as usize).map_or("", String::as_str);
        self.answers
            .iter()
            .map(move |(id, given, predicted)| (id.as_str(), name(*given), name(*given) == name(*predicted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(classes: &[&str], answers: &[(&str, u32, u32)]) -> Answers {
        Answers {
            classes: classes.iter().map(|class| (*class).to_owned()).collect(),
            answers: answers.iter().map(|(id, given, said)| ((*id).to_owned(), *given, *said)).collect(),
        }
    }

    #[test]
    fn models_are_compared_where_both_were_asked_the_same() {
        let before = answers(&["a", "b"], &[("1", 0, 1), ("2", 0, 0), ("3", 1, 1), ("4", 1, 1)]);
        // Classes are known by their names, examples by their ids.
        let after =
            answers(&["0", "a", "b"], &[("3", 2, 1), ("2", 1, 1), ("1", 1, 1), ("4", 1, 1), ("5", 1, 1)]);
        let told = before.compare(&after);
        let paired = told.paired.expect("three in common");
        assert_eq!((paired.difference.n, paired.n_won, paired.n_lost, told.n_relabelled), (3, 1, 1, 1));
        assert_eq!(before.compare(&answers(&["a"], &[("9", 0, 0)])).paired, None);
    }

    #[test]
    fn a_class_that_is_called_otherwise_is_the_same_class() {
        let mut before = answers(&["a", "b"], &[("1", 0, 0), ("2", 0, 1), ("3", 1, 1)]);
        let after = answers(&["b"], &[("1", 0, 0), ("2", 0, 0), ("3", 0, 0)]);
        assert_eq!(before.compare(&after).n_relabelled, 2);
        before.rename(|class| class.replace('a', "b"));
        let told = before.compare(&after);
        let paired = told.paired.expect("three in common");
        assert_eq!((paired.difference.n, paired.n_won, paired.n_lost, told.n_relabelled), (3, 0, 0, 0));
    }
}
