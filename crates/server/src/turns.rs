//! Turns at what goes by a name: one at a time, and whoever comes for the same waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A turn at one thing.
pub(crate) type Turn = Arc<tokio::sync::Mutex<()>>;

/// What is under way, by its name.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    under_way: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Turns {
    /// A turn at what goes by a name.
    pub(crate) fn at(&self, name: &str) -> Turn {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = under_way.get(name).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Turn::default();
        under_way.insert(name.to_owned(), Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_for_the_same_waits() {
        let turns = Turns::default();
        let first = turns.at("a").try_lock_owned().expect("nobody has it");
        assert!(turns.at("a").try_lock_owned().is_err());
        assert!(turns.at("b").try_lock_owned().is_ok());
        drop(first);
        assert!(turns.at("a").try_lock_owned().is_ok());
    }
}
