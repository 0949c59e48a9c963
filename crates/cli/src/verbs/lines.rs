//! Lines that a person types. Whoever presses Ctrl-C while a question stands there has ended it, not at the next line.

use std::io::{BufRead, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use pipeline::PipelineError;

use crate::CANCELLED;

/// How often it is looked whether somebody wants to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Lines of the input, one after the other.
pub(super) struct Lines(Receiver<std::io::Result<String>>);

impl Lines {
    /// Begins to read. The thread ends with the input, or with the program.
    pub(super) fn of_input() -> Self {
        let (say, lines) = channel();
        std::thread::spawn(move || {
            let typed = std::io::stdin().lock().lines();
            // Nobody listens any more when the questions are over.
            let _ = typed.map(|line| say.send(line)).take_while(Result::is_ok).count();
        });
        Self(lines)
    }

    /// Asks, and waits for the next line without the spaces around it; `None` at the end of the input.
    ///
    /// # Errors
    /// [`PipelineError::Cancelled`] after Ctrl-C; an input that cannot be read.
    pub(super) fn ask(&self, question: &str) -> anyhow::Result<Option<String>> {
        eprint!("{question} ");
        std::io::stderr().flush()?;
        loop {
            match self.0.recv_timeout(LOOK) {
                Ok(line) => return Ok(Some(line?.trim().to_owned())),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if CANCELLED.load(Ordering::Relaxed) => {
                    eprintln!();
                    return Err(PipelineError::Cancelled.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
