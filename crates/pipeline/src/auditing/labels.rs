//! Which labels look wrong, by several views, and what each view says.

use curate::faults::{Checked, Fault};
use curate::labels::errors::label_errors;
use curate::labels::views::{fused, votes_of_neighbours};
use curate::labels::{Judged, Note};
use linalg::{Matrix, MatrixView};
use serde::Serialize;

use super::material::{Material, Nearness};
use crate::assess::argmax;
use crate::{PipelineError, report::Sentence};

/// The least probability that a logarithm is taken of.
const SMALLEST: f64 = 1e-12;

/// Who speaks about a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Logistic regression, out of fold.
    Logistic,
    /// Gaussian discriminant analysis, leaving out the example.
    Gda,
    /// The labels of the most similar examples.
    Neighbours,
    /// The probabilities that were passed in.
    Given,
}

/// What one view says about every row that has a label.
pub(super) struct Said {
    pub(super) view: View,
    /// `[labelled, k]`.
    pub(super) probs: Matrix<f64>,
}

/// What was found about labels.
pub(super) struct Labels {
    /// `[n]`.
    pub(super) checked: Checked,
    /// `[n]`: the label a flagged row should have.
    pub(super) suggested: Vec<Option<u32>>,
    /// The rows that have a label, ascending, in the order of each view.
    pub(super) rows: Vec<usize>,
    pub(super) said: Vec<Said>,
    /// `[n]`: log loss of the given label by all views together.
    pub(super) losses: Vec<Option<f64>>,
    pub(super) cautions: Vec<Sentence>,
}

/// Judges every label by `said`, and by the neighbours where `nearness` is known.
pub(super) fn labels(
    material: &Material,
    mut said: Vec<Said>,
    nearness: Option<&Nearness>,
) -> Result<Labels, PipelineError> {
    let rows = material.labelled();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    if let (Some(nearness), Some(x)) = (nearness, &material.x) {
        let groups: Vec<u32> = rows.iter().map(|row| nearness.groups[*row]).collect();
        let n_classes = material.classes.len();
        let probs = if rows.len() == material.n() {
            votes_of_neighbours(&labels, n_classes, &nearness.near, &groups)?
        } else {
            votes_of_neighbours(&labels, n_classes, &curate::nearest(x.select_rows(&rows).view())?, &groups)?
        };
        said.push(Said { view: View::Neighbours, probs });
    }
    // Each view is checked by itself, so that a caution names what was passed in and not a mean.
    for said in &said {
        Judged::new(&labels, said.probs.view())?;
    }
    let views: Vec<MatrixView<'_, f64>> = said.iter().map(|said| said.probs.view()).collect();
    let probs = fused(&labels, &views)?;
    let found = label_errors(Judged::new(&labels, probs.view())?);
    let mut notes = found.notes.clone();
    for said in said.iter().filter(|said| said.view == View::Given) {
        let too_well = |note: &Note| matches!(note, Note::FitsTooWell { .. });
        notes.retain(|note| !too_well(note));
        notes.extend(Judged::new(&labels, said.probs.view())?.notes().into_iter().filter(too_well));
    }
    let mut scores = vec![None; material.n()];
    rows.iter().zip(&found.scores).for_each(|(row, score)| scores[*row] = Some(*score));
    let mut losses = vec![None; material.n()];
    for (place, row) in rows.iter().enumerate() {
        losses[*row] = Some(-probs.row(place)[labels[place] as usize].max(SMALLEST).ln());
    }
    let flagged: Vec<usize> = found.flagged.iter().map(|place| rows[*place]).collect();
    let mut suggested = vec![None; material.n()];
    found.flagged.iter().for_each(|place| suggested[rows[*place]] = Some(found.suggested[*place]));
    let cautions = notes.iter().map(|note| caution(note, &material.classes)).collect();
    Ok(Labels {
        checked: Checked { fault: Fault::Label, scores, flagged },
        suggested,
        rows,
        said,
        losses,
        cautions,
    })
}

impl Labels {
    /// What each view says about a row: the class it finds most probable, and how probable.
    pub(super) fn says(&self, row: usize) -> Vec<(View, u32, f64)> {
        let Ok(place) = self.rows.binary_search(&row) else { return Vec::new() };
        let of = |said: &Said| {
            let probs = said.probs.row(place);
            let class = argmax(probs);
            (said.view, class, probs[class as usize])
        };
        self.said.iter().map(of).collect()
    }
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
