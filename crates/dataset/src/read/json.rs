//! JSON lines, and arrays of objects.

use std::path::Path;

use serde_json::Value;

use super::{Cell, MAX_COLUMNS, MAX_EXAMPLES, Row, Table};
use crate::{Problem, ProblemKind, ReadError};

/// Reads one object per line, or one array of objects. Lines that are not objects become problems.
///
/// Nested objects are flattened with dots: `{"meta": {"lot": 3}}` gives the column `meta.lot`.
pub fn parse_json(path: &Path, bytes: &[u8]) -> Result<(Table, Vec<Problem>), ReadError> {
    let malformed = |detail: String| ReadError::Malformed { path: path.to_owned(), detail };
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    let mut problems = Vec::new();
    let mut objects = Vec::new();
    if text.trim_start().starts_with('[') {
        let items: Vec<Value> = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        for (number, item) in (1..).zip(items) {
            keep(path, number, Ok(item), &mut objects, &mut problems);
        }
    } else {
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            keep(path, number, serde_json::from_str(line), &mut objects, &mut problems);
        }
    }
    if objects.len() > MAX_EXAMPLES {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "rows", limit: MAX_EXAMPLES as u64 });
    }
    if objects.is_empty() && problems.is_empty() {
        return Err(ReadError::NoRows { path: path.to_owned() });
    }
    table(path, &objects).map(|table| (table, problems))
}

type Fields = Vec<(String, Cell)>;

fn keep(
    path: &Path,
    number: u64,
    item: serde_json::Result<Value>,
    objects: &mut Vec<(u64, Fields)>,
    problems: &mut Vec<Problem>,
) {
    match item {
        Ok(Value::Object(object)) => {
            let mut fields = Vec::new();
            flatten("", object, &mut fields);
            objects.push((number, fields));
        }
        Ok(_) => {
            let detail = "it is not an object with named fields".to_owned();
            problems.push(Problem::in_row(ProblemKind::BadRow { detail }, path, number));
        }
        Err(error) => {
            problems.push(Problem::in_row(ProblemKind::BadRow { detail: error.to_string() }, path, number));
        }
    }
}

fn flatten(prefix: &str, object: serde_json::Map<String, Value>, fields: &mut Fields) {
    for (name, value) in object {
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(inner) => flatten(&format!("{name}."), inner, fields),
            other => fields.push((name, cell(&other))),
        }
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null | Value::Object(_) => Cell::Empty,
        Value::Bool(value) => Cell::Text(value.to_string()),
        Value::Number(number) => number.as_f64().map_or(Cell::Empty, Cell::Number),
        Value::String(text) => Cell::from_text(text),
        Value::Array(items) => Cell::List(items.iter().map(|item| cell(item).text()).collect()),
    }
}

fn table(path: &Path, objects: &[(u64, Fields)]) -> Result<Table, ReadError> {
    let mut places = std::collections::HashMap::new();
    let mut columns = Vec::new();
    for (name, _) in objects.iter().flat_map(|(_, fields)| fields) {
        if !places.contains_key(name.as_str()) {
            places.insert(name.as_str(), columns.len());
            columns.push(name.clone());
        }
    }
    if columns.len() > MAX_COLUMNS {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "columns", limit: MAX_COLUMNS as u64 });
    }
    let row = |(number, fields): &(u64, Fields)| {
        let mut cells = vec![Cell::Empty; columns.len()];
        for (name, cell) in fields {
            cells[places[name.as_str()]] = cell.clone();
        }
        Row { number: *number, cells }
    };
    let rows = objects.iter().map(row).collect();
    Ok(Table { columns, rows })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> (Table, Vec<Problem>) {
        parse_json(Path::new("t.jsonl"), text.as_bytes()).unwrap()
    }

    #[test]
    fn lines_and_arrays_give_the_same_table() {
        let lines = parse(
            "{\"text\": \"a\", \"labels\": [\"x\", \"y\"]}\n\n{\"text\": \"b\", \"meta\": {\"lot\": 3}}\n",
        )
        .0;
        let array = parse(
            "[{\"text\": \"a\", \"labels\": [\"x\", \"y\"]}, {\"text\": \"b\", \"meta\": {\"lot\": 3}}]",
        )
        .0;
        assert_eq!(lines.columns, ["text", "labels", "meta.lot"]);
        assert_eq!(lines.columns, array.columns);
        assert_eq!(lines.rows[1].cells, array.rows[1].cells);
        assert_eq!(lines.rows[0].cells[1], Cell::List(vec!["x".into(), "y".into()]));
        assert_eq!(lines.rows[1].number, 3);
    }

    #[test]
    fn broken_lines_are_told() {
        let (table, problems) = parse("{\"text\": \"a\"}\n{oops\n7\n");
        assert_eq!((table.rows.len(), problems.len()), (1, 2));
        assert_eq!(problems[0].row, Some(2));
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let deep = format!("{}1{}", "{\"a\":".repeat(4000), "}".repeat(4000));
        let (table, problems) = parse(&format!("{{\"text\": \"a\"}}\n{deep}\n"));
        assert_eq!((table.rows.len(), problems.len()), (1, 1));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_json(Path::new("t.json"), &bytes);
        }
    }
}
