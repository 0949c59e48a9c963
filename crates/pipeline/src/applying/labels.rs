//! Labels that a person writes, as the data have them.

use std::collections::BTreeSet;

use dataset::{Dataset, Task, join_labels, split_labels};

use super::changes::Changes;
use super::{ApplyError, Change};

/// What a label would bring into the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLabel {
    /// As the table will have it.
    pub written: String,
    /// The names in it that no example has.
    pub unknown: Vec<String>,
}

impl NewLabel {
    pub(super) fn of(label: &str, number: usize, data: &Dataset) -> Result<Self, ApplyError> {
        let written = written(label, number, data)?;
        let unknown =
            names(&written, data).into_iter().filter(|name| !data.classes().contains(name)).collect();
        Ok(Self { written, unknown })
    }
}

/// A label as a cell of the table has it: a set in the order of the classes, a number that is one. Nothing stays nothing.
pub(super) fn written(label: &str, number: usize, data: &Dataset) -> Result<String, ApplyError> {
    let label = label.trim();
    match &data.task {
        _ if label.is_empty() => Ok(String::new()),
        Task::SingleLabel { .. } => Ok(label.to_owned()),
        Task::MultiLabel { classes } => Ok(join_labels(&set(label, classes).into_iter().collect::<Vec<_>>())),
        Task::Regression { .. } => match label.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(label.to_owned()),
            _ => Err(ApplyError::NotANumber { number, label: label.to_owned() }),
        },
    }
}

/// The names of a set: between bars, in a JSON list, or between whatever else parts it into names that are known.
fn set(label: &str, classes: &[String]) -> BTreeSet<String> {
    let known = |name: &String| classes.contains(name);
    let parts = split_labels(label);
    if parts.iter().all(known) {
        return parts.into_iter().collect();
    }
    let by = |separator: char| -> BTreeSet<String> {
        let parts = label.split(separator).map(|name| name.trim().to_owned());
        parts.filter(|name| !name.is_empty()).collect()
    };
    let others = [';', '；', ',', '，', '、'].map(by).into_iter();
    others.into_iter().find(|names| names.iter().all(known)).unwrap_or_else(|| parts.into_iter().collect())
}

fn names(written: &str, data: &Dataset) -> Vec<String> {
    match &data.task {
        _ if written.is_empty() => Vec::new(),
        Task::SingleLabel { .. } => vec![written.to_owned()],
        Task::MultiLabel { .. } => split_labels(written),
        Task::Regression { .. } => Vec::new(),
    }
}

/// Labels that changes bring and no example had.
pub(super) fn new_classes(data: &Dataset, changes: &Changes) -> Vec<String> {
    let to = changes.values().filter_map(|Change { to, .. }| to.as_deref());
    let new: BTreeSet<String> =
        to.flat_map(|label| names(label, data)).filter(|name| !data.classes().contains(name)).collect();
    new.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_however_it_is_parted() {
        let classes = ["a, b", "card", "pin"].map(str::to_owned);
        let check = |label: &str, names: &[&str]| {
            assert_eq!(set(label, &classes).into_iter().collect::<Vec<_>>(), names, "{label}");
        };
        check("card|pin", &["card", "pin"]);
        check("pin; card", &["card", "pin"]);
        check("a, b", &["a, b"]);
        check("[\"a, b\", \"pin\"]", &["a, b", "pin"]);
        check("card, new", &["card, new"]);
        check("card|new", &["card", "new"]);
        check("[]", &[]);
    }
}
