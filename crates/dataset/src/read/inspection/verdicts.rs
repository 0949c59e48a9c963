//! What the cells of a table's label column say of parts.

use super::super::Table;
use super::super::columns::Columns;
use super::super::rows::Source;
use super::UNNAMED_DEFECT;
use super::names::{asks_for_good, is_good};
use crate::Verdict;

/// Words for no and yes, in any case.
const ANSWERS: [[&str; 2]; 4] = [["0", "1"], ["false", "true"], ["no", "yes"], ["否", "是"]];

/// What the cells of the label column say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// There is no such column.
    None,
    /// One of two words, in any case.
    Either { good: &'static str, defect: &'static str },
    /// Names.
    Names,
}

impl Labels {
    /// Of the label columns of all tables.
    pub(super) fn of(tables: &[(&Source, Columns)]) -> Self {
        let labelled = || tables.iter().filter_map(|(source, columns)| Some((&source.table, columns.label?)));
        let Some(name) = labelled().next().map(|(table, column)| &table.columns[column]) else {
            return Self::None;
        };
        let cells = labelled().flat_map(|(table, column)| filled(table, column)).collect::<Vec<_>>();
        match (answers(&cells), asks_for_good(name)) {
            (Some([no, yes]), Some(true)) => Self::Either { good: yes, defect: no },
            (Some([no, yes]), Some(false)) => Self::Either { good: no, defect: yes },
            // Whatever the column is called, 1 marks what is looked for.
            (Some(["0", "1"]), None) => Self::Either { good: "0", defect: "1" },
            // Whether what is true is good news the name of the column must say.
            _ => Self::Names,
        }
    }

    /// The word for good and that for a defect, where there are two.
    pub(super) fn either(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Either { good, defect } => Some([good, defect]),
            Self::None | Self::Names => None,
        }
    }

    /// What a label says.
    pub(super) fn verdict(self, label: &str) -> Verdict {
        match self {
            Self::Either { good, .. } if label.eq_ignore_ascii_case(good) => Verdict::Good,
            Self::Either { .. } => Verdict::Defect { kind: UNNAMED_DEFECT.to_owned() },
            _ if is_good(label) => Verdict::Good,
            _ => Verdict::Defect { kind: label.to_owned() },
        }
    }
}

/// The first column whose name asks whether a part is good, or has a defect, and whose cells all answer with one of two words.
pub(super) fn asking(table: &Table) -> Option<usize> {
    let asks = |column: &usize| {
        asks_for_good(&table.columns[*column]).is_some() && {
            let cells: Vec<String> = filled(table, *column).collect();
            !cells.is_empty() && cells.len() == table.rows.len() && answers(&cells).is_some()
        }
    };
    (0..table.columns.len()).find(asks)
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
