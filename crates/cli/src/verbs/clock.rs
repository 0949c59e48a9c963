//! When a bundle was made, and what it is called when nobody says.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// `parts.djm` for `somewhere/parts` and for `somewhere/parts.csv`.
pub(super) fn default_out(data: &Path) -> PathBuf {
    let full = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let name = if full.is_dir() { full.file_name() } else { full.file_stem() };
    // Not `with_extension`: it would take `v2` of a folder `parts.v2` for one.
    let mut out = name.unwrap_or("model".as_ref()).to_owned();
    out.push(".djm");
    PathBuf::from(out)
}

/// Now, or `SOURCE_DATE_EPOCH`, as RFC 3339 in UTC.
pub(super) fn now() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let seconds: u64 = fixed
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    rfc3339(seconds)
}

fn rfc3339(seconds: u64) -> String {
    let (days, rest) = ((seconds / 86_400) as i64, seconds % 86_400);
    let date = curate::moment::date(days);
    format!("{date}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_709_210_096), "2024-02-29T12:34:56Z");
        assert_eq!(rfc3339(4_102_444_799), "2099-12-31T23:59:59Z");
    }

    #[test]
    fn the_bundle_is_named_after_the_data() {
        assert_eq!(default_out(Path::new("nowhere/tickets.csv")), Path::new("tickets.djm"));
    }
}
