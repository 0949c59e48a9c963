//! CSV and its relatives, in the encodings and with the delimiters that people really use.

use std::borrow::Cow;
use std::path::Path;

use super::{Cell, MAX_CELL_BYTES, MAX_COLUMNS, MAX_EXAMPLES, Row, Table};
use crate::{Problem, ProblemKind, ReadError};

/// Reads delimited text. Rows with too few or too many cells become problems; the others stay.
pub fn parse_separated(path: &Path, bytes: &[u8]) -> Result<(Table, Vec<Problem>), ReadError> {
    let text = decode(path, bytes)?;
    let delimiter = sniff_delimiter(&text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut table = Table::default();
    let mut problems = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let number = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Err(error) => problems.push(Problem::in_row(
                ProblemKind::BadRow { detail: error.to_string() },
                path,
                number,
            )),
            Ok(true) if table.columns.is_empty() => table.columns = header(path, &record)?,
            Ok(true) => {
                // The reader's position is before any blank lines it skipped; the record knows better.
                let number = record.position().map_or(number, csv::Position::line);
                add_row(path, &mut table, &mut problems, &record, number)?;
            }
        }
    }
    if table.columns.is_empty() || (table.rows.is_empty() && problems.is_empty()) {
        return Err(ReadError::NoRows { path: path.to_owned() });
    }
    Ok((table, problems))
}

fn header(path: &Path, record: &csv::StringRecord) -> Result<Vec<String>, ReadError> {
    if record.len() > MAX_COLUMNS {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "columns", limit: MAX_COLUMNS as u64 });
    }
    Ok(record.iter().map(|name| name.trim().to_owned()).collect())
}

fn add_row(
    path: &Path,
    table: &mut Table,
    problems: &mut Vec<Problem>,
    record: &csv::StringRecord,
    number: u64,
) -> Result<(), ReadError> {
    let (got, expected) = (record.len(), table.columns.len());
    if got != expected {
        problems.push(Problem::in_row(ProblemKind::RaggedRow { got, expected }, path, number));
    } else if let Some(cell) = record.iter().find(|cell| cell.len() > MAX_CELL_BYTES) {
        let detail = format!("a cell has {} bytes, at most {MAX_CELL_BYTES} are read", cell.len());
        problems.push(Problem::in_row(ProblemKind::BadRow { detail }, path, number));
    } else if table.rows.len() == MAX_EXAMPLES {
        return Err(ReadError::TooMuch { path: path.to_owned(), what: "rows", limit: MAX_EXAMPLES as u64 });
    } else {
        table.rows.push(Row { number, cells: record.iter().map(Cell::from_text).collect() });
    }
    Ok(())
}

/// UTF-8 with or without a byte-order mark, UTF-16 with one, else GB18030, which has GBK and GB2312 in it.
fn decode<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, str>, ReadError> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, broken) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return if broken { Err(not_text(path)) } else { Ok(text) };
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let (text, broken) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
    if broken { Err(not_text(path)) } else { Ok(text) }
}

fn not_text(path: &Path) -> ReadError {
    let detail = "it is neither UTF-8, UTF-16 nor GB18030 text".to_owned();
    ReadError::Malformed { path: path.to_owned(), detail }
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
        for bytes in [text.as_bytes(), &bom, &utf16, &gb18030] {
            let (table, _) = parse(bytes);
            assert_eq!(table.columns, ["文本", "标签"]);
            assert_eq!(texts(&table), [["你好", "问候"]]);
        }
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
