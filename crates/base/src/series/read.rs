//! One table is one series: which column is the clock, which are sensors, and what in them is no number.

use std::collections::BTreeMap;
use std::path::Path;

use dataset::read::{Cell, Table, read_rows};
use dataset::{Problem, ReadError};

use super::date;
use super::{Channel, Fault, Series, SeriesError};

/// Largest file, in bytes.
pub const MAX_BYTES: u64 = 128 << 20;
/// Most steps of a series.
pub const MAX_STEPS: usize = dataset::read::MAX_EXAMPLES;
/// Most sensors of a series.
pub const MAX_CHANNELS: usize = 64;

/// Share of steps that a clock may go back in; above it the column is a sensor.
const BACK: f64 = 0.1;
/// How far the steps of a first column without a name may differ, as a share, for it to be the clock.
const EQUAL: f64 = 1e-3;
/// What loggers write for a value that is missing, in lower case.
const MISSING: [&str; 9] = ["nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "?"];
const TIMES: [&str; 17] = [
    "time",
    "timestamp",
    "ts",
    "date",
    "datetime",
    "seconds",
    "second",
    "sec",
    "ms",
    "milliseconds",
    "us",
    "ns",
    "elapsed",
    "时间",
    "时间戳",
    "日期",
    "时刻",
];
const INDICES: [&str; 11] =
    ["index", "idx", "sample", "step", "row", "no", "unnamed", "序号", "编号", "采样点", "行号"];
const UNITS: [(&str, f64); 15] = [
    ("s", 1.0),
    ("sec", 1.0),
    ("seconds", 1.0),
    ("秒", 1.0),
    ("ms", 1e-3),
    ("milliseconds", 1e-3),
    ("毫秒", 1e-3),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("微秒", 1e-6),
    ("ns", 1e-9),
    ("min", 60.0),
    ("h", 3600.0),
    ("分钟", 60.0),
];

/// Reads a CSV, TSV, JSON or Parquet file as one series; times that are left out, and cells that are no numbers, are told.
///
/// The clock is a column named so (`time`, `t`, `ms`, `index`, `时间`, `序号` and their like, also with a unit as in `time (ms)`) that
/// hardly ever goes back: seconds, other units, dates, or an index, which gives no rate. In a file without a header it is the first
/// column if its steps are equal. Without a unit, numbers above 1e11 are milliseconds since 1970, above 1e14 microseconds, above 1e17
/// nanoseconds. A first row of numbers is no header, unless they are 0, 1, 2 and so on.
///
/// # Errors
/// When the table cannot be read or exceeds [`MAX_BYTES`], [`MAX_STEPS`] or [`MAX_CHANNELS`]; when a column holds nothing but text, two
/// have one name, there are none beside the clock, or fewer than two rows.
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
    let clocks: Vec<Option<Ticks>> =
        columns.iter().enumerate().map(|(place, column)| column.clock(named, place == 0)).collect();
    check("sensors", clocks.iter().filter(|clock| clock.is_none()).count() as u64, MAX_CHANNELS as u64)?;
    let mut channels = Vec::new();
    for column in columns.iter().zip(&clocks).filter(|(_, clock)| clock.is_none()).map(|(column, _)| column) {
        channels.push(column.channel(&mut faults)?);
    }
    if channels.is_empty() {
        return Err(SeriesError::NoChannel);
    }
    let mut names: Vec<&String> = channels.iter().map(|channel| &channel.name).collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(SeriesError::SameName { column: pair[0].clone() });
    }
    // A clock that counts seconds says more than an index.
    let clock = clocks.into_iter().flatten().min_by_key(|clock| !clock.seconds);
    Ok((timed(channels, clock, &rows, &mut faults), faults))
}

/// Gives columns without a name one, and the first row back to the rows where it is no header. Says whether it is one.
fn name_columns(table: &mut Table) -> bool {
    let cells: Vec<Cell> = table.columns.iter().map(|name| Cell::from_text(name)).collect();
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

/// What a clock shows in each row.
struct Ticks {
    times: Vec<Option<f64>>,
    /// Whether it counts seconds, or only steps.
    seconds: bool,
}

impl<'a> Column<'a> {
    fn new(names: &'a [String], rows: &'a BTreeMap<u64, Option<Vec<Cell>>>, place: usize) -> Self {
        let cells =
            rows.iter().map(|(row, cells)| (*row, cells.as_ref().map(|cells| &cells[place]))).collect();
        Self { name: &names[place], place, cells }
    }

    /// The column as a clock, if it is one.
    fn clock(&self, named: bool, first: bool) -> Option<Ticks> {
        let kind = if named { ClockName::of(self.name)? } else { ClockName::Unit(1.0) };
        let read = |cell: &Cell| match cell {
            Cell::Text(text) => {
                cell.number().or_else(|| date::seconds(text).filter(|_| kind != ClockName::Index))
            }
            cell => cell.number(),
        };
        let mut times: Vec<Option<f64>> = self.cells.iter().map(|(_, cell)| cell.and_then(read)).collect();
        let present: Vec<f64> = times.iter().copied().flatten().collect();
        let steps: Vec<f64> = present.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let back = steps.iter().filter(|step| **step < 0.0).count();
        let span = present.last()? - present.first()?;
        if present.len() * 2 <= times.len() || span <= 0.0 || back as f64 > BACK * steps.len() as f64 {
            return None;
        }
        let mean = span / steps.len() as f64;
        let counted = steps.iter().all(|step| *step == 1.0);
        if !named && (!first || steps.iter().any(|step| (step - mean).abs() > EQUAL * mean)) {
            return None;
        }
        let dates = self
            .cells
            .iter()
            .any(|(_, cell)| cell.is_some_and(|cell| cell.number().is_none() && read(cell).is_some()));
        let unit = match kind {
            ClockName::Unit(unit) if !dates => unit,
            ClockName::NoUnit if !dates => since_epoch(present[0]),
            _ => 1.0,
        };
        times.iter_mut().flatten().for_each(|time| *time *= unit);
        Some(Ticks { times, seconds: kind != ClockName::Index && (named || !counted) })
    }

    /// The column as a sensor.
    fn channel(&self, faults: &mut Vec<Fault>) -> Result<Channel, SeriesError> {
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
        if let Some((row, cell)) = texts.next() {
            let (row, text) = (*row, cell.text());
            if values.iter().all(|value| value.is_nan()) {
                return Err(SeriesError::TextColumn { row, column: name, value: text });
            }
            faults.push(Fault::NotNumbers {
                channel: name.clone(),
                count: 1 + texts.count(),
                row,
                value: text,
            });
        }
        Ok(Channel { name, values })
    }
}

/// What a column's name says about it as a clock.
#[derive(Debug, Clone, Copy, PartialEq)]
enum ClockName {
    /// It counts steps.
    Index,
    /// It counts so many seconds.
    Unit(f64),
    /// It counts time.
    NoUnit,
}

impl ClockName {
    /// `None` when the name is that of a sensor.
    fn of(name: &str) -> Option<Self> {
        let lower = name.trim().to_lowercase();
        let words: Vec<&str> =
            lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        // A capital T is a temperature, and so on.
        let is_time = words.iter().any(|word| TIMES.contains(word))
            || ["t", "s"].contains(&name.trim().split(['_', ' ', '(', '[', '/']).next()?);
        if is_time {
            let unit = words.last().and_then(|last| UNITS.iter().find(|(unit, _)| unit == last));
            return Some(unit.map_or(Self::NoUnit, |(_, seconds)| Self::Unit(*seconds)));
        }
        (words.is_empty() || words.first().is_some_and(|word| INDICES.contains(word))).then_some(Self::Index)
    }
}

/// The unit of a number that may count from 1970.
fn since_epoch(time: f64) -> f64 {
    match time.abs() {
        size if size > 1e17 => 1e-9,
        size if size > 1e14 => 1e-6,
        size if size > 1e11 => 1e-3,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests;
