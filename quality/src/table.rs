//! Features and labels of one data set, through the product's own reader and cache.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use base::extract::extract;
use base::open::Base;
use dataset::{Content, Dataset, Example, Modality, ReadOptions, Sense, Target};
use linalg::{Matrix, Seed};
use pipeline::Home;
use store::VectorStore;
use tune::{FeatureSet, Head, Targets, TuneConfig, TuneInput, Tuned, tune};

use crate::task::Task;

/// Labelled examples as tuning takes them.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) sets: Vec<FeatureSet>,
    pub(crate) texts: Option<Vec<String>>,
    pub(crate) labels: Vec<u32>,
    pub(crate) n_classes: usize,
}

/// Where bases and features are kept: the product's own cache.
pub(crate) fn home() -> anyhow::Result<Home> {
    Home::by_default().context("neither DIANJING_CACHE nor a home folder is known")
}

/// Reads one part of a task.
pub(crate) fn read(task: &Task, path: &Path) -> anyhow::Result<Dataset> {
    if !path.exists() {
        bail!("the data is missing: `{}`", path.display());
    }
    let options = ReadOptions {
        contents: task
            .text
            .iter()
            .map(|name| Sense { name: name.clone(), modality: Modality::Text })
            .collect(),
        label: task.label.clone(),
        ..ReadOptions::default()
    };
    Ok(dataset::read(path, &options)?.0)
}

impl Table {
    /// Features of every labelled example, kept below `features`; classes are numbered by `classes`.
    pub(crate) fn new(
        features: &Path,
        base: &Base,
        data: &Dataset,
        classes: &[String],
    ) -> anyhow::Result<Self> {
        let store = VectorStore::open(&features.join(base.hash().to_string()), base.dim())?;
        let examples: Vec<&Example> =
            data.examples.iter().filter(|example| example.target != Target::Unlabelled).collect();
        let (found, problems) = extract(base, &examples, &store, &AtomicBool::new(false), &|_| {})?;
        if let Some(problem) = problems.first() {
            bail!("{problem}");
        }
        let rows: Vec<Vec<f32>> = found.rows.into_iter().flatten().collect();
        let mut start = 0;
        let sets = base
            .layout()
            .iter()
            .map(|set| {
                let values: Vec<Vec<f32>> =
                    rows.iter().map(|row| row[start..start + set.dim].to_vec()).collect();
                start += set.dim;
                FeatureSet { name: set.name.clone(), x: Matrix::from_rows(&values) }
            })
            .collect();
        let text = |example: &&Example| {
            if let Content::Text(text) = &example.content { Some(text.clone()) } else { None }
        };
        let label = |example: &&Example| {
            let Target::Class(class) = example.target else { bail!("`{}` has no class", example.id) };
            let name = &data.classes()[class.0 as usize];
            let place = classes.iter().position(|known| known == name);
            place.map(|place| place as u32).with_context(|| format!("class `{name}` is only in the test set"))
        };
        Ok(Self {
            sets,
            texts: examples.iter().map(text).collect(),
            labels: examples.iter().map(label).collect::<Result<_, _>>()?,
            n_classes: classes.len(),
        })
    }

    pub(crate) fn n(&self) -> usize {
        self.labels.len()
    }

    /// Some rows, in the order given.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        Self {
            sets: self
                .sets
                .iter()
                .map(|set| FeatureSet { name: set.name.clone(), x: set.x.select_rows(rows) })
                .collect(),
            texts: self.texts.as_ref().map(|texts| rows.iter().map(|row| texts[*row].clone()).collect()),
            labels: rows.iter().map(|row| self.labels[*row]).collect(),
            n_classes: self.n_classes,
        }
    }

    /// The rows of both, this one's first.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let both = |(a, b): (&FeatureSet, &FeatureSet)| FeatureSet {
            name: a.name.clone(),
            x: Matrix::from_vec(a.x.rows() + b.x.rows(), a.x.cols(), [a.x.data(), b.x.data()].concat()),
        };
        Self {
            sets: self.sets.iter().zip(&other.sets).map(both).collect(),
            texts: self.texts.as_ref().zip(other.texts.as_ref()).map(|(a, b)| [&a[..], b].concat()),
            labels: [&self.labels[..], &other.labels].concat(),
            n_classes: self.n_classes,
        }
    }

    /// Tunes as the product does, every example a group of its own.
    pub(crate) fn tune(&self, seed: u64) -> anyhow::Result<Tuned> {
        let groups: Vec<u32> = (0..self.n() as u32).collect();
        let targets = Targets::Single { labels: &self.labels, n_classes: self.n_classes };
        let input =
            TuneInput { features: &self.sets, texts: self.texts.as_deref(), targets, groups: &groups };
        Ok(tune(input, &TuneConfig::default().check()?, Seed(seed), &AtomicBool::new(false))?)
    }

    /// Share of the rows that a head gets right.
    pub(crate) fn accuracy(&self, head: &Head) -> f64 {
        let right = (0..self.n()).filter(|row| {
            let sets: BTreeMap<&str, &[f32]> =
                self.sets.iter().map(|set| (set.name.as_str(), set.x.row(*row))).collect();
            let logits = head.logits(&sets, self.texts.as_ref().map(|texts| texts[*row].as_str()));
            (0..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best })
                == self.labels[*row] as usize
        });
        right.count() as f64 / self.n() as f64
    }
}
