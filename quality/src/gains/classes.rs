//! Labels that are one class: wrong ones, copies, and a rule that two people apply differently.

use std::path::Path;

use anyhow::Context;
use dataset::Dataset;
use pipeline::{Action, Advice, Audit, Fault, Gain};

use super::planted::{Plant, Planted, write};
use super::{Counted, DRAWS, Pair, audited};
use crate::run::tables;
use crate::selection::Fitted;
use crate::table::{Table, read};
use crate::task::Task;

/// The task, and how many examples of each class there are; where a rule is in conflict, three times as many.
const TASKS: [(&str, usize); 2] = [("clothing", 20), ("banking77, MiniLM", 10)];

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

/// Every task and plant.
pub(super) fn print(tasks: &[Task], data: &Path, counted: &mut Counted) -> anyhow::Result<()> {
    for (name, shots) in TASKS {
        let task = tasks.iter().find(|task| task.name.starts_with(name)).context("a task has gone")?;
        let (train, test) = tables(task, data)?;
        let examples = read(task, &data.join(&task.train))?;
        for (plant, planted, actions) in STUDIES {
            let studies = (0..DRAWS)
                .map(|draw| Study::new(&train, &test, &examples, plant, shots, draw))
                .collect::<anyhow::Result<Vec<_>>>()?;
            for (action, advice) in actions {
                let pairs: Vec<Pair> = studies.iter().flat_map(|study| study.pairs(*action)).collect();
                counted.line(name, planted, advice, &pairs);
            }
        }
    }
    Ok(())
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
        write(folder.path(), examples, planted.lines(&classes))?;
        let audit = audited(folder.path(), plant.fault())?;
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
        let change =
            |(before, after): (&bool, &bool)| f64::from(u8::from(*after)) - f64::from(u8::from(*before));
        Pair::new(expected, &before.iter().zip(&after).map(change).collect::<Vec<f64>>())
    }
}
