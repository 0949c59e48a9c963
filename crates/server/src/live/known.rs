//! What people answered about the examples of a data set so far, as the quick model reads it.

use pipeline::Answers;

use crate::tasks::Task;

/// Answers, one for each example.
#[derive(Debug, Clone)]
pub(super) struct Known {
    task: Task,
    pub(super) classes: Vec<String>,
    pub(super) answers: Answers,
    /// `[n]`: whether chance picked it to be labelled, or it came with its label.
    pub(super) drawn: Vec<bool>,
    /// Digits after the point that numbers were given with.
    pub(super) digits: usize,
}

impl Known {
    /// No answer yet about any of `n` examples.
    pub(super) fn nothing(task: Task, classes: Vec<String>, n: usize) -> Self {
        let answers = match task {
            Task::Class => Answers::Classes(vec![None; n]),
            Task::Classes => Answers::Sets(vec![None; n]),
            Task::Number => Answers::Numbers(vec![None; n]),
        };
        Self { task, classes, answers, drawn: vec![false; n], digits: 0 }
    }

    /// The question that is asked, by its name.
    pub(super) fn task(&self) -> &'static str {
        self.task.name()
    }

    /// Takes an answer in, as its task keeps it, or away.
    pub(super) fn take(&mut self, row: usize, label: Option<&str>, drawn: bool) {
        self.drawn[row] |= drawn;
        let classes = &mut self.classes;
        match &mut self.answers {
            Answers::Classes(all) => all[row] = label.map(|label| class_of(classes, label)),
            Answers::Sets(all) => {
                all[row] = label.map(|label| {
                    let names = self.task.classes(label).into_iter();
                    let mut set: Vec<u32> = names.map(|name| class_of(classes, name)).collect();
                    set.sort_unstable();
                    set
                });
            }
            Answers::Numbers(all) => {
                all[row] = label.and_then(|label| label.parse().ok());
                let digits =
                    label.and_then(|label| label.split_once('.')).map_or(0, |(_, digits)| digits.len());
                self.digits = self.digits.max(digits);
            }
        }
    }
}

fn class_of(classes: &mut Vec<String>, name: &str) -> u32 {
    let place = classes.iter().position(|class| class == name).unwrap_or_else(|| {
        classes.push(name.to_owned());
        classes.len() - 1
    });
    u32::try_from(place).expect("fewer than 2^32 classes")
}
