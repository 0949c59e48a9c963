//! Which pre-processing suits a vision base: measured on training examples only, out of fold.
//!
//! The same weights are opened under cards that differ in one thing: normalisation, crop or filter.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use base::open::Base;
use pipeline::Run;

use crate::table::{Table, home, read};
use crate::task::Task;

/// Name and the card's `[preprocess]`.
const VARIANTS: [(&str, &str); 6] = [
    ("as shipped", ""),
    ("bicubic", "filter = \"bicubic\""),
    ("crop 0.89", "fit = { how = \"centre-crop\", share = 0.89 }"),
    ("squeeze", "fit = { how = \"squeeze\" }"),
    ("ImageNet mean/std", "mean = [123.675, 116.28, 103.53]\nstd = [58.395, 57.12, 57.375]"),
    ("0 to 1", "mean = [0.0, 0.0, 0.0]\nstd = [255.0, 255.0, 255.0]"),
];

/// One variant on one task.
pub(crate) struct Row {
    pub(crate) variant: &'static str,
    /// Mean out-of-fold loss of the recipe that was chosen, and its standard error.
    pub(crate) loss: f64,
    pub(crate) error: f64,
    pub(crate) accuracy: f64,
}

/// Every variant on the training part of a task.
pub(crate) fn compare(task: &Task, data: &Path) -> anyhow::Result<Vec<Row>> {
    let home = home()?;
    // Fetches the base where it is missing.
    let cancelled = AtomicBool::new(false);
    home.open_base(&task.base, &Run::new(&|_| {}, &cancelled))?;
    let shipped = home.cache.join("bases").join(&task.base);
    let set = read(task, &data.join(&task.train))?;
    let classes = set.classes().to_vec();
    VARIANTS
        .iter()
        .map(|(variant, settings)| {
            let dir = home.cache.join("quality").join(format!("{} {variant}", task.base));
            card(&shipped, &dir, settings)?;
            let base = Base::open(&dir, &home.engine)?;
            let table = Table::new(&home.cache.join("quality/features"), &base, &set, &classes)?;
            let tuned = table.tune(0)?;
            let n = tuned.validated.len() as f64;
            let losses: Vec<f64> =
                (0..tuned.validated.len()).map(|row| tuned.losses.row(row)[tuned.chosen]).collect();
            let loss = losses.iter().sum::<f64>() / n;
            let variance = losses.iter().map(|value| (value - loss).powi(2)).sum::<f64>() / (n - 1.0);
            let accuracy = tuned.candidates[tuned.chosen].score;
            Ok(Row { variant, loss, error: (variance / n).sqrt(), accuracy })
        })
        .collect()
}

/// The base's files under another card.
fn card(shipped: &Path, dir: &Path, settings: &str) -> anyhow::Result<()> {
    fs::create_dir_all(dir)?;
    for file in fs::read_dir(shipped)? {
        let file = file?;
        let to = dir.join(file.file_name());
        if file.file_name() == "base.toml" {
            let text = fs::read_to_string(file.path())?;
            fs::write(to, text.replace("[preprocess]\n", &format!("[preprocess]\n{settings}\n")))?;
        } else if !to.exists() {
            fs::hard_link(file.path(), to)?;
        }
    }
    Ok(())
}
