//! Things that are made once, each by its name: whoever asks for one that is being made waits for that one, and nobody for another's.
//!
//! Nobody who waits holds a thread: a base takes seconds to load, and many ask for it at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::error::ApiError;

/// What was made so far.
#[derive(Debug)]
pub(super) struct Once<T> {
    places: Mutex<HashMap<String, Arc<OnceCell<T>>>>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { places: Mutex::default() }
    }
}

impl<T: Clone + Send + Sync + 'static> Once<T> {
    /// What goes by a name, made if it was not, on a thread that may wait. What could not be made is tried again by whoever asks next.
    pub(super) async fn get(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = self.place(name);
        if let Some(made) = place.get() {
            return Ok(made.clone());
        }
        // On its own, so that whoever hangs up while it is made does not have it made again.
        let making = tokio::spawn(async move {
            let made = place.get_or_try_init(|| async {
                tokio::task::spawn_blocking(make).await.map_err(|error| ApiError::internal(&error))?
            });
            made.await.cloned()
        });
        making.await.map_err(|error| ApiError::internal(&error))?
    }

    fn place(&self, name: &str) -> Arc<OnceCell<T>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.entry(name.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    /// Threads that may wait.
    const THREADS: usize = 4;

    #[test]
    fn what_is_slow_to_make_keeps_nobody_from_anything_else() {
        let runtime = tokio::runtime::Builder::new_multi_thread().max_blocking_threads(THREADS).build();
        runtime.expect("a runtime").block_on(async {
            let once = Arc::new(Once::<&str>::default());
            let n_made = Arc::new(AtomicUsize::new(0));
            let ((begin, begun), (go_on, waits)) = (channel(), channel());
            let ask = |name: &'static str, make: Box<dyn FnOnce() -> &'static str + Send>| {
                let once = once.clone();
                tokio::spawn(async move { once.get(name, move || Ok(make())).await.expect("made") })
            };
            let quick = || {
                let n_made = n_made.clone();
                Box::new(move || {
                    n_made.fetch_add(1, Ordering::Relaxed);
                    "quick"
                })
            };
            let slow = Box::new(move || {
                begin.send(()).expect("somebody waits");
                waits.recv().map_or("nothing", |()| "slow")
            });
            let slow = ask("slow", slow);
            let begun = tokio::task::spawn_blocking(move || begun.recv().expect("it is being made"));
            begun.await.expect("it is being made");
            // Who wants the slow one as well waits for it, makes no other, and holds no thread meanwhile.
            let too: Vec<_> = (0..2 * THREADS).map(|_| ask("slow", quick())).collect();
            for _ in 0..2 {
                assert_eq!(ask("quick", quick()).await.expect("made"), "quick");
            }
            assert_eq!(n_made.load(Ordering::Relaxed), 1);
            // Nor is it made again where who asked first hangs up.
            slow.abort();
            go_on.send(()).expect("it waits");
            for too in too {
                assert_eq!(too.await.expect("made"), "slow");
            }
            assert_eq!(n_made.load(Ordering::Relaxed), 1);
        });
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_tried_again() {
        let once = Once::<u8>::default();
        let no = || Err(ApiError::invalid("no", "不"));
        assert_eq!(once.get("a", no).await.expect_err("not made").en, "no");
        assert_eq!(once.get("a", || panic!("no")).await.expect_err("not made").code, "internal");
        assert_eq!(once.get("a", || Ok(1)).await.expect("made"), 1);
        assert_eq!(once.get("a", no).await.expect("made before"), 1);
    }
}
