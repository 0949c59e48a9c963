//! A table of results, column by column, as CSV, Parquet or JSON.

use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use serde_json::{Map, Value};

/// Named columns of equal length. Names are letters, digits and underscores.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    columns: Vec<(String, Values)>,
}

/// The cells of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Texts.
    Texts(Vec<Option<String>>),
    /// Yes or no.
    Flags(Vec<bool>),
    /// Numbers.
    Numbers(Vec<Option<f64>>),
    /// Whole numbers.
    Counts(Vec<Option<i64>>),
}

/// The kinds of file a table can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableForm {
    /// Comma-separated, UTF-8, quoted where needed.
    Csv,
    /// One JSON document.
    Json,
    /// Parquet.
    Parquet,
}

impl TableForm {
    /// By the ending of the name; `None` for other endings.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }
}

impl Values {
    /// Number of rows.
    fn len(&self) -> usize {
        match self {
            Self::Texts(cells) => cells.len(),
            Self::Flags(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::Counts(cells) => cells.len(),
        }
    }

    fn value(&self, row: usize) -> Value {
        match self {
            Self::Texts(cells) => cells[row].clone().into(),
            Self::Flags(cells) => cells[row].into(),
            Self::Numbers(cells) => cells[row].into(),
            Self::Counts(cells) => cells[row].into(),
        }
    }

    fn parquet_type(&self) -> (&'static str, &'static str) {
        match self {
            Self::Texts(_) => ("OPTIONAL BYTE_ARRAY", " (UTF8)"),
            Self::Flags(_) => ("REQUIRED BOOLEAN", ""),
            Self::Numbers(_) => ("OPTIONAL DOUBLE", ""),
            Self::Counts(_) => ("OPTIONAL INT64", ""),
        }
    }
}

impl Columns {
    /// Adds a column.
    ///
    /// # Panics
    /// When it has another number of rows than those before it.
    pub(crate) fn push(&mut self, name: impl Into<String>, values: Values) {
        assert!(self.columns.first().is_none_or(|(_, first)| first.len() == values.len()));
        self.columns.push((name.into(), values));
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// One object a row, cells that are empty as `null`.
    pub fn records(&self) -> Vec<Value> {
        let record = |row: usize| {
            let cells = self.columns.iter().map(|(name, values)| (name.clone(), values.value(row)));
            Value::Object(cells.collect::<Map<_, _>>())
        };
        (0..self.rows()).map(record).collect()
    }

    /// A header and one line a row; empty cells are empty.
    pub fn csv(&self) -> String {
        let header: Vec<String> = self.columns.iter().map(|(name, _)| quoted(name)).collect();
        let mut text = header.join(",") + "\n";
        for row in 0..self.rows() {
            let cells: Vec<String> = self
                .columns
                .iter()
                .map(|(_, values)| match values.value(row) {
                    Value::Null => String::new(),
                    Value::String(text) => quoted(&text),
                    other => other.to_string(),
                })
                .collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }

    /// A Parquet file, written by `Dianjing`.
    pub fn parquet(&self) -> Vec<u8> {
        self.try_parquet().expect("memory takes what a schema made of these columns describes")
    }

    fn try_parquet(&self) -> Result<Vec<u8>, ParquetError> {
        let fields: String = self
            .columns
            .iter()
            .map(|(name, values)| {
                let (kind, meaning) = values.parquet_type();
                format!("{kind} {name}{meaning}; ")
            })
            .collect();
        let schema = Arc::new(parse_message_type(&format!("message rows {{ {fields}}}"))?);
        let properties = WriterProperties::builder().set_created_by("Dianjing".to_owned()).build();
        let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        let mut group = file.next_row_group()?;
        for (_, values) in &self.columns {
            let mut column = group.next_column()?.expect("the schema has these columns");
            write_column(&mut column, values)?;
            column.close()?;
        }
        group.close()?;
        file.into_inner()
    }
}

fn write_column(column: &mut SerializedColumnWriter<'_>, values: &Values) -> Result<(), ParquetError> {
    match values {
        Values::Flags(cells) => column.typed::<BoolType>().write_batch(cells, None, None)?,
        Values::Texts(cells) => {
            let texts: Vec<ByteArray> = cells.iter().flatten().map(|text| text.as_str().into()).collect();
            column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels(cells)), None)?
        }
        Values::Numbers(cells) => {
            let numbers: Vec<f64> = cells.iter().flatten().copied().collect();
            column.typed::<DoubleType>().write_batch(&numbers, Some(&levels(cells)), None)?
        }
        Values::Counts(cells) => {
            let counts: Vec<i64> = cells.iter().flatten().copied().collect();
            column.typed::<Int64Type>().write_batch(&counts, Some(&levels(cells)), None)?
        }
    };
    Ok(())
}

/// 1 where there is a value.
fn levels<T>(cells: &[Option<T>]) -> Vec<i16> {
    cells.iter().map(|cell| i16::from(cell.is_some())).collect()
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_cell_is_written_in_every_form() {
        let mut table = Columns::default();
        table.push("id", Values::Texts(vec![Some("a, \"b\"".into()), None]));
        table.push("is_issue", Values::Flags(vec![true, false]));
        table.push("score", Values::Numbers(vec![Some(0.25), None]));
        table.push("group", Values::Counts(vec![None, Some(3)]));
        assert_eq!(table.csv(), "id,is_issue,score,group\n\"a, \"\"b\"\"\",true,0.25,\n,false,,3\n");
        assert_eq!(table.records()[1].to_string(), r#"{"id":null,"is_issue":false,"score":null,"group":3}"#);
        let parquet = table.parquet();
        assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.parquet");
        std::fs::write(&path, parquet).unwrap();
        let options = dataset::ReadOptions::content(dataset::Modality::Text, "id");
        let (read, _) = dataset::read_unlabelled(&[path], &options).unwrap();
        assert_eq!(read[0].content, dataset::Content::Text("a, \"b\"".into()));
    }
}
