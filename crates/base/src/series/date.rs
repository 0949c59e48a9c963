//! Dates and times of day as loggers write them.

pub(super) const DAY: f64 = 86_400.0;

/// What a cell of a clock says: a date, a time of day, or both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stamp {
    /// Days since 1970.
    pub(super) days: Option<i64>,
    /// Seconds since midnight.
    pub(super) seconds: Option<f64>,
}

/// What stands first in a column's dates whose year comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    DayFirst,
    MonthFirst,
}

impl Stamp {
    /// Reads `2024-01-31 12:00:00.5`, also with a `T`, a `Z` or an offset, `01/31/2024 9:00 PM`, `31.01.2024`, `12:00:00,5`.
    pub(super) fn read(text: &str, order: Order) -> Option<Self> {
        let text = text.trim();
        let (date, time) = match text.split_once([' ', 'T']) {
            Some((date, time)) if !date.contains(':') => (Some(date), Some(time)),
            _ if text.contains(':') => (None, Some(text)),
            _ => (Some(text), None),
        };
        let days = date.map(|date| Written::read(date)?.days(order));
        let seconds = time.map(since_midnight);
        match (days, seconds) {
            (Some(None), _) | (_, Some(None)) => None,
            (days, seconds) => Some(Self { days: days.flatten(), seconds: seconds.flatten() }),
        }
    }

    /// Seconds since 1970, or since midnight where there is no date.
    pub(super) fn time(self) -> f64 {
        self.days.map_or(0.0, |days| days as f64 * DAY) + self.seconds.unwrap_or(0.0)
    }
}

impl Order {
    /// The order in which all dates of a column are dates; where both are, the one in which less time passes: recordings last days
    /// rather than months.
    pub(super) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut ends = [Self::MonthFirst, Self::DayFirst].map(|order| (order, Some((i64::MAX, i64::MIN))));
        for text in texts {
            let date = text.trim().split([' ', 'T']).next().unwrap_or_default();
            let Some(written) = Written::read(date).filter(|written| written.year_last) else { continue };
            for (order, span) in &mut ends {
                *span = span
                    .zip(written.days(*order))
                    .map(|((least, most), day)| (least.min(day), most.max(day)));
            }
        }
        let span =
            |span: &Option<(i64, i64)>| span.map_or(i64::MAX, |(least, most)| most.saturating_sub(least));
        let [(month_first, in_months), (day_first, in_days)] = ends;
        if span(&in_days) < span(&in_months) { day_first } else { month_first }
    }
}

/// Three numbers that may be a date.
struct Written {
    fields: [i64; 3],
    year_last: bool,
    /// Whether dots part them: then the day stands before the month.
    dots: bool,
}

impl Written {
    fn read(date: &str) -> Option<Self> {
        let fields: Vec<&str> = date.split(['-', '/', '.']).collect();
        let [first, _, last] = fields[..] else { return None };
        let year_last = first.len() < 3;
        let numbers: Option<Vec<i64>> = fields.iter().map(|field| field.parse().ok()).collect();
        let mut fields = <[i64; 3]>::try_from(numbers?).ok()?;
        if year_last && last.len() == 2 {
            fields[2] += 2000;
        }
        Some(Self { fields, year_last, dots: date.contains('.') })
    }

    /// Days since 1970-01-01. Years are counted from March, so that the odd day comes last.
    fn days(&self, order: Order) -> Option<i64> {
        let (year, month, day) = match (self.fields, self.year_last, order) {
            ([year, month, day], false, _) => (year, month, day),
            ([day, month, year], true, Order::DayFirst) => (year, month, day),
            ([day, month, year], true, Order::MonthFirst) if self.dots => (year, month, day),
            ([month, day, year], true, Order::MonthFirst) => (year, month, day),
        };
        if !((1..=12).contains(&month) && (1..=31).contains(&day) && (1900..=2200).contains(&year)) {
            return None;
        }
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let leap_days = year / 4 - year / 100 + year / 400;
        Some(365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
    }
}

fn since_midnight(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches("UTC").trim_end_matches('Z').trim_end();
    let lower = text.to_lowercase();
    let halves = [("am", 0.0), ("pm", DAY / 2.0)];
    if let Some((time, half)) = halves.iter().find_map(|(end, half)| Some((lower.strip_suffix(end)?, half))) {
        let seconds = parts(time).filter(|seconds| *seconds < 13.0 * 3600.0)?;
        return Some(seconds % (DAY / 2.0) + half);
    }
    let (time, offset) = match text.rfind(['+', '-']) {
        Some(place) => {
            let sign = if text[place..].starts_with('-') { -1.0 } else { 1.0 };
            (&text[..place], sign * parts(&text[place + 1..])?)
        }
        None => (text, 0.0),
    };
    Some(parts(time)? - offset)
}

/// Hours, minutes and, if there are any, seconds, also with a decimal comma.
fn parts(text: &str) -> Option<f64> {
    let mut fields = text.trim().split(':');
    let hours: u32 = fields.next()?.parse().ok()?;
    let minutes: u32 = fields.next()?.parse().ok()?;
    let seconds: f64 = fields.next().map_or(Some(0.0), |field| field.replace(',', ".").parse().ok())?;
    let fits = hours < 25 && minutes < 60 && (0.0..61.0).contains(&seconds) && fields.next().is_none();
    fits.then(|| f64::from(hours * 3600 + minutes * 60) + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<f64> {
        Stamp::read(text, Order::of([text].into_iter())).map(Stamp::time)
    }

    #[test]
    fn the_ways_of_loggers_are_read() {
        for (text, expected) in [
            ("1970-01-01 00:00:00", Some(0.0)),
            ("2024-02-29T12:00:00.25Z", Some(1_709_208_000.25)),
            ("2024/2/29 12:00", Some(1_709_208_000.0)),
            ("2024-02-29 20:00:00 +08:00", Some(1_709_208_000.0)),
            ("02/29/2024 12:00:00", Some(1_709_208_000.0)),
            ("29/02/24 12:00 PM", Some(1_709_208_000.0)),
            ("29.02.2024 12:00:00,25", Some(1_709_208_000.25)),
            ("2000-03-01", Some(951_868_800.0)),
            ("01:00:00.5", Some(3600.5)),
            ("1:00:00 pm", Some(46_800.0)),
            ("12:00:01 AM", Some(1.0)),
            ("13:30 PM", None),
            ("idle", None),
            ("2024-13-01", None),
            ("13/13/2024", None),
            ("12:99:00", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_column_says_whether_days_or_months_come_first() {
        let order = |texts: &[&str]| Order::of(texts.iter().copied());
        assert_eq!(order(&["01/02/2024 23:59", "01/31/2024 00:00"]), Order::MonthFirst);
        assert_eq!(order(&["01/02/2024", "31/01/2024"]), Order::DayFirst);
        // One day is less than one month.
        assert_eq!(order(&["01/02/2024", "01/03/2024"]), Order::MonthFirst);
        assert_eq!(order(&["01/02/2024", "02/02/2024"]), Order::DayFirst);
        assert_eq!(
            Stamp::read("01.02.2024", Order::MonthFirst),
            Stamp::read("2024-02-01", Order::MonthFirst)
        );
    }
}
