//! Runs a task: automatic choice on draws of some labels per class, judged on the whole test set.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use bundle::Form;
use dataset::InspectionOptions;
use pipeline::{InspectRequest, InspectionSource, Lang, Run};
use sha2::{Digest, Sha256};

use crate::table::{Table, home, read};
use crate::task::{Floor, Task};

/// Draws per number of labels.
pub(crate) const DRAWS: usize = 5;

/// One line of the table.
pub(crate) struct Row {
    pub(crate) labels: String,
    /// Mean over draws.
    pub(crate) accuracy: f64,
    /// Interval: of the mean over draws and test examples together.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) floor: Floor,
}

/// Both parts of a task, with features.
pub(crate) fn tables(task: &Task, data: &Path) -> anyhow::Result<(Table, Table)> {
    let home = home()?;
    let cancelled = AtomicBool::new(false);
    let base = home.open_base(&task.base, &Run::new(&|_| {}, &cancelled))?;
    let (train, test) = (read(task, &data.join(&task.train))?, read(task, &data.join(&task.test))?);
    let features = home.cache.join("features");
    let classes = train.classes().to_vec();
    Ok((Table::new(&features, &base, &train, &classes)?, Table::new(&features, &base, &test, &classes)?))
}

/// Asks for an inspector of what lies in `set` of this folder, beside it, with false alarms and confidence as promised.
pub(crate) fn inspect_request(dir: &Path, promise: (f64, f64), seed: u64) -> InspectRequest {
    InspectRequest {
        source: InspectionSource::At { path: dir.join("set"), read: InspectionOptions::default() },
        base: None,
        out: dir.join("model.djm"),
        form: Form::File,
        report: dir.join("report.html"),
        lang: Lang::En,
        false_alarms: promise.0,
        confidence: promise.1,
        miss_cost: None,
        defect_share: 0.01,
        mm_per_pixel: None,
        smallest_defect: None,
        orientation: pipeline::Orientation::FindOut,
        without_background: false,
        detectors: None,
        seed,
        created: String::new(),
    }
}

/// Every line of a task.
pub(crate) fn run(task: &Task, data: &Path) -> anyhow::Result<Vec<Row>> {
    let (train, test) = tables(task, data)?;
    task.floors.iter().map(|floor| row(&train, &test, floor)).collect()
}

fn row(train: &Table, test: &Table, floor: &Floor) -> anyhow::Result<Row> {
    let draws = if floor.shots == 0 { 1 } else { DRAWS };
    let accuracies: Vec<f64> = (0..draws)
        .map(|draw| {
            let tuned = train.select(&pick(train, floor.shots, draw)).tune(draw as u64)?;
            let accuracy = test.accuracy(&tuned.head);
            if std::env::var_os("QUALITY_RECIPES").is_some() {
                eprintln!("  {}/class, draw {draw}: {} -> {accuracy:.4}", floor.shots, tuned.recipe.name());
            }
            Ok(accuracy)
        })
        .collect::<anyhow::Result<_>>()?;
    let mean = accuracies.iter().sum::<f64>() / draws as f64;
    let between = accuracies.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
        / (draws * draws.max(2).saturating_sub(1)) as f64;
    let half = 1.96 * (between + mean * (1.0 - mean) / test.n() as f64).sqrt();
    let labels =
        if floor.shots == 0 { format!("all {}", train.n()) } else { format!("{}/class", floor.shots) };
    Ok(Row { labels, accuracy: mean, low: mean - half, high: mean + half, floor: *floor })
}

/// The rows of one draw: of every class the first ones in the order of a hash of draw and row. The peers' script draws by
/// the same rule, so both learn from the same examples.
pub(crate) fn pick(train: &Table, shots: usize, draw: usize) -> Vec<usize> {
    if shots == 0 {
        return (0..train.n()).collect();
    }
    let mut order: Vec<usize> = (0..train.n()).collect();
    order.sort_by_cached_key(|row| Sha256::digest(format!("{draw} {row}")));
    let mut taken = vec![0; train.n_classes];
    order.retain(|row| {
        let count = &mut taken[train.labels[*row] as usize];
        *count += 1;
        *count <= shots
    });
    order
}
