//! What a data set asks about each example, and how an answer is kept: as one line, whatever the task.

use std::collections::BTreeSet;

use dataset::{ClassIdx, Target, TaskKind};

use crate::error::ApiError;

/// Stands around each of several labels where they are kept; no name holds it.
const AROUND: char = '\u{1f}';

/// Longest name of anything, in characters.
const NAME_LENGTH: usize = 200;

/// The question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// One class of several.
    Class,
    /// Any number of classes, or none.
    Classes,
    /// A number.
    Number,
}

/// An answer as clients see it; at most one of the three is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) label: Option<String>,
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) number: Option<f64>,
}

impl Answer {
    /// As somebody gave it, with names as they are kept.
    pub(crate) fn given(
        label: Option<&String>,
        labels: Option<&Vec<String>>,
        number: Option<f64>,
    ) -> Result<Self, ApiError> {
        let named = |names: &Vec<String>| names.iter().map(|name| name_of(name)).collect::<Result<_, _>>();
        Ok(Self {
            label: label.map(|name| name_of(name)).transpose()?,
            labels: labels.map(named).transpose()?,
            number,
        })
    }
}

impl Task {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Classes => "classes",
            Self::Number => "number",
        }
    }

    /// Of its name.
    pub(crate) fn named(name: &str) -> Result<Self, ApiError> {
        let all = [Self::Class, Self::Classes, Self::Number];
        let (en, zh) = ("`task` is class, classes or number", "task 须为 class、classes 或 number");
        all.into_iter().find(|task| task.name() == name).ok_or_else(|| ApiError::invalid(en, zh))
    }

    /// What says first how good a model is that answers it.
    pub(crate) fn metric(self) -> &'static str {
        match self {
            Self::Class => "accuracy",
            Self::Classes => "label-accuracy",
            Self::Number => "mae",
        }
    }

    /// As the reader of files calls it.
    pub(crate) fn kind(self) -> TaskKind {
        match self {
            Self::Class => TaskKind::SingleLabel,
            Self::Classes => TaskKind::MultiLabel,
            Self::Number => TaskKind::Regression,
        }
    }

    /// An answer as it is kept; `None` takes the answer away.
    pub(crate) fn keep(self, answer: &Answer) -> Result<Option<String>, ApiError> {
        let number = answer.number.filter(|number| number.is_finite());
        match (self, &answer.label, &answer.labels, number) {
            (_, None, None, None) if answer.number.is_none() => Ok(None),
            (Self::Class, Some(name), None, None) => Ok(Some(name.clone())),
            (Self::Classes, None, Some(names), None) => Ok(Some(together(names))),
            (Self::Number, None, None, Some(number)) => Ok(Some(number.to_string())),
            _ => Err(self.refuses()),
        }
    }

    fn refuses(self) -> ApiError {
        let (en, zh) = match self {
            Self::Class => ("this data set asks for `label`: one class", "该数据集要求 label：一个类别"),
            Self::Classes => {
                ("this data set asks for `labels`: a list of classes", "该数据集要求 labels：类别列表")
            }
            Self::Number => {
                ("this data set asks for `number`: a finite number", "该数据集要求 number：有限的数值")
            }
        };
        ApiError::invalid(en, zh)
    }

    /// What is kept, as clients see it.
    pub(crate) fn show(self, kept: Option<&str>) -> Answer {
        let Some(kept) = kept else { return Answer::default() };
        match self {
            Self::Class => Answer { label: Some(kept.to_owned()), ..Answer::default() },
            Self::Classes => {
                Answer { labels: Some(apart(kept).map(str::to_owned).collect()), ..Answer::default() }
            }
            Self::Number => Answer { number: kept.parse().ok(), ..Answer::default() },
        }
    }

    /// What is kept, for people to read.
    pub(crate) fn words(self, kept: &str) -> String {
        match self {
            Self::Classes => apart(kept).collect::<Vec<_>>().join(", "),
            Self::Class | Self::Number => kept.to_owned(),
        }
    }

    /// The classes that an answer names.
    pub(crate) fn classes(self, kept: &str) -> Vec<&str> {
        match self {
            Self::Class => vec![kept],
            Self::Classes => apart(kept).collect(),
            Self::Number => Vec::new(),
        }
    }

    /// What is kept, as the journey understands it; `number` finds a class's place.
    pub(crate) fn target(self, kept: Option<&str>, number: impl Fn(&str) -> Option<u32>) -> Target {
        let Some(kept) = kept else { return Target::Unlabelled };
        match self {
            Self::Class => number(kept).map_or(Target::Unlabelled, |class| Target::Class(ClassIdx(class))),
            Self::Classes => {
                let classes: BTreeSet<ClassIdx> = apart(kept).filter_map(number).map(ClassIdx).collect();
                Target::Classes(classes.into_iter().collect())
            }
            Self::Number => kept.parse().map_or(Target::Unlabelled, Target::Number),
        }
    }
}

impl From<&dataset::Task> for Task {
    fn from(task: &dataset::Task) -> Self {
        match task {
            dataset::Task::SingleLabel { .. } => Self::Class,
            dataset::Task::MultiLabel { .. } => Self::Classes,
            dataset::Task::Regression { .. } => Self::Number,
        }
    }
}

/// A name as it is kept: without blanks around it, neither empty nor endless, on one line.
pub(crate) fn name_of(given: &str) -> Result<String, ApiError> {
    let name = given.trim();
    let bad = name.is_empty() || name.chars().count() > NAME_LENGTH || name.chars().any(char::is_control);
    if bad {
        let (en, zh) =
            ("a name has 1 to 200 characters and no line breaks", "名称须为 1 到 200 个字符，且不含换行");
        return Err(ApiError::invalid(en, zh));
    }
    Ok(name.to_owned())
}

/// Several labels as they are kept: sorted, each once, with [`AROUND`] before, between and behind.
pub(crate) fn together(names: &[String]) -> String {
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut kept = String::from(AROUND);
    for name in names {
        kept.push_str(name);
        kept.push(AROUND);
    }
    kept
}

fn apart(kept: &str) -> impl Iterator<Item = &str> {
    kept.split(AROUND).filter(|name| !name.is_empty())
}

/// What one of several labels looks like inside what is kept.
pub(crate) fn inside(name: &str) -> String {
    format!("{AROUND}{name}{AROUND}")
}

/// Several labels with one of them under another name.
pub(crate) fn renamed(kept: &str, name: &str, to: &str) -> String {
    let names = apart(kept).map(|label| if label == name { to.to_owned() } else { label.to_owned() });
    together(&names.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Answer {
        Answer { labels: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..Answer::default() }
    }

    #[test]
    fn an_answer_comes_back_as_it_was_given() {
        let one = Answer { label: Some("a".to_owned()), ..Answer::default() };
        let number = Answer { number: Some(-0.25), ..Answer::default() };
        for (task, answer) in [
            (Task::Class, one),
            (Task::Classes, labels(&["a", "b c"])),
            (Task::Classes, labels(&[])),
            (Task::Number, number),
            (Task::Number, Answer::default()),
        ] {
            let kept = task.keep(&answer).expect("fits");
            assert_eq!(task.show(kept.as_deref()), answer, "{task:?}");
        }
    }

    #[test]
    fn another_tasks_answer_is_refused() {
        let number = |number| Answer { number: Some(number), ..Answer::default() };
        assert!(Task::Class.keep(&labels(&["a"])).is_err());
        assert!(Task::Classes.keep(&number(1.0)).is_err());
        assert!(Task::Number.keep(&number(f64::NAN)).is_err());
        assert!(Task::Number.keep(&labels(&[])).is_err());
    }

    #[test]
    fn a_label_is_found_whole_and_renamed_into_another() {
        let kept = Task::Classes.keep(&labels(&["b", "ab", "a"])).expect("fits").expect("there");
        assert!(kept.contains(&inside("a")) && !kept.contains(&inside("c")));
        assert_eq!(Task::Classes.classes(&renamed(&kept, "ab", "a")), ["a", "b"]);
        assert_eq!(Task::Classes.words(&kept), "a, ab, b");
    }
}
