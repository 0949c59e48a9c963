//! What a model of pieces says of a long sound: each stretch with one answer.

use bundle::{Answer, Prediction, TaskReference, Verdict};
use dataset::{Modality, ProblemKind};
use pipeline::pieces::Stretch;
use pipeline::{Lang, words};
use serde::Serialize;
use utoipa::ToSchema;

use super::predict::{ClassProbability, Predicted, most_probable, short};
use crate::monitoring::Said;

/// Probabilities of a stretch that are told.
const SHOWN: usize = 8;

/// A part of a long sound with one answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToldStretch {
    /// Start and end in seconds.
    seconds: [f64; 2],
    /// As of a whole input.
    answer: String,
    #[schema(value_type = String)]
    verdict: Verdict,
    /// Calibrated, in [0, 1].
    confidence: Option<f64>,
    /// The most probable first, at most 8.
    probs: Vec<ClassProbability>,
    /// P-value of being like what the model was tuned on, in (0, 1].
    familiarity: Option<f64>,
}

/// Stretches of one sound that come back, so that no sound takes the work of a day.
const MOST_BACK: usize = 20;

/// Start and end of the stretches that a person should look at, the least sure first.
pub(super) fn doubtful(stretches: &[ToldStretch]) -> Vec<[f64; 2]> {
    let mut doubtful: Vec<&ToldStretch> =
        stretches.iter().filter(|stretch| stretch.said().doubtful).collect();
    let sure = |stretch: &ToldStretch| stretch.confidence.unwrap_or_default();
    doubtful.sort_by(|a, b| sure(a).total_cmp(&sure(b)));
    doubtful.into_iter().take(MOST_BACK).map(|stretch| stretch.seconds).collect()
}

/// What is said of a long sound.
pub(super) fn told(
    name: String,
    stretches: Vec<Stretch>,
    damage: Option<String>,
    task: &TaskReference,
    lang: Lang,
) -> Predicted {
    let stretch = |Stretch { seconds, prediction }: Stretch| {
        let mut probs = most_probable(task, &prediction);
        probs.truncate(SHOWN);
        let Prediction { answer, verdict, confidence, familiarity, .. } = prediction;
        let answer = words_of(answer);
        ToldStretch { seconds, answer, verdict, confidence, probs, familiarity }
    };
    // What is missing may lie before any of them, and shift its times.
    let damaged = |detail| words::problem_kind(&ProblemKind::damaged(Modality::Sound, detail), lang);
    Predicted {
        stretches: stretches.into_iter().map(stretch).collect(),
        problem: damage.map(damaged),
        ..Predicted::of(name)
    }
}

/// Said of a sound that is not looked through: with it the request has too many pieces.
pub(super) fn too_much(name: String, most_pieces: usize, seconds: f64, lang: Lang) -> Predicted {
    let problem = lang.pick(
        format!("the long sounds of this request have more than {most_pieces} pieces of {seconds:.1} s; ask about parts of them"),
        format!("此请求中的长声音超过 {most_pieces} 个 {seconds:.1} 秒的片段；请分成几次询问"),
    );
    Predicted { problem: Some(problem), ..Predicted::of(name) }
}

/// An answer as it is told.
pub(super) fn words_of(answer: Answer) -> String {
    match answer {
        Answer::Number { value, .. } => short(value),
        answer => answer.to_string(),
    }
}

impl ToldStretch {
    /// What the monitor counts. Whether inputs have changed is not tested on it: the stretches of one sound are too much alike to be inputs
    /// that come by chance.
    pub(super) fn said(&self) -> Said {
        Said {
            answer: self.answer.clone(),
            doubtful: Said::is_doubtful(self.verdict, self.confidence, self.familiarity),
            familiarity: None,
            sketches: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_sure_stretches_come_back_and_those_that_are_answered_do_not() {
        let stretch = |at: usize, verdict: Verdict| ToldStretch {
            seconds: [at as f64, at as f64 + 1.0],
            answer: "low".to_owned(),
            verdict,
            confidence: Some(1.0 - at as f64 / 100.0),
            probs: Vec::new(),
            familiarity: None,
        };
        let verdict = |at: usize| if at.is_multiple_of(2) { Verdict::Answered } else { Verdict::DontKnow };
        let all: Vec<ToldStretch> = (0..60).map(|at| stretch(at, verdict(at))).collect();
        let back = doubtful(&all);
        assert_eq!(back.len(), MOST_BACK);
        let expected = (0..60).rev().filter(|at| at % 2 == 1).map(|at| [at as f64, at as f64 + 1.0]);
        assert!(back.into_iter().eq(expected.take(MOST_BACK)));
        assert!(doubtful(&all[..1]).is_empty());
    }
}
