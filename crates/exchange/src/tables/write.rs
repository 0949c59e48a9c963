//! Tables are written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde_json::Value;

use super::{Column, NAME, Row, parquet};
use crate::archive::Archive;
use crate::names::{Apart, Names, safe_path};
use crate::spool::Spool;
use crate::write::Items;
use crate::{Content, ExchangeError, Format, Item, files};

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
            line(&row(item?, &mut names, None)?, out)?;
        }
        return Ok(());
    }
    document(format, collect(format, items, None)?, out)
}

/// Rows that wait, with the columns that have something in them.
pub(super) struct Rows {
    pub(super) rows: Spool<Row>,
    pub(super) columns: Vec<Column>,
    /// Columns of senses, which stand before the others.
    pub(super) senses: Vec<String>,
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
    let mut senses = BTreeSet::new();
    for item in items {
        let row = row(item?, &mut names, archive.as_deref_mut())?;
        senses
            .extend(row.senses.keys().filter(|sense| !senses.contains(*sense)).cloned().collect::<Vec<_>>());
        let missing = Column::ALL.into_iter().filter(|column| !columns.contains(column));
        let filled: Vec<Column> = missing.filter(|column| column.is_filled(&row)).collect();
        columns.extend(filled);
        rows.push(&row)?;
    }
    let columns = Column::ALL.into_iter().filter(|column| columns.contains(column)).collect();
    Ok(Rows { rows, columns, senses: senses.into_iter().collect() })
}

/// The row of an item, whose files go into the archive.
fn row(item: Item, names: &mut Names, mut archive: Option<&mut Archive<'_>>) -> Result<Row, ExchangeError> {
    // Pieces of one sound name the same file, unless each has its own in the archive.
    let name = match (&item.piece, &archive) {
        (Some(_), None) => String::new(),
        _ => names.give(name(&item)),
    };
    let with_files = archive.is_some();
    if let (Some(archive), Content::File(_)) = (archive.as_deref_mut(), &item.content) {
        archive.content(&name, &item)?;
    }
    let mut cells = BTreeMap::new();
    if let Content::Senses(senses) = &item.content {
        for (sense, content) in senses {
            let cell = match content {
                Content::Text(text) => text.clone(),
                Content::File(path) => {
                    let ending = files::ending(&path.to_string_lossy());
                    let name = names.give(safe_path(&format!("{sense}/{}{ending}", item.name)));
                    if let Some(archive) = archive.as_deref_mut() {
                        archive.file(&name, path, &item.name)?;
                    }
                    name
                }
                Content::Senses(_) => unreachable!("a sense is one file or text"),
            };
            cells.insert(sense.clone(), cell);
        }
    }
    Ok(Row::of(item, name, cells, with_files))
}

/// The path of a file; a text is called as it is, since nothing is called so on a disk.
fn name(item: &Item) -> String {
    match item.content {
        Content::File(_) => safe_path(&item.file_name()),
        Content::Text(_) | Content::Senses(_) => item.name.clone(),
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
    let failed = |error: serde_json::Error| ExchangeError::Write(error.into());
    if row.senses.is_empty() {
        serde_json::to_writer(&mut *out, row).map_err(failed)?;
    } else {
        let alone = Row { senses: BTreeMap::new(), ..row.clone() };
        let mut line = serde_json::to_value(&row.senses).map_err(failed)?;
        if let (Value::Object(line), Value::Object(alone)) =
            (&mut line, serde_json::to_value(alone).map_err(failed)?)
        {
            line.extend(alone);
        }
        serde_json::to_writer(&mut *out, &line).map_err(failed)?;
    }
    out.write_all(b"\n").map_err(ExchangeError::Write)
}

fn separated(rows: Rows, out: &mut dyn Write) -> Result<(), ExchangeError> {
    let failed = |error: csv::Error| ExchangeError::Write(error.into());
    let Rows { rows, columns, senses } = rows;
    if columns.is_empty() {
        // A set without examples is a table with nothing below its header.
        return out.write_all(b"file\n").map_err(ExchangeError::Write);
    }
    let mut writer = csv::Writer::from_writer(out);
    let names = columns.iter().map(|column| column.name());
    writer.write_record(senses.iter().map(String::as_str).chain(names)).map_err(failed)?;
    rows.each(|row| {
        let of_senses = senses.iter().map(|sense| row.senses.get(sense).cloned().unwrap_or_default());
        let cells = columns.iter().map(|column| column.cell(&row).unwrap_or_default());
        writer.write_record(of_senses.chain(cells)).map_err(failed)
    })?;
    writer.flush().map_err(ExchangeError::Write)
}
