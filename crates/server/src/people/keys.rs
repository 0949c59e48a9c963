//! Keys that let somebody in once, and a brake for who guesses passwords.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::error::ApiError;
use crate::ids::{fingerprint, new_secret};

/// Keys that are known at once.
const MOST_KEYS: usize = 16;
/// Wrong tries of one name from one address within [`SPELL`].
const FREE_TRIES: u32 = 8;
/// Of one name from everywhere. High, for who fills it keeps the person out as well: it takes 25 addresses and is 288,000 guesses a day.
const FREE_TRIES_OF_NAME: u32 = 200;
/// How long wrong tries are remembered.
const SPELL: Duration = Duration::from_secs(60);
/// Tries that are remembered at once: guessing many names does not fill the memory.
const MOST_KNOWN: usize = 10_000;

/// Keys that let somebody in, each once: that of this start, and those for other devices.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    kept: Mutex<Vec<Kept>>,
}

/// A key's fingerprint, and until when it fits; the key of this start fits until it is used.
#[derive(Debug)]
struct Kept {
    fingerprint: String,
    until: Option<Instant>,
}

impl Keys {
    /// The key of this start.
    pub(crate) fn make(&self) -> String {
        self.keep(None)
    }

    /// A key for another device, which fits for a while.
    pub(crate) fn make_for(&self, spell: Duration) -> String {
        self.keep(Some(Instant::now() + spell))
    }

    fn keep(&self, until: Option<Instant>) -> String {
        let key = new_secret();
        let mut kept = self.fitting();
        // Who asks for many keys has the last of them.
        if let Some(oldest) =
            kept.iter().position(|kept| kept.until.is_some()).filter(|_| kept.len() >= MOST_KEYS)
        {
            kept.remove(oldest);
        }
        kept.push(Kept { fingerprint: fingerprint(&key), until });
        key
    }

    /// No other device comes in by a key from before; that of this start still fits.
    pub(crate) fn forget_devices(&self) {
        self.fitting().retain(|kept| kept.until.is_none());
    }

    /// Those that still fit.
    fn fitting(&self) -> MutexGuard<'_, Vec<Kept>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept.retain(|kept| kept.until.is_none_or(|until| now < until));
        kept
    }

    /// Whether this is one. What is compared are hashes, so the clock tells nothing about the key.
    pub(crate) fn fits(&self, key: &str) -> bool {
        let key = fingerprint(key);
        self.fitting().iter().any(|kept| kept.fingerprint == key)
    }

    /// As [`Keys::fits`], and it will not fit again.
    pub(crate) fn take(&self, key: &str) -> bool {
        let key = fingerprint(key);
        let mut kept = self.fitting();
        let place = kept.iter().position(|kept| kept.fingerprint == key);
        place.map(|place| kept.remove(place)).is_some()
    }
}

/// Wrong tries to say a password, by name and address: whoever guesses at somebody's name elsewhere does not keep them out.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    tries: Mutex<Both>,
}

#[derive(Debug, Default)]
struct Both {
    from_there: Tries<(String, Option<IpAddr>)>,
    of_name: Tries<String>,
}

impl Attempts {
    /// Counts a try before it is known whether it is right, so that many at once count as many, and refuses it when there were too many.
    pub(crate) fn check(&self, name: &str, from: Option<IpAddr>) -> Result<(), ApiError> {
        let now = Instant::now();
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        // A try that is refused here does not count for the name.
        let free = tries.from_there.take((name.to_owned(), from), FREE_TRIES, now)
            && tries.of_name.take(name.to_owned(), FREE_TRIES_OF_NAME, now);
        if free { Ok(()) } else { Err(too_many()) }
    }

    /// The try was right: whoever made it starts afresh, and others have had one wrong try less.
    pub(crate) fn forgive(&self, name: &str, from: Option<IpAddr>) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.from_there.of.remove(&(name.to_owned(), from));
        if let Some((count, _)) = tries.of_name.of.get_mut(name) {
            *count = count.saturating_sub(1);
        }
    }
}

/// How many tries there were, and since when.
#[derive(Debug)]
struct Tries<K> {
    of: HashMap<K, (u32, Instant)>,
}

impl<K> Default for Tries<K> {
    fn default() -> Self {
        Self { of: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash> Tries<K> {
    /// Counts one; `false` when there were as many as are free.
    fn take(&mut self, who: K, free: u32, now: Instant) -> bool {
        if self.of.len() >= MOST_KNOWN && !self.of.contains_key(&who) {
            // The oldest gives way: nobody is refused because others were counted.
            let oldest = self.of.iter().min_by_key(|(_, (_, since))| *since).map(|(who, _)| who.clone());
            oldest.and_then(|oldest| self.of.remove(&oldest));
        }
        let (count, since) = self.of.entry(who).or_insert((0, now));
        if now.saturating_duration_since(*since) >= SPELL {
            (*count, *since) = (0, now);
        }
        let is_free = *count < free;
        *count += u32::from(is_free);
        is_free
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
    fn a_key_for_another_device_fits_for_a_while() {
        let keys = Keys::default();
        let (first, over) = (keys.make(), keys.make_for(Duration::ZERO));
        assert!(!keys.fits(&over) && !keys.take(&over));
        let many: Vec<String> = (0..2 * MOST_KEYS).map(|_| keys.make_for(SPELL)).collect();
        assert!(!keys.fits(&many[0]) && many[MOST_KEYS + 1..].iter().all(|key| keys.fits(key)));
        keys.forget_devices();
        assert!(many.iter().all(|key| !keys.fits(key)));
        assert!(keys.take(&first), "the key of the start is never pushed out");
    }

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([203, 0, 113, last]))
    }

    #[test]
    fn guessing_is_slowed_down_by_name_and_address() {
        let attempts = Attempts::default();
        (0..FREE_TRIES).for_each(|_| attempts.check("ann", address(1)).expect("free"));
        assert!(attempts.check("ann", address(1)).is_err());
        attempts.check("bob", address(1)).expect("another name");
        attempts.check("ann", address(2)).expect("ann herself is elsewhere");
        attempts.forgive("ann", address(1));
        attempts.check("ann", address(1)).expect("starts afresh");
    }

    #[test]
    fn guessing_from_many_addresses_is_slowed_down_as_well_and_right_tries_do_not_count() {
        let attempts = Attempts::default();
        for _ in 0..2 * FREE_TRIES_OF_NAME {
            attempts.check("ann", address(0)).expect("she knows it");
            attempts.forgive("ann", address(0));
        }
        let wrong =
            (0..FREE_TRIES_OF_NAME).map(|n| attempts.check("ann", address(1 + (n / FREE_TRIES) as u8)));
        assert!(wrong.into_iter().all(|tried| tried.is_ok()));
        assert!(attempts.check("ann", address(200)).is_err());
        attempts.check("bob", address(200)).expect("another name");
    }

    #[test]
    fn made_up_names_keep_nobody_out() {
        let (mut tries, start) = (Tries::default(), Instant::now());
        let mut taken =
            |who: usize, after: usize| tries.take(who, 1, start + Duration::from_micros(after as u64));
        assert!((0..MOST_KNOWN).all(|who| taken(who, who)));
        assert!(taken(MOST_KNOWN, MOST_KNOWN), "who was not there yet");
        assert!(!taken(1, MOST_KNOWN), "it is remembered");
        assert!(taken(0, MOST_KNOWN), "the oldest is forgotten");
        assert_eq!(tries.of.len(), MOST_KNOWN);
    }
}
