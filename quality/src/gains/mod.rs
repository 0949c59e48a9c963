//! Whether what an audit expects of its advice is what it brings.
//!
//! Faults are planted into few examples: wrong labels, copies of a class, a rule that two people apply differently. The audit says
//! what its advice is worth; then a person who knows the truth follows it, and a head taught by the labels before and after is asked
//! about held-out examples.

mod planted;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use dataset::Dataset;
use pipeline::{Action, Advice, Audit, AuditRequest, Fault, Gain, Run, Source, audit};

use self::planted::{Plant, Planted};
use crate::run::tables;
use crate::selection::Fitted;
use crate::table::{Table, home, read};
use crate::task::{self, Task};

/// The task, and how many examples of each class there are; where a rule is in conflict, three times as many.
const TASKS: [(&str, usize); 2] = [("clothing", 20), ("banking77, MiniLM", 10)];
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

/// What is planted, as it is printed, and the advice that is followed.
type Followed = (Plant, &'static str, &'static [(Action, &'static str)]);

const STUDIES: [Followed; 4] = [
    (Plant::Noise(0.05), "5 % wrong", &[(Action::Relabel, "relabel"), (Action::CollectMore, "collect more")]),
    (
        Plant::Noise(0.15),
        "15 % wrong",
        &[(Action::Relabel, "relabel"), (Action::CollectMore, "collect more")],
    ),
    (Plant::Copies, "copies", &[(Action::KeepOne, "keep one")]),
    (Plant::Rule, "two rules", &[(Action::DecideRule, "decide")]),
];

/// Every task and plant; whether enough lies in its interval.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn print(data: &Path) -> anyhow::Result<bool> {
    let tasks = task::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tasks"))?;
    println!(
        "{:<28} {:<10} {:<14} {:>9} {:>9} {:>9}   points of accuracy",
        "set", "planted", "advice", "expected", "brought", "inside"
    );
    let (mut inside, mut all, mut advised) = (0, 0, true);
    for (name, shots) in TASKS {
        let task: &Task = tasks.iter().find(|task| task.name.starts_with(name)).context("a task has gone")?;
        let (train, test) = tables(task, data)?;
        let examples = read(task, &data.join(&task.train))?;
        for (plant, planted, actions) in STUDIES {
            let studies = (0..DRAWS)
                .map(|draw| Study::new(&train, &test, &examples, plant, shots, draw))
                .collect::<anyhow::Result<Vec<_>>>()?;
            for (action, advice) in actions {
                let pairs: Vec<Pair> = studies.iter().flat_map(|study| study.pairs(*action)).collect();
                if pairs.is_empty() {
                    advised = false;
                    println!("{name:<28} {planted:<10} {advice:<14} nothing was advised");
                    continue;
                }
                let mean = |of: &dyn Fn(&Pair) -> f64| {
                    100.0 * pairs.iter().map(of).sum::<f64>() / pairs.len() as f64
                };
                let good = pairs.iter().filter(|pair| pair.is_inside()).count();
                println!(
                    "{name:<28} {planted:<10} {advice:<14} {:>+9.2} {:>+9.2} {:>9}",
                    mean(&|pair| pair.expected.value),
                    mean(&|pair| pair.brought),
                    format!("{good}/{}", pairs.len())
                );
                (inside, all) = (inside + good, all + pairs.len());
            }
        }
    }
    println!("{inside} of {all} inside (floor {FLOOR})");
    Ok(advised && f64::from(u32::try_from(inside)?) >= FLOOR * all as f64)
}

/// A few examples with faults, and what the audit says of them.
struct Study<'a> {
    train: &'a Table,
    test: &'a Table,
    planted: Planted,
    classes: Vec<String>,
    audit: Audit,
}

impl<'a> Study<'a> {
    fn new(
        train: &'a Table,
        test: &'a Table,
        examples: &Dataset,
        plant: Plant,
        shots: usize,
        draw: usize,
    ) -> anyhow::Result<Self> {
        let planted = Planted::new(train, plant, shots, draw);
        let classes = examples.classes().to_vec();
        let folder = tempfile::tempdir()?;
        planted.write(folder.path(), examples, &classes)?;
        let request = AuditRequest {
            source: Source::at(folder.path().join("table.csv")),
            base: None,
            skip: Fault::ALL.into_iter().filter(|fault| *fault != plant.fault()).collect(),
            rules: None,
            seed: 0,
        };
        let cancelled = AtomicBool::new(false);
        let audit = audit(&home()?, &request, &Run::new(&|_| {}, &cancelled))?;
        Ok(Self { train, test, planted, classes, audit })
    }

    /// What each advice of this kind promises and brings.
    fn pairs(&self, action: Action) -> Vec<Pair> {
        let advice = self.audit.advice.iter().filter(|advice| advice.action == action);
        advice.filter_map(|advice| Some(self.pair(advice.gain, &self.followed(advice)?))).collect()
    }

    /// Rows of the training table with their labels, after a person who knows has followed the advice.
    fn followed(&self, advice: &Advice) -> Option<Vec<(usize, u32)>> {
        let truth = |row: usize| self.train.labels[row];
        let mut given = self.planted.given.clone();
        let found = self.audit.findings.iter();
        match advice.action {
            Action::Relabel => {
                for place in found.filter(|found| found.fault == Fault::Label).flat_map(|found| &found.rows) {
                    given[*place].1 = truth(given[*place].0);
                }
            }
            Action::DecideRule => {
                for place in
                    found.filter(|found| Some(found.number) == advice.finding).flat_map(|found| &found.rows)
                {
                    given[*place].1 = truth(given[*place].0);
                }
            }
            Action::KeepOne => {
                let copies = found.filter(|found| found.action == Action::KeepOne);
                let copies: Vec<usize> = copies.flat_map(|found| found.rows[1..].to_vec()).collect();
                let mut place = 0..;
                given.retain(|_| !copies.contains(&place.next().expect("places do not end")));
            }
            Action::CollectMore => {
                let class = self.classes.iter().position(|name| Some(name) == advice.class.as_ref())? as u32;
                let is_new = |row: &usize| given.iter().all(|(known, _)| known != row);
                let more = (0..self.train.n()).filter(|row| truth(*row) == class).filter(is_new);
                let more: Vec<(usize, u32)> = more.take(advice.n).map(|row| (row, class)).collect();
                given.extend(more);
            }
            _ => return None,
        }
        Some(given)
    }

    /// What other examples and labels bring on held-out examples.
    fn pair(&self, expected: Gain, then: &[(usize, u32)]) -> Pair {
        let right = |given: &[(usize, u32)]| {
            let rows: Vec<usize> = given.iter().map(|(row, _)| *row).collect();
            let mut table = self.train.select(&rows);
            table.labels = given.iter().map(|(_, label)| *label).collect();
            Fitted::new(&table, &vec![true; rows.len()]).right(self.test)
        };
        let (before, after) = (right(&self.planted.given), right(then));
        let n = self.test.n() as f64;
        let change =
            |(before, after): (&bool, &bool)| f64::from(u8::from(*after)) - f64::from(u8::from(*before));
        let changes: Vec<f64> = before.iter().zip(&after).map(change).collect();
        let brought = changes.iter().sum::<f64>() / n;
        let squares: f64 = changes.iter().map(|change| (change - brought).powi(2)).sum();
        Pair { expected, brought, error: (squares.max(1.0) / n / n).sqrt() }
    }
}
