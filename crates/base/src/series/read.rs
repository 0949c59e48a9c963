//! One table is one series: which column is the clock, which are sensors, and what in them is no number.

mod ticks;

use std::collections::BTreeMap;
use std::path::Path;

use dataset::read::{Cell, Table, read_rows};
use dataset::{Problem, ReadError};

use self::ticks::Ticks;
use super::{Channel, Fault, Series, SeriesError};

/// Largest file, in bytes.
pub const MAX_BYTES: u64 = 128 << 20;
/// Most steps of a series.
pub const MAX_STEPS: usize = dataset::read::MAX_EXAMPLES;
/// Most sensors of a series.
pub const MAX_CHANNELS: usize = 64;

/// What loggers write for a value that is missing, in lower case.
const MISSING: [&str; 9] = ["nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "?"];
/// Reads a CSV, TSV, JSON or Parquet file as one series; times that are left out, and cells that are no numbers, are told.
///
/// The clock is a column named so (`time`, `t`, `ms`, `index`, `时间`, `序号` and their like, also with a unit as in `time (ms)`) that
/// hardly ever goes back: seconds, other units, dates, or an index, which gives no rate. A date and a time of day in two columns are one
/// clock. In a file without a header it is the first column if its steps are equal. Without a unit, numbers above 1e11 are milliseconds
/// since 1970, above 1e14 microseconds, above 1e17 nanoseconds. A first row of numbers is no header, unless they are 0, 1, 2 and so on.
/// Where cells are parted by semicolons or tabs, numbers may have a decimal comma. A column of nothing but text is left out and told.
///
/// # Errors
/// When the table cannot be read or exceeds [`MAX_BYTES`], [`MAX_STEPS`] or [`MAX_CHANNELS`]; when two columns have one name, there is
/// none with numbers beside the clock, or fewer than two rows.
pub fn read(path: &Path) -> Result<(Series, Vec<Fault>), SeriesError> {
    let table = |source| SeriesError::Table { source };
    let size = std::fs::metadata(path)
        .map_err(|source| table(ReadError::Open { path: path.to_owned(), source }))?
        .len();
    check("bytes", size, MAX_BYTES)?;
    let (rows, problems) = read_rows(path).map_err(table)?;
    from_table(rows, &problems)
}

fn check(what: &'static str, got: u64, limit: u64) -> Result<(), SeriesError> {
    if got > limit { Err(SeriesError::TooMuch { what, got, limit }) } else { Ok(()) }
}

fn from_table(mut table: Table, problems: &[Problem]) -> Result<(Series, Vec<Fault>), SeriesError> {
    if matches!(table.delimiter, Some(b';' | b'\t')) {
        table.rows.iter_mut().flat_map(|row| &mut row.cells).for_each(with_a_point);
    }
    let named = name_columns(&mut table);
    let mut rows: BTreeMap<u64, Option<Vec<Cell>>> =
        table.rows.into_iter().map(|row| (row.number, Some(row.cells))).collect();
    // A row that cannot be read keeps its place: the steps after it are no earlier for it.
    problems.iter().filter_map(|problem| problem.row).for_each(|row| {
        rows.entry(row).or_insert(None);
    });
    let broken: Vec<u64> = rows.iter().filter(|(_, cells)| cells.is_none()).map(|(row, _)| *row).collect();
    if rows.len() - broken.len() < 2 {
        return Err(SeriesError::TooShort { got: rows.len() - broken.len() });
    }
    let mut faults = Vec::new();
    if let Some(row) = broken.first() {
        faults.push(Fault::BrokenRows { count: broken.len(), row: *row });
    }
    let columns: Vec<Column> =
        (0..table.columns.len()).map(|place| Column::new(&table.columns, &rows, place)).collect();
    let (clock, is_clock) = ticks::clock(&columns, named);
    let (mut channels, mut text) = (Vec::new(), None);
    for (column, _) in columns.iter().zip(&is_clock).filter(|(_, is_clock)| !**is_clock) {
        match column.channel() {
            Ok((channel, fault)) => {
                channels.push(channel);
                faults.extend(fault);
            }
            Err((channel, row, value)) => {
                let column = channel.clone();
                text.get_or_insert(SeriesError::TextColumn { row, column, value: value.clone() });
                faults.push(Fault::TextColumn { channel, row, value });
            }
        }
    }
    check("sensors", channels.len() as u64, MAX_CHANNELS as u64)?;
    if channels.is_empty() {
        return Err(text.unwrap_or(SeriesError::NoChannel));
    }
    let mut names: Vec<&String> = channels.iter().map(|channel| &channel.name).collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(SeriesError::SameName { column: pair[0].clone() });
    }
    Ok((timed(channels, clock, &rows, &mut faults), faults))
}

/// Gives columns without a name one, and the first row back to the rows where it is no header. Says whether it is one.
fn name_columns(table: &mut Table) -> bool {
    let mut cells: Vec<Cell> = table.columns.iter().map(|name| Cell::from_text(name)).collect();
    if matches!(table.delimiter, Some(b';' | b'\t')) {
        cells.iter_mut().for_each(with_a_point);
    }
    let counted = cells.len() > 1 && (0..).zip(&cells).all(|(place, cell)| cell.text() == place.to_string());
    let numbers = cells.iter().any(|cell| cell.number().is_some())
        && cells.iter().all(|cell| cell.number().is_some() || is_missing(cell));
    // Rows of a format with a schema are counted from 1: there the names are names.
    let first = table.rows.first().map_or(1, |row| row.number);
    let named = counted || !numbers || first == 1;
    if !named {
        table.columns.iter_mut().for_each(String::clear);
        table.rows.insert(0, dataset::read::Row { number: 1, cells });
    }
    named
}

/// `0,5` is a number where commas part no cells.
fn with_a_point(cell: &mut Cell) {
    let Cell::Text(text) = cell else { return };
    let Some((whole, rest)) = text.split_once(',').filter(|(whole, _)| !whole.contains('.')) else { return };
    // What has a second comma or a point is parsed as no number.
    if let Some(value) = Cell::Text(format!("{whole}.{rest}")).number() {
        *cell = Cell::Number(value);
    }
}

fn is_missing(cell: &Cell) -> bool {
    match cell {
        Cell::Empty => true,
        Cell::Text(text) => MISSING.contains(&text.to_lowercase().as_str()),
        Cell::Number(value) => value.is_nan(),
        Cell::Integer(_) | Cell::List(_) => false,
    }
}

/// The series without the rows that have no time.
fn timed(
    mut channels: Vec<Channel>,
    clock: Option<Ticks>,
    rows: &BTreeMap<u64, Option<Vec<Cell>>>,
    faults: &mut Vec<Fault>,
) -> Series {
    let Some(Ticks { times, seconds }) = clock else { return Series { channels, times: None, rate: None } };
    let lost: Vec<u64> = rows
        .iter()
        .zip(&times)
        .filter(|((_, cells), time)| cells.is_some() && time.is_none())
        .map(|((row, _), _)| *row)
        .collect();
    if let Some(row) = lost.first() {
        faults.push(Fault::NoTime { count: lost.len(), row: *row });
    }
    for channel in &mut channels {
        let mut kept = times.iter().map(Option::is_some);
        channel.values.retain(|_| kept.next().unwrap_or(true));
    }
    let times: Vec<f64> = times.into_iter().flatten().collect();
    let span = times.last().zip(times.first()).map_or(0.0, |(last, first)| last - first);
    let rate = (seconds && span > 0.0).then(|| (times.len() - 1) as f64 / span);
    Series { channels, times: Some(times), rate }
}

/// The cells of one column with their rows; none where the row is broken.
struct Column<'a> {
    name: &'a str,
    place: usize,
    cells: Vec<(u64, Option<&'a Cell>)>,
}

impl<'a> Column<'a> {
    fn new(names: &'a [String], rows: &'a BTreeMap<u64, Option<Vec<Cell>>>, place: usize) -> Self {
        let cells =
            rows.iter().map(|(row, cells)| (*row, cells.as_ref().map(|cells| &cells[place]))).collect();
        Self { name: &names[place], place, cells }
    }

    /// The column as a sensor, and what of it is no number; name, row and text where nothing of it is one.
    fn channel(&self) -> Result<(Channel, Option<Fault>), (String, u64, String)> {
        let value = |cell: &Cell| cell.number().map(|value| value as f32).filter(|value| value.is_finite());
        let name =
            if self.name.is_empty() { format!("channel {}", self.place + 1) } else { self.name.to_owned() };
        let is_text = |cell: &Cell| value(cell).is_none() && !is_missing(cell);
        let mut texts = self
            .cells
            .iter()
            .filter_map(|(row, cell)| cell.filter(|cell| is_text(cell)).map(|cell| (row, cell)));
        let values: Vec<f32> =
            self.cells.iter().map(|(_, cell)| cell.and_then(value).unwrap_or(f32::NAN)).collect();
        let mut fault = None;
        if let Some((row, cell)) = texts.next() {
            let (channel, row, value) = (name.clone(), *row, cell.text());
            if values.iter().all(|value| value.is_nan()) {
                return Err((channel, row, value));
            }
            fault = Some(Fault::NotNumbers { channel, count: 1 + texts.count(), row, value });
        }
        Ok((Channel { name, values }, fault))
    }
}

#[cfg(test)]
mod tests;
