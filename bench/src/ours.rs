//! Our side of each comparison.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use base::Base;
use base::engine::native::NativeEngine;
use base::engine::{Engine, NetInput};
use base::extract::extract;
use base::prep::{Preprocess, decode, image_input};
use dataset::{Content, Dataset, Example, Modality, ReadOptions, Target};
use linalg::{Matrix, Seed};
use pipeline::{Home, Run};
use rayon::prelude::*;
use store::VectorStore;
use tune::{FeatureSet, Targets, TuneConfig, TuneInput, tune};

use crate::Told;

/// Times each of these; the median of this many runs counts.
const RUNS: usize = 3;
/// Texts that are timed.
const TEXTS: usize = 2000;
/// The base of the pictures.
const LITE2: &str = "efficientnet-lite2";
/// Pictures in a batch of the network alone.
const BATCH: usize = 16;

/// The median time of doing `n` things, and the most memory that this process held.
pub(crate) fn measure(n: usize, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Told> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        work()?;
        times.push(started.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let seconds = times[RUNS / 2];
    Ok(Told { seconds, per_second: n as f64 / seconds, peak_rss_bytes: peak()?, answer: None })
}

/// The time of doing `n` things once, where that takes minutes, and the most memory that this process held.
pub(crate) fn once(n: usize, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Told> {
    let started = Instant::now();
    work()?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(Told { seconds, per_second: n as f64 / seconds, peak_rss_bytes: peak()?, answer: None })
}

/// The high-water mark of resident memory, as the kernel keeps it.
fn peak() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("peak memory is read from /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

pub(crate) fn home() -> anyhow::Result<Home> {
    Home::by_default().context("neither DIANJING_CACHE nor a home folder is known")
}

pub(crate) fn base(id: &str) -> anyhow::Result<Arc<Base>> {
    let cancelled = AtomicBool::new(false);
    Ok(home()?.open_base(id, &Run::new(&|_| {}, &cancelled))?)
}

/// Files or texts to features, with an empty cache each time; a second counts this many things of each.
pub(crate) fn features(id: &str, examples: &[&Example], things: usize) -> anyhow::Result<Told> {
    let base = base(id)?;
    measure(things * examples.len(), || {
        let cache = tempfile::tempdir()?;
        let store = VectorStore::open(cache.path(), base.dim())?;
        let (features, problems) = extract(&base, examples, &store, &AtomicBool::new(false), &|_| {})?;
        ensure!(
            problems.is_empty() && features.rows.iter().all(Option::is_some),
            "every example has features"
        );
        Ok(())
    })
}

/// The training and test pictures of clothing, as the peer takes them.
fn pictures(data: &Path) -> anyhow::Result<Vec<Example>> {
    let mut examples = Vec::new();
    for part in ["train", "test"] {
        let path = data.join("classification/clothing").join(part);
        examples.extend(dataset::read(&path, &ReadOptions::default())?.0.examples);
    }
    Ok(examples)
}

pub(crate) fn files(data: &Path) -> anyhow::Result<Told> {
    features(LITE2, &pictures(data)?.iter().collect::<Vec<_>>(), 1)
}

/// The network on pictures that are ready: one batch again and again, on both cores.
pub(crate) fn base_only(data: &Path) -> anyhow::Result<Told> {
    let examples = pictures(data)?;
    // Opening it fetches it where it is missing.
    drop(base(LITE2)?);
    let dir = home()?.cache.join("bases").join(LITE2);
    let (graph, weights) = base::open::network(&dir)?;
    let Preprocess::Image(preprocess) = base::open::preprocess_of(&dir)? else {
        bail!("`{LITE2}` takes no pictures");
    };
    let engine = NativeEngine::new(&graph, &weights)?;
    let pixels = |example: &Example| -> anyhow::Result<Vec<f32>> {
        let Content::Image(path) = &example.content else { bail!("`{}` is no picture", example.id) };
        Ok(image_input(&decode(&std::fs::read(path)?)?, &preprocess))
    };
    let ready: Vec<Vec<f32>> = examples[..BATCH].iter().map(pixels).collect::<Result<_, _>>()?;
    let batches = examples.len().div_ceil(BATCH);
    measure(batches * BATCH, || {
        for _ in 0..batches {
            ready.par_iter().try_for_each(|pixels| engine.run(NetInput::Image(pixels)).map(drop))?;
        }
        Ok(())
    })
}

fn texts(id: &str, data: &Path) -> anyhow::Result<Told> {
    let set = banking_set(data)?;
    features(id, &set.examples.iter().take(TEXTS).collect::<Vec<_>>(), 1)
}

fn banking_set(data: &Path) -> anyhow::Result<Dataset> {
    let options =
        ReadOptions { label: Some("category".into()), ..ReadOptions::content(Modality::Text, "text") };
    Ok(dataset::read(&data.join("text/banking77/train.csv"), &options)?.0)
}

pub(crate) fn minilm(data: &Path) -> anyhow::Result<Told> {
    texts("minilm-l6-en", data)
}

pub(crate) fn e5(data: &Path) -> anyhow::Result<Told> {
    texts("multilingual-e5-small", data)
}

/// GDA, logistic regression and selection on the pooled vectors of the clothing pictures.
pub(crate) fn clothing(data: &Path) -> anyhow::Result<Told> {
    let set = dataset::read(&data.join("classification/clothing/train"), &ReadOptions::default())?.0;
    tuning(LITE2, &set)
}

/// The same on the vectors of the banking texts.
pub(crate) fn banking(data: &Path) -> anyhow::Result<Told> {
    tuning("minilm-l6-en", &banking_set(data)?)
}

/// Tunes on the base's pooled vector, which is what the peer gets.
fn tuning(id: &str, set: &Dataset) -> anyhow::Result<Told> {
    let base = base(id)?;
    let cache = tempfile::tempdir()?;
    let store = VectorStore::open(cache.path(), base.dim())?;
    let examples: Vec<&Example> = set.examples.iter().collect();
    let (features, _) = extract(&base, &examples, &store, &AtomicBool::new(false), &|_| {})?;
    let pooled = &base.layout()[0];
    let rows: Vec<Vec<f32>> =
        features.rows.into_iter().flatten().map(|row| row[..pooled.dim].to_vec()).collect();
    let labels: Vec<u32> = set
        .examples
        .iter()
        .map(|example| match example.target {
            Target::Class(class) => Ok(class.0),
            _ => bail!("`{}` has no class", example.id),
        })
        .collect::<anyhow::Result<_>>()?;
    ensure!(rows.len() == labels.len(), "every example has features");
    let features = [FeatureSet { name: pooled.name.clone(), x: Matrix::from_rows(&rows) }];
    let (n_classes, groups) = (set.classes().len(), (0..rows.len() as u32).collect::<Vec<_>>());
    let config = TuneConfig::default().check()?;
    measure(1, || {
        let targets = Targets::Single { labels: &labels, n_classes };
        let input = TuneInput { features: &features, texts: None, targets, groups: &groups };
        let tuned = tune(input, &config, Seed(0), &AtomicBool::new(false))?;
        ensure!(tuned.candidates[tuned.chosen].score > 0.7, "the classes are told apart");
        Ok(())
    })
}
