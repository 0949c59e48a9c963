//! From the words in the label column to a task.

use std::collections::{BTreeMap, BTreeSet};

use crate::read::{Cell, TaskKind};
use crate::{ClassIdx, Target, Task};

/// Integers with at most this many distinct values are taken for classes.
const MOST_NUMERIC_CLASSES: usize = 20;
/// A character splits cells into label sets only if the pieces are this many times rarer than the cells.
const LEAST_REUSE: f64 = 1.5;

/// Labels turned into targets, with the reason for the kind of task.
pub(crate) struct Decided {
    pub(crate) task: Task,
    pub(crate) targets: Vec<Target>,
    pub(crate) why: String,
    /// Rows whose label does not fit the task, with the cell.
    pub(crate) misfits: Vec<(usize, String)>,
}

/// Decides what the label column asks, or obeys `forced`.
pub(crate) fn decide(
    cells: &[Cell],
    column: &str,
    forced: Option<TaskKind>,
    separator: Option<char>,
) -> Decided {
    let kind = forced.map_or_else(|| detect(cells, separator), |kind| (kind, "you asked for it".to_owned()));
    match kind {
        (TaskKind::Regression, why) => regression(cells, column, why),
        (TaskKind::MultiLabel, why) => multi_label(cells, separator.or_else(|| find_separator(cells)), why),
        (TaskKind::SingleLabel, why) => single_label(cells, why),
    }
}

fn detect(cells: &[Cell], separator: Option<char>) -> (TaskKind, String) {
    let filled: Vec<&Cell> = cells.iter().filter(|cell| !cell.is_empty()).collect();
    if filled.iter().any(|cell| matches!(cell, Cell::List(_))) {
        return (TaskKind::MultiLabel, "the labels are lists".to_owned());
    }
    if separator.is_some() {
        return (TaskKind::MultiLabel, "you named a separator".to_owned());
    }
    let distinct: BTreeSet<String> = filled.iter().map(|cell| cell.text()).collect();
    let numbers: Vec<f64> = filled.iter().filter_map(|cell| cell.number()).collect();
    if !filled.is_empty() && numbers.len() * 20 >= filled.len() * 19 {
        let whole = numbers.iter().all(|value| value.fract() == 0.0);
        if !whole || distinct.len() > MOST_NUMERIC_CLASSES {
            return (
                TaskKind::Regression,
                format!("the labels are numbers with {} different values", distinct.len()),
            );
        }
        return (
            TaskKind::SingleLabel,
            format!("the labels are whole numbers with only {} different values", distinct.len()),
        );
    }
    if let Some(separator) = find_separator(cells) {
        return (
            TaskKind::MultiLabel,
            format!("cells such as `{}` are sets split by `{separator}`", sample(&filled, separator)),
        );
    }
    (TaskKind::SingleLabel, format!("each example has one of {} labels", distinct.len()))
}

fn sample(cells: &[&Cell], separator: char) -> String {
    cells.iter().map(|cell| cell.text()).find(|text| text.contains(separator)).unwrap_or_default()
}

/// The character that makes sets out of cells: several cells have it, and the pieces are reused much more than the cells.
fn find_separator(cells: &[Cell]) -> Option<char> {
    let texts: Vec<String> = cells.iter().filter(|cell| !cell.is_empty()).map(Cell::text).collect();
    ['|', ';', '；', ','].into_iter().find(|separator| {
        let with = texts.iter().filter(|text| text.contains(*separator)).count();
        let pieces: BTreeSet<&str> =
            texts.iter().flat_map(|text| text.split(*separator)).map(str::trim).collect();
        let whole: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
        // Pieces of prose are long and rarely reused; labels are short.
        let short = pieces.iter().all(|piece| piece.chars().count() <= 40);
        with * 20 >= texts.len()
            && with > 1
            && short
            && whole.len() as f64 >= LEAST_REUSE * pieces.len() as f64
            || with > 1
                && short
                && pieces.iter().all(|piece| whole.contains(piece))
                && pieces.len() < whole.len()
    })
}

fn single_label(cells: &[Cell], why: String) -> Decided {
    let classes: BTreeSet<String> = cells.iter().filter(|cell| !cell.is_empty()).map(Cell::text).collect();
    let index: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let target = |cell: &Cell| {
        if cell.is_empty() {
            Target::Unlabelled
        } else {
            Target::Class(ClassIdx(index[cell.text().as_str()]))
        }
    };
    let targets = cells.iter().map(target).collect();
    Decided {
        task: Task::SingleLabel { classes: classes.iter().cloned().collect() },
        targets,
        why,
        misfits: Vec::new(),
    }
}

fn multi_label(cells: &[Cell], separator: Option<char>, why: String) -> Decided {
    let sets: Vec<Option<BTreeSet<String>>> = cells
        .iter()
        .map(|cell| {
            let pieces: Vec<String> = match (cell, separator) {
                (Cell::Empty, _) => return None,
                (Cell::List(items), _) => items.clone(),
                (other, Some(separator)) => other.text().split(separator).map(str::to_owned).collect(),
                (other, None) => vec![other.text()],
            };
            Some(
                pieces
                    .iter()
                    .map(|piece| piece.trim().to_owned())
                    .filter(|piece| !piece.is_empty())
                    .collect(),
            )
        })
        .collect();
    let classes: BTreeSet<&str> = sets.iter().flatten().flatten().map(String::as_str).collect();
    let index: BTreeMap<&str, u32> = classes.iter().copied().zip(0..).collect();
    let target = |set: &Option<BTreeSet<String>>| match set {
        None => Target::Unlabelled,
        Some(set) => Target::Classes(set.iter().map(|label| ClassIdx(index[label.as_str()])).collect()),
    };
    let targets = sets.iter().map(target).collect();
    Decided {
        task: Task::MultiLabel { classes: classes.iter().map(ToString::to_string).collect() },
        targets,
        why,
        misfits: Vec::new(),
    }
}

fn regression(cells: &[Cell], column: &str, why: String) -> Decided {
    let mut misfits = Vec::new();
    let targets = cells
        .iter()
        .enumerate()
        .map(|(row, cell)| match cell.number() {
            Some(value) => Target::Number(value),
            None => {
                if !cell.is_empty() {
                    misfits.push((row, cell.text()));
                }
                Target::Unlabelled
            }
        })
        .collect();
    Decided { task: Task::Regression { name: column.to_owned() }, targets, why, misfits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[&str], expect: TaskKind) {
        let cells: Vec<Cell> = labels.iter().map(|text| Cell::from_text(text)).collect();
        assert_eq!(detect(&cells, None).0, expect, "{labels:?}");
    }

    #[test]
    fn words_are_classes() {
        check(&["good", "scratch", "good"], TaskKind::SingleLabel);
        check(&["好", "划痕"], TaskKind::SingleLabel);
    }

    #[test]
    fn few_whole_numbers_are_classes_and_other_numbers_are_measured() {
        check(&["0", "1", "1", "0"], TaskKind::SingleLabel);
        check(&["0.5", "1.25", "3"], TaskKind::Regression);
        let many: Vec<String> = (0..40).map(|value| value.to_string()).collect();
        check(&many.iter().map(String::as_str).collect::<Vec<_>>(), TaskKind::Regression);
    }

    #[test]
    fn sets_are_recognised_by_their_reused_pieces() {
        check(&["a;b", "a", "b", "a;b"], TaskKind::MultiLabel);
        check(&["a|b", "b|c", "a|c", "a|b|c", "a", "b|a"], TaskKind::MultiLabel);
        check(&["Paris, France", "Lyon, France"], TaskKind::SingleLabel);
    }

    #[test]
    fn a_word_among_numbers_is_a_misfit() {
        let cells: Vec<Cell> = ["1.5", "2.5", "oops", ""].iter().map(|text| Cell::from_text(text)).collect();
        let decided = decide(&cells, "size", Some(TaskKind::Regression), None);
        assert_eq!(decided.misfits, [(2, "oops".to_owned())]);
        assert_eq!(decided.targets[3], Target::Unlabelled);
    }
}
