//! Parquet is written, through the crate's low-level writer.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::mem;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{Type, TypePtr};

use crate::ExchangeError;
use crate::tables::write::Rows;
use crate::tables::{Column, Row};

/// Most rows of one row group.
const GROUP_ROWS: usize = 10_000;
/// About the most bytes of texts and marks in one row group, so that few long texts fill no memory.
const GROUP_BYTES: usize = 32 << 20;

pub(in crate::tables) fn write(rows: Rows, out: &mut dyn Write) -> Result<(), ExchangeError> {
    let Rows { rows, columns, senses } = rows;
    let columns = if columns.is_empty() { vec![Column::File] } else { columns };
    let schema = schema(&senses, &columns)?;
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    // The writer wants to be sent between threads, which `out` need not be.
    let aside = tempfile::tempfile().map_err(ExchangeError::Write)?;
    let mut writer = SerializedFileWriter::new(aside, schema, Arc::new(properties))?;
    let (mut group, mut bytes) = (Vec::new(), 0);
    rows.each(|row| {
        bytes += size(&row);
        group.push(row);
        if group.len() == GROUP_ROWS || bytes > GROUP_BYTES {
            bytes = 0;
            write_group(&mut writer, (&senses, &columns), &mem::take(&mut group))?;
        }
        Ok(())
    })?;
    if !group.is_empty() {
        write_group(&mut writer, (&senses, &columns), &group)?;
    }
    let mut file = writer.into_inner()?;
    file.seek(SeekFrom::Start(0)).map_err(ExchangeError::Write)?;
    io::copy(&mut file, out).map_err(ExchangeError::Write)?;
    Ok(())
}

/// Names of senses are those of somebody's table, and may hold what would end a name in a schema that is written out.
fn schema(senses: &[String], columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let own: String = columns.iter().map(|column| field(*column)).collect();
    let own = parse_message_type(&format!("message examples {{ {own} }}"))?;
    let sense = |name: &String| {
        let text = Type::primitive_type_builder(name, PhysicalType::BYTE_ARRAY);
        let text = text.with_repetition(Repetition::OPTIONAL).with_converted_type(ConvertedType::UTF8);
        text.build().map(Arc::new)
    };
    let mut fields: Vec<TypePtr> = senses.iter().map(sense).collect::<Result<_, _>>()?;
    fields.extend(own.get_fields().iter().cloned());
    Ok(Arc::new(Type::group_type_builder("examples").with_fields(fields).build()?))
}

fn field(column: Column) -> String {
    match column {
        Column::Start | Column::End | Column::Number => format!("optional double {};", column.name()),
        Column::Labels => {
            "optional group labels (LIST) { repeated group list { required binary element (UTF8); } }"
                .to_owned()
        }
        column => format!("optional binary {} (UTF8);", column.name()),
    }
}

fn size(row: &Row) -> usize {
    let marks: usize = row
        .marks
        .iter()
        .map(|mark| match &mark.shape {
            crate::Shape::Polygon { points } => 16 * points.len(),
            crate::Shape::Brush { runs, .. } => 4 * runs.len(),
            _ => 64,
        })
        .sum();
    marks + row.text.as_ref().map_or(0, String::len) + row.senses.values().map(String::len).sum::<usize>()
}

fn write_group(
    writer: &mut SerializedFileWriter<File>,
    (senses, columns): (&[String], &[Column]),
    rows: &[Row],
) -> Result<(), ExchangeError> {
    let mut group = writer.next_row_group()?;
    for sense in senses {
        write_texts(&mut group, rows.iter().map(|row| row.senses.get(sense).cloned()))?;
    }
    for column in columns {
        write_column(&mut group, *column, rows)?;
    }
    group.close()?;
    Ok(())
}

fn write_column(
    group: &mut SerializedRowGroupWriter<'_, File>,
    column: Column,
    rows: &[Row],
) -> Result<(), ExchangeError> {
    if !matches!(column, Column::Start | Column::End | Column::Number | Column::Labels) {
        return write_texts(group, rows.iter().map(|row| column.cell(row)));
    }
    let Some(mut out) = group.next_column()? else { return Ok(()) };
    match column {
        Column::Start | Column::End | Column::Number => {
            let numbers: Vec<f64> = rows.iter().filter_map(|row| column.number(row)).collect();
            let defined: Vec<i16> = rows.iter().map(|row| i16::from(column.number(row).is_some())).collect();
            out.typed::<DoubleType>().write_batch(&numbers, Some(&defined), None)?;
        }
        _ => {
            let (mut labels, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
            for row in rows {
                // 0: no list, 1: an empty one, 2: an element.
                match row.known.labels.as_deref() {
                    None => {
                        defined.push(0);
                        repeated.push(0);
                    }
                    Some([]) => {
                        defined.push(1);
                        repeated.push(0);
                    }
                    Some(list) => {
                        defined.extend(list.iter().map(|_| 2));
                        repeated.extend((0..list.len()).map(|at| i16::from(at > 0)));
                        labels.extend(list.iter().map(|label| ByteArray::from(label.as_bytes().to_vec())));
                    }
                }
            }
            out.typed::<ByteArrayType>().write_batch(&labels, Some(&defined), Some(&repeated))?;
        }
    }
    out.close()?;
    Ok(())
}

fn write_texts(
    group: &mut SerializedRowGroupWriter<'_, File>,
    cells: impl Iterator<Item = Option<String>>,
) -> Result<(), ExchangeError> {
    let Some(mut out) = group.next_column()? else { return Ok(()) };
    let cells: Vec<Option<String>> = cells.collect();
    let defined: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let texts: Vec<ByteArray> =
        cells.into_iter().flatten().map(|cell| ByteArray::from(cell.into_bytes())).collect();
    out.typed::<ByteArrayType>().write_batch(&texts, Some(&defined), None)?;
    out.close()?;
    Ok(())
}
