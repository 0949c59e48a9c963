//! Few examples of a task, with faults that are known.

use std::path::Path;

use dataset::{Content, Dataset};
use linalg::{Seed, random, squared_distance};
use pipeline::Fault;

use crate::run::pick;
use crate::table::Table;

/// Copies of each example of the class that is copied.
const COPIES: usize = 3;
/// Examples that two rules speak about, and how many times as many there are of each class.
const REGION: usize = 24;
const MORE: usize = 3;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plant {
    /// This share of labels, at random.
    Noise(f64),
    /// The examples of one class stand there several times.
    Copies,
    /// Of examples of one class that look alike, one of two people calls every one by another class.
    Rule,
}

impl Plant {
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Noise(_) => Fault::Label,
            Self::Copies => Fault::Duplicate,
            Self::Rule => Fault::Conflict,
        }
    }
}

/// What is given to the audit.
pub(super) struct Planted {
    /// Rows of the training table, each with its label, right or not.
    pub(super) given: Vec<(usize, u32)>,
    /// Who labelled each.
    people: Vec<&'static str>,
}

impl Planted {
    pub(super) fn new(train: &Table, plant: Plant, shots: usize, draw: usize) -> Self {
        let shots = if plant == Plant::Rule { MORE * shots } else { shots };
        let mut given: Vec<(usize, u32)> =
            pick(train, shots, draw).into_iter().map(|row| (row, train.labels[row])).collect();
        let mut rng = Seed(draw as u64).derive("planted").rng();
        let k = train.n_classes;
        let class = random::below(&mut rng, k) as u32;
        let mut people: Vec<&str> = given.iter().map(|_| ["ann", "bo"][random::below(&mut rng, 2)]).collect();
        match plant {
            Plant::Noise(share) => {
                let count = (share * given.len() as f64).round() as usize;
                for place in random::sample_without_replacement(given.len(), count, &mut rng) {
                    let step = 1 + random::below(&mut rng, k - 1);
                    given[place].1 = ((given[place].1 as usize + step) % k) as u32;
                }
            }
            Plant::Copies => {
                let of_class: Vec<(usize, u32)> =
                    given.iter().copied().filter(|(_, label)| *label == class).collect();
                given.extend(of_class.repeat(COPIES));
                people.resize(given.len(), "ann");
            }
            Plant::Rule => {
                let (region, other) = region(train, &given, class);
                for place in region {
                    if people[place] == "bo" {
                        given[place].1 = other;
                    }
                }
            }
        }
        Self { given, people }
    }

    /// As a table has them.
    pub(super) fn lines<'a>(&'a self, classes: &'a [String]) -> impl Iterator<Item = Line> + 'a {
        let line = |(place, (row, label)): (usize, &(usize, u32))| Line {
            row: *row,
            label: classes[*label as usize].clone(),
            by: self.people[place],
        };
        self.given.iter().enumerate().map(line)
    }
}

/// An example with a label, right or not.
pub(super) struct Line {
    /// Which example.
    pub(super) row: usize,
    pub(super) label: String,
    /// Who gave it.
    pub(super) by: &'static str,
}

/// `table.csv`, and the pictures beside it: a table names no file twice.
pub(super) fn write(
    folder: &Path,
    examples: &Dataset,
    lines: impl Iterator<Item = Line>,
) -> anyhow::Result<()> {
    let mut table = csv::Writer::from_path(folder.join("table.csv"))?;
    let is_text = matches!(examples.examples.first().map(|example| &example.content), Some(Content::Text(_)));
    table.write_record([if is_text { "text" } else { "image" }, "label", "annotator"])?;
    for (place, Line { row, label, by }) in lines.enumerate() {
        let content = match &examples.examples[row].content {
            Content::Text(text) => text.clone(),
            Content::Image(path) => {
                let name = format!("{place}-{}", path.file_name().unwrap_or_default().to_string_lossy());
                std::fs::copy(path, folder.join(&name))?;
                name
            }
            _ => anyhow::bail!("these sets are of photos and texts"),
        };
        table.write_record([content.as_str(), &label, by])?;
    }
    Ok(table.flush()?)
}

/// The examples of a class that are most like its first one, and the class that is nearest to it.
fn region(train: &Table, given: &[(usize, u32)], class: u32) -> (Vec<usize>, u32) {
    let x = &train.sets[0].x;
    let first = given.iter().find(|(_, label)| *label == class).map_or(0, |(row, _)| *row);
    let distance = |place: usize| squared_distance(x.row(first), x.row(given[place].0));
    let mut order: Vec<usize> = (0..given.len()).collect();
    order.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    let other = order.iter().map(|place| given[*place].1).find(|label| *label != class).unwrap_or(class);
    (order.into_iter().filter(|place| given[*place].1 == class).take(REGION).collect(), other)
}
