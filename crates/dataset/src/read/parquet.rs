//! Parquet files, through the row interface: strings, numbers, booleans and lists of them.

use std::collections::BTreeSet;
use std::fs::File;
use std::panic::catch_unwind;
use std::path::Path;

use parquet::basic::{ConvertedType, Repetition};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use serde_json::Value;

use super::{Cell, MAX_COLUMNS, MAX_EXAMPLES, Row, Table};
use crate::{Problem, ProblemKind, ReadError};

/// Reads all rows. Structs are flattened; bytes that are no text, and maps, are read as empty.
///
/// # Errors
/// [`ReadError::Malformed`] when the file is damaged, [`ReadError::NoRows`] when it has none, [`ReadError::TooMuch`] above the
/// limits. From a damaged page on, the rows are a problem and those before it are kept.
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
    let size = path.metadata().map_err(|source| ReadError::Open { path: path.to_owned(), source })?.len();
    if !chunks_fit(reader.metadata(), size) {
        return Err(malformed("its columns do not lie inside the file".to_owned()));
    }
    let n_rows = reader.metadata().file_metadata().num_rows();
    if usize::try_from(n_rows).is_ok_and(|rows| rows > MAX_EXAMPLES) {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "rows", limit: MAX_EXAMPLES as u64 });
    }
    let schema = reader.metadata().file_metadata().schema();
    let mut table = Table::default();
    schema.get_fields().iter().for_each(|field| name_columns("", field, &mut table.columns));
    if table.columns.len() > MAX_COLUMNS {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "columns", limit: MAX_COLUMNS as u64 });
    }
    let classes = class_names(reader.metadata().file_metadata().key_value_metadata(), &table.columns);
    let mut problems = Vec::new();
    let mut binary = BTreeSet::new();
    let rows = reader.get_row_iter(None).map_err(|error| malformed(error.to_string()))?;
    for (number, row) in (1..).zip(rows) {
        match row {
            Ok(row) => {
                let mut cells = Vec::with_capacity(table.columns.len());
                for ((_, field), kind) in row.get_column_iter().zip(schema.get_fields()) {
                    add_cells(field, kind, &mut cells, &mut binary);
                }
                for (cell, names) in cells.iter_mut().zip(&classes) {
                    name_classes(cell, names);
                }
                table.rows.push(Row { number, cells });
            }
            Err(error) => {
                // After a damaged page nothing that follows can be trusted.
                let detail = format!("{error}; neither it nor what follows was read, save the file again");
                problems.push(Problem::in_row(ProblemKind::BadRow { detail }, path, number));
                break;
            }
        }
    }
    table.binary = binary.into_iter().collect();
    if table.rows.is_empty() && problems.is_empty() {
        return Err(ReadError::NoRows { path: path.to_owned() });
    }
    Ok((table, problems))
}

/// Whether every column chunk lies inside the file. The parquet crate panics, or asks for the memory, when one does not.
fn chunks_fit(metadata: &ParquetMetaData, size: u64) -> bool {
    metadata.row_groups().iter().flat_map(|group| group.columns()).all(|column| {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let end = u64::try_from(start).ok().zip(u64::try_from(column.compressed_size()).ok());
        end.and_then(|(start, length)| start.checked_add(length)).is_some_and(|end| end <= size)
    })
}

/// Whether a field is a struct, whose fields become columns of their own, and not a list or a map.
fn is_struct(kind: &Type) -> bool {
    let info = kind.get_basic_info();
    kind.is_group()
        && info.converted_type() == ConvertedType::NONE
        && info.logical_type_ref().is_none()
        && !(info.has_repetition() && info.repetition() == Repetition::REPEATED)
}

/// Structs are flattened with dots, as objects in JSON are.
fn name_columns(prefix: &str, kind: &Type, columns: &mut Vec<String>) {
    let name = format!("{prefix}{}", kind.name());
    if is_struct(kind) {
        let prefix = format!("{name}.");
        kind.get_fields().iter().for_each(|field| name_columns(&prefix, field, columns));
    } else {
        columns.push(name);
    }
}

fn add_cells(field: &Field, kind: &Type, cells: &mut Vec<Cell>, binary: &mut BTreeSet<usize>) {
    match field {
        _ if !is_struct(kind) => {
            if matches!(field, Field::Bytes(bytes) if str::from_utf8(bytes.data()).is_err()) {
                binary.insert(cells.len());
            }
            cells.push(cell(field));
        }
        Field::Group(row) => {
            for ((_, field), kind) in row.get_column_iter().zip(kind.get_fields()) {
                add_cells(field, kind, cells, binary);
            }
        }
        _ => kind.get_fields().iter().for_each(|kind| add_cells(&Field::Null, kind, cells, binary)),
    }
}

fn cell(field: &Field) -> Cell {
    match field {
        Field::Str(text) => Cell::from_text(text),
        // Some writers do not mark their texts as such.
        Field::Bytes(bytes) => str::from_utf8(bytes.data()).map_or(Cell::Empty, Cell::from_text),
        Field::Bool(value) => Cell::Text(value.to_string()),
        Field::Byte(value) => Cell::Integer(i128::from(*value)),
        Field::Short(value) => Cell::Integer(i128::from(*value)),
        Field::Int(value) => Cell::Integer(i128::from(*value)),
        Field::Long(value) => Cell::Integer(i128::from(*value)),
        Field::UByte(value) => Cell::Integer(i128::from(*value)),
        Field::UShort(value) => Cell::Integer(i128::from(*value)),
        Field::UInt(value) => Cell::Integer(i128::from(*value)),
        Field::ULong(value) => Cell::Integer(i128::from(*value)),
        Field::Float16(value) => Cell::Number(f64::from(value.to_f32())),
        Field::Float(value) => Cell::Number(f64::from(*value)),
        Field::Double(value) => Cell::Number(*value),
        Field::ListInternal(list) => {
            Cell::List(list.elements().iter().map(|item| cell(item).text()).collect())
        }
        Field::Decimal(_)
        | Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::TimestampMillis(_)
        | Field::TimestampMicros(_) => Cell::Text(field.to_string()),
        Field::Null | Field::Group(_) | Field::MapInternal(_) => Cell::Empty,
    }
}

/// The names of each column's classes, by number, where the file has them: Hugging Face's `datasets` keeps its features as
/// JSON beside the schema. Empty for the other columns.
fn class_names(metadata: Option<&Vec<KeyValue>>, columns: &[String]) -> Vec<Vec<String>> {
    let features = metadata
        .into_iter()
        .flatten()
        .find(|entry| entry.key == "huggingface")
        .and_then(|entry| serde_json::from_str::<Value>(entry.value.as_deref()?).ok());
    let names = |column: &String| -> Option<Vec<String>> {
        let feature = &features.as_ref()?["info"]["features"][column];
        // A list of classes has the classes one level down.
        let names = feature.get("names").or_else(|| feature["feature"].get("names"))?.as_array()?;
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    };
    columns.iter().map(|column| names(column).unwrap_or_default()).collect()
}

/// Puts names in the place of class numbers. Minus one says that there is no label.
fn name_classes(cell: &mut Cell, names: &[String]) {
    let name = |text: &str| text.parse().ok().and_then(|place: usize| names.get(place)).cloned();
    match cell {
        _ if names.is_empty() => {}
        Cell::Integer(-1) => *cell = Cell::Empty,
        Cell::Integer(number) => {
            if let Some(name) = name(&number.to_string()) {
                *cell = Cell::Text(name);
            }
        }
        Cell::List(items) => {
            for item in items {
                if let Some(name) = name(item) {
                    *item = name;
                }
            }
        }
        Cell::Empty | Cell::Text(_) | Cell::Number(_) => {}
    }
}
