//! Which columns are the clock, and what it shows in each row.

use std::cmp::Reverse;

use dataset::read::Cell;

use super::super::date::{DAY, Order, Stamp};
use super::Column;

/// Share of steps that a clock may go back in; above it the column is a sensor.
const BACK: f64 = 0.1;
/// How far the steps of a first column without a name may differ, as a share, for it to be the clock.
const EQUAL: f64 = 1e-3;
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

/// What a clock shows in each row.
pub(super) struct Ticks {
    pub(super) times: Vec<Option<f64>>,
    /// Whether it counts seconds, or only steps.
    pub(super) seconds: bool,
}

/// The clock of a table, if it has one, and which columns are no sensors: those that run on as clocks do, and those that hold dates.
pub(super) fn clock(columns: &[Column<'_>], named: bool) -> (Option<Ticks>, Vec<bool>) {
    let hands: Vec<Option<Hand>> =
        columns.iter().enumerate().map(|(place, column)| Hand::of(column, named, place == 0)).collect();
    let ticks: Vec<Option<Ticks>> = hands.iter().map(|hand| hand.as_ref()?.ticks(named)).collect();
    let is_date = |hand: &Option<Hand>| hand.as_ref().is_some_and(|hand| hand.holds != Holds::Numbers);
    let is_clock = hands.iter().zip(&ticks).map(|(hand, ticks)| ticks.is_some() || is_date(hand)).collect();
    let of = |holds: Holds| hands.iter().flatten().find(|hand| hand.holds == holds);
    let joined =
        of(Holds::Dates).zip(of(Holds::TimesOfDay)).and_then(|(date, time)| date.with(time).ticks(named));
    // A clock that counts seconds says more than an index, and one that goes on more often more than one that stands.
    let steps = |ticks: &Ticks| {
        let times: Vec<f64> = ticks.times.iter().copied().flatten().collect();
        times.windows(2).filter(|pair| pair[1] > pair[0]).count()
    };
    let best = || ticks.into_iter().flatten().min_by_key(|ticks| (!ticks.seconds, Reverse(steps(ticks))));
    (joined.or_else(best), is_clock)
}

/// A column that is named as clocks are, or may be one without a name.
struct Hand {
    name: ClockName,
    times: Vec<Option<f64>>,
    holds: Holds,
}

/// What most cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Numbers, or texts that say no time.
    Numbers,
    /// Dates without a time of day.
    Dates,
    /// Times of day without a date.
    TimesOfDay,
    /// Dates with their times of day.
    Moments,
}

impl Hand {
    /// `None` where the column's name is that of a sensor, or it has none and is not the first.
    fn of(column: &Column<'_>, named: bool, first: bool) -> Option<Self> {
        let name = if named { ClockName::of(column.name)? } else { ClockName::Unit(1.0) };
        if !named && !first {
            return None;
        }
        let texts = || {
            column.cells.iter().filter_map(move |(_, cell)| match cell {
                Some(cell @ Cell::Text(text)) if name != ClockName::Index && cell.number().is_none() => {
                    Some(text.as_str())
                }
                _ => None,
            })
        };
        let order = Order::of(texts());
        let stamps: Vec<Stamp> = texts().filter_map(|text| Stamp::read(text, order)).collect();
        let filled =
            column.cells.iter().filter(|(_, cell)| cell.is_some_and(|cell| !cell.is_empty())).count();
        let holds = match &stamps[..] {
            stamps if 2 * stamps.len() <= filled => Holds::Numbers,
            stamps if stamps.iter().all(|stamp| stamp.seconds.is_none()) => Holds::Dates,
            stamps if stamps.iter().all(|stamp| stamp.days.is_none()) => Holds::TimesOfDay,
            _ => Holds::Moments,
        };
        let read = |cell: &Cell| match cell {
            Cell::Text(text) if name != ClockName::Index => {
                cell.number().or_else(|| Stamp::read(text, order).map(Stamp::time))
            }
            cell => cell.number(),
        };
        let times = column.cells.iter().map(|(_, cell)| cell.and_then(read)).collect();
        let hand = Self { name, times, holds };
        Some(if holds == Holds::TimesOfDay { hand.past_midnight() } else { hand })
    }

    /// The day that this one shows and the time that the other does.
    fn with(&self, time: &Self) -> Self {
        let both = self.times.iter().zip(&time.times);
        let times = both.map(|(day, time)| Some((*day)? + (*time)?.rem_euclid(DAY))).collect();
        Self { name: ClockName::NoUnit, times, holds: Holds::Moments }.past_midnight()
    }

    /// A time of day that is half a day or more before the last one is one of the next day.
    fn past_midnight(mut self) -> Self {
        let (mut last, mut midnights) = (None, 0.0);
        for time in self.times.iter_mut().flatten() {
            if last.is_some_and(|last| *time - last <= -DAY / 2.0 && *time - last > -DAY) {
                midnights += DAY;
            }
            last = Some(*time);
            *time += midnights;
        }
        self
    }

    /// As a clock, if it runs on.
    fn ticks(&self, named: bool) -> Option<Ticks> {
        let present: Vec<f64> = self.times.iter().copied().flatten().collect();
        let steps: Vec<f64> = present.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let back = steps.iter().filter(|step| **step < 0.0).count();
        let span = present.last()? - present.first()?;
        if present.len() * 2 <= self.times.len() || span <= 0.0 || back as f64 > BACK * steps.len() as f64 {
            return None;
        }
        let mean = span / steps.len() as f64;
        let counted = steps.iter().all(|step| *step == 1.0);
        if !named && steps.iter().any(|step| (step - mean).abs() > EQUAL * mean) {
            return None;
        }
        let unit = match self.name {
            ClockName::Unit(unit) if self.holds == Holds::Numbers => unit,
            ClockName::NoUnit if self.holds == Holds::Numbers => since_epoch(present[0]),
            _ => 1.0,
        };
        let times = self.times.iter().map(|time| time.map(|time| time * unit)).collect();
        Some(Ticks { times, seconds: self.name != ClockName::Index && (named || !counted) })
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
