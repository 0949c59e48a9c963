//! How many requests one person, or their programs, may make: a script that runs away takes nobody else's turn.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::http::StatusCode;

use crate::error::ApiError;

/// Seconds of requests that may come at once.
const BURST: f64 = 5.0;
/// People that are remembered; beyond, those whose bucket is full are forgotten.
const MOST_KNOWN: usize = 10_000;

/// A bucket of requests for each person, which fills up evenly.
#[derive(Debug)]
pub(crate) struct Pace {
    per_second: f64,
    buckets: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Pace {
    /// `None` sets no limit.
    pub(crate) fn new(per_second: Option<u32>) -> Self {
        Self { per_second: per_second.map_or(f64::INFINITY, f64::from), buckets: Mutex::default() }
    }

    /// Takes one request out of a person's bucket.
    pub(crate) fn take(&self, person: &str) -> Result<(), ApiError> {
        self.take_at(person, Instant::now())
    }

    fn take_at(&self, person: &str, now: Instant) -> Result<(), ApiError> {
        if self.per_second.is_infinite() {
            return Ok(());
        }
        let full = BURST * self.per_second;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = |(left, since): (f64, Instant)| {
            (left + now.duration_since(since).as_secs_f64() * self.per_second).min(full)
        };
        if buckets.len() >= MOST_KNOWN {
            buckets.retain(|_, bucket| filled(*bucket) < full);
        }
        let left = buckets.get(person).map_or(full, |bucket| filled(*bucket));
        let enough = left >= 1.0;
        buckets.insert(person.to_owned(), (if enough { left - 1.0 } else { left }, now));
        if enough { Ok(()) } else { Err(Self::too_fast()) }
    }

    fn too_fast() -> ApiError {
        let (en, zh) = ("too many requests at once", "请求过于频繁");
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", en, zh).hint(
            "wait a second, or send several inputs in one request",
            "请稍等一秒，或在一次请求中发送多个输入",
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_is_too_fast_waits_and_nobody_else_does() {
        let (pace, start) = (Pace::new(Some(2)), Instant::now());
        let taken =
            |person: &str, after: u64| pace.take_at(person, start + Duration::from_millis(after)).is_ok();
        assert!((0..10).all(|_| taken("ann", 0)), "five seconds' worth at once");
        assert!(!taken("ann", 0) && !taken("ann", 400) && taken("ben", 400));
        assert!(taken("ann", 600) && !taken("ann", 700), "half a second brings one");
        assert!(Pace::new(None).take("ann").is_ok());
    }
}
