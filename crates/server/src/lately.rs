//! What was asked for lately, by name, as long as there is room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a name that weigh as much as one.
const BYTES: usize = 64;
/// Things that are held, however light: each is looked through for its name.
const MOST_THINGS: usize = 1000;

/// Things that are held in memory, up to a weight of all together: the one that was not asked for longest goes first.
#[derive(Debug)]
pub(crate) struct Lately<T> {
    most: usize,
    /// With what each weighs; the one that was asked for last at the end.
    held: Mutex<VecDeque<(String, Arc<T>, usize)>>,
}

impl<T> Lately<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, held: Mutex::default() }
    }

    /// What goes by a name, unless others took its room.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<T>> {
        let mut held = self.held();
        let place = held.iter().position(|(other, ..)| other == name)?;
        let found = held.remove(place)?;
        let thing = found.1.clone();
        held.push_back(found);
        Some(thing)
    }

    /// Holds something, in place of what went by its name. What weighs more than there is room for is not held.
    pub(crate) fn hold(&self, name: String, thing: Arc<T>, weight: usize) {
        let mut held = self.held();
        held.retain(|(other, ..)| *other != name);
        let weight = weight.saturating_add(name.len() / BYTES);
        if weight > self.most {
            return;
        }
        held.push_back((name, thing, weight));
        let mut total: usize = held.iter().map(|(_, _, weight)| weight).sum();
        while (total > self.most || held.len() > MOST_THINGS)
            && let Some((_, _, weight)) = held.pop_front()
        {
            total -= weight;
        }
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<(String, Arc<T>, usize)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_makes_room() {
        let lately = Lately::new(10);
        let hold = |name: &str, weight| lately.hold(name.to_owned(), Arc::new(weight), weight);
        let held = |names: [&str; 3]| names.map(|name| lately.get(name).map(|weight| *weight));
        hold("a", 5);
        hold("b", 5);
        assert_eq!(lately.get("a"), Some(Arc::new(5)));
        hold("c", 1);
        assert_eq!(held(["b", "a", "c"]), [None, Some(5), Some(1)]);
        hold("a", 3);
        assert_eq!(held(["a", "b", "c"]), [Some(3), None, Some(1)], "in place of the one before");
        hold("b", 11);
        assert_eq!(held(["a", "b", "c"]), [Some(3), None, Some(1)], "there is no room for it");
        (0..=MOST_THINGS).for_each(|number| hold(&number.to_string(), 0));
        assert_eq!(held(["0", "1", "1000"]), [None, Some(0), Some(0)]);
    }
}
