//! The key of this start, and a brake for who guesses passwords.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::error::ApiError;
use crate::ids::{fingerprint, new_secret};

/// Tries that are free within [`SPELL`].
const FREE_TRIES: u32 = 8;
/// How long wrong tries are remembered.
const SPELL: Duration = Duration::from_secs(60);
/// Names that are remembered at once; guessing many names does not fill the memory.
const MOST_NAMES: usize = 10_000;

/// The key that lets the first person in. It serves once; another one is made for every page that is opened.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    fingerprints: Mutex<Vec<String>>,
}

impl Keys {
    /// A new key.
    pub(crate) fn make(&self) -> String {
        let key = new_secret();
        self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner).push(fingerprint(&key));
        key
    }

    /// Whether this is one. What is compared are hashes, so the clock tells nothing about the key.
    pub(crate) fn fits(&self, key: &str) -> bool {
        self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner).contains(&fingerprint(key))
    }

    /// As [`Keys::fits`], and it will not fit again.
    pub(crate) fn take(&self, key: &str) -> bool {
        let key = fingerprint(key);
        let mut fingerprints = self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner);
        let place = fingerprints.iter().position(|kept| *kept == key);
        place.map(|place| fingerprints.remove(place)).is_some()
    }
}

/// Tries to log in, by name.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    tries: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Attempts {
    /// Counts a try, and refuses it when there were too many.
    pub(crate) fn check(&self, name: &str) -> Result<(), ApiError> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= MOST_NAMES {
            tries.retain(|_, (_, since)| since.elapsed() < SPELL);
        }
        if tries.len() >= MOST_NAMES && !tries.contains_key(name) {
            return Err(too_many());
        }
        let (count, since) = tries.entry(name.to_owned()).or_insert_with(|| (0, Instant::now()));
        if since.elapsed() >= SPELL {
            (*count, *since) = (0, Instant::now());
        }
        *count += 1;
        if *count <= FREE_TRIES {
            return Ok(());
        }
        Err(too_many())
    }

    /// Who got in starts afresh.
    pub(crate) fn forget(&self, name: &str) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

fn too_many() -> ApiError {
    let (en, zh) = ("too many tries: wait a minute", "尝试次数过多：请等待一分钟");
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", en, zh).after(SPELL.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_serves_once() {
        let keys = Keys::default();
        let key = keys.make();
        assert!(keys.fits(&key) && !keys.fits("other"));
        assert!(keys.take(&key) && !keys.take(&key));
    }

    #[test]
    fn guessing_is_slowed_down_by_name() {
        let attempts = Attempts::default();
        (0..FREE_TRIES).for_each(|_| attempts.check("ann").expect("free"));
        assert!(attempts.check("ann").is_err());
        attempts.check("bob").expect("another name");
        attempts.forget("ann");
        attempts.check("ann").expect("starts afresh");
    }
}
