//! Pictures of files for browsers: each made once, few at a time, and not begun anew for a while where none can be made. Some take a process
//! of their own, and a gallery asks for hundreds.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::App;
use crate::error::ApiError;
use crate::turns::Turns;

/// That are made at once.
const AT_ONCE: usize = 2;
/// How long a failure is remembered: a store or a program that was missing may be there again.
const MEMORY: Duration = Duration::from_secs(600);
/// Failures that are remembered.
const MOST_FAILED: usize = 10_000;

/// What is being made, and what could not be.
#[derive(Debug)]
pub(crate) struct Making {
    turns: Arc<Semaphore>,
    /// By the name of the picture.
    pub(crate) under_way: Turns,
    failed: Mutex<HashMap<String, Instant>>,
}

impl Default for Making {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            under_way: Turns::default(),
            failed: Mutex::default(),
        }
    }
}

/// A picture made of a blob, or found; `None` where none can be made.
pub(crate) async fn picture(
    app: &Arc<App>,
    blob: String,
    kind: &'static str,
    make: fn(&Path) -> Option<Vec<u8>>,
) -> Result<Option<Vec<u8>>, ApiError> {
    let (blobs, name) = (app.blobs.clone(), blob.clone());
    if let Some(bytes) = app.blocking(move || Ok(blobs.made(&name, kind)?)).await? {
        return Ok(Some(bytes));
    }
    let name = format!("{blob}.{kind}");
    let own = app.making.under_way.at(&name).lock_owned().await;
    if app.making.has_failed(&name) {
        return Ok(None);
    }
    let turn = app.making.turns.clone().acquire_owned().await.map_err(|error| ApiError::internal(&error))?;
    let of = app.clone();
    app.blocking(move || {
        let made = of.blobs.derived(&blob, kind, make)?;
        if made.is_none() {
            of.making.fail(name);
        }
        // Who asked may be gone, and what is made is still under way: both turns end here.
        drop((own, turn));
        Ok(made)
    })
    .await
}

impl Making {
    fn has_failed(&self, name: &str) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get(name).is_some_and(|at| at.elapsed() < MEMORY)
    }

    fn fail(&self, name: String) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|_, at| at.elapsed() < MEMORY);
        if failed.len() >= MOST_FAILED {
            // Which is forgotten matters little: it is tried once more.
            failed.clear();
        }
        failed.insert(name, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_remembered_and_only_that() {
        let making = Making::default();
        making.fail("a.mp4.thumb.jpg".to_owned());
        assert!(making.has_failed("a.mp4.thumb.jpg"));
        assert!(!making.has_failed("a.mp4.strip.jpg"));
    }
}
