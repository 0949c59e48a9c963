//! CSV is read, as it is written here: UTF-8, commas, a header.

use std::path::Path;

use dataset::{Part, ProblemKind, split_labels};

use super::Column;
use super::read::{FoundRow, Numbered};
use crate::lenient::Lenient;
use crate::{ExchangeError, Mark};

/// The names of its columns; `None` when it cannot be read.
pub(super) fn columns(path: &Path) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().from_path(path).ok()?;
    Some(reader.headers().ok()?.iter().map(str::to_owned).collect())
}

pub(super) fn read(
    path: &Path,
    mut take: impl FnMut(Numbered) -> Result<(), ExchangeError>,
) -> Result<(), ExchangeError> {
    let malformed = |error: csv::Error| ExchangeError::malformed(path, error);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(malformed)?;
    let headers = reader.headers().map_err(malformed)?.clone();
    let columns: Vec<Option<Column>> = headers.iter().map(Column::from_name).collect();
    if !columns.iter().flatten().any(|column| matches!(column, Column::File | Column::Text)) {
        return Err(ExchangeError::malformed(path, "it has neither a column `file` nor a column `text`"));
    }
    let mut record = csv::StringRecord::new();
    loop {
        let more = reader.read_record(&mut record);
        let number = record.position().map_or(0, csv::Position::line);
        let found = match more {
            Ok(false) => return Ok(()),
            Ok(true) if record.len() != columns.len() => {
                Err((ProblemKind::RaggedRow { got: record.len(), expected: columns.len() }, None))
            }
            Ok(true) => row(&columns, &record),
            Err(error) if error.is_io_error() => return Err(malformed(error)),
            Err(_) => Err((ProblemKind::BadText { encoding: "UTF-8".to_owned() }, None)),
        };
        take((number, found))?;
    }
}

fn row(
    columns: &[Option<Column>],
    cells: &csv::StringRecord,
) -> Result<FoundRow, (ProblemKind, Option<&'static str>)> {
    let mut found = FoundRow::default();
    for (column, cell) in columns.iter().zip(cells) {
        if let Some(column) = column.filter(|_| !cell.is_empty()) {
            fill(&mut found, column, cell).map_err(|kind| (kind, Some(column.name())))?;
        }
    }
    Ok(found)
}

/// Puts a cell, which is not empty, where it belongs.
pub(super) fn fill(found: &mut FoundRow, column: Column, cell: &str) -> Result<(), ProblemKind> {
    let row = &mut found.row;
    let owned = || Some(cell.to_owned());
    let bad = |detail: String| ProblemKind::BadRow { detail };
    match column {
        Column::File => row.file = owned(),
        Column::Id => row.id = owned(),
        Column::Text => row.text = owned(),
        Column::Piece => row.piece = owned(),
        Column::Start | Column::End => unreachable!("only written here"),
        Column::Label => row.known.label = owned(),
        Column::Labels => row.known.labels = Some(split_labels(cell)),
        Column::Group => row.known.group = owned(),
        Column::Number => {
            let number = cell.trim().parse().ok().filter(|number: &f64| number.is_finite());
            let value = || cell.chars().take(80).collect();
            row.known.number = Some(number.ok_or_else(|| ProblemKind::NotANumber { value: value() })?);
        }
        Column::Part => {
            let unknown = || bad(format!("`{}` is no part", cell.chars().take(80).collect::<String>()));
            row.known.part = Some(Part::from_name(cell).ok_or_else(unknown)?);
        }
        Column::Marks => {
            let marks: Vec<Lenient<Mark>> =
                serde_json::from_str(cell).map_err(|error| bad(error.to_string()))?;
            found.marks = marks;
        }
    }
    Ok(())
}
