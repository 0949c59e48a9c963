//! Several people's labels of one example become one label, and the votes are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::rows::Draft;
use super::{Cell, TaskKind};
use crate::task::{self, Kind};
use crate::{Content, Origin, Problem, ProblemKind};

/// What two votes for the same example have in common.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// File and id.
    Id(std::path::PathBuf, String),
    Content(Content),
}

/// Joins rows about the same example: those with the same id if ids repeat, else those with the same content.
///
/// One class: the one most annotators gave, the first in the alphabet on a tie. Any number of labels: each that more than half
/// gave. A number: the mean.
pub(super) fn join(drafts: Vec<Draft>, kind: &Kind, problems: &mut Vec<Problem>) -> Vec<Draft> {
    let by_id = ids_repeat(&drafts);
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut joined: Vec<(Draft, Vec<Cell>)> = Vec::new();
    for draft in drafts {
        let cell = draft.label.clone();
        match places.get(&key(&draft, by_id)) {
            Some(place) if joined[*place].0.example.content == draft.example.content => {
                let (first, cells) = &mut joined[*place];
                first.example.votes.extend(draft.example.votes);
                cells.push(cell);
            }
            Some(place) => problems.push(other_content(&joined[*place].0, &draft)),
            None => {
                places.insert(key(&draft, by_id), joined.len());
                joined.push((draft, vec![cell]));
            }
        }
    }
    let settle = |(mut draft, cells): (Draft, Vec<Cell>)| {
        draft.label = match kind.kind {
            TaskKind::SingleLabel => majority(&draft, &cells, problems),
            TaskKind::MultiLabel => labels_of_most(&cells, kind.separator),
            TaskKind::Regression => mean(&cells),
        };
        draft
    };
    joined.into_iter().map(settle).collect()
}

/// Ids that all differ number the votes, not the examples.
fn ids_repeat(drafts: &[Draft]) -> bool {
    let given = || drafts.iter().filter(|draft| draft.has_own_id);
    let distinct: BTreeSet<_> =
        given().map(|draft| (&draft.example.origin.path, &draft.example.id)).collect();
    distinct.len() < given().count()
}

fn key(draft: &Draft, by_id: bool) -> Key {
    match &draft.example.content {
        _ if by_id && draft.has_own_id => {
            Key::Id(draft.example.origin.path.clone(), draft.example.id.0.clone())
        }
        content => Key::Content(content.clone()),
    }
}

fn other_content(first: &Draft, draft: &Draft) -> Problem {
    let Origin { path, row } = &draft.example.origin;
    let of_first = first.example.origin.row.unwrap_or_default();
    let detail = format!(
        "it has the id `{}` of row {of_first} but other content; correct the id (the vote was left out)",
        draft.example.id
    );
    Problem { kind: ProblemKind::BadRow { detail }, path: path.clone(), row: *row, column: None }
}

fn majority(draft: &Draft, cells: &[Cell], problems: &mut Vec<Problem>) -> Cell {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| !cell.is_empty()) {
        *counts.entry(cell.text()).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let winners: Vec<String> =
        counts.into_iter().filter(|(_, count)| *count == most).map(|(label, _)| label).collect();
    let Some(taken) = winners.first().cloned() else { return Cell::Empty };
    if winners.len() > 1 {
        let Origin { path, row } = &draft.example.origin;
        let kind = ProblemKind::Tie { labels: winners, taken: taken.clone() };
        problems.push(Problem { kind, path: path.clone(), row: *row, column: None });
    }
    Cell::Text(taken)
}

fn labels_of_most(cells: &[Cell], separator: Option<char>) -> Cell {
    let sets: Vec<BTreeSet<String>> =
        cells.iter().filter_map(|cell| task::labels_in(cell, separator)).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for label in sets.iter().flatten() {
        *counts.entry(label).or_default() += 1;
    }
    let taken = counts.into_iter().filter(|(_, count)| 2 * count > sets.len());
    if sets.is_empty() { Cell::Empty } else { Cell::List(taken.map(|(label, _)| label.to_owned()).collect()) }
}

/// The mean of the numbers; votes that are none were told and left out before.
fn mean(cells: &[Cell]) -> Cell {
    let numbers: Vec<f64> = cells.iter().filter_map(Cell::number).collect();
    if numbers.is_empty() {
        Cell::Empty
    } else {
        Cell::Number(numbers.iter().sum::<f64>() / numbers.len() as f64)
    }
}
