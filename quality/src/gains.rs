//! Whether what an audit expects of its advice is what it brings.
//!
//! Some labels of few examples are made wrong. The audit says what relabelling its findings, and collecting more of a class, is
//! worth; then a person who knows the truth does it, and a head taught by the labels before and after is asked about held-out
//! examples.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use dataset::{Content, Dataset};
use linalg::{Seed, random};
use pipeline::{Action, Audit, AuditRequest, Fault, Gain, Run, Source, audit};

use crate::run::{pick, tables};
use crate::selection::Fitted;
use crate::table::{Table, home, read};
use crate::task::{self, Task};

/// The task, and how many examples of each class there are.
const TASKS: [(&str, usize); 2] = [("clothing", 20), ("banking77, MiniLM", 10)];
/// Share of labels that are made wrong.
const NOISES: [f64; 2] = [0.05, 0.15];
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
    fn is_inside(self) -> bool {
        let half = (self.expected.high - self.expected.low) / 2.0;
        (self.brought - self.expected.value).abs() <= half.hypot(NORMAL * self.error)
    }
}

/// Every task and noise; whether enough lies in its interval.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    println!(
        "{:<28} {:<10} {:<14} {:>9} {:>9} {:>9}   points of accuracy",
        "set", "wrong", "advice", "expected", "brought", "inside"
    );
    let (mut inside, mut all) = (0, 0);
    for (name, shots) in TASKS {
        let task: &Task = tasks.iter().find(|task| task.name.starts_with(name)).context("a task has gone")?;
        let (train, test) = tables(task, data)?;
        let examples = read(task, &data.join(&task.train))?;
        for noise in NOISES {
            let (mut relabelled, mut collected) = (Vec::new(), Vec::new());
            for draw in 0..DRAWS {
                let study = Study::new(&train, &test, &examples, shots, noise, draw)?;
                relabelled.extend(study.relabel());
                collected.extend(study.collect());
            }
            for (advice, pairs) in [("relabel", relabelled), ("collect more", collected)] {
                let mean = |of: &dyn Fn(&Pair) -> f64| {
                    100.0 * pairs.iter().map(of).sum::<f64>() / pairs.len() as f64
                };
                let good = pairs.iter().filter(|pair| pair.is_inside()).count();
                println!(
                    "{name:<28} {:<10} {advice:<14} {:>+9.2} {:>+9.2} {:>9}",
                    format!("{:.0} %", 100.0 * noise),
                    mean(&|pair| pair.expected.value),
                    mean(&|pair| pair.brought),
                    format!("{good}/{}", pairs.len())
                );
                (inside, all) = (inside + good, all + pairs.len());
            }
        }
    }
    println!("{inside} of {all} inside (floor {FLOOR})");
    Ok(f64::from(u32::try_from(inside)?) >= FLOOR * all as f64)
}

/// A few examples, some labels of which are wrong, with what the audit says.
struct Study<'a> {
    train: &'a Table,
    test: &'a Table,
    /// Rows of the training table.
    rows: Vec<usize>,
    /// Their labels, as they were made.
    given: Vec<u32>,
    classes: Vec<String>,
    audit: Audit,
}

impl<'a> Study<'a> {
    fn new(
        train: &'a Table,
        test: &'a Table,
        examples: &Dataset,
        shots: usize,
        noise: f64,
        draw: usize,
    ) -> anyhow::Result<Self> {
        let rows = pick(train, shots, draw);
        let mut given: Vec<u32> = rows.iter().map(|row| train.labels[*row]).collect();
        let mut rng = Seed(draw as u64).derive("noise").rng();
        let count = (noise * rows.len() as f64).round() as usize;
        for place in random::sample_without_replacement(rows.len(), count, &mut rng) {
            let step = 1 + random::below(&mut rng, train.n_classes - 1);
            given[place] = ((given[place] as usize + step) % train.n_classes) as u32;
        }
        let classes = examples.classes().to_vec();
        let file = std::env::temp_dir().join("dianjing-gains.csv");
        write(&file, examples, &rows, |place| &classes[given[place] as usize])?;
        let request = AuditRequest {
            source: Source::at(file),
            base: None,
            skip: Fault::ALL.into_iter().filter(|fault| *fault != Fault::Label).collect(),
            rules: None,
            seed: 0,
        };
        let cancelled = AtomicBool::new(false);
        let audit = audit(&home()?, &request, &Run::new(&|_| {}, &cancelled))?;
        Ok(Self { train, test, rows, given, classes, audit })
    }

    /// A person looks at all that is flagged, and knows.
    fn relabel(&self) -> Option<Pair> {
        let advice = self.audit.advice.iter().find(|advice| advice.action == Action::Relabel)?;
        let mut labels = self.given.clone();
        let flagged = self.audit.findings.iter().filter(|finding| finding.fault == Fault::Label);
        for place in flagged.flat_map(|finding| &finding.rows) {
            labels[*place] = self.train.labels[self.rows[*place]];
        }
        Some(self.pair(advice.gain, &self.rows, &labels))
    }

    /// As many more of each class as were advised, with the right label.
    fn collect(&self) -> Vec<Pair> {
        let advice = self.audit.advice.iter().filter(|advice| advice.action == Action::CollectMore);
        let pair = |advice: &pipeline::Advice| {
            let class = self.classes.iter().position(|name| Some(name) == advice.class.as_ref())? as u32;
            let more = (0..self.train.n())
                .filter(|row| self.train.labels[*row] == class && !self.rows.contains(row))
                .take(advice.n)
                .collect::<Vec<_>>();
            let (mut rows, mut labels) = (self.rows.clone(), self.given.clone());
            labels.extend(more.iter().map(|_| class));
            rows.extend(&more);
            Some(self.pair(advice.gain, &rows, &labels))
        };
        advice.filter_map(pair).collect()
    }

    /// What the other labels bring on held-out examples.
    fn pair(&self, expected: Gain, rows: &[usize], labels: &[u32]) -> Pair {
        let right = |rows: &[usize], labels: &[u32]| {
            let mut table = self.train.select(rows);
            table.labels = labels.to_vec();
            Fitted::new(&table, &vec![true; rows.len()]).right(self.test)
        };
        let (before, after) = (right(&self.rows, &self.given), right(rows, labels));
        let n = self.test.n() as f64;
        let change =
            |(before, after): (&bool, &bool)| f64::from(u8::from(*after)) - f64::from(u8::from(*before));
        let changes: Vec<f64> = before.iter().zip(&after).map(change).collect();
        let brought = changes.iter().sum::<f64>() / n;
        let squares: f64 = changes.iter().map(|change| (change - brought).powi(2)).sum();
        Pair { expected, brought, error: (squares.max(1.0) / n / n).sqrt() }
    }
}

fn write<'a>(
    file: &Path,
    examples: &Dataset,
    rows: &[usize],
    label: impl Fn(usize) -> &'a String,
) -> anyhow::Result<()> {
    let mut table = csv::Writer::from_path(file)?;
    let is_text = matches!(examples.examples.first().map(|example| &example.content), Some(Content::Text(_)));
    table.write_record([if is_text { "text" } else { "image" }, "label"])?;
    for (place, row) in rows.iter().enumerate() {
        let content = match &examples.examples[*row].content {
            Content::Text(text) => text.clone(),
            Content::Image(path) | Content::Sound(path) | Content::Video(path) | Content::Series(path) => {
                std::path::absolute(path)?.to_string_lossy().into_owned()
            }
            Content::Piece(..) | Content::Senses(_) => {
                anyhow::bail!("these sets have one sense, in whole files")
            }
        };
        table.write_record([&content, label(place)])?;
    }
    Ok(table.flush()?)
}
