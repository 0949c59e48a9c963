//! Every check but that of the labels, on what an audit looks at.

use base::prep;
use curate::faults::{self, Checked, Fault, Order, Picture};
use dataset::{Content, Dataset};
use rayon::prelude::*;

use super::material::{Material, Nearness};
use crate::{PipelineError, Run, audit};

/// Faults that pixels show.
const OF_PICTURES: [Fault; 7] = [
    Fault::Dark,
    Fault::Bright,
    Fault::Blurry,
    Fault::OddSize,
    Fault::OddAspectRatio,
    Fault::LowInformation,
    Fault::Grey,
];

/// The neighbours and duplicates of everything, where there are features.
pub(super) fn nearness(material: &Material) -> Result<Option<Nearness>, PipelineError> {
    let Some(x) = &material.x else { return Ok(None) };
    let near = curate::nearest(x.view())?;
    let duplicates = curate::duplicates_among(&near, x.rows());
    let names = material.groups.iter().map(Option::as_deref);
    let groups = audit::joined(names, &duplicates.components).numbers();
    Ok(Some(Nearness { near, duplicates, groups }))
}

/// What neighbours, classes and texts show, and what the order does.
pub(super) fn of_set(material: &Material, nearness: Option<&Nearness>) -> (Vec<Checked>, Option<Order>) {
    let mut found = Vec::new();
    let mut order = None;
    if let Some(nearness) = nearness {
        if material.wants(Fault::Leak) && material.parts.iter().any(Option::is_some) {
            found.push(faults::leaks(&nearness.duplicates, &material.parts));
        }
        if material.wants(Fault::Duplicate) {
            found.push(duplicated(nearness));
        }
        if material.wants(Fault::Outlier) {
            found.push(faults::outliers(&nearness.near, material.n()));
        }
        if material.wants(Fault::NonIid) {
            // Rows without a label are a class of their own.
            let labels: Vec<u32> =
                material.labels.iter().map(|label| label.map_or(0, |label| label + 1)).collect();
            order = faults::order(&nearness.near, &labels, material.seed);
        }
    }
    if material.wants(Fault::ClassImbalance) && !material.classes.is_empty() {
        found.push(imbalance(material));
    }
    if let (Some(texts), true) = (&material.texts, material.wants(Fault::ShortText)) {
        found.push(faults::short_texts(&texts.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    (found, order)
}

fn duplicated(nearness: &Nearness) -> Checked {
    let scores = &nearness.duplicates.scores;
    let mut flagged: Vec<usize> = nearness.duplicates.components.iter().flatten().copied().collect();
    flagged.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
    let scores = scores.iter().map(|score| Some(f64::from(*score))).collect();
    Checked { fault: Fault::Duplicate, scores, flagged }
}

/// The check of class sizes, brought to all rows.
fn imbalance(material: &Material) -> Checked {
    let rows = material.labelled();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    let found = faults::class_imbalance(&labels, material.classes.len());
    let mut scores = vec![None; material.n()];
    rows.iter().zip(&found.scores).for_each(|(row, score)| scores[*row] = *score);
    let flagged = found.flagged.iter().map(|place| rows[*place]).collect();
    Checked { fault: Fault::ClassImbalance, scores, flagged }
}

/// What the pixels show; nothing for texts. Pictures are decoded once more: the features come from the cache.
pub(super) fn of_pictures(
    data: &Dataset,
    material: &Material,
    run: &Run<'_>,
) -> Result<Vec<Checked>, PipelineError> {
    if OF_PICTURES.iter().all(|fault| !material.wants(*fault)) {
        return Ok(Vec::new());
    }
    let measured: Vec<Option<Picture>> = data
        .examples
        .par_iter()
        .map(|example| match &example.content {
            Content::Image(path) if !run.is_cancelled() => {
                let picture = prep::decode(&std::fs::read(path).ok()?).ok()?;
                Some(Picture::measure(picture.width(), picture.height(), picture.as_raw()))
            }
            _ => None,
        })
        .collect();
    if run.is_cancelled() {
        return Err(PipelineError::Cancelled);
    }
    let rows: Vec<usize> = (0..measured.len()).filter(|row| measured[*row].is_some()).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let checked = faults::pictures(&measured.into_iter().flatten().collect::<Vec<_>>());
    let of_all = |checked: Checked| {
        let mut scores = vec![None; data.examples.len()];
        rows.iter().zip(&checked.scores).for_each(|(row, score)| scores[*row] = *score);
        let flagged = checked.flagged.iter().map(|place| rows[*place]).collect();
        Checked { fault: checked.fault, scores, flagged }
    };
    Ok(checked.into_iter().filter(|checked| material.wants(checked.fault)).map(of_all).collect())
}
