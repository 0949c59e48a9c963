//! Sounds that are longer than the pieces that a bundle learned from: looked through piece by piece, and told in stretches of one answer.

use std::path::Path;
use std::time::Duration;
use std::vec::IntoIter;

use base::open::{BaseError, Input};
use base::prep::PrepError;
use base::sound::{Cut, Decoder, RATE, Window, Windows, wav_of};
use bundle::{Answer, BundleError, PIECE_SECONDS, Prediction, Predictor};
use dataset::{Content, Dataset, Example, Modality, ProblemKind};
use rayon::prelude::*;

use crate::{PipelineError, PredictedRow, Run};

/// Pieces that are held at a time, to be answered on all threads.
const TOGETHER: usize = 32;
/// A sound of fewer pieces, each half over the one before, lasts for one and a half at most: it is one itself.
const SEVERAL: usize = 3;

/// A stretch of a sound with one answer; a piece of it is one before its neighbours are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Start and end in seconds.
    pub seconds: [f64; 2],
    /// The surest of its pieces.
    pub prediction: Prediction,
}

/// A sound that is longer than the pieces that a bundle learned from, in pieces of their length, each half over the one before. It is
/// decoded as it is asked for.
pub struct LongSound<'s> {
    /// Those that told that it is long.
    first: IntoIter<Window>,
    rest: Windows<'s>,
}

impl<'s> LongSound<'s> {
    /// In pieces of this many seconds, within [`PIECE_SECONDS`]; `None` for a sound that is hardly longer than one, which has one answer.
    ///
    /// # Errors
    /// When its beginning cannot be decoded.
    pub fn of(decoder: Decoder<'s>, seconds: f64) -> Result<Option<Self>, PrepError> {
        let mut rest = Windows::new(decoder, Cut::seconds(seconds, seconds / 2.0));
        let first: Vec<Window> = rest.by_ref().take(SEVERAL).collect::<Result<_, _>>()?;
        Ok((first.len() == SEVERAL).then(|| Self { first: first.into_iter(), rest }))
    }

    /// The next pieces, at most so many, each as a sound of its own with its start and end in seconds; none at the end.
    ///
    /// # Errors
    /// When it cannot be decoded on.
    pub fn next_pieces(&mut self, most: usize) -> Result<Vec<([f64; 2], Input)>, PrepError> {
        let at = |sample: u64| sample as f64 / f64::from(RATE);
        let piece = |Window { start, samples }: Window| {
            let end = start + samples.len() as u64;
            ([at(start), at(end)], Input::Sound(wav_of(&samples, RATE)))
        };
        let windows = self.first.by_ref().map(Ok).chain(self.rest.by_ref());
        windows.take(most).map(|window| window.map(piece)).collect()
    }

    /// What could not be decoded, in words; complete after the last piece.
    pub fn damage(&self) -> Option<String> {
        self.rest.damage().detail()
    }
}

/// Length in seconds of the usual piece of a data set, at most the longest of [`PIECE_SECONDS`] where a piece goes on to the end of its
/// file; `None` where most sounds are whole ones.
pub(crate) fn usual_piece(data: &Dataset) -> Option<f64> {
    let seconds = |content: &Content| match content {
        Content::Piece(_, span) => {
            Some(span.end().map_or(*PIECE_SECONDS.end(), |end| (end - span.start()).as_secs_f64()))
        }
        _ => None,
    };
    let mut lengths: Vec<f64> =
        data.examples.iter().filter_map(|example| seconds(&example.content)).collect();
    if 2 * lengths.len() <= data.examples.len() {
        return None;
    }
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).map(|length| length.clamp(*PIECE_SECONDS.start(), *PIECE_SECONDS.end()))
}

/// Start and end of a piece in seconds, as a table has them: an end that is missing is that of the file.
pub(crate) fn times(example: &Example) -> Option<(String, Option<String>)> {
    let Content::Piece(_, span) = &example.content else { return None };
    let seconds = |time: Duration| time.as_secs_f64().to_string();
    Some((seconds(span.start()), span.end().map(seconds)))
}

/// Looks through a sound in pieces of this length, each half over the one before: a row for each stretch with one answer. `None` for a
/// sound that is hardly longer than a piece.
///
/// # Errors
/// When the sound cannot be decoded, or the person asked to stop.
pub(crate) fn rows(
    predictor: &Predictor,
    id: &str,
    path: &Path,
    seconds: f64,
    run: &Run<'_>,
) -> Result<Option<Vec<PredictedRow>>, PipelineError> {
    let prep = |error| PipelineError::from(BundleError::from(BaseError::from(error)));
    let decoder = Decoder::open(path).map_err(prep)?;
    let Some(mut sound) = LongSound::of(decoder, seconds).map_err(prep)? else { return Ok(None) };
    let mut pieces: Vec<Stretch> = Vec::new();
    loop {
        let held = sound.next_pieces(TOGETHER).map_err(prep)?;
        if held.is_empty() {
            break;
        }
        let answered = held.into_par_iter().map(|(seconds, input)| {
            if run.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            Ok(Stretch { seconds, prediction: predictor.predict(&input)? })
        });
        pieces.append(&mut answered.collect::<Result<_, _>>()?);
    }
    let damage = sound.damage();
    let row = |Stretch { seconds, prediction }| PredictedRow {
        id: id.to_owned(),
        seconds: Some(seconds),
        prediction: Some(prediction),
        // What is missing may lie before any of them, and shift its times.
        problem: damage.clone().map(|detail| ProblemKind::damaged(Modality::Sound, detail)),
        more_problems: Vec::new(),
    };
    Ok(Some(joined(&pieces).into_iter().map(row).collect()))
}

/// The stretches of a sound, from all of its pieces in their order: each half of a piece goes with the surer of the two that hold it, and
/// halves that follow each other with one answer and one verdict are one.
pub fn joined(pieces: &[Stretch]) -> Vec<Stretch> {
    let mut joined: Vec<Stretch> = Vec::new();
    let mut join = |half: Stretch| match joined.last_mut().filter(|last| is_same(last, &half)) {
        Some(last) => {
            last.seconds[1] = half.seconds[1];
            if is_surer(&half, last) {
                last.prediction = half.prediction;
            }
        }
        None => joined.push(half),
    };
    for (at, piece) in pieces.iter().enumerate() {
        let [start, end] = piece.seconds;
        let before = at.checked_sub(1).map(|before| &pieces[before]);
        let surer = before.filter(|before| is_surer(before, piece)).unwrap_or(piece);
        // The half after that of the last piece is its own.
        let shared = match pieces.get(at + 1) {
            Some(next) => next.seconds[0],
            None => before.map_or(end, |before| before.seconds[1].min(end)),
        };
        join(Stretch { seconds: [start, shared], ..surer.clone() });
        if at + 1 == pieces.len() && shared < end {
            join(Stretch { seconds: [shared, end], ..piece.clone() });
        }
    }
    joined
}

fn is_surer(one: &Stretch, other: &Stretch) -> bool {
    one.prediction.confidence > other.prediction.confidence
}

/// Numbers are never the same: each piece has its own. What a bundle stands behind is not joined with what it does not.
fn is_same(one: &Stretch, other: &Stretch) -> bool {
    let (one, other) = (&one.prediction, &other.prediction);
    !matches!(one.answer, Answer::Number { .. }) && one.answer == other.answer && one.verdict == other.verdict
}

#[cfg(test)]
mod tests {
    use bundle::Verdict;

    use super::*;

    /// Pieces of two seconds, one a second, with a class and a confidence each; doubtful below one half.
    fn check(pieces: &[(usize, f64)], end: f64, expect: &[(f64, f64, usize, f64)]) {
        let piece = |(at, (class, confidence)): (usize, &(usize, f64))| Stretch {
            seconds: [at as f64, (at as f64 + 2.0).min(end)],
            prediction: Prediction {
                answer: Answer::Class { class: *class, name: class.to_string() },
                verdict: if *confidence < 0.5 { Verdict::DontKnow } else { Verdict::Answered },
                confidence: Some(*confidence),
                probs: Vec::new(),
                familiarity: None,
                senses: Vec::new(),
            },
        };
        let joined = joined(&pieces.iter().enumerate().map(piece).collect::<Vec<_>>());
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
    fn the_last_half_is_that_of_the_last_piece_alone() {
        check(&[(0, 0.9), (0, 0.9), (1, 0.6)], 4.0, &[(0.0, 3.0, 0, 0.9), (3.0, 4.0, 1, 0.6)]);
        check(&[(0, 0.9), (0, 0.9), (1, 0.6)], 3.0, &[(0.0, 3.0, 0, 0.9)]);
    }

    #[test]
    fn what_is_doubtful_is_a_stretch_of_its_own() {
        check(&[(0, 0.9), (0, 0.4), (0, 0.4), (0, 0.4)], 5.0, &[(0.0, 2.0, 0, 0.9), (2.0, 5.0, 0, 0.4)]);
    }

    #[test]
    fn the_usual_piece_is_that_of_most_sounds() {
        let dir = tempfile::tempdir().unwrap();
        for (rows, usual) in [("1,3\n5,6\n2,4", Some(2.0)), ("1,\n5,\n2,4", Some(60.0)), ("1,3\n,\n,", None)]
        {
            let table = dir.path().join("table.csv");
            let rows = rows.lines().enumerate().map(|(at, times)| format!("{at}.wav,{times},a\n"));
            std::fs::write(&table, format!("file,start,end,label\n{}", rows.collect::<String>())).unwrap();
            (0..3).for_each(|at| std::fs::write(dir.path().join(format!("{at}.wav")), b"RIFF").unwrap());
            let (data, problems) = dataset::read_pool(&table, &dataset::ReadOptions::default()).unwrap();
            assert_eq!((data.examples.len(), usual_piece(&data)), (3, usual), "{problems:?}");
        }
    }
}
