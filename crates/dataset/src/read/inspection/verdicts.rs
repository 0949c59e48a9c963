//! What the cells of a table's label column say of parts.

use std::path::Path;

use super::super::Table;
use super::super::columns::Columns;
use super::super::folders::modality_of_name;
use super::super::rows::Source;
use super::UNNAMED_DEFECT;
use super::names::{asks_for_good, asks_for_kind, is_good, names_defects};
use crate::Verdict;

/// Words for no and yes, in any case; 1 may have been written as 1.0.
const ANSWERS: [[&str; 2]; 6] =
    [["0", "1"], ["false", "true"], ["no", "yes"], ["否", "是"], ["无", "有"], ["没有", "有"]];
/// What stands in a column of defects where there is none, in any case.
const NOTHING: &[&str] =
    &["none", "nothing", "no", "n", "nil", "null", "n/a", "na", "-", "--", "/", "0", "无", "没有", "否"];

/// What the cells of the label column say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Labels {
    words: Words,
    /// Whether there are empty cells, and they say that nothing is wrong: the column is about defects, and no cell says so in a word.
    pub(super) blank_is_good: bool,
}

/// How they say it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// One of two words, in any case.
    Either { good: &'static str, defect: &'static str },
    /// Names of what is good and of defects.
    Names,
    /// Names of defects.
    Defects,
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
            (Some(["0", "1"]), None) if !asks_for_kind(name) => Words::Either { good: "0", defect: "1" },
            // Whether what is true is good news the name of the column must say.
            _ if names_defects(name) => Words::Defects,
            _ => Words::Names,
        };
        let n_rows: usize = labelled().map(|(table, _)| table.rows.len()).sum();
        let is_defect = |cell: &String| words.verdict(cell) != Verdict::Good;
        let blank_is_good = names_defects(name) && cells.len() < n_rows && cells.iter().all(is_defect);
        Self { words, blank_is_good }
    }

    /// The word for good and that for a defect, where there are two.
    pub(super) fn either(self) -> Option<[&'static str; 2]> {
        match self.words {
            Words::Either { good, defect } => Some([good, defect]),
            Words::Names | Words::Defects => None,
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
            Self::Either { good, .. } if is_word(label, good) => Verdict::Good,
            Self::Either { .. } => Verdict::Defect { kind: UNNAMED_DEFECT.to_owned() },
            Self::Defects if NOTHING.iter().any(|nothing| is_word(label, nothing)) => Verdict::Good,
            _ if is_good(label) => Verdict::Good,
            _ => Verdict::Defect { kind: label.to_owned() },
        }
    }
}

/// The column of the first table, which others may go on with, whose name asks whether a part is good, or has a defect: one whose cells all answer
/// with one of two words; or else one of defects, whose cells say so, or name their kinds, and may be empty; or else one that answers for some parts.
pub(super) fn asking(tables: &[&Table]) -> Option<usize> {
    let names = &tables.first()?.columns;
    let filled_of = |column: usize| -> Vec<String> {
        let here = tables.iter().filter_map(|table| Some((*table, table.column(&names[column])?)));
        here.flat_map(|(table, column)| filled(table, column)).collect()
    };
    let n_rows: usize = tables.iter().map(|table| table.rows.len()).sum();
    let answers_some =
        |column: &usize| asks_for_good(&names[*column]).is_some() && answers(&filled_of(*column)).is_some();
    let answers_all = |column: &usize| answers_some(column) && filled_of(*column).len() == n_rows;
    let is_file = |cell: &String| modality_of_name(Path::new(cell)).is_some();
    let is_of_defects = |column: &usize| {
        let (name, cells) = (&names[*column], filled_of(*column));
        names_defects(name)
            && !cells.is_empty()
            && !cells.iter().any(is_file)
            && (asks_for_kind(name) && cells.iter().all(|cell| is_whole(cell)) || !are_scores(&cells))
    };
    let columns = || 0..names.len();
    columns()
        .find(answers_all)
        .or_else(|| columns().find(is_of_defects))
        .or_else(|| columns().find(answers_some))
}

/// Whether a column holds numbers other than 0 and 1: such a score is no verdict.
pub(super) fn is_score(table: &Table, column: usize) -> bool {
    are_scores(&filled(table, column).collect::<Vec<_>>())
}

fn are_scores(cells: &[String]) -> bool {
    answers(cells).is_none() && cells.iter().all(|text| text.parse::<f64>().is_ok())
}

fn is_whole(cell: &str) -> bool {
    cell.parse::<f64>().is_ok_and(|number| number.fract() == 0.0)
}

fn filled(table: &Table, column: usize) -> impl Iterator<Item = String> {
    table.cells(column).map(|cell| cell.text()).filter(|text| !text.is_empty())
}

/// The two words of which every cell is one; `None` of no cell.
fn answers(cells: &[String]) -> Option<[&'static str; 2]> {
    let all = |of: &[&str; 2]| cells.iter().all(|text| of.iter().any(|word| is_word(text, word)));
    ANSWERS.into_iter().find(|of| !cells.is_empty() && all(of))
}

/// Whether a cell holds this word, in any case, or this number as programs write it that know no whole ones: `1.0`.
fn is_word(cell: &str, word: &str) -> bool {
    cell.to_lowercase() == word || cell.strip_suffix(".0") == Some(word)
}
