//! Doubtful stretches of long sounds, cut out of them to come back as work: each a sound of its own, of which it is known where it was.

use base::open::Input;
use base::sound::Decoder;
use bundle::PIECE_SECONDS;
use dataset::Span;
use exchange::{Piece, safe_path};
use tokio::sync::mpsc::Sender;

use super::inputs::Question;
use crate::blobs::Blobs;
use crate::db::arriving::Incoming;
use crate::error::ApiError;
use crate::slicing::{Slice, slices};

/// Letters of what is in a sound that stand for its name, where it came without one.
const LETTERS: usize = 16;

/// A stretch as an example would be kept, with its file, which is not written yet.
#[derive(Debug)]
pub(super) struct Doubted {
    pub(super) held: Incoming,
    pub(super) bytes: Vec<u8>,
}

/// Cuts the first `most` of these stretches, the most doubtful first, out of the sound of a question, in the order of their times and as long as
/// somebody takes them: the sound is decoded once, and one stretch is held. What cannot be cut is left out, and told to the log.
pub(super) fn cut(
    question: &Question,
    stretches: &[[f64; 2]],
    most: usize,
    taker: &Sender<Doubted>,
) -> Result<(), ApiError> {
    let Input::Sound(sound) = question.only() else { return Ok(()) };
    let spans: Vec<Span> = stretches.iter().filter_map(|stretch| middle(*stretch)).take(most).collect();
    let whole = Blobs::name_of_bytes(&sound);
    // A number is the place in a request, and names nothing.
    let file = match question.name.parse::<u32>() {
        Ok(_) => whole.chars().take(LETTERS).collect(),
        Err(_) => safe_path(&question.name),
    };
    let mut take = |at: usize, came: Result<Slice, _>| {
        let slice = match came {
            Ok(slice) => slice,
            Err(error) => {
                tracing::warn!(%error, "a doubtful stretch could not be cut out");
                return Ok(());
            }
        };
        let doubted = of_slice(slice, spans[at], &file, &whole).map_err(Some)?;
        taker.blocking_send(doubted).map_err(|_| None)
    };
    // Nobody takes any more: that is no failure.
    match slices(Decoder::new(&sound), &spans, &|| Ok(()), &mut take) {
        Err(Some(error)) => Err(error),
        Ok(()) | Err(None) => Ok(()),
    }
}

/// Of a stretch what lies around its middle, where it is longer than any piece that a model may learn from.
fn middle([start, end]: [f64; 2]) -> Option<Span> {
    let over = ((end - start) - PIECE_SECONDS.end()).max(0.0) / 2.0;
    Span::seconds(start + over, Some(end - over))
}

/// A stretch beside the others of its sound, of which it is a piece.
fn of_slice(slice: Slice, span: Span, file: &str, whole: &str) -> Result<Doubted, ApiError> {
    let end = span.end().map(|end| end.as_secs_f64());
    let piece = Piece { file: file.to_owned(), start: span.start().as_secs_f64(), end };
    let blob = Blobs::name_of_bytes(&slice.bytes);
    let size = i64::try_from(slice.bytes.len()).unwrap_or(i64::MAX);
    let held = Incoming {
        blob: Some(blob.clone()),
        files: vec![(blob, size)],
        group: Some(whole.to_owned()),
        piece_ms: Some(slice.length_ms),
        piece: Some(serde_json::to_string(&piece).map_err(|error| ApiError::internal(&error))?),
        ..Incoming::default()
    };
    Ok(Doubted { held, bytes: slice.bytes })
}

#[cfg(test)]
mod tests {
    use dataset::Modality;
    use tokio::sync::mpsc::channel;

    use super::*;

    /// What is cut out of two minutes of sound, as far as it is taken: where it was, and how many samples it has.
    fn check(
        name: &str,
        stretches: &[[f64; 2]],
        most: usize,
        taken: usize,
        expect: &[(f64, f64, usize)],
    ) -> Vec<Incoming> {
        let samples: Vec<i16> = (0..120 * 100).map(|at| (at % 8_191) as i16).collect();
        let sound = base::sound::wav(&samples, 100);
        let question = Question::one(name.to_owned(), sound, Modality::Sound).expect("a sound");
        let (sender, mut receiver) = channel(1);
        let all = std::thread::scope(|scope| {
            let cutting = scope.spawn(move || cut(&question, stretches, most, &sender));
            let mut all = Vec::new();
            while all.len() < taken
                && let Some(Doubted { held, bytes }) = receiver.blocking_recv()
            {
                assert_eq!(held.blob, Some(Blobs::name_of_bytes(&bytes)));
                let length = base::sound::decode_whole(&bytes, 100).expect("a sound").channels[0].len();
                all.push((held, length));
            }
            drop(receiver);
            cutting.join().expect("it ends").expect("it can be cut");
            all
        });
        let told = all.iter().map(|(held, length)| {
            let piece: Piece = serde_json::from_str(held.piece.as_deref().expect("a place")).expect("JSON");
            assert_eq!(held.piece_ms, Some(10 * *length as i64));
            (piece.start, piece.end.expect("an end"), *length)
        });
        assert_eq!(told.collect::<Vec<_>>(), expect);
        all.into_iter().map(|(held, _)| held).collect()
    }

    #[test]
    fn a_stretch_is_a_sound_of_its_own_that_knows_where_it_was() {
        let all =
            check("line/monday.wav", &[[3.0, 4.5], [1.0, 2.0]], 9, 9, &[(1.0, 2.0, 100), (3.0, 4.5, 150)]);
        assert!(all[0].piece.as_deref().is_some_and(|piece| piece.contains("line/monday.wav")));
        assert!(all[0].group.is_some() && all[0].group == all[1].group, "those of one sound stay together");
        let unnamed = check("1", &[[3.0, 4.5]], 9, 9, &[(3.0, 4.5, 150)]);
        assert!(!unnamed[0].piece.as_deref().is_some_and(|piece| piece.contains("\"1\"")), "{unnamed:?}");
    }

    #[test]
    fn of_a_long_stretch_the_middle_comes_back_and_what_is_not_there_does_not() {
        check("a.wav", &[[10.0, 110.0], [119.0, 125.0], [2.0, 2.0]], 9, 9, &[(30.0, 90.0, 6_000)]);
    }

    #[test]
    fn nothing_more_is_cut_than_somebody_takes() {
        check("a.wav", &[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], 9, 1, &[(1.0, 2.0, 100)]);
    }

    #[test]
    fn of_more_stretches_than_may_come_back_the_most_doubtful_do() {
        let doubted = [[2.0, 2.0], [5.0, 6.0], [3.0, 4.0], [1.0, 2.0]];
        check("a.wav", &doubted, 2, 9, &[(3.0, 4.0, 100), (5.0, 6.0, 100)]);
    }
}
