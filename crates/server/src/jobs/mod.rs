//! Workers: each claims a job, says again and again that it lives, and writes what came of it.

mod audit;
mod cutting;
mod import;
mod inspect;
mod reading;
mod tune;

pub(crate) use import::forget_sent;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pipeline::{Event, PipelineError, Run, Step};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::App;
use crate::db::Tenant;
use crate::db::arriving::Brought;
use crate::db::jobs::{Far, Held, JobRow, Work};
use crate::db::trouble::Trouble;
use crate::error::ApiError;

/// How often a worker says how far it is.
const BEAT: Duration = Duration::from_millis(200);
/// How often it says so when nothing has changed.
pub(crate) const RENEW: Duration = Duration::from_secs(2);
/// How often an idle worker looks for a job that another process asked for.
const LOOK: Duration = Duration::from_millis(500);
/// Rooms that are told of, of each time that a job is begun: some go to and fro between two of them.
const MOST_STEPS: usize = 100;
/// How long it is waited for a database that does not answer, or has no room.
const BREATH: Duration = Duration::from_secs(1);

/// Why a job failed, in both languages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) en: String,
    pub(crate) zh: String,
    pub(crate) hint: Option<(String, String)>,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let hint = error.hint.map(|(en, zh)| (en.to_owned(), zh.to_owned()));
        Self { code: error.code.to_owned(), en: error.en, zh: error.zh, hint }
    }
}

/// How a job ended that did not end itself.
enum Stopped {
    /// It was asked to, lost its lease, or the server is closing.
    Cancelled,
    Failed(ApiError),
}

impl From<ApiError> for Stopped {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<sqlx::Error> for Stopped {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<PipelineError> for Stopped {
    fn from(error: PipelineError) -> Self {
        if matches!(error, PipelineError::Cancelled) { Self::Cancelled } else { Self::Failed(error.into()) }
    }
}

impl Brought {
    /// As the end of a job.
    fn came(self) -> Result<(), Stopped> {
        match self {
            Self::Came => Ok(()),
            Self::Lost => Err(Stopped::Cancelled),
            Self::Changed => {
                let (en, zh) =
                    ("the data set became one of another kind meanwhile", "该数据集此间变成了另一种类型");
                Err(ApiError::conflict(en, zh)
                    .hint("make a new data set for these", "请为它们新建数据集")
                    .into())
            }
            Self::Full(full) => Err(ApiError::from(full).into()),
        }
    }
}

/// A job in a worker's hands.
struct InHand {
    app: Arc<App>,
    tenant: Tenant,
    job: JobRow,
    held: Held,
    progress: Arc<Progress>,
}

/// How far a job is.
#[derive(Debug, Default)]
struct Progress {
    at: Mutex<Far>,
    /// Wakes who writes it down: there is a room that was not told of yet.
    entered: Notify,
    cancel: AtomicBool,
}

impl Progress {
    fn set(&self, step: &'static str, done: i64, total: i64) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.step != Some(step) {
            at.entered.push(step);
            self.entered.notify_one();
        }
        (at.step, at.done, at.total) = (Some(step), done, total);
    }

    /// As it is now. Rooms are taken out: each is told of once.
    fn take(&self) -> Far {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        Far { entered: std::mem::take(&mut at.entered), ..at.clone() }
    }

    /// Takes what the journey tells.
    fn hear(&self, event: Event) {
        match event {
            Event::Begin(step) => self.set(step_name(step), 0, 0),
            Event::Progress { step, done, total, .. } => {
                self.set(step_name(step), whole(done), whole(total));
            }
            Event::Fetch { bytes, total, .. } => self.set("fetch", whole(bytes), whole(total.unwrap_or(0))),
            Event::End(_) | Event::Problem(_) => {}
        }
    }

    /// Runs a part of the journey that reports here.
    fn run<T>(&self, work: impl FnOnce(&Run<'_>) -> T) -> T {
        work(&Run::new(&|event| self.hear(event), &self.cancel))
    }

    fn check(&self) -> Result<(), Stopped> {
        if self.cancel.load(Ordering::Relaxed) { Err(Stopped::Cancelled) } else { Ok(()) }
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn step_name(step: Step) -> &'static str {
    match step {
        Step::Read => "read",
        Step::Base => "base",
        Step::Features => "features",
        Step::Audit => "audit",
        Step::Select => "select",
        Step::Tune => "tune",
        Step::Evaluate => "evaluate",
        Step::Write => "write",
    }
}

/// Works on what it takes until the server closes.
pub(crate) async fn work(app: Arc<App>, takes: Work) {
    let mut failing = false;
    while !app.is_closing() {
        // A job that comes while there is none wakes as well.
        let mut woken = std::pin::pin!(app.wake.notified());
        woken.as_mut().enable();
        let claimed = app.db.claim_job(&app.name, takes).await;
        match &claimed {
            // Said once, however long it lasts.
            Err(error) if !failing => tracing::error!(%error, "no job can be claimed"),
            Ok(_) if failing => tracing::info!("jobs can be claimed again"),
            _ => {}
        }
        failing = claimed.is_err();
        match claimed {
            Ok(Some(job)) => in_hand(app.clone(), job).await,
            Ok(None) => {
                let _ = tokio::time::timeout(LOOK, woken).await;
            }
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

async fn in_hand(app: Arc<App>, job: JobRow) {
    let held = Held { id: job.id.clone(), fence: job.fence };
    let progress = Arc::new(Progress::default());
    let beating = tokio::spawn(beat(app.clone(), held.clone(), progress.clone()));
    let (id, kind, payload) = (job.id.clone(), job.kind.clone(), job.payload.clone());
    tracing::info!(job = id, kind, attempt = job.attempts, "a job begins");
    let hand = InHand {
        app: app.clone(),
        tenant: Tenant::of_row(job.tenant.clone()),
        job,
        held: held.clone(),
        progress,
    };
    let ended = to_its_end(async move {
        match hand.job.kind.as_str() {
            "import" => import::run(hand).await,
            "audit" => audit::run(hand).await,
            "tune" => tune::run(hand).await,
            _ => Err(Stopped::Failed(ApiError::internal(&"nobody knows how to do this kind of job"))),
        }
    });
    let ended = ended.await;
    beating.abort();
    let how = match &ended {
        Ok(()) => "done",
        Err(Stopped::Cancelled) => "stopped",
        // What it says may name people's files.
        Err(Stopped::Failed(error)) => error.code,
    };
    // Without a database a worker has nothing else to do than to wait for it.
    let closed = loop {
        match close(&app, &held, &ended).await {
            Err(error) if Trouble::of(&error).passes() && !app.is_closing() => {
                tracing::warn!(job = id, %error, "the end of a job waits for the database");
                tokio::time::sleep(BREATH).await;
            }
            closed => break closed,
        }
    };
    if kind == "import" && matches!(closed, Ok(true)) && is_over(&app, &ended) {
        import::forget_sent(&app, &payload).await;
    }
    match closed {
        Ok(closed) => tracing::info!(job = id, kind, how, closed, "a job ended"),
        Err(error) => tracing::error!(job = id, %error, "the end of a job could not be written"),
    }
}

/// Does what a job wants, on its own: where that panics the job failed, and its worker goes on to the next.
async fn to_its_end(work: impl Future<Output = Result<(), Stopped>> + Send + 'static) -> Result<(), Stopped> {
    match tokio::spawn(work).await {
        Ok(ended) => ended,
        Err(error) => Err(Stopped::Failed(ApiError::internal(&error))),
    }
}

/// Writes down how a job ended; `false` when it was not this worker's any more.
async fn close(app: &App, held: &Held, ended: &Result<(), Stopped>) -> Result<bool, sqlx::Error> {
    match ended {
        Ok(()) => Ok(true),
        Err(Stopped::Cancelled) if app.is_closing() => app.db.give_back(held).await.map(|()| true),
        Err(Stopped::Cancelled) => app.db.end_job(held, "cancelled", None, None).await,
        // Not the job's fault: it is begun again.
        Err(Stopped::Failed(error)) if error.code == ApiError::database_away().code => {
            app.db.give_back(held).await.map(|()| true)
        }
        Err(Stopped::Failed(error)) => {
            let failure = serde_json::to_string(&Failure::from(error.clone())).unwrap_or_default();
            app.db.end_job(held, "failed", None, Some(&failure)).await
        }
    }
}

/// Whether a job ended without what it was for, and will not be begun again.
fn is_over(app: &App, ended: &Result<(), Stopped>) -> bool {
    match ended {
        Ok(()) => false,
        Err(Stopped::Cancelled) => !app.is_closing(),
        Err(Stopped::Failed(error)) => error.code != ApiError::database_away().code,
    }
}

/// Writes down how far the job is; stops it when it is no longer held.
async fn beat(app: Arc<App>, held: Held, progress: Arc<Progress>) {
    let (mut told, mut since, mut n_entered) = (Far::default(), None::<Instant>, 0);
    loop {
        let _ = tokio::time::timeout(BEAT, progress.entered.notified()).await;
        let mut far = progress.take();
        if app.is_closing() {
            progress.cancel.store(true, Ordering::Relaxed);
        }
        // Those that could not be written down before come first.
        far.entered.splice(0..0, told.entered.drain(..));
        far.entered.truncate(MOST_STEPS.saturating_sub(n_entered));
        // The lease is renewed long before it ends, and so is it noticed that somebody wants the job to stop.
        if far == told && since.is_some_and(|since| since.elapsed() < RENEW) {
            continue;
        }
        since = Some(Instant::now());
        let held = app.db.progress(&held, &far).await;
        if held.is_ok() {
            n_entered += far.entered.len();
            far.entered.clear();
        }
        told = far;
        match held {
            Ok(true) => {}
            Ok(false) => progress.cancel.store(true, Ordering::Relaxed),
            // The lease outlasts a moment without the database.
            Err(error) => tracing::warn!(%error, "progress could not be written"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_has_failed_and_nothing_else_has() {
        let ended = to_its_end(async { panic!("it broke") }).await;
        assert!(matches!(ended, Err(Stopped::Failed(error)) if error.code == "internal"));
        assert!(to_its_end(async { Ok(()) }).await.is_ok());
    }
}
