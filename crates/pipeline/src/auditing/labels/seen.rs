//! Cautions that predictions from elsewhere have seen the labels that they judge.

use curate::labels::multilabel::JudgedSets;
use curate::labels::regression::JudgedNumbers;
use curate::labels::seen::{are_easy, are_easy_numbers};
use curate::labels::{Judged, Note};

use super::{Said, View};
use crate::PipelineError;
use crate::assess::argmax;
use crate::percent;
use crate::report::Sentence;

/// Of classes. Where neighbours are known, they say whether the labels are just easy.
pub(super) fn classes(labels: &[u32], said: &[Said]) -> Result<Vec<Sentence>, PipelineError> {
    let by_neighbours = view(said, View::Neighbours).map(|near| {
        let contradicts = |(row, label): (&[f64], &u32)| argmax(row) != *label;
        near.values.iter_rows().zip(labels).filter(|pair| contradicts(*pair)).count()
    });
    let Some(given) = view(said, View::Given) else { return Ok(Vec::new()) };
    let notes = Judged::new(labels, given.values.view())?.notes();
    Ok(told(labels.len(), notes, by_neighbours))
}

/// Of sets.
pub(super) fn sets(given: &[Vec<u32>], said: &[Said]) -> Result<Vec<Sentence>, PipelineError> {
    let judged = |said: &Said| -> Result<(Option<Note>, usize), PipelineError> {
        let judged = JudgedSets::new(given, said.values.view())?;
        Ok((judged.note(), judged.contradicted().into_iter().filter(|contradicted| *contradicted).count()))
    };
    let by_neighbours = view(said, View::Neighbours).map(judged).transpose()?.map(|(_, count)| count);
    let Some(by_model) = view(said, View::Given) else { return Ok(Vec::new()) };
    Ok(told(given.len(), judged(by_model)?.0, by_neighbours))
}

/// Of numbers.
pub(super) fn numbers(given: &[f64], said: &[Said]) -> Result<Vec<Sentence>, PipelineError> {
    let Some(by_model) = view(said, View::Given) else { return Ok(Vec::new()) };
    let Some(note) = JudgedNumbers::new(given, by_model.values.data())?.note() else { return Ok(Vec::new()) };
    if let (Note::PredictsTooWell { relative_residual }, Some(near)) = (note, view(said, View::Neighbours)) {
        let by_neighbours = JudgedNumbers::new(given, near.values.data())?.relative_residual();
        if are_easy_numbers(relative_residual, by_neighbours) {
            return Ok(Vec::new());
        }
    }
    Ok(sentence(&note).into_iter().collect())
}

fn view(said: &[Said], view: View) -> Option<&Said> {
    said.iter().find(|said| said.view == view)
}

fn told(n: usize, notes: impl IntoIterator<Item = Note>, by_neighbours: Option<usize>) -> Vec<Sentence> {
    let is_told = |note: &Note| match note {
        Note::FitsTooWell { contradicted, .. } => {
            by_neighbours.is_none_or(|near| !are_easy(n, *contradicted, near))
        }
        _ => false,
    };
    notes.into_iter().filter(is_told).filter_map(|note| sentence(&note)).collect()
}

/// What is to be said of a model that has seen the labels; nothing of other notes.
fn sentence(note: &Note) -> Option<Sentence> {
    let (en, zh) = match note {
        Note::FitsTooWell { mean_self_confidence, contradicted } => {
            let (but, but_zh) = match contradicted {
                0 => (String::new(), String::new()),
                n => (format!(" but {n}"), format!("（除 {n} 个外）")),
            };
            (
                format!(
                    "The probabilities agree with every label{but} and give it {mean_self_confidence:.3} on average: they were probably computed on the examples the model was fitted on, and such a model finds nothing. Pass out-of-fold probabilities."
                ),
                format!(
                    "这些概率与每个标注{but_zh}都一致，平均为 {mean_self_confidence:.3}：很可能是在训练过的样本上算出的，这样找不出错误。请提供折外（交叉验证）概率。"
                ),
            )
        }
        Note::PredictsTooWell { relative_residual } => {
            let share = percent(*relative_residual);
            (
                format!(
                    "Half of the numbers are predicted to {share} of their spread: they were probably computed on the examples the model was fitted on, and such a model finds nothing. Pass out-of-fold predictions."
                ),
                format!(
                    "一半数值的预测误差不到其离散程度的 {share}：很可能是在训练过的样本上算出的，这样找不出错误。请提供折外（交叉验证）预测。"
                ),
            )
        }
        Note::UnusedClass { .. } | Note::SmallClass { .. } | Note::DoubtedClass { .. } => return None,
    };
    Some(Sentence { en, zh })
}
