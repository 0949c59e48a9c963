//! What the cells of a table's label column say of parts.

use std::path::Path;

use super::super::Table;
use super::super::columns::Columns;
use super::super::folders::modality_of_name;
use super::super::rows::Source;
use super::UNNAMED_DEFECT;
use super::names::{asks_for_good, is_good, names_defects};
use crate::Verdict;

/// Words for no and yes, in any case.
const ANSWERS: [[&str; 2]; 4] = [["0", "1"], ["false", "true"], ["no", "yes"], ["否", "是"]];

/// Names for no defect, where defects are named; in any case.
const NOTHING: [&str; 4] = ["none", "nothing", "无", "没有"];

/// What the cells of the label column say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Labels {
    words: Words,
    /// Whether an empty cell says that nothing is wrong: the column is about defects, and no cell says so in a word.
    pub(super) blank_is_good: bool,
}

/// How they say it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// One of two words, in any case.
    Either { good: &'static str, defect: &'static str },
    /// Names.
    Names,
}

impl Labels {
    /// Of the label columns of all tables.
    pub(super) fn of(tables: &[(&Source, Columns)]) -> Self {
        let labelled = || tables.iter().filter_map(|(source, columns)| Some((&source.table, columns.label?)));
        let name = labelled().next().map_or("", |(table, column)| &table.columns[column]);
        let cells = labelled().flat_map(|(table, column)| filled(table, column)).collect::<Vec<_>>();
        let words = match (answers(&cells), asks_for_good(name)) {
            (Some([no, yes]), Some(true)) => Words::Either { good: yes, defect: no },
            (Some([no, yes]), Some(false)) => Words::Either { good: no, defect: yes },
            // Whatever the column is called, 1 marks what is looked for.
            (Some(["0", "1"]), None) => Words::Either { good: "0", defect: "1" },
            // Whether what is true is good news the name of the column must say.
            _ => Words::Names,
        };
        let is_defect = |cell: &String| words.verdict(cell) != Verdict::Good;
        Self { words, blank_is_good: names_defects(name) && cells.iter().all(is_defect) }
    }

    /// The word for good and that for a defect, where there are two.
    pub(super) fn either(self) -> Option<[&'static str; 2]> {
        match self.words {
            Words::Either { good, defect } => Some([good, defect]),
            Words::Names => None,
        }
    }

    /// What a label says.
    pub(super) fn verdict(self, label: &str) -> Verdict {
        self.words.verdict(label)
    }
}

impl Words {
    fn verdict(self, label: &str) -> Verdict {
        match self {
            Self::Either { good, .. } if label.eq_ignore_ascii_case(good) => Verdict::Good,
            Self::Either { .. } => Verdict::Defect { kind: UNNAMED_DEFECT.to_owned() },
            Self::Names if is_good(label) || NOTHING.contains(&label.to_lowercase().as_str()) => {
                Verdict::Good
            }
            Self::Names => Verdict::Defect { kind: label.to_owned() },
        }
    }
}

/// The first column whose name asks whether a part is good, or has a defect, and whose cells answer with one of two words, or are empty; or else
/// the first one of defects, whose cells name their kinds.
pub(super) fn asking(table: &Table) -> Option<usize> {
    let some_cells =
        |column: usize| Some(filled(table, column).collect()).filter(|cells: &Vec<_>| !cells.is_empty());
    let answers_to_it = |column: &usize| {
        asks_for_good(&table.columns[*column]).is_some()
            && some_cells(*column).is_some_and(|cells| answers(&cells).is_some())
    };
    let is_file = |cell: &String| modality_of_name(Path::new(cell)).is_some();
    let names_kinds = |column: &usize| {
        names_defects(&table.columns[*column])
            && some_cells(*column)
                .is_some_and(|cells| !is_score(table, *column) && !cells.iter().any(is_file))
    };
    let columns = 0..table.columns.len();
    columns.clone().find(answers_to_it).or_else(|| columns.clone().find(names_kinds))
}

/// Whether a column holds numbers other than 0 and 1: such a score is no verdict.
pub(super) fn is_score(table: &Table, column: usize) -> bool {
    let cells: Vec<String> = filled(table, column).collect();
    answers(&cells).is_none() && cells.iter().all(|text| text.parse::<f64>().is_ok())
}

fn filled(table: &Table, column: usize) -> impl Iterator<Item = String> {
    table.cells(column).map(|cell| cell.text()).filter(|text| !text.is_empty())
}

/// The two words of which every cell is one.
fn answers(cells: &[String]) -> Option<[&'static str; 2]> {
    let all = |of: &[&str; 2]| cells.iter().all(|text| of.iter().any(|word| text.eq_ignore_ascii_case(word)));
    ANSWERS.into_iter().find(all)
}
