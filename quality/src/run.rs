//! Runs a task: the product's own reader, features, tuning, on draws of some labels per class.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use base::catalogue::Catalogue;
use base::extract::extract;
use base::open::{Base, EngineChoice};
use base::pull::PullOptions;
use dataset::{Content, Dataset, ReadOptions, Target};
use linalg::{Matrix, Seed, random};
use pipeline::{Home, Run};
use store::VectorStore;
use tune::{FeatureSet, Targets, TuneConfig, TuneInput, tune};

use crate::task::Task;

/// Draws per number of labels.
const DRAWS: usize = 5;

/// One line of the table.
pub(crate) struct Row {
    pub(crate) labels: String,
    /// Mean over draws.
    pub(crate) accuracy: f64,
    /// Interval: of the mean over draws and test examples together.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) floor: Option<f64>,
}

/// Features of one data set.
struct Table {
    sets: Vec<FeatureSet>,
    texts: Option<Vec<String>>,
    labels: Vec<u32>,
}

pub(crate) fn run(task: &Task, data: &Path) -> anyhow::Result<Vec<Row>> {
    let cache = std::env::var_os("DIANJING_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache/dianjing")));
    let home = Home {
        cache: cache.context("neither DIANJING_CACHE nor a home folder is known")?,
        catalogue: Catalogue::builtin(),
        pull: PullOptions::default(),
        engine: EngineChoice::Auto,
    };
    let cancelled = AtomicBool::new(false);
    let base = home.open_base(&task.base, &Run::new(&|_| {}, &cancelled))?;
    let (train_set, test_set) = (read(task, &data.join(&task.train))?, read(task, &data.join(&task.test))?);
    let classes = train_set.classes().to_vec();
    let (train, test) =
        (table(&home, &base, &train_set, &classes)?, table(&home, &base, &test_set, &classes)?);
    task.floors
        .iter()
        .map(|floor| {
            let draws = if floor.shots == 0 { 1 } else { DRAWS };
            let accuracies: Vec<f64> = (0..draws)
                .map(|draw| one(&train, &test, classes.len(), floor.shots, draw))
                .collect::<Result<_, _>>()?;
            let mean = accuracies.iter().sum::<f64>() / draws as f64;
            let between = accuracies.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
                / (draws * draws.max(2).saturating_sub(1)) as f64;
            let half = 1.96 * (between + mean * (1.0 - mean) / test.labels.len() as f64).sqrt();
            let labels = if floor.shots == 0 {
                format!("all {}", train.labels.len())
            } else {
                format!("{}/class", floor.shots)
            };
            Ok(Row { labels, accuracy: mean, low: mean - half, high: mean + half, floor: floor.accuracy })
        })
        .collect()
}

fn read(task: &Task, path: &Path) -> anyhow::Result<Dataset> {
    if !path.exists() {
        bail!("the data is missing: `{}`", path.display());
    }
    let options =
        ReadOptions { text: task.text.clone(), label: task.label.clone(), ..ReadOptions::default() };
    Ok(dataset::read(path, &options)?.0)
}

fn table(home: &Home, base: &Base, data: &Dataset, classes: &[String]) -> anyhow::Result<Table> {
    let store = VectorStore::open(&home.cache.join("features").join(base.hash().to_string()), base.dim())?;
    let examples: Vec<&dataset::Example> =
        data.examples.iter().filter(|example| example.target != Target::Unlabelled).collect();
    let (features, problems) = extract(base, &examples, &store, &AtomicBool::new(false), &|_| {})?;
    if let Some(problem) = problems.first() {
        bail!("{problem}");
    }
    let rows: Vec<Vec<f32>> = features.rows.into_iter().flatten().collect();
    let mut start = 0;
    let sets = base
        .layout()
        .iter()
        .map(|set| {
            let values: Vec<Vec<f32>> = rows.iter().map(|row| row[start..start + set.dim].to_vec()).collect();
            start += set.dim;
            FeatureSet { name: set.name.clone(), x: Matrix::from_rows(&values) }
        })
        .collect();
    let text = |example: &&dataset::Example| {
        if let Content::Text(text) = &example.content { Some(text.clone()) } else { None }
    };
    let label = |example: &&dataset::Example| {
        let Target::Class(class) = example.target else { bail!("`{}` has no class", example.id) };
        let name = &data.classes()[class.0 as usize];
        classes
            .iter()
            .position(|known| known == name)
            .map(|place| place as u32)
            .with_context(|| format!("class `{name}` is only in the test set"))
    };
    Ok(Table {
        sets,
        texts: examples.iter().map(text).collect(),
        labels: examples.iter().map(label).collect::<Result<_, _>>()?,
    })
}

/// One draw: some labels per class teach, the whole test set judges.
fn one(train: &Table, test: &Table, n_classes: usize, shots: usize, draw: usize) -> anyhow::Result<f64> {
    let rows = pick(&train.labels, n_classes, shots, draw);
    let features: Vec<FeatureSet> = train
        .sets
        .iter()
        .map(|set| FeatureSet { name: set.name.clone(), x: set.x.select_rows(&rows) })
        .collect();
    let texts: Option<Vec<String>> =
        train.texts.as_ref().map(|texts| rows.iter().map(|row| texts[*row].clone()).collect());
    let labels: Vec<u32> = rows.iter().map(|row| train.labels[*row]).collect();
    let groups: Vec<u32> = (0..rows.len() as u32).collect();
    let targets = Targets::Single { labels: &labels, n_classes };
    let input = TuneInput { features: &features, texts: texts.as_deref(), targets, groups: &groups };
    let tuned = tune(input, &TuneConfig::default().check()?, Seed(draw as u64))?;
    let right = (0..test.labels.len()).filter(|row| {
        let sets: BTreeMap<&str, &[f32]> =
            test.sets.iter().map(|set| (set.name.as_str(), set.x.row(*row))).collect();
        let logits = tuned.head.logits(&sets, test.texts.as_ref().map(|texts| texts[*row].as_str()));
        (0..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best })
            == test.labels[*row] as usize
    });
    let accuracy = right.count() as f64 / test.labels.len() as f64;
    if std::env::var_os("QUALITY_RECIPES").is_some() {
        eprintln!("  {shots}/class, draw {draw}: {} -> {accuracy:.4}", tuned.recipe.name());
    }
    Ok(accuracy)
}

fn pick(labels: &[u32], n_classes: usize, shots: usize, draw: usize) -> Vec<usize> {
    if shots == 0 {
        return (0..labels.len()).collect();
    }
    let mut rng = Seed(draw as u64).derive("shots").rng();
    (0..n_classes)
        .flat_map(|class| {
            let members: Vec<usize> =
                (0..labels.len()).filter(|row| labels[*row] as usize == class).collect();
            random::sample_without_replacement(members.len(), shots, &mut rng)
                .into_iter()
                .map(|place| members[place])
                .collect::<Vec<_>>()
        })
        .collect()
}
