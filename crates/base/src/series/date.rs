//! Dates and times of day as loggers write them.

const DAY: f64 = 86_400.0;

/// Seconds since 1970 of `2024-01-31 12:00:00.5`, also with slashes, a `T`, a `Z` or an offset; since midnight of `12:00:00.5`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (Some(date), Some(time)),
        None if text.contains(':') => (None, Some(text)),
        None => (Some(text), None),
    };
    let days = date.map_or(Some(0), days)?;
    Some(days as f64 * DAY + time.map_or(Some(0.0), since_midnight)?)
}

fn since_midnight(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches("UTC").trim_end_matches('Z').trim_end();
    let (time, offset) = match text.rfind(['+', '-']) {
        Some(place) => {
            let sign = if text[place..].starts_with('-') { -1.0 } else { 1.0 };
            (&text[..place], sign * parts(&text[place + 1..])?)
        }
        None => (text, 0.0),
    };
    Some(parts(time)? - offset)
}

/// Hours, minutes and, if there are any, seconds.
fn parts(text: &str) -> Option<f64> {
    let mut fields = text.trim().split(':');
    let hours: u32 = fields.next()?.parse().ok()?;
    let minutes: u32 = fields.next()?.parse().ok()?;
    let seconds: f64 = fields.next().map_or(Some(0.0), |field| field.parse().ok())?;
    let fits = hours < 25 && minutes < 60 && (0.0..61.0).contains(&seconds) && fields.next().is_none();
    fits.then(|| f64::from(hours * 3600 + minutes * 60) + seconds)
}

/// Days since 1970-01-01 of a year, month and day. Years are counted from March, so that the odd day comes last.
fn days(text: &str) -> Option<i64> {
    let fields: Vec<i64> = text.split(['-', '/']).map(|field| field.parse().ok()).collect::<Option<_>>()?;
    let [year, month, day] = fields[..] else { return None };
    if !((1..=12).contains(&month) && (1..=31).contains(&day) && (1900..=2200).contains(&year)) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_of_loggers_are_read() {
        for (text, expected) in [
            ("1970-01-01 00:00:00", Some(0.0)),
            ("2024-02-29T12:00:00.25Z", Some(1_709_208_000.25)),
            ("2024/2/29 12:00", Some(1_709_208_000.0)),
            ("2024-02-29 20:00:00 +08:00", Some(1_709_208_000.0)),
            ("2000-03-01", Some(951_868_800.0)),
            ("01:00:00.5", Some(3600.5)),
            ("idle", None),
            ("2024-13-01", None),
            ("12:99:00", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
