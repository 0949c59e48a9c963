//! One way through a base for everybody: inputs that come within a moment of each other go through it together, whoever's model of whatever
//! kind asks about them.

use std::collections::VecDeque;
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
/// Long sounds of which some pieces are looked at, at a time.
const LONG_SOUNDS: usize = 4;
/// Requests with long sounds that are under way: each holds its sounds, and a thread that decodes one when it is its turn.
const MOST_LONG: usize = LONG_SOUNDS + 16;

/// A base with a queue in front.
#[derive(Debug)]
pub(crate) struct Batcher {
    probed: Probed,
    queue: Arc<Queue>,
    long_sounds: Semaphore,
    with_long_sounds: Semaphore,
}

impl Batcher {
    /// A base behind the queue of its name.
    pub(crate) fn start(base: Arc<Base>, queue: Arc<Queue>) -> Result<Self, PipelineError> {
        let (long_sounds, with_long_sounds) = (Semaphore::new(LONG_SOUNDS), Semaphore::new(MOST_LONG));
        Ok(Self { probed: Probed::new(base)?, queue, long_sounds, with_long_sounds })
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

    /// Lets a request with long sounds in until it is dropped; refused where too many are under way.
    pub(crate) fn let_in_with_long_sounds(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.with_long_sounds.try_acquire().map_err(|_| busy())
    }

    /// A turn at some pieces of a long sound, over when it is dropped.
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
    /// What is asked together comes together.
    sender: Sender<VecDeque<Waiting>>,
    places: Arc<Semaphore>,
    counts: Arc<Counts>,
}

/// What went through a queue.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) batches: AtomicU64,
    pub(crate) inputs: AtomicU64,
}

/// Answers that are on their way, in the order of their questions.
pub(super) struct Coming<A>(Vec<oneshot::Receiver<A>>);

impl<A> Coming<A> {
    pub(super) async fn all(self) -> Result<Vec<A>, ApiError> {
        let mut answered = Vec::with_capacity(self.0.len());
        for answer in self.0 {
            // Whoever sent what breaks the base off hears so, and nobody else does.
            answered.push(answer.await.map_err(|_| ApiError::internal(&"a base broke off at an input"))?);
        }
        Ok(answered)
    }
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

    /// Places for so many questions; refused where there are too few.
    pub(super) fn places(&self, count: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        self.places.clone().try_acquire_many_owned(whole(count)).map_err(|_| busy())
    }

    /// The answers, in the order of the questions; refused where there are no places.
    pub(crate) async fn ask<A: Send + 'static>(
        &self,
        questions: Vec<impl FnOnce() -> A + Send + 'static>,
    ) -> Result<Vec<A>, ApiError> {
        self.ask_from(self.places(questions.len())?, questions).all().await
    }

    /// As [`Queue::ask`], once there are places.
    pub(crate) async fn ask_in_time<A: Send + 'static>(
        &self,
        questions: Vec<impl FnOnce() -> A + Send + 'static>,
    ) -> Result<Vec<A>, ApiError> {
        let places = self.places.clone().acquire_many_owned(whole(questions.len())).await;
        self.ask_from(places.expect("the queue is never closed"), questions).all().await
    }

    /// Asks from places that were taken, one for each.
    fn ask_from<A: Send + 'static>(
        &self,
        mut places: OwnedSemaphorePermit,
        questions: Vec<impl FnOnce() -> A + Send + 'static>,
    ) -> Coming<A> {
        let mut coming = Vec::with_capacity(questions.len());
        let one = |question| {
            let (answer, waits) = oneshot::channel();
            coming.push(waits);
            let place = places.split(1).expect("there is a place for each");
            Waiting { work: self.work(question, answer), _place: place }
        };
        let together: VecDeque<Waiting> = questions.into_iter().map(one).collect();
        if !together.is_empty() {
            self.sender.send(together).expect("the thread lives as long as the queue");
        }
        Coming(coming)
    }

    fn work<A: Send + 'static>(
        &self,
        question: impl FnOnce() -> A + Send + 'static,
        answer: oneshot::Sender<A>,
    ) -> Box<dyn FnOnce() + Send> {
        let counts = self.counts.clone();
        Box::new(move || {
            // Nobody works for who hung up.
            if answer.is_closed() {
                return;
            }
            counts.inputs.fetch_add(1, Ordering::Relaxed);
            if let Ok(answered) = catch_unwind(AssertUnwindSafe(question)) {
                let _ = answer.send(answered);
            }
        })
    }
}

/// Asks several queues at once; where one of them is full none is asked anything. Questions to a queue that is named again wait for places of
/// their own.
pub(super) async fn ask_each<A: Send + 'static>(
    asked: Vec<(Arc<Queue>, Vec<impl FnOnce() -> A + Send + 'static>)>,
) -> Result<Vec<Vec<A>>, ApiError> {
    let mut places: Vec<Option<OwnedSemaphorePermit>> = Vec::with_capacity(asked.len());
    for (at, (queue, questions)) in asked.iter().enumerate() {
        let again = asked[..at].iter().any(|(before, _)| Arc::ptr_eq(before, queue));
        places.push(if again { None } else { Some(queue.places(questions.len())?) });
    }
    // All first places are used before anything is waited for: nobody waits for a queue and keeps room in another.
    let mut begun = Vec::with_capacity(asked.len());
    for ((queue, questions), places) in asked.into_iter().zip(places) {
        begun.push(match places {
            Some(places) => Ok(queue.ask_from(places, questions)),
            None => Err((queue, questions)),
        });
    }
    let mut answers = Vec::with_capacity(begun.len());
    for begun in begun {
        answers.push(match begun {
            Ok(coming) => coming.all().await?,
            Err((queue, questions)) => queue.ask_in_time(questions).await?,
        });
    }
    Ok(answers)
}

fn whole(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(super) fn busy() -> ApiError {
    let (en, zh) = ("too many inputs wait for this model", "等待该模型处理的输入过多");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", en, zh)
        .hint("try again in a moment, or ask more slowly", "请稍后重试，或降低请求频率")
}

fn work(arriving: &Receiver<VecDeque<Waiting>>, counts: &Counts) {
    let mut waiting = VecDeque::new();
    while let Some(batch) = next_batch(arriving, &mut waiting) {
        counts.batches.fetch_add(1, Ordering::Relaxed);
        batch.into_par_iter().for_each(|waiting| (waiting.work)());
    }
}

/// One of each request in turn, of those that wait already and of what comes within the window: nobody waits until all of another's are
/// answered. `None` when nobody will ask any more.
fn next_batch<W>(arriving: &Receiver<VecDeque<W>>, waiting: &mut VecDeque<VecDeque<W>>) -> Option<Vec<W>> {
    if waiting.is_empty() {
        waiting.push_back(arriving.recv().ok()?);
    }
    let until = Instant::now() + WINDOW;
    while waiting.iter().map(VecDeque::len).sum::<usize>() < MOST {
        match arriving.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(next) => waiting.push_back(next),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    waiting.extend(arriving.try_iter());
    let mut batch = Vec::with_capacity(MOST);
    while batch.len() < MOST
        && let Some(mut of_one) = waiting.pop_front()
    {
        batch.extend(of_one.pop_front());
        if !of_one.is_empty() {
            waiting.push_back(of_one);
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
        let inputs = queue.counts().inputs.load(Ordering::Relaxed);
        assert_eq!((batches(), inputs), (2, 4), "who left is not counted");
    }

    #[test]
    fn each_request_has_its_share_of_a_batch() {
        let (sender, arriving) = channel();
        let mut waiting = VecDeque::new();
        let request = |name: char, count: usize| (0..count).map(|number| (name, number)).collect();
        sender.send(request('a', 100)).expect("somebody takes it");
        let mut next = || next_batch(&arriving, &mut waiting).expect("there is more");
        assert_eq!(next(), (0..MOST).map(|number| ('a', number)).collect::<Vec<_>>());
        sender.send(request('b', 3)).expect("somebody takes it");
        sender.send(request('c', 40)).expect("somebody takes it");
        let batch = next();
        let of = |name: char| batch.iter().filter(|(of, _)| *of == name).count();
        assert_eq!((of('a'), of('b'), of('c')), (15, 3, 14));
        assert!(batch[..9].contains(&('b', 2)), "who asks for little waits for little: {batch:?}");
        drop(sender);
        let rest = next().len() + next().len() + next().len();
        assert_eq!(rest, 100 - MOST - 15 + 40 - 14);
        assert!(next_batch(&arriving, &mut waiting).is_none());
    }

    #[tokio::test]
    async fn several_queues_are_asked_all_or_none() {
        let (go_on, waits) = channel::<()>();
        let [one, full] = ["one", "full"].map(|name| Arc::new(Queue::start(name.to_owned())));
        let waits = Arc::new(Mutex::new(waits));
        let first = {
            let (full, all) = (full.clone(), held(MOST_WAITING, &waits));
            tokio::spawn(async move { full.ask(all).await })
        };
        while full.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let both = || vec![(one.clone(), plus_one(vec![1, 3])), (full.clone(), plus_one(vec![5]))];
        assert_eq!(ask_each(both()).await.expect_err("it is full").code, "busy");
        assert_eq!(one.places.available_permits(), MOST_WAITING, "its places are free again");
        assert_eq!(one.counts().inputs.load(Ordering::Relaxed), 0, "and it was asked nothing");
        drop(go_on);
        first.await.expect("asked").expect("answered");
        assert_eq!(ask_each(both()).await.expect("there is room"), [vec![2, 4], vec![6]]);
        let both = Arc::new(Queue::start("of two senses".to_owned()));
        let again = vec![(both.clone(), plus_one(vec![1; MOST_WAITING])), (both, plus_one(vec![3]))];
        assert_eq!(ask_each(again).await.expect("the second waits")[1], [4]);
    }
}
