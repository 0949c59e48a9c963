//! Labels that are sets, and numbers: what is wrong is the label of another example, and `dianjing tune` is asked what it brings to
//! learn from the right one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail, ensure};
use dataset::{Content, Dataset, Modality, ReadOptions, Sense, Target};
use linalg::{Seed, random};
use pipeline::{Action, Fault};
use tune::{Targets, TuneConfig, TuneInput, tune};

use super::planted::{Line, write};
use super::{Counted, DRAWS, Pair, audited};
use crate::run::{pick, tables};
use crate::table::{Table, read};
use crate::task::Task;

/// Share of labels that are wrong.
const NOISE: [(f64, &str); 2] = [(0.05, "5 % wrong"), (0.15, "15 % wrong")];
/// Grey level from which a pixel of a garment before black belongs to it.
const CLOTH: u8 = 32;

/// What is asked, of which task, as it is printed, and how many examples of each class of the task there are.
const ASKED: [(Asked, &str, &str, usize); 2] = [
    (Asked::Intents, "crosswoz domain, multilingual-E5", "intents (Jaccard)", 40),
    (Asked::Cloth, "fashion_mnist_tiny, Lite2", "share of cloth (R2)", 20),
];

#[derive(Debug, Clone, Copy)]
enum Asked {
    /// What somebody wants, of a text.
    Intents,
    /// How much of a picture the garment covers, in hundredths.
    Cloth,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    /// Ascending.
    Set(Vec<u32>),
    Number(f64),
}

/// Examples with what is right of each.
struct Part {
    table: Table,
    right: Vec<Value>,
}

/// Both questions with both shares of noise.
pub(super) fn print(tasks: &[Task], data: &Path, counted: &mut Counted) -> anyhow::Result<()> {
    for (asked, name, printed, shots) in ASKED {
        let task = tasks.iter().find(|task| task.name == name).context("a task has gone")?;
        let (train, test) = tables(task, data)?;
        let examples = asked.read(task, &data.join(&task.train))?;
        let names = examples.classes().to_vec();
        let train = Part { right: asked.right(&examples, &names)?, table: train };
        let held_out = asked.read(task, &data.join(&task.test))?;
        let test = Part { right: asked.right(&held_out, &names)?, table: test };
        ensure!(
            train.right.len() == train.table.n() && test.right.len() == test.table.n(),
            "rows do not match"
        );
        for (share, planted) in NOISE {
            let pairs = (0..DRAWS)
                .map(|draw| relabelled(&train, &test, &examples, &names, (share, shots, draw)))
                .collect::<anyhow::Result<Vec<_>>>()?;
            counted.line(printed, planted, "relabel", &pairs.concat());
        }
    }
    Ok(())
}

impl Asked {
    fn read(self, task: &Task, path: &Path) -> anyhow::Result<Dataset> {
        let Self::Intents = self else { return read(task, path) };
        let text = Sense { name: "text".to_owned(), modality: Modality::Text };
        let options =
            ReadOptions { contents: vec![text], label: Some("intents".to_owned()), ..ReadOptions::default() };
        Ok(dataset::read(path, &options)?.0)
    }

    /// `[n]`; sets by their place in `names`.
    fn right(self, data: &Dataset, names: &[String]) -> anyhow::Result<Vec<Value>> {
        let place = |name: &String| names.iter().position(|known| known == name).map(|at| at as u32);
        let mut right = Vec::new();
        for example in &data.examples {
            right.push(match (&example.target, &example.content) {
                (Target::Classes(set), _) => {
                    let mut set: Vec<u32> =
                        set.iter().filter_map(|class| place(&data.classes()[class.0 as usize])).collect();
                    set.sort_unstable();
                    Value::Set(set)
                }
                (Target::Class(_), Content::Image(path)) => Value::Number(covered(path)?),
                _ => bail!("`{}` has neither labels nor a picture", example.id),
            });
        }
        Ok(right)
    }
}

/// Hundredths of a picture that are brighter than its black ground.
fn covered(path: &Path) -> anyhow::Result<f64> {
    let grey = image::open(path)?.to_luma8();
    let cloth = grey.pixels().filter(|pixel| pixel.0[0] > CLOTH).count();
    Ok(100.0 * cloth as f64 / f64::from(grey.width() * grey.height()))
}

/// What relabelling is expected to bring in one draw, and what it brings.
fn relabelled(
    train: &Part,
    test: &Part,
    examples: &Dataset,
    names: &[String],
    (share, shots, draw): (f64, usize, usize),
) -> anyhow::Result<Vec<Pair>> {
    let rows = pick(&train.table, shots, draw);
    let right: Vec<Value> = rows.iter().map(|row| train.right[*row].clone()).collect();
    let given = exchanged(&right, share, draw);
    let folder = tempfile::tempdir()?;
    let lines = rows.iter().zip(&given).map(|(row, value)| Line {
        row: *row,
        label: value.written(names),
        by: "ann",
    });
    write(folder.path(), examples, lines)?;
    let audit = audited(folder.path(), Fault::Label)?;
    let mut then = given.clone();
    for place in
        audit.findings.iter().filter(|found| found.fault == Fault::Label).flat_map(|found| &found.rows)
    {
        then[*place] = right[*place].clone();
    }
    let learned = train.table.select(&rows);
    let [before, after] = [given, then].map(|values| marks(&learned, &values, names.len(), test));
    let (before, after) = (before?, after?);
    let changes: Vec<f64> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
    let advice = audit.advice.iter().filter(|advice| advice.action == Action::Relabel);
    Ok(advice.map(|advice| Pair::new(advice.gain, &changes)).collect())
}

/// This share of the answers has changed places with one another, each with one that differs.
fn exchanged(right: &[Value], share: f64, draw: usize) -> Vec<Value> {
    let mut rng = Seed(draw as u64).derive("exchanged").rng();
    let mut given = right.to_vec();
    let count = (share * right.len() as f64).round() as usize;
    for place in random::sample_without_replacement(right.len(), count, &mut rng) {
        while given[place] == right[place] {
            given[place] = right[random::below(&mut rng, right.len())].clone();
        }
    }
    given
}

impl Value {
    /// As a table has it. A bar parts the labels of a set, so that none may have one in its name.
    fn written(&self, names: &[String]) -> String {
        match self {
            Self::Set(set) => {
                let labels = set.iter().map(|class| names[*class as usize].replace('|', "-"));
                labels.collect::<Vec<_>>().join("|")
            }
            Self::Number(number) => format!("{number:.2}"),
        }
    }
}

/// `[n]` of the test part: how right a head is that learned these values (1: as right as can be).
fn marks(table: &Table, values: &[Value], n_classes: usize, test: &Part) -> anyhow::Result<Vec<f64>> {
    let sets: Vec<Vec<u32>> = values
        .iter()
        .filter_map(|value| if let Value::Set(set) = value { Some(set.clone()) } else { None })
        .collect();
    let numbers: Vec<f64> = values
        .iter()
        .filter_map(|value| if let Value::Number(number) = value { Some(*number) } else { None })
        .collect();
    let targets = if numbers.is_empty() {
        Targets::Multi { labels: &sets, n_classes }
    } else {
        Targets::Numbers(&numbers)
    };
    let groups: Vec<u32> = (0..table.n() as u32).collect();
    let input = TuneInput { features: &table.sets, texts: table.texts.as_deref(), targets, groups: &groups };
    let head = tune(input, &TuneConfig::default().check()?, Seed(0), &AtomicBool::new(false))?.head;
    let of_test = |row: usize| {
        let sets: BTreeMap<&str, &[f32]> =
            test.table.sets.iter().map(|set| (set.name.as_str(), set.x.row(row))).collect();
        head.logits(&sets, test.table.texts.as_ref().map(|texts| texts[row].as_str()))
    };
    let spread = spread(&test.right);
    let mark = |row: usize| match &test.right[row] {
        Value::Number(right) => 1.0 - (of_test(row)[0] - right).powi(2) / spread,
        Value::Set(right) => {
            let answer: Vec<u32> =
                (0..).zip(of_test(row)).filter(|(_, odds)| *odds > 0.0).map(|(class, _)| class).collect();
            let both = answer.iter().filter(|class| right.contains(class)).count();
            both as f64 / (answer.len() + right.len() - both).max(1) as f64
        }
    };
    Ok((0..test.table.n()).map(mark).collect())
}

/// Variance of the numbers.
fn spread(right: &[Value]) -> f64 {
    let numbers: Vec<f64> = right
        .iter()
        .filter_map(|value| if let Value::Number(number) = value { Some(*number) } else { None })
        .collect();
    let n = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / n
}
