//! Parquet files, through the row interface: strings, numbers, booleans and lists of them.

use std::fs::File;
use std::panic::catch_unwind;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::{Cell, MAX_COLUMNS, MAX_EXAMPLES, Row, Table};
use crate::{Problem, ProblemKind, ReadError};

/// Reads all rows. Columns of other kinds (nested groups, binary) are read as empty.
pub(super) fn read(path: &Path) -> Result<(Table, Vec<Problem>), ReadError> {
    // The parquet crate panics on some damaged files: for the person that is a file that cannot be parsed.
    catch_unwind(|| read_trusting(path)).unwrap_or_else(|_| {
        Err(ReadError::Malformed { path: path.to_owned(), detail: "its pages are damaged".to_owned() })
    })
}

fn read_trusting(path: &Path) -> Result<(Table, Vec<Problem>), ReadError> {
    let malformed = |detail: String| ReadError::Malformed { path: path.to_owned(), detail };
    let file = File::open(path).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
    let reader = SerializedFileReader::new(file).map_err(|error| malformed(error.to_string()))?;
    let n_rows = reader.metadata().file_metadata().num_rows();
    if usize::try_from(n_rows).is_ok_and(|rows| rows > MAX_EXAMPLES) {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "rows", limit: MAX_EXAMPLES as u64 });
    }
    let mut table = Table::default();
    let schema = reader.metadata().file_metadata().schema();
    table.columns = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    if table.columns.len() > MAX_COLUMNS {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "columns", limit: MAX_COLUMNS as u64 });
    }
    let mut problems = Vec::new();
    let rows = reader.get_row_iter(None).map_err(|error| malformed(error.to_string()))?;
    for (number, row) in (1..).zip(rows) {
        match row {
            Ok(row) => {
                let cells = row.get_column_iter().map(|(_, field)| cell(field)).collect();
                table.rows.push(Row { number, cells });
            }
            Err(error) => {
                // After a damaged page nothing that follows can be trusted.
                problems.push(Problem::in_row(
                    ProblemKind::BadRow { detail: error.to_string() },
                    path,
                    number,
                ));
                break;
            }
        }
    }
    if table.rows.is_empty() && problems.is_empty() {
        return Err(ReadError::NoRows { path: path.to_owned() });
    }
    Ok((table, problems))
}

fn cell(field: &Field) -> Cell {
    match field {
        Field::Str(text) => Cell::from_text(text),
        Field::Bool(value) => Cell::Text(value.to_string()),
        Field::Byte(value) => Cell::Integer(i128::from(*value)),
        Field::Short(value) => Cell::Integer(i128::from(*value)),
        Field::Int(value) => Cell::Integer(i128::from(*value)),
        Field::Long(value) => Cell::Integer(i128::from(*value)),
        Field::UByte(value) => Cell::Integer(i128::from(*value)),
        Field::UShort(value) => Cell::Integer(i128::from(*value)),
        Field::UInt(value) => Cell::Integer(i128::from(*value)),
        Field::ULong(value) => Cell::Integer(i128::from(*value)),
        Field::Float(value) => Cell::Number(f64::from(*value)),
        Field::Double(value) => Cell::Number(*value),
        Field::ListInternal(list) => {
            Cell::List(list.elements().iter().map(|item| cell(item).text()).collect())
        }
        _ => Cell::Empty,
    }
}
