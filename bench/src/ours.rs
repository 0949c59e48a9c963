//! Our side of each comparison.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, ensure};
use base::Base;
use base::catalogue::Catalogue;
use base::extract::extract;
use base::open::EngineChoice;
use base::pull::PullOptions;
use dataset::{Example, ReadOptions};
use linalg::{Matrix, Seed, random};
use pipeline::{Home, Run};
use store::VectorStore;
use tune::{FeatureSet, Targets, TuneConfig, TuneInput, tune};

use crate::Measured;

type Measure = fn(&Path) -> anyhow::Result<Vec<Measured>>;

/// Every group of measurements.
pub(crate) const ALL: [(&str, Measure); 3] = [("images", images), ("texts", texts), ("heads", heads)];

/// Times each of these; the median of this many runs counts.
const RUNS: usize = 3;

fn median(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut seconds = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        work()?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[RUNS / 2])
}

fn base(id: &str) -> anyhow::Result<Arc<Base>> {
    let cache = std::env::var_os("DIANJING_CACHE")
        .map(Into::into)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache/dianjing")));
    let home = Home {
        cache: cache.context("neither DIANJING_CACHE nor a home folder is known")?,
        catalogue: Catalogue::builtin(),
        pull: PullOptions::default(),
        engine: EngineChoice::Auto,
    };
    let cancelled = AtomicBool::new(false);
    Ok(home.open_base(id, &Run::new(&|_| {}, &cancelled))?)
}

/// Files or texts to features, with an empty cache each time.
fn features(base: &Base, examples: &[&Example]) -> anyhow::Result<f64> {
    median(|| {
        let cache = tempfile::tempdir()?;
        let store = VectorStore::open(cache.path(), base.dim())?;
        let (features, problems) = extract(base, examples, &store, &AtomicBool::new(false), &|_| {})?;
        ensure!(
            problems.is_empty() && features.rows.iter().all(Option::is_some),
            "every example has features"
        );
        Ok(())
    })
}

fn images(data: &Path) -> anyhow::Result<Vec<Measured>> {
    let (set, _) = dataset::read(&data.join("classification/clothing"), &ReadOptions::default())?;
    let examples: Vec<&Example> = set.examples.iter().collect();
    let seconds = features(&*base("efficientnet-lite2")?, &examples)?;
    Ok(vec![Measured {
        name: "features/clothing files, Lite2".into(),
        peer: vec!["images".into()],
        seconds,
        n: examples.len(),
    }])
}

fn texts(data: &Path) -> anyhow::Result<Vec<Measured>> {
    let options =
        ReadOptions { text: Some("text".into()), label: Some("category".into()), ..ReadOptions::default() };
    let (set, _) = dataset::read(&data.join("text/banking77/train.csv"), &options)?;
    let examples: Vec<&Example> = set.examples.iter().take(2000).collect();
    [("minilm-l6-en", "minilm"), ("multilingual-e5-small", "e5")]
        .into_iter()
        .map(|(id, peer)| {
            let seconds = features(&*base(id)?, &examples)?;
            let peer = ["texts", "--base", peer].map(String::from).to_vec();
            Ok(Measured {
                name: format!("features/2,000 banking77 texts, {id}"),
                peer,
                seconds,
                n: examples.len(),
            })
        })
        .collect()
}

fn heads(_: &Path) -> anyhow::Result<Vec<Measured>> {
    [(400, 1280, 10), (10_000, 384, 77)]
        .into_iter()
        .map(|(n, d, k)| {
            let (features, labels) = clouds(n, d, k);
            let groups: Vec<u32> = (0..n as u32).collect();
            let config = TuneConfig::default().check()?;
            let seconds = median(|| {
                let input = TuneInput {
                    features: &features,
                    texts: None,
                    targets: Targets::Single { labels: &labels, n_classes: k },
                    groups: &groups,
                };
                let tuned = tune(input, &config, Seed(0))?;
                ensure!(tuned.candidates[tuned.chosen].score > 2.0 / k as f64, "the classes are told apart");
                Ok(())
            })?;
            Ok(Measured {
                name: format!("tune/GDA + LR + selection, {n} x {d}, {k} classes"),
                peer: Vec::new(),
                seconds,
                n: 1,
            })
        })
        .collect()
}

/// Overlapping clouds, so that penalties matter.
fn clouds(n: usize, d: usize, k: usize) -> (Vec<FeatureSet>, Vec<u32>) {
    let mut rng = Seed(1).rng();
    let centres: Vec<f64> = (0..k * d).map(|_| 0.35 * random::normal(&mut rng)).collect();
    let labels: Vec<u32> = (0..n).map(|row| (row % k) as u32).collect();
    let x = (0..n * d)
        .map(|at| (centres[labels[at / d] as usize * d + at % d] + random::normal(&mut rng)) as f32)
        .collect();
    (vec![FeatureSet { name: "pooled".into(), x: Matrix::from_vec(n, d, x) }], labels)
}
