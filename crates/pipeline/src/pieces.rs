//! Sounds that are longer than the pieces that a bundle learned from: looked through piece by piece, and told in stretches of one answer.

use std::path::Path;

use base::open::{BaseError, Input};
use base::sound::{Cut, Decoder, RATE, Windows, wav_of};
use bundle::{Answer, BundleError, Prediction, Predictor};
use dataset::{Content, Dataset};

use crate::{PipelineError, PredictedRow, Run};

/// Shortest and longest usual piece, in seconds.
const LENGTHS: (f64, f64) = (0.2, 60.0);
/// A sound of up to this many pieces is one itself.
const ONE: f64 = 1.5;

/// A stretch of a sound with one answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stretch {
    /// Start and end in seconds.
    seconds: [f64; 2],
    /// The surest of its pieces.
    prediction: Prediction,
}

impl Stretch {
    pub(crate) fn row(self, id: &str) -> PredictedRow {
        let Self { seconds, prediction } = self;
        PredictedRow {
            id: id.to_owned(),
            seconds: Some(seconds),
            prediction: Some(prediction),
            problem: None,
        }
    }
}

/// Length in seconds of the usual piece of a data set; `None` where no sound was cut.
pub(crate) fn usual_piece(data: &Dataset) -> Option<f64> {
    let seconds = |content: &Content| match content {
        Content::Piece(_, span) => span.end().map(|end| (end - span.start()).as_secs_f64()),
        _ => None,
    };
    let mut lengths: Vec<f64> =
        data.examples.iter().filter_map(|example| seconds(&example.content)).collect();
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).map(|length| length.clamp(LENGTHS.0, LENGTHS.1))
}

/// Looks through a sound in pieces of this length, each half over the one before, and joins neighbours with one answer. A single
/// stretch for a sound that is hardly longer than a piece.
///
/// # Errors
/// When the sound cannot be decoded, or the person asked to stop.
pub(crate) fn stretches(
    predictor: &Predictor,
    path: &Path,
    seconds: f64,
    run: &Run<'_>,
) -> Result<Vec<Stretch>, PipelineError> {
    let prep = |error| PipelineError::from(BundleError::from(BaseError::from(error)));
    let windows = Windows::new(Decoder::open(path).map_err(prep)?, Cut::seconds(seconds, seconds / 2.0));
    let mut pieces: Vec<Stretch> = Vec::new();
    for window in windows {
        if run.is_cancelled() {
            return Err(PipelineError::Cancelled);
        }
        let window = window.map_err(prep)?;
        let at = |sample: u64| sample as f64 / f64::from(RATE);
        let seconds = [at(window.start), at(window.start + window.samples.len() as u64)];
        let prediction = predictor.predict(&Input::Sound(wav_of(&window.samples, RATE)))?;
        pieces.push(Stretch { seconds, prediction });
    }
    Ok(joined(pieces, seconds))
}

/// Each half of a piece goes with the surer of the two that hold it; halves that follow each other with one answer are one stretch.
fn joined(pieces: Vec<Stretch>, seconds: f64) -> Vec<Stretch> {
    let end = pieces.last().map_or(0.0, |piece| piece.seconds[1]);
    if end <= ONE * seconds {
        return pieces.into_iter().take(1).map(|piece| Stretch { seconds: [0.0, end], ..piece }).collect();
    }
    let mut joined: Vec<Stretch> = Vec::new();
    let mut before: Option<&Stretch> = None;
    for (at, piece) in pieces.iter().enumerate() {
        let is_last = at + 1 == pieces.len();
        let half = [piece.seconds[0], if is_last { end } else { pieces[at + 1].seconds[0] }];
        let surer = before.filter(|before| is_surer(&before.prediction, &piece.prediction)).unwrap_or(piece);
        let next = Stretch { seconds: half, prediction: surer.prediction.clone() };
        match joined.last_mut().filter(|last| is_same(&last.prediction.answer, &next.prediction.answer)) {
            Some(last) => {
                last.seconds[1] = half[1];
                if is_surer(&next.prediction, &last.prediction) {
                    last.prediction = next.prediction;
                }
            }
            None => joined.push(next),
        }
        before = Some(piece);
    }
    joined
}

fn is_surer(one: &Prediction, other: &Prediction) -> bool {
    one.confidence > other.confidence
}

/// Numbers are never the same: each piece has its own.
fn is_same(one: &Answer, other: &Answer) -> bool {
    !matches!(one, Answer::Number { .. }) && one == other
}

#[cfg(test)]
mod tests {
    use bundle::Verdict;

    use super::*;

    /// Pieces of two seconds, one a second, with a class and a confidence each.
    fn check(pieces: &[(usize, f64)], end: f64, expect: &[(f64, f64, usize, f64)]) {
        let piece = |(at, (class, confidence)): (usize, &(usize, f64))| Stretch {
            seconds: [at as f64, (at as f64 + 2.0).min(end)],
            prediction: Prediction {
                answer: Answer::Class { class: *class, name: class.to_string() },
                verdict: Verdict::Answered,
                confidence: Some(*confidence),
                probs: Vec::new(),
                familiarity: None,
                senses: Vec::new(),
            },
        };
        let joined = joined(pieces.iter().enumerate().map(piece).collect(), 2.0);
        let told = joined.iter().map(|stretch| {
            let Answer::Class { class, .. } = stretch.prediction.answer else {
                unreachable!("all are classes")
            };
            (stretch.seconds[0], stretch.seconds[1], class, stretch.prediction.confidence.unwrap())
        });
        assert_eq!(told.collect::<Vec<_>>(), expect);
    }

    #[test]
    fn neighbours_with_one_answer_are_one_stretch_and_the_surer_piece_decides() {
        check(
            &[(0, 0.9), (0, 0.8), (1, 0.6), (1, 0.9), (1, 0.7)],
            6.0,
            &[(0.0, 3.0, 0, 0.9), (3.0, 6.0, 1, 0.9)],
        );
        check(&[(0, 0.9), (1, 0.5), (0, 0.9)], 4.0, &[(0.0, 4.0, 0, 0.9)]);
        check(&[], 0.0, &[]);
    }

    #[test]
    fn what_is_hardly_longer_than_a_piece_is_one() {
        check(&[(0, 0.6), (1, 0.9)], 3.0, &[(0.0, 3.0, 0, 0.6)]);
    }
}
