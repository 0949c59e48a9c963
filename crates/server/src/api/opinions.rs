//! What the quick model says of an example, as clients read it: what it suggests, and what it has against an answer.

use pipeline::{Lang, percent};
use serde::Serialize;
use utoipa::ToSchema;

use crate::live::{self, Objection, Opinion};
use crate::tasks::Answer;

/// What the quick model would say, by a model that has not seen this answer. Only what the data set asks for is there.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Suggestion {
    /// Where one class of several is asked for.
    label: Option<String>,
    /// Of that class; calibrated, in [0, 1].
    probability: Option<f64>,
    /// Where several labels are: those more probable than not, the most probable first. An empty list suggests that none applies.
    labels: Option<Vec<Likely>>,
    /// Where a number is.
    number: Option<f64>,
    /// The lower end of the interval that holds nine of ten numbers.
    low: Option<f64>,
    /// Its upper end.
    high: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Likely {
    label: String,
    /// Calibrated, in [0, 1].
    probability: f64,
}

impl From<live::Suggestion<'_>> for Suggestion {
    fn from(suggestion: live::Suggestion<'_>) -> Self {
        match suggestion {
            live::Suggestion::Class(label, probability) => {
                Self { label: Some(label.to_owned()), probability: Some(probability), ..Self::default() }
            }
            live::Suggestion::Classes(likely) => {
                let likely = likely
                    .into_iter()
                    .map(|(label, probability)| Likely { label: label.to_owned(), probability });
                Self { labels: Some(likely.collect()), ..Self::default() }
            }
            live::Suggestion::Number { value, low, high } => {
                Self { number: Some(value), low: Some(low), high: Some(high), ..Self::default() }
            }
        }
    }
}

/// What the quick model, which did not see this answer, has against it.
pub(super) fn warning(opinion: &Opinion, example: &str, answer: &Answer, lang: Lang) -> Option<String> {
    Some(match opinion.objection(example, answer)? {
        Objection::Class(class, probability) => {
            let sure = sure(class, probability, lang);
            lang.pick(
                format!("examples like this one are labelled {sure}"),
                format!("与此相似的样本标注为{sure}"),
            )
        }
        Objection::Classes { missing, wrong } => {
            let all = |labels: &[(&str, f64)]| {
                let each: Vec<String> = labels.iter().map(|(label, p)| sure(label, *p, lang)).collect();
                each.join(lang.pick(", ", "、"))
            };
            let (there, not_there) = (all(&missing), all(&wrong));
            match (missing.is_empty(), wrong.is_empty()) {
                (false, true) => lang.pick(
                    format!("examples like this one are labelled {there}"),
                    format!("与此相似的样本有标签{there}"),
                ),
                (true, _) => lang.pick(
                    format!("examples like this one are not labelled {not_there}"),
                    format!("与此相似的样本没有标签{not_there}"),
                ),
                (false, false) => lang.pick(
                    format!("examples like this one are labelled {there}, and not {not_there}"),
                    format!("与此相似的样本有标签{there}，没有{not_there}"),
                ),
            }
        }
        Objection::Number { low, high } => lang.pick(
            format!("of a hundred examples like this one, 99 are between {low} and {high}"),
            format!("与此相似的样本，一百个里有 99 个在 {low} 到 {high} 之间"),
        ),
    })
}

fn sure(label: &str, probability: f64, lang: Lang) -> String {
    let sure = percent(probability);
    lang.pick(format!("“{label}” (sure by {sure})"), format!("“{label}”（把握 {sure}）"))
}
