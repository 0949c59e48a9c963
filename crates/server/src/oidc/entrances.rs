//! Log-ins under way: browsers that were sent to the provider and are expected back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use crate::ids::{fingerprint, new_secret};

/// How long somebody may take at the provider.
const SPELL: Duration = Duration::from_secs(600);
/// Log-ins under way; the oldest gives way to one more, so that nobody who only begins fills the memory or bars the door.
const MOST: usize = 50_000;

/// A log-in under way.
#[derive(Debug)]
pub(super) struct Entrance {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    /// Where it comes back to.
    pub(super) back: Url,
    /// Whose account it is to be; absent for a log-in.
    pub(super) links: Option<String>,
    since: Instant,
}

impl Entrance {
    pub(super) fn new(back: Url, links: Option<String>) -> Self {
        let [state, nonce, verifier] = [new_secret(), new_secret(), new_secret()];
        Self { state, nonce, verifier, back, links, since: Instant::now() }
    }
}

/// Log-ins under way, by the fingerprint of what the browser keeps.
#[derive(Debug, Default)]
pub(super) struct Entrances {
    pending: Mutex<HashMap<String, Entrance>>,
}

impl Entrances {
    /// Expects a browser back, and returns the secret that it is to bring.
    pub(super) fn add(&self, entrance: Entrance) -> String {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() >= MOST {
            pending.retain(|_, entrance| entrance.since.elapsed() < SPELL);
        }
        if pending.len() >= MOST {
            let oldest = pending.iter().min_by_key(|(_, entrance)| entrance.since);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                pending.remove(&oldest);
            }
        }
        let secret = new_secret();
        pending.insert(fingerprint(&secret), entrance);
        secret
    }

    /// The log-in that a browser with this secret began and that has this state; once, and not for ever.
    pub(super) fn take(&self, secret: &str, state: &str) -> Option<Entrance> {
        let key = fingerprint(secret);
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is asked for with another state stays: whoever leads a browser here astray ends nothing.
        pending.get(&key).filter(|entrance| entrance.state == state)?;
        pending.remove(&key).filter(|entrance| entrance.since.elapsed() < SPELL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_comes_back_once_with_what_it_took_along() {
        let entrances = Entrances::default();
        let url = Url::parse("http://localhost/back").expect("an address");
        let add = || {
            let entrance = Entrance::new(url.clone(), None);
            let state = entrance.state.clone();
            (entrances.add(entrance), state)
        };
        let ((ann, anns), (ben, bens)) = (add(), add());
        assert!(entrances.take(&ann, &bens).is_none() && entrances.take("", &anns).is_none());
        assert!(entrances.take(&ann, &anns).is_some() && entrances.take(&ann, &anns).is_none());
        assert!(entrances.take(&ben, &bens).is_some());
    }
}
