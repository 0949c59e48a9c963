//! Days and times as people write them: `2031-05-28 14:05`, `2031/5/28`, `2031年5月28日`.
//!
//! A moment is in seconds since the beginning of 1970, on a clock without zones. The calendar follows Hinnant, "chrono-compatible
//! low-level date algorithms" (2013).

/// Seconds of a day, of an hour and of a minute.
const DAY: f64 = 86_400.0;
const HOUR: f64 = 3600.0;
const MINUTE: f64 = 60.0;
/// Days of four hundred years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// Days from the first of March of the year 0 to the beginning of 1970.
const BEFORE: i64 = 719_468;

/// What may stand between a year, a month, a day, an hour, a minute, a second and its fraction.
const BETWEEN: [&[&str]; 6] = [
    &["-", "/", ".", "年"],
    &["-", "/", ".", "月"],
    &[" ", "T", "日", "日 "],
    &[":", "时", "点"],
    &[":", "分"],
    &["."],
];
/// What may stand at the end of a day, and of a time.
const END: [&[&str]; 2] = [&["", "日"], &["", "Z", "时", "点", "分", "秒"]];

/// Reads a year, month and day, and perhaps hour, minute, second and its fraction. A half of the day or a zone is not understood, so
/// that nothing is put in a wrong order; nor are days with points that could be versions, as 2024.1.15.
pub fn seconds(text: &str) -> Option<f64> {
    let is_digit = |sign: char| sign.is_ascii_digit();
    let mut parts: Vec<&str> =
        text.split(|sign: char| !is_digit(sign)).filter(|part| !part.is_empty()).collect();
    let mut between: Vec<&str> = text.split(is_digit).filter(|sign| !sign.is_empty()).collect();
    let end = if between.len() == parts.len() { between.pop().unwrap_or_default() } else { "" };
    let is_date = text.starts_with(is_digit)
        && (3..=7).contains(&parts.len())
        && between.len() + 1 == parts.len()
        && between.iter().zip(BETWEEN).all(|(sign, known)| known.contains(sign))
        && END[usize::from(parts.len() > 3)].contains(&end)
        && (between[0] != "." || parts[1..3].iter().all(|part| part.len() == 2));
    if !is_date {
        return None;
    }
    let fraction = if parts.len() == 7 { parts.pop() } else { None };
    if fraction.is_some_and(|digits| digits.len() > 9) {
        return None;
    }
    let parts: Vec<u32> = parts.into_iter().map(str::parse).collect::<Result<_, _>>().ok()?;
    let part = |place: usize| parts.get(place).copied().unwrap_or(0);
    let (year, month, day) = (part(0), part(1), part(2));
    let (hour, minute, second) = (part(3), part(4), part(5));
    let is_day = (1000..=9999).contains(&year) && (1..=days_of_month(year, month)).contains(&day);
    if !is_day || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = fraction.map_or(Ok(0.0), |digits| format!("0.{digits}").parse::<f64>()).ok()?;
    let of_day = f64::from(hour) * HOUR + f64::from(minute) * MINUTE + f64::from(second);
    Some(days(year, month, day) as f64 * DAY + of_day + fraction)
}

/// Writes a moment as [`seconds`] reads it, with no more than it has: a midnight is a day.
pub fn told(seconds: f64) -> String {
    let whole = seconds.floor();
    let of_day = whole.rem_euclid(DAY) as u32;
    let date = date((whole / DAY).floor() as i64);
    let nanos = ((seconds - whole) * 1e9).round() as u32;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    match (of_day, second, nanos) {
        (0, _, 0) => date,
        (_, 0, 0) => format!("{date} {hour:02}:{minute:02}"),
        (_, _, 0) => format!("{date} {hour:02}:{minute:02}:{second:02}"),
        _ => {
            let fraction = format!("{nanos:09}");
            format!("{date} {hour:02}:{minute:02}:{second:02}.{}", fraction.trim_end_matches('0'))
        }
    }
}

/// The roundest moment after `last` and not after `first`, such as the day of `first`.
pub(crate) fn between(last: f64, first: f64) -> f64 {
    let rounded = [DAY, HOUR, MINUTE, 1.0].map(|unit| (first / unit).floor() * unit);
    rounded.into_iter().find(|moment| *moment > last).unwrap_or(first)
}

/// How many days a month has; none where there is no such month.
pub(crate) fn days_of_month(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    }
}

/// Days since the beginning of 1970. Years begin in March, so that the day of a leap year is the last.
fn days(year: u32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - BEFORE
}

/// The date so many days after the beginning of 1970, as `2031-05-28`.
pub fn date(days: i64) -> String {
    let days = days + BEFORE;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written() {
        for (text, expected) in [
            ("1970-01-01", Some((0.0, "1970-01-01"))),
            ("2031/5/28", Some((1_937_692_800.0, "2031-05-28"))),
            ("2031年5月28日", Some((1_937_692_800.0, "2031-05-28"))),
            ("2031-05-28T14:05:07Z", Some((1_937_743_507.0, "2031-05-28 14:05:07"))),
            ("2031-05-28 14:05", Some((1_937_743_500.0, "2031-05-28 14:05"))),
            ("2031-05-28 14:05:07.25", Some((1_937_743_507.25, "2031-05-28 14:05:07.25"))),
            ("2000-02-29", Some((951_782_400.0, "2000-02-29"))),
            ("1969-12-31 23:00", Some((-3600.0, "1969-12-31 23:00"))),
            ("28.05.2031", None),
            ("2031-02-29", None),
            ("2031-13-01", None),
            ("2031-05-28 25:00", None),
            ("2031-05-28 2:05 PM", None),
            ("2031-05-28T14:05:00+02:00", None),
            ("2031-05", None),
            ("2031", None),
            ("2031年5月28日 14时05分", Some((1_937_743_500.0, "2031-05-28 14:05"))),
            ("2031.05.28", Some((1_937_692_800.0, "2031-05-28"))),
            ("2031-05-28T14:05-02", None),
            ("T1234-05-06", None),
            ("2024.1.15", None),
            ("soon", None),
            ("", None),
        ] {
            let read = seconds(text);
            assert_eq!(read, expected.map(|(seconds, _)| seconds), "{text}");
            assert_eq!(read.map(told).as_deref(), expected.map(|(_, told)| told), "{text}");
        }
        // Every day of four hundred years is read as it is written, one after the other.
        for day in 0..ERA {
            let moment = day as f64 * DAY;
            assert_eq!(seconds(&told(moment)), Some(moment));
        }
    }

    #[test]
    fn what_lies_between_is_as_round_as_may_be_and_read_as_it_is() {
        for (last, first, expected) in [
            ("2031-05-28", "2031-06-03 10:00", "2031-06-03"),
            ("2031-06-03 07:10", "2031-06-03 10:20", "2031-06-03 10:00"),
            ("2031-06-03 10:10", "2031-06-03 10:20:30", "2031-06-03 10:20"),
            ("2031-06-03 10:20:30", "2031-06-03 10:20:30.125", "2031-06-03 10:20:30.125"),
        ] {
            let moment = between(seconds(last).unwrap(), seconds(first).unwrap());
            assert_eq!(told(moment), expected);
            assert_eq!(seconds(expected), Some(moment));
        }
    }
}
