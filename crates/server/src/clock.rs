//! What time it is. Times are milliseconds since 1970 inside, and RFC 3339 for people and programs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `2026-11-26T15:04:05.678Z`
pub(crate) fn written(milliseconds: i64) -> String {
    let since = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_to_the_millisecond() {
        assert_eq!(written(1_709_210_096_007), "2024-02-29T12:34:56.007Z");
        assert_eq!(written(-5), "1970-01-01T00:00:00.000Z");
    }
}
