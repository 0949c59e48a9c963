//! From the words in the label column to a task.

use std::collections::{BTreeMap, BTreeSet};

use crate::label_cell::listed;
use crate::read::{Cell, TaskKind};
use crate::{ClassIdx, Target, Task};

/// Whole numbers with at most this many distinct values are taken for classes if the values are repeated enough.
const MOST_NUMERIC_CLASSES: usize = 50;
/// Rows per distinct whole number from which they are taken for classes; ages and counts repeat less in little data.
const LEAST_REPEATS: usize = 3;
/// Whole numbers from 0 to this are codes of classes however seldom each occurs.
const LARGEST_CODE: f64 = 20.0;
/// Most characters of a label in a set.
const LONGEST_LABEL: usize = 40;
/// A character splits cells into label sets only if the pieces are this many times rarer than the cells.
const LEAST_REUSE: f64 = 1.5;

/// The kind of task, before the labels are turned into targets.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) kind: TaskKind,
    /// What splits several labels in one cell.
    pub(crate) separator: Option<char>,
    /// Why this kind, and how to ask for another.
    pub(crate) why: String,
}

/// Labels turned into targets.
pub(crate) struct Decided {
    pub(crate) task: Task,
    pub(crate) targets: Vec<Target>,
    /// Rows whose label does not fit the task, with the cell.
    pub(crate) misfits: Vec<(usize, String)>,
}

/// Finds out what the label column asks, or obeys `forced`.
pub(crate) fn kind_of(cells: &[&Cell], forced: Option<TaskKind>, separator: Option<char>) -> Kind {
    let filled: Vec<&Cell> = cells.iter().copied().filter(|cell| !cell.is_empty()).collect();
    let (kind, why) = match forced {
        Some(kind) => (kind, "you asked for it".to_owned()),
        None => detect(&filled, separator),
    };
    let separator = match kind {
        TaskKind::MultiLabel => {
            separator.or_else(|| between_lists(&filled)).or_else(|| find_separator(&filled))
        }
        TaskKind::SingleLabel | TaskKind::Regression => None,
    };
    Kind { kind, separator, why }
}

/// Turns the label cells into targets of this kind.
pub(crate) fn decide(cells: &[&Cell], column: &str, kind: &Kind) -> Decided {
    match kind.kind {
        TaskKind::Regression => regression(cells, column),
        TaskKind::MultiLabel => multi_label(cells, kind.separator),
        TaskKind::SingleLabel => single_label(cells),
    }
}

fn detect(filled: &[&Cell], separator: Option<char>) -> (TaskKind, String) {
    let names_some = |cell: &&Cell| list_in(cell).is_some_and(|labels| !labels.is_empty());
    if filled.iter().any(|cell| matches!(cell, Cell::List(_)) || names_some(cell)) {
        return (TaskKind::MultiLabel, "the labels are lists".to_owned());
    }
    if separator.is_some() {
        return (TaskKind::MultiLabel, "you named a separator".to_owned());
    }
    let n_distinct = filled.iter().map(|cell| cell.text()).collect::<BTreeSet<String>>().len();
    let numbers: Vec<f64> = filled.iter().filter_map(|cell| cell.number()).collect();
    // `inf` and `nan` are numbers that went wrong, not names, where most are numbers.
    let broken = filled.iter().filter(|cell| cell.is_broken_number()).count();
    let is_number = numbers.len() >= broken && (numbers.len() + broken) * 20 >= filled.len() * 19;
    if !numbers.is_empty() && is_number {
        return classes_or_numbers(&numbers, n_distinct);
    }
    if let Some(separator) = find_separator(filled) {
        return (
            TaskKind::MultiLabel,
            format!(
                "cells such as `{}` are sets split by `{separator}`; pass --task single-label if each is one label",
                sample(filled, separator)
            ),
        );
    }
    let why = format!(
        "each example has one of {n_distinct} labels; pass --task multi-label with --separator if they are sets"
    );
    (TaskKind::SingleLabel, why)
}

/// Whole numbers that repeat, or are small codes, name classes; all others measure something.
fn classes_or_numbers(numbers: &[f64], n_distinct: usize) -> (TaskKind, String) {
    let whole = numbers.iter().all(|value| value.fract() == 0.0);
    let repeat = n_distinct <= MOST_NUMERIC_CLASSES && numbers.len() >= LEAST_REPEATS * n_distinct;
    let codes = numbers.iter().all(|value| (0.0..=LARGEST_CODE).contains(value));
    if whole && (repeat || codes) {
        let why = format!(
            "the labels are whole numbers with only {n_distinct} different values; pass --task regression to predict the \
             number itself"
        );
        return (TaskKind::SingleLabel, why);
    }
    let what = if whole { "whole numbers that seldom repeat" } else { "numbers with decimals" };
    let why = format!(
        "the labels are {what}, with {n_distinct} different values; pass --task single-label if each names a class"
    );
    (TaskKind::Regression, why)
}

/// The labels in one cell; `None` when it says nothing.
pub(crate) fn labels_in(cell: &Cell, separator: Option<char>) -> Option<BTreeSet<String>> {
    if let Some(labels) = list_in(cell) {
        return Some(labels.into_iter().collect());
    }
    let pieces: Vec<String> = match (cell, separator) {
        (Cell::Empty, _) => return None,
        (Cell::List(items), _) => items.clone(),
        (other, Some(separator)) => other.text().split(separator).map(str::to_owned).collect(),
        (other, None) => vec![other.text()],
    };
    Some(pieces.iter().map(|piece| piece.trim().to_owned()).filter(|piece| !piece.is_empty()).collect())
}

/// Where names could be mistaken for several, a table has lists for them and bars elsewhere.
fn between_lists(filled: &[&Cell]) -> Option<char> {
    let has_bar = |cell: &Cell| match list_in(cell) {
        Some(labels) => labels.iter().any(|label| label.contains('|')),
        None => false,
    };
    filled.iter().any(|cell| has_bar(cell)).then_some('|')
}

/// The labels of a cell that is a JSON list.
fn list_in(cell: &Cell) -> Option<Vec<String>> {
    if let Cell::Text(text) = cell { listed(text) } else { None }
}

fn sample(cells: &[&Cell], separator: char) -> String {
    cells.iter().map(|cell| cell.text()).find(|text| text.contains(separator)).unwrap_or_default()
}

/// The character that makes sets out of cells: their pieces, being labels, are short and occur again elsewhere.
fn find_separator(filled: &[&Cell]) -> Option<char> {
    let texts: Vec<String> =
        filled.iter().filter(|cell| list_in(cell).is_none()).map(|cell| cell.text()).collect();
    ['|', ';', '；', ','].into_iter().find(|separator| splits_sets(&texts, *separator))
}

fn splits_sets(texts: &[String], separator: char) -> bool {
    let whole: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
    let split: Vec<&str> = whole.iter().copied().filter(|text| text.contains(separator)).collect();
    let pieces: BTreeSet<&str> = whole.iter().flat_map(|text| text.split(separator)).map(str::trim).collect();
    // Pieces of prose are long.
    if split.is_empty() || pieces.iter().any(|piece| piece.chars().count() > LONGEST_LABEL) {
        return false;
    }
    let with = texts.iter().filter(|text| text.contains(separator)).count();
    let all_stand_alone = pieces.iter().all(|piece| whole.contains(piece)) && pieces.len() < whole.len();
    let reused = with * 20 >= texts.len() && whole.len() as f64 >= LEAST_REUSE * pieces.len() as f64;
    // Hardly any label has a bar or a semicolon in it, so that one piece that stands alone elsewhere is enough.
    let one_stands_alone =
        || split.iter().any(|text| text.split(separator).any(|piece| whole.contains(piece.trim())));
    with > 1 && (all_stand_alone || reused) || separator != ',' && one_stands_alone()
}

fn single_label(cells: &[&Cell]) -> Decided {
    let classes: BTreeSet<String> =
        cells.iter().filter(|cell| !cell.is_empty()).map(|cell| cell.text()).collect();
    let index: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let target = |cell: &&Cell| {
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
        misfits: Vec::new(),
    }
}

fn multi_label(cells: &[&Cell], separator: Option<char>) -> Decided {
    let sets: Vec<Option<BTreeSet<String>>> = cells.iter().map(|cell| labels_in(cell, separator)).collect();
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
        misfits: Vec::new(),
    }
}

fn regression(cells: &[&Cell], column: &str) -> Decided {
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
    Decided { task: Task::Regression { name: column.to_owned() }, targets, misfits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[&str], expect: TaskKind) {
        let cells: Vec<Cell> = labels.iter().map(|text| Cell::from_text(text)).collect();
        let cells: Vec<&Cell> = cells.iter().collect();
        let kind = kind_of(&cells, None, None);
        assert_eq!(kind.kind, expect, "{labels:?}: {}", kind.why);
    }

    #[test]
    fn words_are_classes() {
        check(&["good", "scratch", "good"], TaskKind::SingleLabel);
        check(&["好", "划痕"], TaskKind::SingleLabel);
    }

    #[test]
    fn repeated_whole_numbers_are_classes_and_other_numbers_are_measured() {
        check(&["0", "1", "1", "0"], TaskKind::SingleLabel);
        check(&["3", "7", "20"], TaskKind::SingleLabel);
        check(&["0.5", "1.25", "3"], TaskKind::Regression);
        check(&["310", "1250", "990"], TaskKind::Regression);
        check(&["-1", "1", "-1", "1", "1", "1"], TaskKind::SingleLabel);
        let numbers = |n: u32, distinct: u32| -> Vec<String> {
            (0..n).map(|value| (100 + value % distinct).to_string()).collect()
        };
        #[track_caller]
        fn many(labels: &[String], expect: TaskKind) {
            check(&labels.iter().map(String::as_str).collect::<Vec<_>>(), expect);
        }
        many(&numbers(40, 40), TaskKind::Regression);
        many(&numbers(90, 30), TaskKind::SingleLabel);
        many(&numbers(89, 30), TaskKind::Regression);
        many(&numbers(150, 50), TaskKind::SingleLabel);
        many(&numbers(3000, 51), TaskKind::Regression);
    }

    #[test]
    fn numbers_that_went_wrong_among_others_are_misfits_and_no_classes() {
        check(&["1", "inf", "nan", "2.5", "3.5", "-Infinity"], TaskKind::Regression);
        check(&["1.5", "-1e200", "2.5"], TaskKind::Regression);
        check(&["inf", "nan", "2.5"], TaskKind::SingleLabel);
        check(&["nan", "inf"], TaskKind::SingleLabel);
        let cells = ["1", "inf", "nan", "2.5"].map(Cell::from_text);
        let cells: Vec<&Cell> = cells.iter().collect();
        let decided = decide(&cells, "size", &kind_of(&cells, None, None));
        assert_eq!(decided.misfits, [(1, "inf".to_owned()), (2, "nan".to_owned())]);
    }

    #[test]
    fn the_reason_tells_how_to_ask_for_the_other_kind() {
        for (labels, flag) in [(["0", "1"], "--task regression"), (["0.5", "1"], "--task single-label")] {
            let cells = labels.map(Cell::from_text);
            let why = kind_of(&cells.iter().collect::<Vec<_>>(), None, None).why;
            assert!(why.contains(flag), "{why}");
        }
    }

    #[test]
    fn sets_are_recognised_by_their_reused_pieces() {
        check(&["a;b", "a", "b", "a;b"], TaskKind::MultiLabel);
        check(&["red", "blue", "red;big"], TaskKind::MultiLabel);
        check(&["left; right", "up; down"], TaskKind::SingleLabel);
        check(&["a|b", "b|c", "a|c", "a|b|c", "a", "b|a"], TaskKind::MultiLabel);
        check(&["Paris, France", "Lyon, France"], TaskKind::SingleLabel);
    }

    #[test]
    fn names_with_bars_stand_in_lists() {
        let cells = ["[\"x|a\",\"y|b\"]", "[]", "c", "c|d", ""].map(Cell::from_text);
        let cells: Vec<&Cell> = cells.iter().collect();
        let kind = kind_of(&cells, None, None);
        assert_eq!(kind.kind, TaskKind::MultiLabel);
        let decided = decide(&cells, "label", &kind);
        let Task::MultiLabel { classes } = &decided.task else { panic!("{:?}", decided.task) };
        assert_eq!(classes[..], ["c", "d", "x|a", "y|b"]);
        let sets: [&[u32]; 4] = [&[2, 3], &[], &[0], &[0, 1]];
        let sets = sets.map(|set| Target::Classes(set.iter().map(|class| ClassIdx(*class)).collect()));
        assert_eq!((&decided.targets[..4], &decided.targets[4]), (&sets[..], &Target::Unlabelled));
        let check_kind = |labels: &[&str], expected: TaskKind, separator: Option<char>| {
            let cells: Vec<Cell> = labels.iter().map(|label| Cell::from_text(label)).collect();
            let kind = kind_of(&cells.iter().collect::<Vec<_>>(), None, None);
            assert_eq!((kind.kind, kind.separator), (expected, separator), "{labels:?}");
        };
        // No label at all says nothing of how others are written.
        check_kind(&["a;b", "b", "a", "a;b", "[]"], TaskKind::MultiLabel, Some(';'));
        check_kind(&["cat", "dog", "[]"], TaskKind::SingleLabel, None);
        let numbers: Vec<String> = (0..40).map(|value| format!("{value}.5")).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).chain(["[]"]).collect();
        check_kind(&numbers, TaskKind::Regression, None);
        check_kind(&["[\"a\"]", "b;a", "b", "a;b"], TaskKind::MultiLabel, Some(';'));
        let one = [Cell::from_text("[1, 2]"), Cell::from_text("[a]")];
        assert_eq!(kind_of(&one.iter().collect::<Vec<_>>(), None, None).kind, TaskKind::SingleLabel);
    }

    #[test]
    fn a_word_among_numbers_is_a_misfit() {
        let cells = ["1.5", "2.5", "oops", ""].map(Cell::from_text);
        let cells: Vec<&Cell> = cells.iter().collect();
        let decided = decide(&cells, "size", &kind_of(&cells, Some(TaskKind::Regression), None));
        assert_eq!(decided.misfits, [(2, "oops".to_owned())]);
        assert_eq!(decided.targets[3], Target::Unlabelled);
    }
}
