//! One class an example.

use curate::labels::errors::{doubted_classes, label_errors, label_errors_by_views};
use curate::labels::views::{fused, votes_of_neighbours};
use curate::labels::{Judged, Note};
use linalg::{Matrix, MatrixView};

use super::super::material::{Material, Nearness};
use super::{Among, Labels, Said, View, ViewSays};
use crate::assess::argmax;
use crate::{PipelineError, report::Sentence};

/// The least probability that a logarithm is taken of.
const SMALLEST: f64 = 1e-12;

/// Adds what the neighbours say, and makes one voice of all views; both for the rows that are judged.
pub(super) fn together(
    material: &Material,
    mut said: Vec<Said>,
    nearness: Option<&Nearness>,
) -> Result<(Vec<Said>, Matrix<f64>), PipelineError> {
    let rows = material.judged();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    if let Some(Among { near, groups }) = Among::new(material, nearness, &rows)? {
        let values = votes_of_neighbours(&labels, material.classes.len(), &near, &groups)?;
        said.push(Said { view: View::Neighbours, values });
    }
    // Each view is checked by itself, so that a caution names what was passed in and not a mean.
    for said in &said {
        Judged::new(&labels, said.values.view())?;
    }
    let views: Vec<MatrixView<'_, f64>> = said.iter().map(|said| said.values.view()).collect();
    let probs = fused(&labels, &views)?;
    Ok((said, probs))
}

pub(super) fn classes(
    material: &Material,
    said: Vec<Said>,
    nearness: Option<&Nearness>,
) -> Result<Labels, PipelineError> {
    let rows = material.judged();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    let (said, probs) = together(material, said, nearness)?;
    let judged = Judged::new(&labels, probs.view())?;
    let several = said.len() > 1 || said[0].view == View::Senses;
    let found = if several { label_errors_by_views(judged) } else { label_errors(judged) };
    let mut notes = found.notes.clone();
    for said in said.iter().filter(|said| said.view == View::Given) {
        let too_well = |note: &Note| matches!(note, Note::FitsTooWell { .. });
        notes.retain(|note| !too_well(note));
        notes.extend(Judged::new(&labels, said.values.view())?.notes().into_iter().filter(too_well));
    }
    let mut of = Labels::silent(material.n());
    for (place, row) in rows.iter().enumerate() {
        of.checked.scores[*row] = Some(found.scores[place]);
        of.losses[*row] = Some(-probs.row(place)[labels[place] as usize].max(SMALLEST).ln());
    }
    for place in &found.flagged {
        let row = rows[*place];
        of.checked.flagged.push(row);
        of.suggested[row] = Some(material.classes[found.suggested[*place] as usize].clone());
        of.says[row] = says(material, &said, *place, labels[*place]);
    }
    notes.retain(|note| !matches!(note, Note::DoubtedClass { .. }));
    of.cautions = notes.iter().map(|note| caution(note, &material.classes)).collect();
    of.doubted = doubted(material, &of.checked.flagged);
    Ok(of)
}

/// What is to be said of classes of which much is flagged.
pub(super) fn doubted(material: &Material, flagged: &[usize]) -> Vec<Sentence> {
    let rows = material.judged();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    let places: Vec<usize> = flagged.iter().filter_map(|row| rows.binary_search(row).ok()).collect();
    let notes = doubted_classes(&labels, material.classes.len(), &places);
    notes.iter().map(|note| caution(note, &material.classes)).collect()
}

/// The class that each view finds most probable, and how probable.
fn says(material: &Material, said: &[Said], place: usize, given: u32) -> Vec<ViewSays> {
    let of = |said: &Said| {
        let probs = said.values.row(place);
        let class = argmax(probs);
        ViewSays {
            view: said.view,
            sense: None,
            label: material.classes[class as usize].clone(),
            probability: Some(probs[class as usize]),
            contradicts: class != given,
        }
    };
    said.iter().map(of).collect()
}

fn caution(note: &Note, classes: &[String]) -> Sentence {
    let name = |class: &u32| &classes[*class as usize];
    let (en, zh) = match note {
        Note::UnusedClass { class } => (
            format!("No example has class `{}`, though the probabilities have a column for it.", name(class)),
            format!("没有样本属于类别“{}”，但概率中有它的一列。", name(class)),
        ),
        Note::LonelyClass { class } => (
            format!(
                "Only one example has class `{}`: nothing about it can be checked by others.",
                name(class)
            ),
            format!("类别“{}”只有一个样本，无法用其他样本核对。", name(class)),
        ),
        Note::DoubtedClass { class, share } => (
            format!(
                "{} of class `{}` is flagged: it was labelled by another rule, or the model does not know it. Look at a few before you relabel any.",
                crate::percent(*share),
                name(class)
            ),
            format!(
                "类别“{}”有 {} 被标出：可能标注规则不同，也可能模型不认识它。改标注前请先看几个。",
                name(class),
                crate::percent(*share)
            ),
        ),
        Note::FitsTooWell { mean_self_confidence } => (
            format!(
                "The probabilities agree with every label and give it {mean_self_confidence:.3} on average: they were probably computed on the examples the model was fitted on, and such a model finds nothing. Pass out-of-fold probabilities."
            ),
            format!(
                "这些概率与每个标注都一致，平均为 {mean_self_confidence:.3}：很可能是在训练过的样本上算出的，这样找不出错误。请提供折外（交叉验证）概率。"
            ),
        ),
    };
    Sentence { en, zh }
}
