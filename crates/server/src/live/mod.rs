//! What is known of a data set while somebody works on it: a quick model that learns with every label.
//!
//! A data set is looked at when it is first asked for; its features come from the cache from then on. Each label, given here or on
//! another server, sets the quick model to work in the background; labels that come meanwhile are taken together.

mod hearing;
mod known;
mod looking;
mod opinion;
mod thinking;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pipeline::Quick;

use crate::App;
use crate::clock::now;
use crate::db::Tenant;
use crate::error::ApiError;

pub(crate) use hearing::listen;
use looking::Looked;
pub(crate) use opinion::{Objection, Opinion, Suggestion};

/// Data sets that are kept in memory: the one that was not asked for longest goes first.
const MOST_SETS: usize = 12;
/// How long a failed look is not repeated, in milliseconds.
const LOOK_AGAIN: i64 = 5000;
/// How long who labels keeps a quick model that does not know all doubtful inputs that came back meanwhile, in milliseconds.
const PATIENCE: i64 = 300_000;
/// Seed of folds and picks.
const SEED: u64 = 1;

/// The data sets that are worked on.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    sets: Mutex<HashMap<String, (Arc<Live>, i64)>>,
}

/// One data set.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) tenant: Tenant,
    pub(crate) dataset: String,
    state: Mutex<State>,
    /// How far looking has come.
    pub(crate) done: AtomicU64,
    pub(crate) total: AtomicU64,
    stop: AtomicBool,
    judging: AtomicBool,
    again: AtomicBool,
    /// Whether somebody draws the map already.
    drawing: AtomicBool,
    map: OnceLock<Vec<[f32; 2]>>,
    /// Why it could not be drawn, until somebody is told.
    undrawn: Mutex<Option<ApiError>>,
}

#[derive(Debug)]
enum State {
    Looking,
    Ready(Box<Looked>),
    /// And when: the next question after a while looks again.
    Failed(ApiError, i64),
}

/// Where a data set stands.
#[derive(Debug)]
pub(crate) enum Standing {
    Looking,
    Ready(Option<Arc<Opinion>>),
    Failed(ApiError),
}

impl Lives {
    /// The data set's live state; looking at it begins when nobody did yet.
    pub(crate) fn of(&self, app: &Arc<App>, tenant: &Tenant, dataset: &str) -> Arc<Live> {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        if let Some((live, asked)) = sets.get_mut(dataset)
            && !live.failed_before(now - LOOK_AGAIN)
            && (now - *asked < PATIENCE || !live.misses_some())
        {
            *asked = now;
            return live.clone();
        }
        if sets.len() >= MOST_SETS
            && let Some(oldest) = sets.iter().min_by_key(|(_, (_, asked))| *asked).map(|(id, _)| id.clone())
            && let Some((live, _)) = sets.remove(&oldest)
        {
            live.stop.store(true, Ordering::Relaxed);
        }
        let live = Arc::new(Live::of(tenant, dataset));
        sets.insert(dataset.to_owned(), (live.clone(), now));
        tokio::spawn(looking::look(app.clone(), live.clone()));
        live
    }

    /// The data set's live state, where somebody works on it.
    pub(crate) fn known(&self, dataset: &str) -> Option<Arc<Live>> {
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.get(dataset).map(|(live, _)| live.clone())
    }

    /// Forgets what is known of a data set whose examples or classes changed; the next question looks again.
    pub(crate) fn forget(&self, dataset: &str) {
        let removed = self.sets.lock().unwrap_or_else(PoisonError::into_inner).remove(dataset);
        if let Some((live, _)) = removed {
            live.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets this one, unless somebody has begun to look anew already.
    fn forget_this(&self, live: &Arc<Live>) {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.get(&live.dataset).is_some_and(|(known, _)| Arc::ptr_eq(known, live)) {
            sets.remove(&live.dataset);
        }
        live.stop.store(true, Ordering::Relaxed);
    }

    /// Those that are worked on now.
    fn all(&self) -> Vec<Arc<Live>> {
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.values().map(|(live, _)| live.clone()).collect()
    }

    /// Stops all looking: the server is closing.
    pub(crate) fn stop(&self) {
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.values().for_each(|(live, _)| live.stop.store(true, Ordering::Relaxed));
    }
}

impl Live {
    /// Of a data set that nobody looked at yet.
    fn of(tenant: &Tenant, dataset: &str) -> Self {
        Self {
            tenant: tenant.clone(),
            dataset: dataset.to_owned(),
            state: Mutex::new(State::Looking),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            judging: AtomicBool::new(false),
            again: AtomicBool::new(false),
            drawing: AtomicBool::new(false),
            map: OnceLock::new(),
            undrawn: Mutex::new(None),
        }
    }

    /// Whether doubtful inputs came back that it does not know.
    fn misses_some(&self) -> bool {
        matches!(&*self.state(), State::Ready(looked) if looked.misses_some)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it stands.
    pub(crate) fn standing(&self) -> Standing {
        match &*self.state() {
            State::Looking => Standing::Looking,
            State::Ready(looked) => Standing::Ready(looked.opinion.clone()),
            State::Failed(error, _) => Standing::Failed(error.clone()),
        }
    }

    fn failed_before(&self, time: i64) -> bool {
        matches!(&*self.state(), State::Failed(_, at) if *at < time)
    }

    /// The opinion, if there is one.
    pub(crate) fn opinion(&self) -> Option<Arc<Opinion>> {
        if let Standing::Ready(opinion) = self.standing() { opinion } else { None }
    }

    /// What looked at the examples, and the row of one of them; `None` while nobody looked.
    pub(crate) fn seen(&self, example: &str) -> Option<(Arc<Quick>, usize)> {
        let State::Ready(looked) = &*self.state() else { return None };
        Some((looked.quick.clone(), *looked.rows.get(example)?))
    }

    /// The examples most like one of them.
    pub(crate) fn similar(&self, example: &str, count: usize) -> Vec<String> {
        let (quick, ids, row) = match &*self.state() {
            State::Ready(looked) => match looked.rows.get(example) {
                Some(row) => (looked.quick.clone(), looked.ids.clone(), *row),
                None => return Vec::new(),
            },
            State::Looking | State::Failed(..) => return Vec::new(),
        };
        quick.similar(row, count).into_iter().map(|row| ids[row].clone()).collect()
    }

    /// The examples most like something that is none of them, by the vector that `base` makes of it; none where another base looks at them.
    pub(crate) fn like(&self, base: &str, vector: &[f32], count: usize) -> Vec<String> {
        let (quick, ids) = match &*self.state() {
            State::Ready(looked) => (looked.quick.clone(), looked.ids.clone()),
            State::Looking | State::Failed(..) => return Vec::new(),
        };
        quick.like(base, vector, count).into_iter().map(|row| ids[row].clone()).collect()
    }

    /// As [`Live::like`], of several senses: of each that is there its name, the base, and the vector.
    pub(crate) fn like_senses(&self, seen: &[(String, String, Vec<f32>)], count: usize) -> Vec<String> {
        let (quick, ids) = match &*self.state() {
            State::Ready(looked) => (looked.quick.clone(), looked.ids.clone()),
            State::Looking | State::Failed(..) => return Vec::new(),
        };
        quick.like_senses(seen, count).into_iter().map(|row| ids[row].clone()).collect()
    }

    /// Where the examples lie on a plane, in the order of the opinion's ids; drawn in the background when it is first asked for. Where that failed who
    /// asks next is told, and whoever asks after that lets it be drawn again.
    pub(crate) fn map(self: &Arc<Self>) -> Result<Option<&[[f32; 2]]>, ApiError> {
        if let Some(map) = self.map.get() {
            return Ok(Some(map));
        }
        if let Some(error) = self.undrawn.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        let State::Ready(looked) = &*self.state() else { return Ok(None) };
        if !self.drawing.swap(true, Ordering::SeqCst) {
            let quick = looked.quick.clone();
            tokio::spawn(self.clone().draw(move || quick.map()));
        }
        Ok(None)
    }

    async fn draw(self: Arc<Self>, map: impl FnOnce() -> Vec<[f32; 2]> + Send + 'static) {
        let live = self.clone();
        let drawn = tokio::task::spawn_blocking(move || live.map.get_or_init(map).len()).await;
        if let Err(error) = drawn {
            let mut undrawn = self.undrawn.lock().unwrap_or_else(PoisonError::into_inner);
            *undrawn = Some(ApiError::internal(&error));
            self.drawing.store(false, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_map_that_cannot_be_drawn_is_told_and_drawn_again() {
        let live = Arc::new(Live::of(&Tenant::of_row("t".to_owned()), "d"));
        live.drawing.store(true, Ordering::SeqCst);
        live.clone().draw(|| panic!("a model that nobody could draw")).await;
        assert!(live.map().is_err());
        assert!(matches!(live.map(), Ok(None)) && !live.drawing.load(Ordering::SeqCst), "told once");
        live.clone().draw(|| vec![[0.5, 0.5]]).await;
        assert!(matches!(live.map(), Ok(Some([[0.5, 0.5]]))));
    }
}
