//! Parquet is read, row by row.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use dataset::ProblemKind;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use crate::ExchangeError;
use crate::tables::Column;
use crate::tables::read::{FoundRow, Numbered};
use crate::tables::separated::fill;

pub(in crate::tables) fn read(
    path: &Path,
    mut take: impl FnMut(Numbered) -> Result<(), ExchangeError>,
) -> Result<(), ExchangeError> {
    // The parquet crate panics on some damaged files: for the person that is a file that cannot be parsed.
    catch_unwind(AssertUnwindSafe(|| read_trusting(path, &mut take)))
        .unwrap_or_else(|_| Err(ExchangeError::malformed(path, "its pages are damaged")))
}

/// The names of its columns; `None` when it cannot be read.
pub(in crate::tables) fn columns(path: &Path) -> Option<Vec<String>> {
    let names = || {
        let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
        let fields = reader.metadata().file_metadata().schema().get_fields().iter();
        Some(fields.map(|field| field.name().to_owned()).collect())
    };
    catch_unwind(AssertUnwindSafe(names)).unwrap_or(None)
}

fn read_trusting(
    path: &Path,
    take: &mut dyn FnMut(Numbered) -> Result<(), ExchangeError>,
) -> Result<(), ExchangeError> {
    let open = |source| ExchangeError::open(path, source);
    let malformed = |detail: &dyn ToString| ExchangeError::malformed(path, detail.to_string());
    let file = File::open(path).map_err(open)?;
    let size = file.metadata().map_err(open)?.len();
    let reader = SerializedFileReader::new(file).map_err(|error| malformed(&error))?;
    if !chunks_fit(reader.metadata(), size) {
        return Err(malformed(&"its columns do not lie inside the file"));
    }
    for (number, row) in (1..).zip(reader.get_row_iter(None).map_err(|error| malformed(&error))?) {
        match row {
            Ok(row) => take((number, found(&row)))?,
            Err(error) => {
                // After a damaged page nothing that follows can be trusted.
                let detail = format!("{error}; neither it nor what follows was read, save the file again");
                return take((number, Err((ProblemKind::BadRow { detail }, None))));
            }
        }
    }
    Ok(())
}

/// Whether every column chunk lies inside the file. The parquet crate panics, or asks for the memory, when one does not.
fn chunks_fit(metadata: &ParquetMetaData, size: u64) -> bool {
    metadata.row_groups().iter().flat_map(|group| group.columns()).all(|column| {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let end = u64::try_from(start).ok().zip(u64::try_from(column.compressed_size()).ok());
        end.and_then(|(start, length)| start.checked_add(length)).is_some_and(|end| end <= size)
    })
}

fn found(row: &Row) -> Result<FoundRow, (ProblemKind, Option<&'static str>)> {
    let mut found = FoundRow::default();
    for (name, field) in row.get_column_iter() {
        let Some(column) = Column::from_name(name) else { continue };
        let failed = |kind| (kind, Some(column.name()));
        match (column, field) {
            (_, Field::Null) => {}
            (Column::Labels, Field::ListInternal(list)) => {
                found.row.known.labels = Some(list.elements().iter().filter_map(text).collect());
            }
            (_, field) => match text(field) {
                Some(cell) if cell.is_empty() && column != Column::Text => {}
                Some(cell) => fill(&mut found, column, &cell).map_err(failed)?,
                None => {
                    let detail = "it is neither a text nor a number".to_owned();
                    return Err(failed(ProblemKind::BadRow { detail }));
                }
            },
        }
    }
    Ok(found)
}

fn text(field: &Field) -> Option<String> {
    match field {
        Field::Str(text) => Some(text.clone()),
        Field::Bytes(bytes) => str::from_utf8(bytes.data()).ok().map(str::to_owned),
        Field::Bool(_)
        | Field::Byte(_)
        | Field::Short(_)
        | Field::Int(_)
        | Field::Long(_)
        | Field::UByte(_)
        | Field::UShort(_)
        | Field::UInt(_)
        | Field::ULong(_) => Some(field.to_string()),
        Field::Float(value) => Some(value.to_string()),
        Field::Double(value) => Some(value.to_string()),
        _ => None,
    }
}
