//! Which labels look wrong, by several views, and what each view says: classes, sets and numbers.

mod classes;
mod numbers;
mod seen;
mod sets;

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use curate::faults::{Checked, Fault};
use linalg::{Matrix, Neighbours};
use serde::Serialize;
use tune::TuneError;
use tune::views;

use super::material::{Material, Nearness, Question};
use crate::PipelineError;
use crate::report::Sentence;

/// Examples times classes times columns up to which logistic regression is asked: minutes, with classes of few examples.
const MOST_FOR_LOGISTIC: usize = 500_000_000;
/// And up to which discriminant analysis is asked, that needs no search.
const MOST_FOR_GDA: usize = 5_000_000_000;

/// Who speaks about a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Logistic regression, out of fold.
    Logistic,
    /// Gaussian discriminant analysis, leaving out the example.
    Gda,
    /// Ridge regression, leaving out the example.
    Ridge,
    /// The labels of the most similar examples.
    Neighbours,
    /// The predictions that were passed in.
    Given,
    /// One of several senses, out of fold.
    Sense,
    /// All senses together, out of fold.
    Senses,
}

/// One view of a label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewSays {
    /// Whose.
    pub view: View,
    /// The name of the sense, where it is one of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sense: Option<String>,
    /// The label it finds right.
    pub label: String,
    /// How probable it finds that, in [0, 1]; absent where it does not say.
    pub probability: Option<f64>,
    /// Whether that is another label than the given one.
    pub contradicts: bool,
}

/// What one view says about every row whose label is judged.
pub(super) struct Said {
    pub(super) view: View,
    /// `[judged, k]` probabilities; of numbers one column, the prediction.
    pub(super) values: Matrix<f64>,
}

/// How many labels look wrong, which is the estimate of how many are (`quality label-errors`), and which classes are taken for each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Noise {
    /// Their share, in [0, 1].
    pub rate: f64,
    /// Labels that were judged.
    pub n: usize,
    /// What is confused most, the most frequent first.
    pub confusions: Vec<Confusion>,
}

/// Examples that are labelled as one class and look like another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The label they have.
    pub given: String,
    /// The class they look like.
    pub truth: String,
    /// How many there are.
    pub n: usize,
}

/// What was found about labels.
pub(super) struct Labels {
    /// `[n]`.
    pub(super) checked: Checked,
    /// `[n]`: the label a flagged row should have, as text.
    pub(super) suggested: Vec<Option<String>>,
    /// `[n]`: how probable that label is, beside the given one, in [0, 1]; 1 where nobody says.
    pub(super) sure: Vec<f64>,
    /// `[n]`: the label a flagged row should have, where labels are sets: the names of their classes.
    pub(super) sets: Vec<Option<Vec<String>>>,
    /// `[n]`: what each view says of a flagged row.
    pub(super) says: Vec<Vec<ViewSays>>,
    /// `[n]`: what is wrong with a flagged row, where a label cannot say it.
    pub(super) about: Vec<Option<Sentence>>,
    /// `[n]`: how badly all views together predict the given label, in any unit.
    pub(super) losses: Vec<Option<f64>>,
    pub(super) cautions: Vec<Sentence>,
    /// The same about classes of which much is flagged.
    pub(super) doubted: Vec<Sentence>,
    /// Of labels that are classes.
    pub(super) noise: Option<Noise>,
}

impl Labels {
    /// Nothing said yet about any of `n` rows.
    pub(super) fn silent(n: usize) -> Self {
        Self {
            checked: Checked::new(Fault::Label, vec![None; n], Vec::new()),
            suggested: vec![None; n],
            sure: vec![1.0; n],
            sets: vec![None; n],
            says: vec![Vec::new(); n],
            about: vec![None; n],
            losses: vec![None; n],
            cautions: Vec::new(),
            doubted: Vec::new(),
            noise: None,
        }
    }

    /// Takes back the doubt about the labels of these rows, and what it made doubtful of their classes.
    pub(super) fn acquit(&mut self, material: &Material, rows: &[usize]) {
        self.forget(rows);
        self.doubted = classes::doubted(material, &self.checked.flagged);
    }

    /// As if nobody had looked at the labels of these rows.
    fn forget(&mut self, rows: &[usize]) {
        self.checked.flagged.retain(|row| !rows.contains(row));
        for row in rows {
            self.checked.scores[*row] = None;
            self.losses[*row] = None;
            self.suggested[*row] = None;
            self.about[*row] = None;
            self.says[*row].clear();
        }
    }
}

/// Asks heads about the rows that did not teach them; nothing is said where no labels can be judged, or where that would take too long.
pub(super) fn heads(
    material: &Material,
    nearness: Option<&Nearness>,
    cancel: &AtomicBool,
) -> Result<Vec<Said>, PipelineError> {
    let (Some(nearness), Some(x)) = (nearness, &material.x) else { return Ok(Vec::new()) };
    let rows = material.judged();
    let k = material.n_classes();
    let work = rows.len().saturating_mul(k).saturating_mul(x.cols());
    let x = x.select_rows(&rows);
    let groups: Vec<u32> = rows.iter().map(|row| nearness.groups[*row]).collect();
    let all = material.folds(nearness);
    let folds: Vec<u8> = rows.iter().map(|row| all[*row]).collect();
    let said = match &material.question {
        Question::Classes if material.is_vast() || work > MOST_FOR_GDA => return Ok(Vec::new()),
        Question::Classes => {
            let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
            if work > MOST_FOR_LOGISTIC {
                views::gda(&x, &labels, k, &groups, &folds, cancel)
                    .map(|values| vec![Said { view: View::Gda, values }])
            } else {
                views::views(&x, &labels, k, &groups, &folds, cancel).map(|views| {
                    vec![
                        Said { view: View::Logistic, values: views.logistic },
                        Said { view: View::Gda, values: views.gda },
                    ]
                })
            }
        }
        Question::Sets(_) if work > MOST_FOR_LOGISTIC => return Ok(Vec::new()),
        Question::Sets(sets) => {
            let has = sets::indicators(sets, &rows);
            views::sets(&x, &has, &folds, cancel).map(|values| vec![Said { view: View::Logistic, values }])
        }
        Question::Numbers(numbers) => {
            let y: Vec<f64> = rows.iter().filter_map(|row| numbers[*row]).collect();
            views::numbers(&x, &y, &groups, &folds).map(|predicted| {
                vec![Said { view: View::Ridge, values: Matrix::from_vec(y.len(), 1, predicted) }]
            })
        }
        Question::Nothing(_) => return Ok(Vec::new()),
    };
    said.map_err(|error| match error {
        TuneError::Cancelled => PipelineError::Cancelled,
        error => error.into(),
    })
}

/// What heads and neighbours say together of the class of every row that is judged, `[judged, k]`; `None` where there are no two
/// classes.
pub(super) fn together(
    material: &Material,
    nearness: &Nearness,
    cancel: &AtomicBool,
) -> Result<Option<Matrix<f64>>, PipelineError> {
    if !material.has_classes() {
        return Ok(None);
    }
    let said = heads(material, Some(nearness), cancel)?;
    classes::together(material, said, Some(nearness)).map(|(_, probs)| Some(probs))
}

/// Judges every label by what features say of it, where that is wanted.
pub(super) fn by_features(
    material: &Material,
    nearness: Option<&Nearness>,
    cancel: &AtomicBool,
) -> Result<Option<Labels>, PipelineError> {
    if !material.wants(Fault::Label) {
        return Ok(None);
    }
    labels(material, heads(material, nearness, cancel)?, nearness)
}

/// Judges every label by `said`, and by the neighbours where they are known; `None` when nobody said anything, or where
/// [`Material::unjudged`] says why not.
pub(super) fn labels(
    material: &Material,
    said: Vec<Said>,
    nearness: Option<&Nearness>,
) -> Result<Option<Labels>, PipelineError> {
    let is_heard = !said.is_empty() || nearness.is_some() && material.x.is_some();
    if !is_heard || material.unjudged().is_some() {
        return Ok(None);
    }
    let less = unheard(material, &said);
    let mut labels = match &material.question {
        Question::Classes if said.is_empty() => classes::by_neighbours(material, nearness)?,
        Question::Classes => classes::classes(material, said, nearness)?,
        Question::Sets(sets) => sets::sets(material, sets, said, nearness)?,
        Question::Numbers(numbers) => numbers::numbers(material, numbers, said, nearness)?,
        Question::Nothing(_) => return Ok(None),
    };
    labels.cautions.extend(less);
    Ok(Some(labels))
}

/// Whom the labels were too many for.
fn unheard(material: &Material, said: &[Said]) -> Option<Sentence> {
    let (n, k) = (material.judged().len(), material.n_classes());
    match said {
        [] => Some(Sentence {
            en: format!(
                "Labels were judged by the votes of similar examples alone: {n} examples and {k} classes are too many to teach models."
            ),
            zh: format!("标注只按相似样本的投票检查：{n} 个样本、{k} 个类别，数量过大，无法训练模型。"),
        }),
        [Said { view: View::Gda, .. }] => Some(Sentence {
            en: format!(
                "Labels were judged without logistic regression, which takes too long with {n} examples and {k} classes."
            ),
            zh: format!("检查标注时未用逻辑回归：{n} 个样本、{k} 个类别，耗时过长。"),
        }),
        _ => None,
    }
}

/// The rows that are judged among themselves: their neighbours, and the group of each.
struct Among<'a> {
    near: Cow<'a, Neighbours>,
    groups: Vec<u32>,
}

impl<'a> Among<'a> {
    /// `None` where there are no features.
    fn new(
        material: &Material,
        nearness: Option<&'a Nearness>,
        rows: &[usize],
    ) -> Result<Option<Self>, PipelineError> {
        let (Some(nearness), Some(x)) = (nearness, &material.x) else { return Ok(None) };
        let groups = rows.iter().map(|row| nearness.groups[*row]).collect();
        let near = if rows.len() == material.n() {
            Cow::Borrowed(&nearness.near)
        } else {
            Cow::Owned(curate::nearest(x.select_rows(rows).view())?)
        };
        Ok(Some(Self { near, groups }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_doubt_is_taken_back_no_score_and_no_loss_is_left() {
        let mut labels = Labels::silent(3);
        labels.checked.flagged = vec![2, 1];
        labels.checked.scores = vec![Some(0.9), Some(0.1), Some(0.05)];
        labels.losses = vec![Some(0.1), Some(3.0), Some(4.0)];
        labels.suggested[1] = Some("worn".to_owned());
        labels.forget(&[1]);
        assert_eq!(labels.checked.flagged, [2]);
        assert_eq!(labels.checked.scores, [Some(0.9), None, Some(0.05)]);
        assert_eq!((labels.losses, &labels.suggested[1]), (vec![Some(0.1), None, Some(4.0)], &None));
    }
}
