//! Whether what an audit expects of its advice is what it brings.
//!
//! Faults are planted into few examples: wrong labels, copies of a class, a rule that two people apply differently. The audit says
//! what its advice is worth; then a person who knows the truth follows it, and a head taught by the labels before and after is asked
//! about held-out examples.

mod classes;
mod planted;
mod values;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use pipeline::{Audit, AuditRequest, Fault, Gain, Run, Source, audit};

use crate::table::home;
use crate::task;

const DRAWS: usize = 5;
/// Least share of the advice whose gain lies in the interval, widened by what a test set of this size cannot tell.
const FLOOR: f64 = 0.8;
const NORMAL: f64 = 1.96;

/// What was expected and what it brought.
#[derive(Debug, Clone, Copy)]
struct Pair {
    expected: Gain,
    brought: f64,
    /// Standard error of what it brought, by the test examples.
    error: f64,
}

impl Pair {
    /// By how much more right each test example is answered.
    fn new(expected: Gain, changes: &[f64]) -> Self {
        let n = changes.len() as f64;
        let brought = changes.iter().sum::<f64>() / n;
        let squares: f64 = changes.iter().map(|change| (change - brought).powi(2)).sum();
        Self { expected, brought, error: (squares.max(1.0) / n / n).sqrt() }
    }

    fn is_inside(self) -> bool {
        let half = (self.expected.high - self.expected.low) / 2.0;
        (self.brought - self.expected.value).abs() <= half.hypot(NORMAL * self.error)
    }
}

/// How much advice there was, and how much of it came true.
#[derive(Default)]
struct Counted {
    inside: usize,
    all: usize,
    /// Whether one kind of advice was never given.
    silent: bool,
}

impl Counted {
    /// Prints one kind of advice on one set.
    #[allow(clippy::print_stdout, reason = "printing is what this program is for")]
    fn line(&mut self, name: &str, planted: &str, advice: &str, pairs: &[Pair]) {
        if pairs.is_empty() {
            self.silent = true;
            println!("{name:<28} {planted:<10} {advice:<14} nothing was advised");
            return;
        }
        let mean = |of: &dyn Fn(&Pair) -> f64| 100.0 * pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        let good = pairs.iter().filter(|pair| pair.is_inside()).count();
        println!(
            "{name:<28} {planted:<10} {advice:<14} {:>+9.2} {:>+9.2} {:>9}",
            mean(&|pair| pair.expected.value),
            mean(&|pair| pair.brought),
            format!("{good}/{}", pairs.len())
        );
        (self.inside, self.all) = (self.inside + good, self.all + pairs.len());
    }
}

/// Every task and plant; whether enough lies in its interval.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    println!(
        "{:<28} {:<10} {:<14} {:>9} {:>9} {:>9}   points",
        "set", "planted", "advice", "expected", "brought", "inside"
    );
    let mut counted = Counted::default();
    classes::print(&tasks, data, &mut counted)?;
    values::print(&tasks, data, &mut counted)?;
    let Counted { inside, all, silent } = counted;
    println!("{inside} of {all} inside (floor {FLOOR})");
    Ok(!silent && f64::from(u32::try_from(inside)?) >= FLOOR * all as f64)
}

/// What an audit says that looks for one kind of fault in the table of a folder.
fn audited(folder: &Path, fault: Fault) -> anyhow::Result<Audit> {
    let request = AuditRequest {
        source: Source::at(folder.join("table.csv")),
        base: None,
        skip: Fault::ALL.into_iter().filter(|other| *other != fault).collect(),
        rules: None,
        seed: 0,
    };
    Ok(audit(&home()?, &request, &Run::new(&|_| {}, &AtomicBool::new(false)))?)
}
