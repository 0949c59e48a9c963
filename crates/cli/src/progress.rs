//! Progress on a terminal: one bar with rate and remaining time. In a pipe nothing is drawn.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pipeline::{Event, Lang, Step, words};

/// Problems printed while running; the rest is counted, and all are in the report.
const SHOWN_PROBLEMS: usize = 10;

/// Draws the events of a run.
pub(crate) struct Progress {
    lang: Lang,
    quiet: bool,
    bar: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    step: Option<Step>,
    problems: usize,
}

impl Progress {
    /// Draws only if stderr is a terminal and the person did not ask for quiet.
    pub(crate) fn new(lang: Lang, quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { lang, quiet, bar: ProgressBar::with_draw_target(None, target), state: Mutex::default() }
    }

    /// Takes in one event.
    pub(crate) fn observe(&self, event: Event) {
        let mut state = self.state.lock().expect("no thread panics while it draws");
        match event {
            Event::Begin(step) => self.begin(&mut state, step),
            Event::Progress { done, total, cached, .. } => {
                self.bar.set_length(total);
                self.bar.set_position(done);
                if cached > 0 {
                    self.bar.set_message(
                        self.lang.pick(format!("{cached} from cache"), format!("{cached} 个来自缓存")),
                    );
                }
            }
            Event::Fetch { what, bytes, total } => {
                self.bar.set_style(style("{spinner} {msg} {bytes} / {total_bytes} {bytes_per_sec} {eta}"));
                self.bar.set_message(what);
                self.bar.set_length(total.unwrap_or(bytes));
                self.bar.set_position(bytes);
            }
            Event::End(_) => self.bar.set_message(""),
            Event::Problem(problem) => {
                state.problems += 1;
                if !self.quiet && state.problems <= SHOWN_PROBLEMS {
                    self.say(&format!(
                        "{}: {}",
                        self.lang.pick("note", "注意"),
                        words::problem(&problem, self.lang)
                    ));
                }
            }
        }
    }

    fn begin(&self, state: &mut State, step: Step) {
        state.step = Some(step);
        self.bar.reset();
        self.bar.set_prefix(words::step(step, self.lang));
        let counted = matches!(step, Step::Features);
        self.bar.set_style(style(if counted {
            "{prefix} {wide_bar} {pos}/{len} {per_sec} {eta} {msg}"
        } else {
            "{spinner} {prefix} {msg}"
        }));
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }

    /// Prints a line above the bar.
    fn say(&self, line: &str) {
        if self.bar.is_hidden() {
            eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
    }

    /// Takes the bar away and counts the problems that were not printed.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
        let problems = self.state.lock().expect("no thread panics while it draws").problems;
        if !self.quiet && problems > SHOWN_PROBLEMS {
            let more = problems - SHOWN_PROBLEMS;
            eprintln!(
                "{}",
                self.lang.pick(
                    match more {
                        1 => "note: 1 more problem, listed in the report".to_owned(),
                        _ => format!("note: {more} more problems, all listed in the report"),
                    },
                    format!("注意：还有 {more} 个问题，全部列在报告中")
                )
            );
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates in this file are well-formed")
        .progress_chars("━╸─")
}
