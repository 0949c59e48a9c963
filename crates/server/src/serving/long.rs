//! Long sounds that a model of pieces is asked about: looked through piece by piece on the way through the base that all share, and told in
//! stretches of one answer.
//!
//! Of each only a few pieces are held, and nothing more is decoded before they are answered, or once nobody waits for the answer. The turn goes to
//! the next sound with each few: one that lasts for a day keeps no other waiting for long.

use base::open::{BaseError, Input};
use base::prep::PrepError;
use base::sound::Decoder;
use pipeline::pieces::{LongSound, Stretch, joined};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

use super::{Answered, Served};
use crate::app::together;
use crate::error::ApiError;

/// Pieces of a sound that go through the base together.
const TOGETHER: usize = 16;
/// Seconds of sound in them, however long each is: some 16 MB.
const MOST_SECONDS: f64 = 240.0;
/// Pieces of all long sounds of a request: their answers are held until it is answered.
const MOST_PIECES: usize = 4096;

/// What is said of one input.
#[derive(Debug)]
pub(crate) enum Heard {
    Once(Answered),
    /// Of a long sound, with what of it was damaged.
    Stretches(Vec<Stretch>, Option<String>),
    /// Nothing: with it the long sounds of the request have too many pieces.
    TooMuch {
        most_pieces: usize,
        seconds: f64,
    },
}

/// A piece with its start and end in seconds.
type Piece = ([f64; 2], Input);

impl Served {
    /// Asks about inputs; of a sound that is longer than the pieces that were learned from, each stretch is told.
    pub(crate) async fn hear(&self, inputs: Vec<Input>) -> Result<Vec<Heard>, ApiError> {
        let (long, rest) = self.parted(inputs).await;
        let any = long.iter().any(Option::is_some);
        let _inside = any.then(|| self.base.let_in_with_long_sounds()).transpose()?;
        let mut rest = self.ask(rest).await?.into_iter();
        let seconds = self.bundle().manifest.piece_seconds.unwrap_or_default();
        let mut left = MOST_PIECES;
        let mut heard = Vec::with_capacity(long.len());
        for long in long {
            heard.push(match long {
                Some(sound) => self.look_through(sound, seconds, &mut left).await?,
                None => Heard::Once(rest.next().expect("what is not long is answered")),
            });
        }
        Ok(heard)
    }

    /// The long sounds at their places, and the rest of the inputs in their order.
    pub(crate) async fn parted(&self, inputs: Vec<Input>) -> (Vec<Option<Vec<u8>>>, Vec<Input>) {
        let Some(seconds) = self.bundle().manifest.piece_seconds else {
            return (inputs.iter().map(|_| None).collect(), inputs);
        };
        // What is wrong with a sound the base tells.
        part(inputs, move |sound| {
            Decoder::new(sound)
                .and_then(|decoder| LongSound::of(decoder, seconds))
                .is_ok_and(|long| long.is_some())
        })
        .await
    }

    async fn look_through(&self, sound: Vec<u8>, seconds: f64, left: &mut usize) -> Result<Heard, ApiError> {
        // Before any of it is looked at: nobody waits for minutes to hear that it was too much.
        let (sound, n_pieces) = match self.counted(sound, seconds, *left).await {
            Ok((sound, Some(n_pieces))) => (sound, n_pieces),
            Ok((_, None)) => return Ok(Heard::TooMuch { most_pieces: MOST_PIECES, seconds }),
            Err(error) => return Ok(Heard::Once(Err(BaseError::from(error)))),
        };
        *left -= n_pieces;
        let (go_on, mut turns) = channel(1);
        let (sender, mut arriving) = channel(1);
        let cutting = tokio::task::spawn_blocking(move || cut(&sound, seconds, &mut turns, &sender));
        let mut pieces = Vec::new();
        loop {
            let _turn = self.base.turn_at_long_sounds().await;
            // Where it cannot be decoded on nobody takes the turn.
            let _ = go_on.send(()).await;
            let Some(held) = arriving.recv().await else { break };
            let (times, inputs): (Vec<_>, Vec<_>) = held.into_iter().unzip();
            for (seconds, answered) in times.into_iter().zip(self.ask_in_time(inputs).await?) {
                match answered {
                    Ok(told) => pieces.push(Stretch { seconds, prediction: told.prediction }),
                    Err(error) => return Ok(Heard::Once(Err(error))),
                }
            }
        }
        Ok(match cutting.await.expect("decoders do not panic") {
            Ok(damage) => Heard::Stretches(joined(&pieces), damage),
            Err(error) => Heard::Once(Err(BaseError::from(error))),
        })
    }

    /// A sound with the number of its pieces; `None` where that is more than `most`.
    async fn counted(
        &self,
        sound: Vec<u8>,
        seconds: f64,
        most: usize,
    ) -> Result<(Vec<u8>, Option<usize>), PrepError> {
        let _turn = self.base.turn_at_long_sounds().await;
        let (waits, _caller) = oneshot::channel::<()>();
        let counting = move || {
            let n_pieces = n_pieces(&sound, seconds, most, &|| !waits.is_closed())?;
            Ok((sound, n_pieces))
        };
        tokio::task::spawn_blocking(counting).await.expect("decoders do not panic")
    }
}

/// The long sounds at their places, and the rest. Beginnings are decoded by a few threads that do nothing else: those that compute are not
/// kept by a file that is slow to decode.
async fn part(
    mut inputs: Vec<Input>,
    is_long: impl Fn(&[u8]) -> bool + Clone + Send + 'static,
) -> (Vec<Option<Vec<u8>>>, Vec<Input>) {
    let mut shares = Vec::new();
    let size = inputs.len().div_ceil(together()).max(1);
    while !inputs.is_empty() {
        let share: Vec<Input> = inputs.drain(..size.min(inputs.len())).collect();
        let is_long = is_long.clone();
        shares.push(tokio::task::spawn_blocking(move || {
            let part = |input| match input {
                Input::Sound(sound) if is_long(&sound) => Err(sound),
                other => Ok(other),
            };
            share.into_iter().map(part).collect::<Vec<_>>()
        }));
    }
    let (mut long, mut rest) = (Vec::new(), Vec::new());
    for share in shares {
        for input in share.await.expect("decoders do not panic") {
            match input {
                Ok(input) => {
                    long.push(None);
                    rest.push(input);
                }
                Err(sound) => long.push(Some(sound)),
            }
        }
    }
    (long, rest)
}

/// How many pieces of this length a sound has, each half over the one before. `None` where they are more than `most`, or nobody waits any more:
/// it is decoded no further than that takes.
fn n_pieces(
    sound: &[u8],
    seconds: f64,
    most: usize,
    somebody_waits: &dyn Fn() -> bool,
) -> Result<Option<usize>, PrepError> {
    let mut decoder = Decoder::new(sound)?;
    let (mut n_samples, mut n_pieces) = (0, 0);
    while let Some(block) = decoder.next_block()? {
        n_samples += block[0].len();
        let length = n_samples as f64 / f64::from(decoder.rate());
        n_pieces = (2.0 * length / seconds).ceil() as usize;
        if n_pieces > most || !somebody_waits() {
            return Ok(None);
        }
    }
    Ok(Some(n_pieces))
}

/// Cuts a sound, some pieces at each turn, until it ends or nobody takes them any more; what of it was damaged.
fn cut(
    sound: &[u8],
    seconds: f64,
    turns: &mut Receiver<()>,
    pieces: &Sender<Vec<Piece>>,
) -> Result<Option<String>, PrepError> {
    if turns.blocking_recv().is_none() {
        return Ok(None);
    }
    let Some(mut sound) = LongSound::of(Decoder::new(sound)?, seconds)? else { return Ok(None) };
    let together = TOGETHER.min((MOST_SECONDS / seconds) as usize);
    loop {
        let next = sound.next_pieces(together)?;
        if next.is_empty() || pieces.blocking_send(next).is_err() || turns.blocking_recv().is_none() {
            return Ok(sound.damage());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    /// A minute of silence that ends early.
    fn sound() -> Vec<u8> {
        let mut sound = base::sound::wav(&[0; 60 * 1_000], 1_000);
        sound.truncate(sound.len() - 500);
        sound
    }

    /// The pieces of each turn, and what of the sound was damaged.
    fn cut_all(sound: &[u8], seconds: f64) -> (Vec<Vec<Piece>>, Option<String>) {
        let (go_on, mut turns) = channel(1);
        let (sender, mut arriving) = channel(1);
        std::thread::scope(|scope| {
            let cutting = scope.spawn(move || cut(sound, seconds, &mut turns, &sender));
            let mut all = Vec::new();
            loop {
                let _ = go_on.blocking_send(());
                let Some(held) = arriving.blocking_recv() else { break };
                all.push(held);
            }
            (all, cutting.join().expect("it ends").expect("it can be decoded"))
        })
    }

    #[tokio::test]
    async fn sounds_that_are_slow_to_decode_keep_no_thread_that_computes() {
        // As many as would take every thread of a computation, each over only when something was computed meanwhile.
        let inputs = vec![Input::Sound(Vec::new()); 4 * rayon::current_num_threads()];
        let (computed, deadline) =
            (Arc::new(AtomicBool::new(false)), Instant::now() + Duration::from_secs(20));
        let heard = computed.clone();
        let slow = move |_: &[u8]| {
            let computes = heard.clone();
            rayon::spawn(move || computes.store(true, Ordering::Relaxed));
            while !heard.load(Ordering::Relaxed) && Instant::now() < deadline {
                std::thread::yield_now();
            }
            heard.load(Ordering::Relaxed)
        };
        let (long, rest) = part(inputs, slow).await;
        assert!(rest.is_empty() && long.iter().all(Option::is_some), "nothing was computed meanwhile");
    }

    #[tokio::test]
    async fn long_sounds_stay_at_their_places() {
        let input = |at: u8| Input::Sound(vec![at]);
        let (long, rest) = part((0..101).map(input).collect(), |sound| sound[0] % 3 == 0).await;
        let sounds = rest.iter().map(|input| match input {
            Input::Sound(sound) => sound[0],
            other => unreachable!("{other:?}"),
        });
        assert!(sounds.eq((0..101).filter(|at| at % 3 != 0)));
        let expected = (0..101).map(|at| (at % 3 == 0).then(|| vec![at]));
        assert!(long.into_iter().eq(expected));
    }

    #[test]
    fn a_sound_is_cut_no_further_than_somebody_waits_for_its_pieces() {
        let sound = sound();
        let (all, damage) = cut_all(&sound, 1.0);
        assert!(all.iter().all(|held| held.len() <= TOGETHER));
        let all: Vec<_> = all.into_iter().flatten().map(|(seconds, _)| seconds).collect();
        assert_eq!((all.len(), all[0], all[1]), (119, [0.0, 1.0], [0.5, 1.5]));
        assert!(damage.is_some(), "its end is missing");

        // One turn, and nobody asks for more: it never came to the end.
        let (go_on, mut turns) = channel(1);
        let (sender, mut arriving) = channel(1);
        go_on.blocking_send(()).expect("it waits");
        drop(go_on);
        assert_eq!(cut(&sound, 1.0, &mut turns, &sender), Ok(None));
        assert_eq!(arriving.try_recv().expect("of the one turn").len(), TOGETHER);
        assert!(arriving.try_recv().is_err(), "nothing more was decoded");
    }

    #[test]
    fn pieces_are_counted_no_further_than_it_matters() {
        let sound = sound();
        assert_eq!(n_pieces(&sound, 1.0, 120, &|| true), Ok(Some(120)), "one too many at most");
        let blocks = std::cell::Cell::new(0);
        let counted = |most: usize, until: usize| {
            blocks.set(0);
            let waits = || {
                blocks.set(blocks.get() + 1);
                blocks.get() < until
            };
            (n_pieces(&sound, 1.0, most, &waits), blocks.get())
        };
        let (_, all) = counted(120, usize::MAX);
        let (half, read) = counted(60, usize::MAX);
        assert!(half == Ok(None) && read < all * 2 / 3, "{read} of {all} blocks");
        assert_eq!(counted(120, 3), (Ok(None), 3), "who asked has left");
    }

    #[test]
    fn long_pieces_are_held_by_their_seconds() {
        let sound = base::sound::wav(&vec![0; 600 * 100], 100);
        let counts: Vec<usize> = cut_all(&sound, 60.0).0.iter().map(Vec::len).collect();
        assert_eq!(counts, [4, 4, 4, 4, 3]);
    }
}
