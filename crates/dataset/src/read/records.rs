//! Delimited text as records (RFC 4180), robust against the quote that somebody forgot to close.
//!
//! The `csv` crate reads everything behind such a quote as one cell, so that all later rows are lost without a word. Here the
//! row with the open quote is told and reading goes on with the next line.

/// One record, or the place where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// The cells of a record that starts on a line, counted from 1.
    Cells { line: u64, cells: Vec<String> },
    /// The quote that opens on this line, in this cell, is not closed.
    Unclosed { line: u64, cell: usize },
}

/// Goes through the records of a text. Empty lines are passed over.
#[derive(Debug, Clone)]
pub(super) struct Records<'a> {
    text: &'a str,
    delimiter: u8,
    at: usize,
    line: u64,
    /// How many cells a record should have; that of the first one.
    width: Option<usize>,
}

/// How a cell ends.
enum Cell {
    /// At a delimiter, at the end of a line or of the text.
    Closed(String),
    /// It opened with a quote and did not end.
    Unclosed,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str, delimiter: u8) -> Self {
        Self { text, delimiter, at: 0, line: 1, width: None }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Whether a cell may end before this place.
    fn is_end(&self, at: usize) -> bool {
        self.byte(at).is_none_or(|byte| byte == self.delimiter || byte == b'\n' || byte == b'\r')
    }

    fn skip_empty_lines(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let blank = rest.len() - rest.trim_start_matches(' ').len();
            match self.byte(self.at + blank) {
                Some(b'\n' | b'\r') => {
                    self.at += blank;
                    self.end_line();
                }
                None => {
                    self.at = self.text.len();
                    return;
                }
                Some(_) => return,
            }
        }
    }

    /// Goes over one line end: `\n`, `\r\n` or `\r`.
    fn end_line(&mut self) {
        let both = self.byte(self.at) == Some(b'\r') && self.byte(self.at + 1) == Some(b'\n');
        self.at += if both { 2 } else { 1 };
        self.line += 1;
    }

    /// One cell from here; the place afterwards is its end.
    fn cell(&mut self) -> Cell {
        if self.byte(self.at) != Some(b'"') {
            return Cell::Closed(self.plain());
        }
        let start = self.at + 1;
        let mut cell = String::new();
        let mut from = start;
        loop {
            let Some(quote) = self.text[from..].find('"').map(|place| from + place) else {
                return Cell::Unclosed;
            };
            let escaped = quote > start && self.byte(quote - 1) == Some(b'\\');
            let doubled = self.byte(quote + 1) == Some(b'"');
            if escaped && (!self.is_end(quote + 1) && !doubled || doubled && self.is_end(quote + 2)) {
                // Some databases write `\"`; a backslash before a quote that ends the cell is only a backslash.
                cell.push_str(&self.text[from..quote - 1]);
                cell.push('"');
                from = quote + 1;
            } else if doubled {
                cell.push_str(&self.text[from..=quote]);
                from = quote + 2;
            } else if self.is_end(quote + 1) {
                cell.push_str(&self.text[from..quote]);
                self.go_to(quote + 1);
                return Cell::Closed(cell);
            } else if self.text[start..quote].contains(['\n', '\r']) {
                // Text behind a closing quote lines below: that quote opens a cell of its own.
                return Cell::Unclosed;
            } else {
                cell.push_str(&self.text[from..quote]);
                self.at = quote + 1;
                cell.push_str(&self.plain());
                return Cell::Closed(cell);
            }
        }
    }

    /// The text up to the next delimiter or line end; quotes in it are only signs.
    fn plain(&mut self) -> String {
        let start = self.at;
        while !self.is_end(self.at) {
            self.at += 1;
        }
        self.text[start..self.at].to_owned()
    }

    /// Moves on within a cell, counting lines.
    fn go_to(&mut self, place: usize) {
        let passed = &self.text.as_bytes()[self.at..place];
        let alone = |at: &usize| passed[*at] == b'\r' && passed.get(at + 1) != Some(&b'\n');
        let ends = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line += (ends + (0..passed.len()).filter(alone).count()) as u64;
        self.at = place;
    }

    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        self.at = rest.find(['\n', '\r']).map_or(self.text.len(), |end| self.at + end);
        if self.at < self.text.len() {
            self.end_line();
        }
    }

    fn record(&mut self) -> Record {
        let first_line = self.line;
        let mut cells = Vec::new();
        // Where a cell of several lines opened, and what follows on the next line.
        let mut opened: Option<(u64, usize, Self)> = None;
        loop {
            let before = self.clone();
            let cell = self.cell();
            let is_open = matches!(cell, Cell::Unclosed);
            if is_open || (self.line > before.line && opened.is_none()) {
                let mut after = before.clone();
                after.skip_line();
                opened = Some((before.line, cells.len(), after));
            }
            let Cell::Closed(cell) = cell else {
                let (line, cell, after) = opened.expect("set above");
                *self = after;
                return Record::Unclosed { line, cell };
            };
            cells.push(cell);
            match self.byte(self.at) {
                Some(byte) if byte == self.delimiter => self.at += 1,
                Some(_) => {
                    self.end_line();
                    break;
                }
                None => break,
            }
        }
        if let (Some(width), Some((line, cell, after))) = (self.width, opened)
            && cells.len() != width
            && after.clone().one_line().is_some_and(|next| next == width)
        {
            // A stray quote lines below happened to close it, but the next line is a whole row of its own.
            *self = after;
            return Record::Unclosed { line, cell };
        }
        Record::Cells { line: first_line, cells }
    }

    /// The number of cells of the next record, if it keeps to one line.
    fn one_line(&mut self) -> Option<usize> {
        let line = self.line;
        let mut n_cells = 0;
        loop {
            let Cell::Closed(_) = self.cell() else { return None };
            n_cells += 1;
            if self.byte(self.at) != Some(self.delimiter) {
                return (self.line == line).then_some(n_cells);
            }
            self.at += 1;
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.skip_empty_lines();
        if self.at >= self.text.len() {
            return None;
        }
        let record = self.record();
        if let (None, Record::Cells { cells, .. }) = (self.width, &record) {
            self.width = Some(cells.len());
        }
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let got: Vec<String> = Records::new(text, b',')
            .map(|record| match record {
                Record::Cells { line, cells } => format!("{line}: {}", cells.join(" | ")),
                Record::Unclosed { line, cell } => format!("{line}: open in {cell}"),
            })
            .collect();
        assert_eq!(got, expect, "{text}");
    }

    #[test]
    fn quotes_hold_delimiters_lines_and_quotes() {
        check(
            "a,b\n\"x, y\",\"l1\r\nl2\"\r\n\n\"say \"\"hi\"\"\",",
            &["1: a | b", "2: x, y | l1\r\nl2", "5: say \"hi\" | "],
        );
        check("a 5\" pipe,b\rc,d", &["1: a 5\" pipe | b", "2: c | d"]);
        check(
            "\"hi\" there,b\n\"he said \\\"hi\\\"\",c\n\"C:\\\",d",
            &["1: hi there | b", "2: he said \"hi\" | c", "3: C:\\ | d"],
        );
    }

    #[test]
    fn an_open_quote_costs_one_row() {
        check("a,b\n\"open,x\nc,y\nd,z", &["1: a | b", "2: open in 0", "3: c | y", "4: d | z"]);
        check("a,b\nx,\"open\nc,y\n\"d, e\",z\n", &["1: a | b", "2: open in 1", "3: c | y", "4: d, e | z"]);
        check("a,b\n\"open,x\nbig 12\",y\nc,\"z\"", &["1: a | b", "2: open,x\nbig 12 | y", "4: c | z"]);
        check("a,b\n\"open,x\nbig,12\",y,\nc,z", &["1: a | b", "2: open,x\nbig,12 | y | ", "4: c | z"]);
        check(
            "a,b\n\"open,x\nc,y\nbig 12\",y,z\nc,z",
            &["1: a | b", "2: open in 0", "3: c | y", "4: big 12\" | y | z", "5: c | z"],
        );
    }

    #[test]
    fn the_row_of_an_open_quote_is_where_it_opens() {
        check("a,b\n\"l1\nl2\",\"open\nc,y\n", &["1: a | b", "3: open in 1", "4: c | y"]);
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read_back(rows in proptest::collection::vec(proptest::collection::vec("[a\", \\n|;é]{0,6}", 3), 1..8)) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let got: Vec<Vec<String>> = Records::new(&text, b',')
                .map(|record| match record {
                    Record::Cells { cells, .. } => cells,
                    Record::Unclosed { .. } => panic!("{text}"),
                })
                .collect();
            prop_assert_eq!(got, rows);
        }

        #[test]
        fn every_text_ends(text in "[a\",\\\\\\n\\r]{0,60}") {
            prop_assert!(Records::new(&text, b',').count() <= text.len());
        }
    }
}
