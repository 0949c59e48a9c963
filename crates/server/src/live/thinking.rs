//! The quick model thinks in the background, after each answer; answers that come meanwhile are taken together.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pipeline::Judged;

use super::known::Known;
use super::opinion::Opinion;
use super::{Live, State};
use crate::App;

/// Examples that wait in the queue.
const QUEUE: usize = 60;

impl Live {
    /// Lets the quick model judge in the background; a second call while it does makes it judge once more.
    pub(super) fn think(self: &Arc<Self>, app: &Arc<App>) {
        self.again.store(true, Ordering::SeqCst);
        if self.judging.swap(true, Ordering::SeqCst) {
            return;
        }
        let (live, app) = (self.clone(), app.clone());
        tokio::task::spawn_blocking(move || {
            while live.again.swap(false, Ordering::SeqCst) {
                live.judge_once(&app);
            }
            live.judging.store(false, Ordering::SeqCst);
            // A label that came between the last look and the flag would wait for the next one.
            if live.again.load(Ordering::SeqCst) {
                live.think(&app);
            }
        });
    }

    fn judge_once(&self, app: &Arc<App>) {
        let (quick, ids, rows, known) = match &*self.state() {
            State::Ready(looked) => {
                (looked.quick.clone(), looked.ids.clone(), looked.rows.clone(), looked.known.clone())
            }
            State::Looking | State::Failed(..) => return,
        };
        let Known { classes, answers, drawn, digits, .. } = known;
        let judged = quick.judge(&answers, &drawn);
        let queue = quick.next(&answers, &judged, QUEUE).unwrap_or_else(|error| {
            tracing::error!(%error, "the queue could not be made");
            Vec::new()
        });
        let queue = queue.into_iter().map(|(row, half)| (ids[row].clone(), half)).collect();
        self.remember(app, &judged);
        let opinion = Opinion { judged, ids, classes, answers, digits, rows, queue };
        if let State::Ready(looked) = &mut *self.state() {
            looked.opinion = Some(Arc::new(opinion));
        }
    }

    fn remember(&self, app: &Arc<App>, judged: &Judged) {
        let Some(measure) = judged.headline().cloned() else { return };
        let (app, tenant, dataset) = (app.clone(), self.tenant.clone(), self.dataset.clone());
        let n_labelled = i64::try_from(judged.n_labelled).unwrap_or(i64::MAX);
        tokio::runtime::Handle::current().spawn(async move {
            if let Err(error) = app.db.remember_accuracy(&tenant, &dataset, n_labelled, &measure).await {
                tracing::warn!(%error, "an accuracy could not be kept");
            }
        });
    }
}
