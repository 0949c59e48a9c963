//! The checks of single examples, but those of labels and pixels.

use curate::faults::{self, Checked, Fault};
use curate::shapley;

use super::material::{Material, Nearness};
use crate::{PipelineError, audit};

/// Up to this many examples their worth is computed exactly; of more, from their neighbours.
const EXACT_WORTH: usize = 2000;

/// The neighbours and duplicates of everything, where there are features.
pub(super) fn nearness(material: &Material) -> Result<Option<Nearness>, PipelineError> {
    let Some(x) = &material.x else { return Ok(None) };
    let near = curate::nearest(x.view())?;
    let duplicates = if material.looks.iter().any(Option::is_some) {
        curate::duplicates_of_pictures(&near, &material.looks)
    } else if material.fingerprints.iter().any(Option::is_some) {
        curate::duplicates_of_sounds(&near, &material.fingerprints)
    } else {
        curate::duplicates_among(&near, x.rows())
    };
    let names = material.groups.iter().map(Option::as_deref);
    let groups = audit::joined(names, &duplicates.components).numbers();
    Ok(Some(Nearness { near, duplicates, groups }))
}

/// What neighbours, groups, classes and texts show.
pub(super) fn of_examples(
    material: &Material,
    nearness: Option<&Nearness>,
) -> Result<Vec<Checked>, PipelineError> {
    let mut found = Vec::new();
    let has_parts = material.parts.iter().any(Option::is_some);
    if let Some(nearness) = nearness {
        if material.wants(Fault::Leak) && has_parts {
            found.push(faults::leaks(&nearness.duplicates, &material.parts));
        }
        if material.wants(Fault::NameLeak) && has_parts && !material.names.is_empty() {
            found.push(name_leaks(material, nearness));
        }
        if material.wants(Fault::Duplicate) {
            found.push(duplicated(nearness));
        }
        if material.wants(Fault::Outlier) {
            found.push(faults::outliers(&nearness.near, &material.labels));
        }
        if material.wants(Fault::LowValue) && material.classes.len() > 1 {
            found.push(worth(material, nearness)?);
        }
    }
    if material.wants(Fault::GroupLeak) && has_parts && material.groups.iter().any(Option::is_some) {
        let groups: Vec<Option<&str>> = material.groups.iter().map(Option::as_deref).collect();
        found.push(faults::group_leaks(&groups, &material.parts));
    }
    if material.wants(Fault::ClassImbalance) && !material.classes.is_empty() {
        found.push(imbalance(material));
    }
    if let Some(texts) = &material.texts {
        let checked = faults::texts(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        found.extend(checked.into_iter().filter(|checked| material.wants(checked.fault)));
    }
    Ok(found)
}

fn name_leaks(material: &Material, nearness: &Nearness) -> Checked {
    let names: Vec<&str> = material.names.iter().map(String::as_str).collect();
    let nearest = |row: usize| {
        let others = nearness.near.of(row).map(|(other, _)| other);
        others.into_iter().find(|other| nearness.groups[*other] != nearness.groups[row])
    };
    let nearest: Vec<Option<usize>> = (0..material.n()).map(nearest).collect();
    faults::name_leaks(&names, &material.labels, &material.parts, &nearest)
}

/// What every label is worth to the examples like it.
fn worth(material: &Material, nearness: &Nearness) -> Result<Checked, PipelineError> {
    let labels = &material.labels;
    Ok(shapley::low_value(&match &material.x {
        Some(x) if material.n() <= EXACT_WORTH => shapley::knn_shapley_leave_one_out(x.view(), labels)?,
        _ => shapley::knn_shapley_truncated(&nearness.near, labels),
    }))
}

fn duplicated(nearness: &Nearness) -> Checked {
    let scores = &nearness.duplicates.scores;
    let mut flagged: Vec<usize> = nearness.duplicates.components.iter().flatten().copied().collect();
    flagged.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(a.cmp(b)));
    let scores = scores.iter().map(|score| Some(f64::from(*score))).collect();
    Checked::new(Fault::Duplicate, scores, flagged)
}

/// The check of class sizes, brought to all rows.
fn imbalance(material: &Material) -> Checked {
    let rows = material.labelled();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    faults::class_imbalance(&labels, material.classes.len()).brought(&rows, material.n())
}

/// Checks what was measured of some of the examples, and brings it to all rows; `measured` is `[n]`.
pub(super) fn of_measured<T: Clone>(
    measured: &[Option<T>],
    skip: &[Fault],
    check: impl FnOnce(&[T]) -> Vec<Checked>,
) -> Vec<Checked> {
    let rows: Vec<usize> = (0..measured.len()).filter(|row| measured[*row].is_some()).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let checked = check(&measured.iter().flatten().cloned().collect::<Vec<_>>());
    let wanted = checked.into_iter().filter(|checked| !skip.contains(&checked.fault));
    wanted.map(|checked| checked.brought(&rows, measured.len())).collect()
}
