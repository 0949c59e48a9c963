//! How many requests one person with their programs, or one address before log-in, may make: a script that runs away takes nobody
//! else's turn.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::error::ApiError;

/// Seconds of requests that may come at once.
const BURST: f64 = 5.0;
/// That are remembered at once; whoever comes beyond shares one bucket with all others beyond.
const MOST_KNOWN: usize = 10_000;
/// How often it is looked for full buckets, which need not be remembered.
const SWEEP: Duration = Duration::from_secs(1);

/// A bucket of requests for each who asks, which fills up evenly.
#[derive(Debug)]
pub(crate) struct Pace<K> {
    per_second: f64,
    buckets: Mutex<Buckets<K>>,
}

#[derive(Debug)]
struct Buckets<K> {
    of: HashMap<K, Bucket>,
    /// Of all who are not remembered.
    rest: Bucket,
    swept: Instant,
}

/// How many requests were left, and when.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    since: Instant,
}

impl<K: Clone + Eq + Hash> Pace<K> {
    /// `None` sets no limit.
    pub(crate) fn new(per_second: Option<u32>) -> Self {
        let per_second = per_second.map_or(f64::INFINITY, f64::from);
        let now = Instant::now();
        let rest = Bucket { left: BURST * per_second, since: now };
        Self { per_second, buckets: Mutex::new(Buckets { of: HashMap::new(), rest, swept: now }) }
    }

    /// Takes one request out of a bucket.
    pub(crate) fn take(&self, who: &K) -> Result<(), ApiError> {
        if self.take_at(who, Instant::now()) { Ok(()) } else { Err(too_fast()) }
    }

    /// Puts a request back that was somebody else's.
    pub(crate) fn give_back(&self, who: &K) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { of, rest, .. } = &mut *buckets;
        of.get_mut(who).unwrap_or(rest).left += 1.0;
    }

    fn take_at(&self, who: &K, now: Instant) -> bool {
        if self.per_second.is_infinite() {
            return true;
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { of, rest, swept } = &mut *buckets;
        if of.len() >= MOST_KNOWN && now.duration_since(*swept) >= SWEEP {
            of.retain(|_, bucket| self.filled(*bucket, now) < BURST * self.per_second);
            *swept = now;
        }
        let bucket = if of.len() < MOST_KNOWN {
            of.entry(who.clone()).or_insert(Bucket { left: BURST * self.per_second, since: now })
        } else {
            of.get_mut(who).unwrap_or(rest)
        };
        let left = self.filled(*bucket, now);
        let enough = left >= 1.0;
        *bucket = Bucket { left: if enough { left - 1.0 } else { left }, since: now };
        enough
    }

    fn filled(&self, Bucket { left, since }: Bucket, now: Instant) -> f64 {
        let came = now.saturating_duration_since(since).as_secs_f64() * self.per_second;
        (left + came).min(BURST * self.per_second)
    }
}

fn too_fast() -> ApiError {
    let (en, zh) = ("too many requests at once", "请求过于频繁");
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", en, zh)
        .hint(
            "wait a second, or send several inputs in one request",
            "请稍等一秒，或在一次请求中发送多个输入",
        )
        .after(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_too_fast_waits_and_nobody_else_does() {
        let (pace, start) = (Pace::new(Some(2)), Instant::now());
        let taken =
            |person: &'static str, after: u64| pace.take_at(&person, start + Duration::from_millis(after));
        assert!((0..10).all(|_| taken("ann", 0)), "five seconds' worth at once");
        assert!(!taken("ann", 0) && !taken("ann", 400) && taken("ben", 400));
        assert!(taken("ann", 600) && !taken("ann", 700), "half a second brings one");
        pace.give_back(&"ann");
        assert!(taken("ann", 700) && !taken("ann", 700), "what was another's comes back");
        assert!(Pace::new(None).take(&"ann").is_ok());
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let (pace, start) = (Pace::new(Some(1)), Instant::now());
        let known = || pace.buckets.lock().expect("nobody panicked").of.len();
        assert!((0..MOST_KNOWN).all(|who| pace.take_at(&who, start)));
        let beyond = (0..100).filter(|who| pace.take_at(&(MOST_KNOWN + who), start)).count();
        assert_eq!((beyond, known()), (5, MOST_KNOWN), "those beyond have one bucket together");
        assert!(pace.take_at(&0, start), "who is remembered has their own");
        assert!(pace.take_at(&MOST_KNOWN, start + 2 * SWEEP));
        assert_eq!(known(), 1, "full ones are forgotten");
    }
}
