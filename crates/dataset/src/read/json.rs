//! JSON lines, and arrays of objects.

use std::path::Path;

use serde_json::Value;

use super::encoding::{self, Decoded, NOT_TEXT};
use super::{Cell, MAX_COLUMNS, MAX_EXAMPLES, Row, Table};
use crate::{Problem, ProblemKind, ReadError};

/// Reads one object per line, or one array of objects. Lines and elements that are not objects, cannot be parsed or hold bytes
/// of another encoding become problems; the others stay. Rows are counted by line, or by element in an array.
///
/// Nested objects are flattened with dots: `{"meta": {"lot": 3}}` gives the column `meta.lot`.
///
/// # Errors
/// [`ReadError::Malformed`] when it is no text or one large object, [`ReadError::NothingUsable`] when no row can be parsed,
/// [`ReadError::NoRows`] when it is empty, [`ReadError::TooMuch`] above the limits.
pub fn parse_json(path: &Path, bytes: &[u8]) -> Result<(Table, Vec<Problem>), ReadError> {
    let no_text = || ReadError::Malformed { path: path.to_owned(), detail: NOT_TEXT.to_owned() };
    let decoded = encoding::decode(bytes).ok_or_else(no_text)?;
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    let text = decoded.text.trim_start();
    let mut keep = |number, piece: &str, item| match fields_of(&decoded, piece, item) {
        Ok(fields) => objects.push((number, fields)),
        Err(kind) => problems.push(Problem::in_row(kind, path, number)),
    };
    if let Some(elements) = text.strip_prefix('[') {
        for_each_element(elements, &mut keep);
    } else if is_one_large_object(text) {
        let detail = "it is one object; write an array of objects, or one object on each line".to_owned();
        return Err(ReadError::Malformed { path: path.to_owned(), detail });
    } else {
        for (number, line) in (1..).zip(decoded.text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            keep(number, line, serde_json::from_str(line));
        }
    }
    if objects.len() > MAX_EXAMPLES {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "rows", limit: MAX_EXAMPLES as u64 });
    }
    if objects.is_empty() && problems.is_empty() {
        return Err(ReadError::NoRows { path: path.to_owned() });
    }
    if objects.is_empty() {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        return Err(ReadError::NothingUsable { path: path.to_owned(), first });
    }
    table(path, &objects).map(|table| (table, problems))
}

type Fields = Vec<(String, Cell)>;

fn fields_of(
    decoded: &Decoded<'_>,
    piece: &str,
    item: serde_json::Result<Value>,
) -> Result<Fields, ProblemKind> {
    if decoded.damages(piece) {
        return Err(ProblemKind::BadText { encoding: decoded.encoding.to_owned() });
    }
    match item {
        Ok(Value::Object(object)) => {
            let mut fields = Vec::new();
            flatten("", object, &mut fields);
            Ok(fields)
        }
        Ok(_) => Err(ProblemKind::BadRow { detail: "it is not an object with named fields".to_owned() }),
        Err(error) => {
            // The parser counts lines from the piece it was given; only the column says something in one line.
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
            let detail = format!("{message}, near its character {}", error.column().max(1));
            Err(ProblemKind::BadRow { detail })
        }
    }
}

/// Whether the whole text is one object on several lines, so that no line is a row.
fn is_one_large_object(text: &str) -> bool {
    let is_object = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    text.starts_with('{') && !is_object(text.lines().next().unwrap_or_default()) && is_object(text)
}

/// Hands on each element of an array with its number and its text; `text` is what follows the opening bracket.
///
/// After an element that cannot be parsed, reading goes on with what looks like the next one.
fn for_each_element(text: &str, keep: &mut impl FnMut(u64, &str, serde_json::Result<Value>)) {
    let mut at = 0;
    for number in 1.. {
        at = text.len() - text[at..].trim_start_matches(is_between).len();
        if at == text.len() || text[at..].starts_with(']') {
            return;
        }
        let mut items = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        let Some(item) = items.next() else { return };
        let parsed = at + items.byte_offset();
        let (item, end) = match item {
            // Behind an object nothing but a comma can be missing; the object is whole.
            Ok(item) if item.is_object() || is_ended(&text[parsed..]) => (Ok(item), parsed),
            Ok(_) => {
                let detail = "a comma or the closing bracket is missing behind it";
                (Err(serde::de::Error::custom(detail)), next_element(text, at))
            }
            Err(error) => (Err(error), next_element(text, at)),
        };
        keep(number, &text[at..end], item);
        at = end;
    }
}

/// An element ends at a comma or at the end of the array; anything else is part of a broken one.
fn is_ended(rest: &str) -> bool {
    rest.trim_start().starts_with([',', ']'])
}

fn is_between(char: char) -> bool {
    char == ',' || char.is_whitespace()
}

/// Where the next object seems to begin: an opening brace behind a comma or on a new line.
fn next_element(text: &str, at: usize) -> usize {
    let braces = text[at..].match_indices('{').map(|(place, _)| at + place).filter(|place| *place > at);
    let begins = |place: &usize| {
        let before = text[at..*place].trim_end_matches([' ', '\t']);
        before.ends_with([',', '\n', '\r'])
    };
    let mut found = braces.filter(begins);
    found.next().unwrap_or(text.len())
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
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(value), _) => Cell::Integer(value),
            (None, Some(value)) => Cell::Number(value),
            (None, None) => Cell::Empty,
        },
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
    Ok(Table { columns, rows, ..Table::default() })
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
    fn a_broken_element_costs_only_itself() {
        #[track_caller]
        fn check(text: &str, kept: &[u64], told: &[u64]) {
            let (table, problems) = parse(text);
            let rows: Vec<u64> = table.rows.iter().map(|row| row.number).collect();
            let problems: Vec<u64> = problems.iter().map(|problem| problem.row.unwrap()).collect();
            assert_eq!((&rows[..], &problems[..]), (kept, told), "{text}");
        }
        check(r#"[{"text": "a"}, {oops], {"text": "b"}]"#, &[1, 3], &[2]);
        check("[\n{\"text\": \"a}\n{\"text\": \"b\"},\n7,\n{\"text\": \"c\"}", &[2, 4], &[1, 3]);
        check(r#"[{"text": "a"} {"text": "b"}, {"text": "c""#, &[1, 2], &[3]);
        check(r#"[{"text": "a"}, "x" "y", {"text": "b"}]"#, &[1, 3], &[2]);
    }

    #[test]
    fn one_large_object_is_told() {
        let error = parse_json(Path::new("t.json"), b"{\n\"data\": [\n{\"text\": 1}\n]\n}\n").unwrap_err();
        assert!(error.to_string().contains("it is one object"), "{error}");
        let error = parse_json(Path::new("t.json"), b"oops").unwrap_err();
        assert!(
            error.to_string().contains("t.json:1: the row cannot be read: expected value, near"),
            "{error}"
        );
    }

    #[test]
    fn the_encodings_of_tables_are_read_here_too() {
        let text = "{\"text\": \"你好朋友们\", \"label\": \"a\"}\n{\"text\": \"再见\", \"label\": \"b\"}\n";
        let utf16: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        for bytes in [text.as_bytes(), &utf16, &encoding_rs::GB18030.encode(text).0] {
            let (table, problems) = parse_json(Path::new("t.jsonl"), bytes).unwrap();
            assert_eq!(problems, []);
            assert_eq!(table.rows[1].cells[0], Cell::Text("再见".into()));
        }
        let mut broken = text.as_bytes().to_vec();
        let place = text.find("再见").unwrap();
        broken.insert(place, 0xFF);
        let (table, problems) = parse_json(Path::new("t.jsonl"), &broken).unwrap();
        assert_eq!((table.rows.len(), problems[0].row), (1, Some(2)));
        assert_eq!(problems[0].kind, ProblemKind::BadText { encoding: "UTF-8".into() });
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
