//! What every table format is read into before anything is decided about it.

/// The largest number that is taken: sums of many squares stay finite.
const LARGEST: f64 = 1e100;

/// Rows of cells under named columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Column names, in order.
    pub columns: Vec<String>,
    /// The rows, each with as many cells as there are columns.
    pub rows: Vec<Row>,
    /// The places of columns that hold bytes, such as pictures, ascending. Their cells are empty.
    pub binary: Vec<usize>,
    /// What stands between the cells, in text.
    pub delimiter: Option<u8>,
}

/// One row with its number in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Counted from 1; in a CSV the header is row 1.
    pub number: u64,
    /// The cells, in column order.
    pub cells: Vec<Cell>,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing, or only white space.
    Empty,
    /// A text.
    Text(String),
    /// A number that the format itself marks as one.
    Number(f64),
    /// A whole number that the format itself marks as one, exact beyond what a float holds.
    Integer(i128),
    /// Several values.
    List(Vec<String>),
}

impl Cell {
    /// From a text; white space around it does not count.
    pub fn from_text(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() { Self::Empty } else { Self::Text(trimmed.to_owned()) }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// As a person would write it; whole numbers without a decimal point.
    pub fn text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::List(items) => items.join(", "),
        }
    }

    /// As a number that can be reckoned with, if it is one: finite and no larger than 1e100.
    pub fn number(&self) -> Option<f64> {
        self.written_number().filter(|value| value.abs() <= LARGEST)
    }

    /// Whether it is a number that cannot be reckoned with, such as `inf` or `nan`.
    pub fn is_broken_number(&self) -> bool {
        self.written_number().is_some() && self.number().is_none()
    }

    fn written_number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Integer(value) => Some(*value as f64),
            Self::Text(text) => text.parse().ok(),
            Self::Empty | Self::List(_) => None,
        }
    }
}

impl Table {
    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// All cells of one column.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().map(move |row| &row.cells[column])
    }
}
