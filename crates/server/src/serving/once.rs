//! Things that are made once, each by its name: whoever asks for one that is being made waits for that one, and nobody for another's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Made, or the place where it is made.
type Place<T> = Arc<Mutex<Option<T>>>;

/// What was made so far.
#[derive(Debug)]
pub(super) struct Once<T> {
    places: Mutex<HashMap<String, Place<T>>>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { places: Mutex::default() }
    }
}

impl<T: Clone> Once<T> {
    /// What goes by a name, made if it was not. What could not be made is tried again by whoever asks next.
    pub(super) fn get<E>(&self, name: &str, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let place = self.place(name);
        let mut made = place.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some(made) => Ok(made.clone()),
            None => Ok(made.insert(make()?).clone()),
        }
    }

    fn place(&self, name: &str) -> Place<T> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.entry(name.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_is_slow_to_make_keeps_nobody_from_anything_else() {
        let once = Once::<&str>::default();
        let n_made = AtomicUsize::new(0);
        let ((begin, begun), (go_on, waits)) = (channel(), channel());
        std::thread::scope(|scope| {
            let slow = scope.spawn(|| {
                once.get("slow", move || {
                    begin.send(()).expect("somebody waits");
                    waits.recv().map(|()| "slow")
                })
            });
            begun.recv().expect("it is being made");
            let quick = |name| {
                once.get(name, || {
                    n_made.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, ()>("quick")
                })
            };
            assert_eq!((quick("quick"), quick("quick")), (Ok("quick"), Ok("quick")));
            assert_eq!(n_made.load(Ordering::Relaxed), 1);
            // Who wants the slow one as well waits for it, and does not make another.
            let too = scope.spawn(move || quick("slow"));
            go_on.send(()).expect("it waits");
            assert_eq!(slow.join().expect("made"), Ok("slow"));
            assert_eq!(too.join().expect("made"), Ok("slow"));
            assert_eq!(n_made.load(Ordering::Relaxed), 1);
        });
    }

    #[test]
    fn what_could_not_be_made_is_tried_again() {
        let once = Once::<u8>::default();
        assert_eq!(once.get("a", || Err("no")), Err("no"));
        assert_eq!(once.get("a", || Ok::<_, &str>(1)), Ok(1));
        assert_eq!(once.get("a", || Err("not asked")), Ok(1));
    }
}
