//! CSV and its relatives, in the encodings and with the delimiters that people really use.

use std::path::Path;

use super::encoding::{self, Decoded, NOT_TEXT};
use super::records::{Record, Records};
use super::{Cell, MAX_CELL_BYTES, MAX_COLUMNS, MAX_EXAMPLES, Row, Table};
use crate::{Problem, ProblemKind, ReadError};

/// Reads delimited text. Rows that are ragged, hold bytes of another encoding or open a quote that is never closed become
/// problems; the others stay.
///
/// # Errors
/// [`ReadError::Malformed`] when it is no text or its header cannot be read, [`ReadError::NoRows`] when there is nothing below
/// the header, [`ReadError::TooMuch`] above the limits.
pub fn parse_separated(path: &Path, bytes: &[u8]) -> Result<(Table, Vec<Problem>), ReadError> {
    let malformed = |detail: &str| ReadError::Malformed { path: path.to_owned(), detail: detail.to_owned() };
    let decoded = encoding::decode(bytes).ok_or_else(|| malformed(NOT_TEXT))?;
    let (delimiter, skipped) = match named_delimiter(&decoded.text) {
        Some((delimiter, length)) => (delimiter, length),
        None => (sniff_delimiter(&decoded.text), 0),
    };
    let mut table = Table { delimiter: Some(delimiter), ..Table::default() };
    let mut problems = Vec::new();
    for record in Records::new(&decoded.text[skipped..], delimiter) {
        match record {
            Record::Unclosed { .. } if table.columns.is_empty() => {
                return Err(malformed("a quote in its header is never closed"));
            }
            Record::Unclosed { line, cell } => {
                let problem = Problem::in_row(ProblemKind::UnclosedQuote, path, line);
                problems.push(match table.columns.get(cell) {
                    Some(column) => problem.column(column.clone()),
                    None => problem,
                });
            }
            Record::Cells { cells, .. } if table.columns.is_empty() => table.columns = header(path, &cells)?,
            Record::Cells { line, cells } => {
                add_row(path, &mut table, &mut problems, &decoded, line, &cells)?
            }
        }
    }
    if table.columns.is_empty() || (table.rows.is_empty() && problems.is_empty()) {
        return Err(ReadError::NoRows { path: path.to_owned() });
    }
    Ok((table, problems))
}

fn header(path: &Path, cells: &[String]) -> Result<Vec<String>, ReadError> {
    if cells.len() > MAX_COLUMNS {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "columns", limit: MAX_COLUMNS as u64 });
    }
    Ok(cells.iter().map(|name| name.trim().to_owned()).collect())
}

fn add_row(
    path: &Path,
    table: &mut Table,
    problems: &mut Vec<Problem>,
    decoded: &Decoded<'_>,
    number: u64,
    cells: &[String],
) -> Result<(), ReadError> {
    let (got, expected) = (cells.len(), table.columns.len());
    if got != expected {
        problems.push(Problem::in_row(ProblemKind::RaggedRow { got, expected }, path, number));
    } else if let Some(place) = cells.iter().position(|cell| cell.len() > MAX_CELL_BYTES) {
        let detail = format!("a cell has {} bytes, at most {MAX_CELL_BYTES} are read", cells[place].len());
        let problem = Problem::in_row(ProblemKind::BadRow { detail }, path, number);
        problems.push(problem.column(table.columns[place].clone()));
    } else if let Some(place) = cells.iter().position(|cell| decoded.damages(cell)) {
        let kind = ProblemKind::BadText { encoding: decoded.encoding.to_owned() };
        problems.push(Problem::in_row(kind, path, number).column(table.columns[place].clone()));
    } else if table.rows.len() == MAX_EXAMPLES {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "rows", limit: MAX_EXAMPLES as u64 });
    } else {
        table.rows.push(Row { number, cells: cells.iter().map(|cell| Cell::from_text(cell)).collect() });
    }
    Ok(())
}

/// The delimiter that the first line names, as spreadsheets write it (`sep=;`), and where that line's text ends.
fn named_delimiter(text: &str) -> Option<(u8, usize)> {
    let line = text.lines().next()?;
    let [delimiter] = line.trim_end().strip_prefix("sep=")?.as_bytes() else { return None };
    delimiter.is_ascii_punctuation().then_some((*delimiter, line.len()))
}

/// The delimiter that gives the header and the next lines the same number of cells, the most cells winning.
fn sniff_delimiter(text: &str) -> u8 {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    let Some(header) = lines.first() else { return b',' };
    let score = |delimiter: u8| {
        let width = count_outside_quotes(header, delimiter);
        let same = lines.iter().filter(|line| count_outside_quotes(line, delimiter) == width).count();
        if width == 0 { (0, 0) } else { (same, width) }
    };
    [b',', b'\t', b';', b'|'].into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

fn count_outside_quotes(line: &str, delimiter: u8) -> usize {
    let mut quoted = false;
    let mut count = 0;
    for byte in line.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            byte if byte == delimiter && !quoted => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(bytes: &[u8]) -> (Table, Vec<Problem>) {
        parse_separated(Path::new("t.csv"), bytes).unwrap()
    }

    fn texts(table: &Table) -> Vec<Vec<String>> {
        table.rows.iter().map(|row| row.cells.iter().map(Cell::text).collect()).collect()
    }

    #[test]
    fn delimiters_are_sniffed() {
        for text in [
            "text,label\na b,x\nc,y\n",
            "text\tlabel\na b\tx\nc\ty\n",
            "text;label\na b;x\nc;y\n",
            "text|label\na b|x\nc|y\n",
        ] {
            assert_eq!(texts(&parse(text.as_bytes()).0), [["a b", "x"], ["c", "y"]], "{text}");
        }
    }

    #[test]
    fn the_encodings_of_real_files_are_read() {
        let text = "文本,标签\n你好,问候\n";
        let utf16: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let gb18030 = encoding_rs::GB18030.encode(text).0.into_owned();
        let bom: Vec<u8> = [0xEF, 0xBB, 0xBF].into_iter().chain(text.bytes()).collect();
        let unmarked = &utf16[2..];
        for bytes in [text.as_bytes(), &bom, &utf16, unmarked, &gb18030] {
            let (table, _) = parse(bytes);
            assert_eq!(table.columns, ["文本", "标签"]);
            assert_eq!(texts(&table), [["你好", "问候"]]);
        }
        let (table, _) = parse(b"text,label\ncaf\xE9 is tr\xE8s bon,a\nna\xEFve,b\n");
        assert_eq!(texts(&table), [["café is très bon", "a"], ["naïve", "b"]]);
    }

    #[test]
    fn ragged_rows_are_told_with_their_line_and_the_rest_stays() {
        let (table, problems) = parse(b"text,label\n\"two\nlines\",x\nonly one\nb,y,z\nc,y\n");
        assert_eq!(texts(&table), [["two\nlines", "x"], ["c", "y"]]);
        let rows: Vec<_> = problems.iter().map(|problem| problem.row.unwrap()).collect();
        assert_eq!(rows, [4, 5]);
        assert_eq!(problems[1].kind, ProblemKind::RaggedRow { got: 3, expected: 2 });
    }

    #[test]
    fn an_open_quote_is_told_and_the_other_rows_stay() {
        let rows: String = (0..100).map(|row| format!("text {row},x\n")).collect();
        let (table, problems) = parse(format!("text,label\n{rows}\"open,x\n{rows}").as_bytes());
        assert_eq!(table.rows.len(), 200);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].place(), "t.csv:102, column `text`");
        assert_eq!(problems[0].kind, ProblemKind::UnclosedQuote);
        let header = parse_separated(Path::new("t.csv"), b"text,\"label\na,b\n").unwrap_err();
        assert!(header.to_string().contains("header"), "{header}");
    }

    #[test]
    fn a_bad_byte_costs_its_row() {
        let mut bytes = "文本,标签\n你好吗朋友,问候\n再见#,告别\n走吧,告别\n".as_bytes().to_vec();
        let place = bytes.iter().position(|byte| *byte == b'#').unwrap();
        bytes[place] = 0xFF;
        let (table, problems) = parse(&bytes);
        assert_eq!(texts(&table), [["你好吗朋友", "问候"], ["走吧", "告别"]]);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].place(), "t.csv:3, column `文本`");
        assert_eq!(problems[0].kind, ProblemKind::BadText { encoding: "UTF-8".into() });
    }

    #[test]
    fn a_spreadsheets_first_line_names_the_delimiter() {
        let (table, _) = parse(b"sep=;\ntext;label\na, b;x\n");
        assert_eq!(texts(&table), [["a, b", "x"]]);
        assert_eq!(table.rows[0].number, 3);
    }

    #[test]
    fn an_empty_file_has_no_rows() {
        for bytes in [&b""[..], b"\n\n", b"text,label\n"] {
            assert!(matches!(parse_separated(Path::new("t.csv"), bytes), Err(ReadError::NoRows { .. })));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_separated(Path::new("t.csv"), &bytes);
        }
    }
}
