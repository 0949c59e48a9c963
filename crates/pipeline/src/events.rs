//! What a long run tells whoever waits for it, and how it is told to stop.

use std::sync::atomic::{AtomicBool, Ordering};

use dataset::Problem;

/// The rooms of the journey, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading files and rows.
    Read,
    /// Getting the base.
    Base,
    /// Computing features.
    Features,
    /// Looking for duplicates and doubtful labels.
    Audit,
    /// Choosing what to label.
    Select,
    /// Choosing and fitting the head.
    Tune,
    /// Estimating what it is worth.
    Evaluate,
    /// Writing the bundle and the report.
    Write,
}

/// Something worth telling.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each variant names its fields")]
pub enum Event {
    /// A step begins.
    Begin(Step),
    /// A step got this far. `cached` of the `done` were already known.
    Progress { step: Step, done: u64, total: u64, cached: u64 },
    /// A base is being fetched: bytes so far, and all of them if known.
    Fetch { what: String, bytes: u64, total: Option<u64> },
    /// A step ended.
    End(Step),
    /// Something in the data was left out or set right.
    Problem(Problem),
}

/// The circumstances of one run: who listens, and whether to stop.
pub struct Run<'a> {
    observe: &'a (dyn Fn(Event) + Sync),
    cancelled: &'a AtomicBool,
}

impl<'a> Run<'a> {
    /// A run that reports to `observe` and stops soon after `cancelled` becomes true.
    pub fn new(observe: &'a (dyn Fn(Event) + Sync), cancelled: &'a AtomicBool) -> Self {
        Self { observe, cancelled }
    }

    /// Tells the listener.
    pub fn tell(&self, event: Event) {
        (self.observe)(event);
    }

    /// Whether the person asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn cancel_flag(&self) -> &AtomicBool {
        self.cancelled
    }

    /// Runs one step between its begin and end, and refuses to begin when the run was cancelled.
    pub(crate) fn step<T>(
        &self,
        step: Step,
        work: impl FnOnce() -> Result<T, crate::PipelineError>,
    ) -> Result<T, crate::PipelineError> {
        if self.is_cancelled() {
            return Err(crate::PipelineError::Cancelled);
        }
        self.tell(Event::Begin(step));
        let started = std::time::Instant::now();
        let result = work();
        tracing::info!(?step, seconds = started.elapsed().as_secs_f64(), "step ended");
        self.tell(Event::End(step));
        result
    }
}
