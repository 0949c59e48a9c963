//! One way through a base for everybody: inputs that come within a moment of each other go through it together, whoever's model of whatever
//! kind asks about them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use base::Base;
use base::open::{BaseError, Embedded, Input};
use bundle::Probed;
use pipeline::PipelineError;
use rayon::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, oneshot};

use crate::error::ApiError;

/// How long the first input of a batch waits for others.
const WINDOW: Duration = Duration::from_millis(2);
/// Inputs of one batch.
const MOST: usize = 32;
/// Inputs that wait for one base: four requests as large as they may be. Each holds its picture or sound meanwhile.
const MOST_WAITING: usize = 1024;
/// Long sounds that are looked through at a time: each holds a few of its pieces, and a thread that decodes.
const LONG_SOUNDS: usize = 4;

/// A base with a queue in front.
#[derive(Debug)]
pub(crate) struct Batcher {
    probed: Probed,
    queue: Arc<Queue>,
    long_sounds: Semaphore,
}

impl Batcher {
    /// A base behind the queue of its name.
    pub(crate) fn start(base: Arc<Base>, queue: Arc<Queue>) -> Result<Self, PipelineError> {
        Ok(Self { probed: Probed::new(base)?, queue, long_sounds: Semaphore::new(LONG_SOUNDS) })
    }

    pub(crate) fn base(&self) -> &Arc<Base> {
        self.probed.base()
    }

    /// The base with its side of every bundle's self-test.
    pub(crate) fn probed(&self) -> &Probed {
        &self.probed
    }

    /// The vectors of each input, in their order; refused where too many wait already.
    pub(crate) async fn embed(
        &self,
        inputs: Vec<Input>,
    ) -> Result<Vec<Result<Embedded, BaseError>>, ApiError> {
        self.queue.ask(embedding(self.base(), inputs)).await
    }

    /// As [`Batcher::embed`], and waits where too many wait already.
    pub(crate) async fn embed_in_time(
        &self,
        inputs: Vec<Input>,
    ) -> Result<Vec<Result<Embedded, BaseError>>, ApiError> {
        self.queue.ask_in_time(embedding(self.base(), inputs)).await
    }

    /// A turn at looking through a long sound, over when it is dropped.
    pub(crate) async fn turn_at_long_sounds(&self) -> SemaphorePermit<'_> {
        self.long_sounds.acquire().await.expect("turns are never closed")
    }
}

/// What a base is asked about each input.
pub(super) fn embedding(
    base: &Arc<Base>,
    inputs: Vec<Input>,
) -> Vec<impl FnOnce() -> Result<Embedded, BaseError> + Send + 'static> {
    let one = |input: Input| {
        let base = base.clone();
        move || base.embed_and_tell(&input)
    };
    inputs.into_iter().map(one).collect()
}

/// What is to be done, and its place in the queue.
struct Waiting {
    /// Does it and sends the answer.
    work: Box<dyn FnOnce() + Send>,
    _place: OwnedSemaphorePermit,
}

/// Questions of everybody to what one base sees, answered together that come together by one thread.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: Sender<Waiting>,
    places: Arc<Semaphore>,
    counts: Arc<Counts>,
}

/// What went through a queue.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) batches: AtomicU64,
    pub(crate) inputs: AtomicU64,
}

impl Queue {
    /// Starts the thread that works the queue; it ends with the queue.
    pub(crate) fn start(name: String) -> Self {
        let (sender, arriving) = channel();
        let counts = Arc::new(Counts::default());
        let (thread, counted) = (std::thread::Builder::new().name(name), counts.clone());
        thread.spawn(move || work(&arriving, &counted)).expect("the system gives a thread");
        Self { sender, places: Arc::new(Semaphore::new(MOST_WAITING)), counts }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The answers, in the order of the questions; refused where there are no places.
    pub(crate) async fn ask<A: Send + 'static>(
        &self,
        questions: Vec<impl FnOnce() -> A + Send + 'static>,
    ) -> Result<Vec<A>, ApiError> {
        let places = self.places.clone().try_acquire_many_owned(places_of(&questions));
        self.ask_from(places.map_err(|_| busy())?, questions).await
    }

    /// As [`Queue::ask`], once there are places.
    async fn ask_in_time<A: Send + 'static>(
        &self,
        questions: Vec<impl FnOnce() -> A + Send + 'static>,
    ) -> Result<Vec<A>, ApiError> {
        let places = self.places.clone().acquire_many_owned(places_of(&questions)).await;
        self.ask_from(places.expect("the queue is never closed"), questions).await
    }

    async fn ask_from<A: Send + 'static>(
        &self,
        mut places: OwnedSemaphorePermit,
        questions: Vec<impl FnOnce() -> A + Send + 'static>,
    ) -> Result<Vec<A>, ApiError> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let (answer, waits) = oneshot::channel();
            let work = move || {
                // Nobody works for who hung up.
                if !answer.is_closed()
                    && let Ok(answered) = catch_unwind(AssertUnwindSafe(question))
                {
                    let _ = answer.send(answered);
                }
            };
            let place = places.split(1).expect("there is a place for each");
            let waiting = Waiting { work: Box::new(work), _place: place };
            self.sender.send(waiting).expect("the thread lives as long as the queue");
            answers.push(waits);
        }
        let mut answered = Vec::with_capacity(answers.len());
        for answer in answers {
            // Whoever sent what breaks the base off hears so, and nobody else does.
            answered.push(answer.await.map_err(|_| ApiError::internal(&"a base broke off at an input"))?);
        }
        Ok(answered)
    }
}

fn places_of<W>(questions: &[W]) -> u32 {
    u32::try_from(questions.len()).unwrap_or(u32::MAX)
}

fn busy() -> ApiError {
    let (en, zh) = ("too many inputs wait for this model", "等待该模型处理的输入过多");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", en, zh)
        .hint("try again in a moment, or ask more slowly", "请稍后重试，或降低请求频率")
}

fn work(arriving: &Receiver<Waiting>, counts: &Counts) {
    while let Some(batch) = next_batch(arriving) {
        counts.batches.fetch_add(1, Ordering::Relaxed);
        counts.inputs.fetch_add(batch.len() as u64, Ordering::Relaxed);
        batch.into_par_iter().for_each(|waiting| (waiting.work)());
    }
}

/// What came within the window of the first; `None` when nobody will ask any more.
fn next_batch<W>(arriving: &Receiver<W>) -> Option<Vec<W>> {
    let mut batch = vec![arriving.recv().ok()?];
    let until = Instant::now() + WINDOW;
    while batch.len() < MOST {
        match arriving.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(next) => batch.push(next),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(batch)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn plus_one(numbers: Vec<u32>) -> Vec<impl FnOnce() -> u32 + Send + 'static> {
        let odd = |number: u32| {
            move || {
                assert_ne!(number % 2, 0, "an even one");
                number + 1
            }
        };
        numbers.into_iter().map(odd).collect()
    }

    /// Questions that nobody answers until the other end is dropped.
    fn held(count: usize, waits: &Arc<Mutex<Receiver<()>>>) -> Vec<impl FnOnce() + Send + 'static> {
        let one = |_| {
            let waits = waits.clone();
            move || assert!(waits.lock().expect("nobody panics").recv().is_err(), "until it is dropped")
        };
        (0..count).map(one).collect()
    }

    #[tokio::test]
    async fn what_breaks_a_base_off_is_the_matter_of_who_sent_it() {
        let queue = Arc::new(Queue::start("odd".to_owned()));
        let ask = |numbers: Vec<u32>| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.ask(plus_one(numbers)).await.map_err(|error| error.code) })
        };
        let (odd, even) = (ask(vec![1, 3]), ask(vec![5, 6]));
        assert_eq!(odd.await.expect("asked"), Ok(vec![2, 4]));
        assert_eq!(even.await.expect("asked"), Err("internal"));
        assert_eq!(ask(vec![7]).await.expect("asked"), Ok(vec![8]), "the thread goes on");
    }

    #[tokio::test]
    async fn a_queue_that_is_full_refuses_and_takes_more_later() {
        let (go_on, waits) = channel::<()>();
        let (queue, waits) = (Arc::new(Queue::start("slow".to_owned())), Arc::new(Mutex::new(waits)));
        let first = {
            let (queue, all) = (queue.clone(), held(MOST_WAITING, &waits));
            tokio::spawn(async move { queue.ask(all).await })
        };
        while queue.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = queue.ask(plus_one(vec![1])).await.expect_err("it is full");
        assert_eq!((refused.status, refused.code), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
        let in_time = {
            let queue = queue.clone();
            tokio::spawn(async move { queue.ask_in_time(plus_one(vec![1])).await })
        };
        tokio::task::yield_now().await;
        assert!(!in_time.is_finished(), "it waits for a place");
        drop(go_on);
        assert_eq!(in_time.await.expect("asked").expect("answered"), [2]);
        assert_eq!(first.await.expect("asked").expect("answered").len(), MOST_WAITING);
        assert_eq!(queue.ask(plus_one(vec![1])).await.expect("there is room again"), [2]);
    }

    /// Whether what came while a base was busy went through it in one batch, whoever asked.
    #[tokio::test]
    async fn questions_of_several_tenants_and_kinds_go_through_a_base_together() {
        let (go_on, waits) = channel::<()>();
        let (queue, waits) = (Arc::new(Queue::start("busy".to_owned())), Arc::new(Mutex::new(waits)));
        let batches = || queue.counts().batches.load(Ordering::Relaxed);
        let busy = {
            let (queue, one) = (queue.clone(), held(1, &waits));
            tokio::spawn(async move { queue.ask(one).await })
        };
        while batches() == 0 {
            tokio::task::yield_now().await;
        }
        let left = || MOST_WAITING - queue.places.available_permits();
        let (one, other) = (queue.clone(), queue.clone());
        let numbers = tokio::spawn(async move { one.ask(plus_one(vec![1, 3])).await });
        let words = tokio::spawn(async move { other.ask(vec![|| "three".to_owned()]).await });
        let gone = {
            let queue = queue.clone();
            tokio::spawn(async move {
                queue.ask(vec![|| unreachable!("nobody waits for it")]).await.map(|_: Vec<()>| ())
            })
        };
        while left() < 5 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert!(gone.await.is_err_and(|error| error.is_cancelled()));
        drop(go_on);
        assert_eq!(numbers.await.expect("asked").expect("answered"), [2, 4]);
        assert_eq!(words.await.expect("asked").expect("answered"), ["three"]);
        assert_eq!(busy.await.expect("asked").expect("answered").len(), 1);
        assert_eq!((batches(), queue.counts().inputs.load(Ordering::Relaxed)), (2, 5));
    }
}
