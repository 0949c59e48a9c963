//! Tables are written.

use std::io::Write;

use super::{Column, NAME, Row, parquet};
use crate::archive::Archive;
use crate::names::{Apart, Names, safe_path};
use crate::spool::Spool;
use crate::write::Items;
use crate::{Content, ExchangeError, Format};

/// Writes a table alone, or in an archive with the files that it names.
pub(crate) fn write(
    format: Format,
    items: Items<'_>,
    files: bool,
    out: &mut dyn Write,
) -> Result<(), ExchangeError> {
    if files {
        let mut archive = Archive::new(out);
        let rows = collect(format, items, Some(&mut archive))?;
        archive.document(&format!("{NAME}.{}", format.name()), |out| document(format, rows, out))?;
        return archive.finish();
    }
    if format == Format::Jsonl {
        // Its lines stand alone, so nothing need wait.
        let mut names = Names::new(Apart::Whole);
        for item in items {
            let item = item?;
            let name = names.give(name(&item));
            line(&Row::of(item, name), out)?;
        }
        return Ok(());
    }
    document(format, collect(format, items, None)?, out)
}

/// Rows that wait, with the columns that have something in them.
pub(super) struct Rows {
    pub(super) rows: Spool<Row>,
    pub(super) columns: Vec<Column>,
}

fn collect(
    format: Format,
    items: Items<'_>,
    mut archive: Option<&mut Archive<'_>>,
) -> Result<Rows, ExchangeError> {
    let mut names = Names::new(Apart::Whole);
    // The table itself lies beside the files.
    names.give(format!("{NAME}.{}", format.name()));
    let mut rows = Spool::new()?;
    let mut columns = Vec::new();
    for item in items {
        let item = item?;
        let name = names.give(name(&item));
        if let (Some(archive), Content::File(_)) = (archive.as_deref_mut(), &item.content) {
            archive.content(&name, &item)?;
        }
        let row = Row::of(item, name);
        let missing = Column::ALL.into_iter().filter(|column| !columns.contains(column));
        let filled: Vec<Column> = missing.filter(|column| column.is_filled(&row)).collect();
        columns.extend(filled);
        rows.push(&row)?;
    }
    Ok(Rows { rows, columns: Column::ALL.into_iter().filter(|column| columns.contains(column)).collect() })
}

/// The path of a file; a text is called as it is, since nothing is called so on a disk.
fn name(item: &crate::Item) -> String {
    match item.content {
        Content::File(_) => safe_path(&item.name),
        Content::Text(_) => item.name.clone(),
    }
}

fn document(format: Format, rows: Rows, out: &mut dyn Write) -> Result<(), ExchangeError> {
    match format {
        Format::Jsonl => rows.rows.each(|row| line(&row, out)),
        Format::Parquet => parquet::write(rows, out),
        _ => separated(rows, out),
    }
}

fn line(row: &Row, out: &mut dyn Write) -> Result<(), ExchangeError> {
    serde_json::to_writer(&mut *out, row).map_err(|error| ExchangeError::Write(error.into()))?;
    out.write_all(b"\n").map_err(ExchangeError::Write)
}

fn separated(rows: Rows, out: &mut dyn Write) -> Result<(), ExchangeError> {
    let failed = |error: csv::Error| ExchangeError::Write(error.into());
    let Rows { rows, columns } = rows;
    if columns.is_empty() {
        // A set without examples is a table with nothing below its header.
        return out.write_all(b"file\n").map_err(ExchangeError::Write);
    }
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns.iter().map(|column| column.name())).map_err(failed)?;
    rows.each(|row| {
        let cells = columns.iter().map(|column| column.cell(&row).unwrap_or_default());
        writer.write_record(cells).map_err(failed)
    })?;
    writer.flush().map_err(ExchangeError::Write)
}
