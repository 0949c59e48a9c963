//! One way through a base for everybody: inputs that come within a moment of each other are embedded together.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use base::Base;
use base::open::{BaseError, Embedded, Input};
use bundle::Probed;
use pipeline::PipelineError;
use rayon::prelude::*;
use tokio::sync::oneshot;

/// How long the first input of a batch waits for others.
const WINDOW: Duration = Duration::from_millis(2);
/// Inputs of one batch.
const MOST: usize = 32;

/// An input, and who waits for its vectors.
type Waiting = (Input, oneshot::Sender<Result<Embedded, BaseError>>);

/// A base with a queue in front.
#[derive(Debug)]
pub(crate) struct Batcher {
    probed: Probed,
    queue: Sender<Waiting>,
}

impl Batcher {
    /// Starts the thread that works the queue; it ends with the batcher.
    pub(crate) fn start(base: Arc<Base>) -> Result<Self, PipelineError> {
        let probed = Probed::new(base.clone())?;
        let (queue, arriving) = channel();
        let name = format!("base {}", base.id());
        std::thread::Builder::new()
            .name(name)
            .spawn(move || work(&base, &arriving))
            .expect("the system gives a thread");
        Ok(Self { probed, queue })
    }

    pub(crate) fn base(&self) -> &Arc<Base> {
        self.probed.base()
    }

    /// The base with its side of every bundle's self-test.
    pub(crate) fn probed(&self) -> &Probed {
        &self.probed
    }

    /// The vectors of each input, in their order.
    pub(crate) async fn embed(&self, inputs: Vec<Input>) -> Vec<Result<Embedded, BaseError>> {
        let answers: Vec<_> = inputs
            .into_iter()
            .map(|input| {
                let (answer, waits) = oneshot::channel();
                self.queue.send((input, answer)).expect("the thread lives as long as the queue");
                waits
            })
            .collect();
        let mut embedded = Vec::with_capacity(answers.len());
        for answer in answers {
            embedded.push(answer.await.expect("every input of a batch is answered"));
        }
        embedded
    }
}

fn work(base: &Base, arriving: &Receiver<Waiting>) {
    while let Some(batch) = next_batch(arriving) {
        let (inputs, answers): (Vec<Input>, Vec<_>) = batch.into_iter().unzip();
        let embedded: Vec<_> = inputs.par_iter().map(|input| base.embed_and_tell(input)).collect();
        for (answer, embedded) in answers.into_iter().zip(embedded) {
            // Who hung up does not wait for an answer.
            let _ = answer.send(embedded);
        }
    }
}

/// What came within the window of the first; `None` when nobody will ask any more.
fn next_batch(arriving: &Receiver<Waiting>) -> Option<Vec<Waiting>> {
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
