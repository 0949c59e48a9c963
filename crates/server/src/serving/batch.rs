//! One way through a base for everybody: inputs that come within a moment of each other are embedded together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
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
    queue: Queue<Input, Result<Embedded, BaseError>>,
    long_sounds: Semaphore,
}

impl Batcher {
    /// Starts the thread that works the queue; it ends with the batcher.
    pub(crate) fn start(base: Arc<Base>) -> Result<Self, PipelineError> {
        let probed = Probed::new(base.clone())?;
        let queue =
            Queue::start(format!("base {}", base.id()), move |input: &Input| base.embed_and_tell(input));
        Ok(Self { probed, queue, long_sounds: Semaphore::new(LONG_SOUNDS) })
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
        self.queue.ask(inputs).await
    }

    /// As [`Batcher::embed`], and waits where too many wait already.
    pub(crate) async fn embed_in_time(
        &self,
        inputs: Vec<Input>,
    ) -> Result<Vec<Result<Embedded, BaseError>>, ApiError> {
        self.queue.ask_in_time(inputs).await
    }

    /// A turn at looking through a long sound, over when it is dropped.
    pub(crate) async fn turn_at_long_sounds(&self) -> SemaphorePermit<'_> {
        self.long_sounds.acquire().await.expect("turns are never closed")
    }
}

/// What is asked, who waits for the answer, and its place in the queue.
struct Waiting<Q, A> {
    question: Q,
    answer: oneshot::Sender<A>,
    _place: OwnedSemaphorePermit,
}

/// Questions of everybody to one thread, which answers those together that come together.
#[derive(Debug)]
struct Queue<Q, A> {
    sender: Sender<Waiting<Q, A>>,
    places: Arc<Semaphore>,
}

impl<Q: Send + Sync + 'static, A: Send + 'static> Queue<Q, A> {
    fn start(name: String, answer: impl Fn(&Q) -> A + Send + Sync + 'static) -> Self {
        let (sender, arriving) = channel();
        let thread = std::thread::Builder::new().name(name);
        thread.spawn(move || work(&arriving, &answer)).expect("the system gives a thread");
        Self { sender, places: Arc::new(Semaphore::new(MOST_WAITING)) }
    }

    /// The answers, in the order of the questions; refused where there are no places.
    async fn ask(&self, questions: Vec<Q>) -> Result<Vec<A>, ApiError> {
        let places = self.places.clone().try_acquire_many_owned(places_of(&questions));
        self.ask_from(places.map_err(|_| busy())?, questions).await
    }

    /// As [`Queue::ask`], once there are places.
    async fn ask_in_time(&self, questions: Vec<Q>) -> Result<Vec<A>, ApiError> {
        let places = self.places.clone().acquire_many_owned(places_of(&questions)).await;
        self.ask_from(places.expect("the queue is never closed"), questions).await
    }

    async fn ask_from(
        &self,
        mut places: OwnedSemaphorePermit,
        questions: Vec<Q>,
    ) -> Result<Vec<A>, ApiError> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let (answer, waits) = oneshot::channel();
            let place = places.split(1).expect("there is a place for each");
            let waiting = Waiting { question, answer, _place: place };
            self.sender.send(waiting).expect("the thread lives as long as the queue");
            answers.push(waits);
        }
        let mut answered = Vec::with_capacity(answers.len());
        for answer in answers {
            answered.push(answer.await.map_err(|_| ApiError::internal(&"a base broke off at an input"))?);
        }
        Ok(answered)
    }
}

fn places_of<Q>(questions: &[Q]) -> u32 {
    u32::try_from(questions.len()).unwrap_or(u32::MAX)
}

fn busy() -> ApiError {
    let (en, zh) = ("too many inputs wait for this model", "等待该模型处理的输入过多");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", en, zh)
        .hint("try again in a moment, or ask more slowly", "请稍后重试，或降低请求频率")
}

fn work<Q: Sync + Send, A: Send>(arriving: &Receiver<Waiting<Q, A>>, answer: &(impl Fn(&Q) -> A + Sync)) {
    while let Some(batch) = next_batch(arriving) {
        batch.into_par_iter().for_each(|waiting| {
            // Whoever sent what breaks the base off hears so, and nobody else does.
            if let Ok(answered) = catch_unwind(AssertUnwindSafe(|| answer(&waiting.question))) {
                // Who hung up does not wait for an answer.
                let _ = waiting.answer.send(answered);
            }
        });
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

    #[tokio::test]
    async fn what_breaks_a_base_off_is_the_matter_of_who_sent_it() {
        let queue = Arc::new(Queue::start("odd".to_owned(), |number: &u32| {
            assert_ne!(number % 2, 0, "an even one");
            number + 1
        }));
        let ask = |numbers: Vec<u32>| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.ask(numbers).await.map_err(|error| error.code) })
        };
        let (odd, even) = (ask(vec![1, 3]), ask(vec![5, 6]));
        assert_eq!(odd.await.expect("asked"), Ok(vec![2, 4]));
        assert_eq!(even.await.expect("asked"), Err("internal"));
        assert_eq!(ask(vec![7]).await.expect("asked"), Ok(vec![8]), "the thread goes on");
    }

    #[tokio::test]
    async fn a_queue_that_is_full_refuses_and_takes_more_later() {
        let (go_on, waits) = channel::<()>();
        let waits = Mutex::new(waits);
        let queue = Arc::new(Queue::start("slow".to_owned(), move |number: &usize| {
            // Until nobody holds the other end.
            let _ = waits.lock().expect("nobody panics").recv();
            *number
        }));
        let first = {
            let queue = queue.clone();
            tokio::spawn(async move { queue.ask((0..MOST_WAITING).collect()).await })
        };
        while queue.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = queue.ask(vec![1]).await.expect_err("it is full");
        assert_eq!((refused.status, refused.code), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
        let in_time = {
            let queue = queue.clone();
            tokio::spawn(async move { queue.ask_in_time(vec![2]).await })
        };
        tokio::task::yield_now().await;
        assert!(!in_time.is_finished(), "it waits for a place");
        drop(go_on);
        assert_eq!(in_time.await.expect("asked").expect("answered"), [2]);
        assert_eq!(first.await.expect("asked").expect("answered").len(), MOST_WAITING);
        assert_eq!(queue.ask(vec![1]).await.expect("there is room again"), [1]);
    }
}
