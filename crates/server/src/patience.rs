//! Bodies whose senders are not waited for for ever.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tokio_stream::{Stream, StreamExt as _};

/// Bytes that must come within each spell of waiting, unless the body ends: a line of the last century brings more.
const LEAST: usize = 8 << 10;

/// Bytes of a body that are taken in when nobody wants them any more.
const REST: usize = 8 << 20;

/// A body that breaks off, and says so in `broke_off`, when less than [`LEAST`] bytes come in so long a wait. Time in which nobody
/// reads does not count.
pub(crate) fn patient(body: Body, spell: Duration, broke_off: Arc<AtomicBool>) -> Body {
    let mut pieces = body.into_data_stream();
    let pieces = async_stream::stream! {
        let (mut left, mut came) = (spell, 0);
        loop {
            let since = Instant::now();
            let Ok(piece) = timeout(left, pieces.next()).await else {
                broke_off.store(true, Ordering::Relaxed);
                yield Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)));
                break;
            };
            let Some(piece) = piece else { break };
            left = left.saturating_sub(since.elapsed());
            came += piece.as_ref().map_or(0, |piece| piece.len());
            if came >= LEAST {
                (left, came) = (spell, 0);
            }
            yield piece;
        }
    };
    Body::from_stream(Heard(Some(Box::pin(pieces))))
}

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>;

/// A body of which the rest is taken in where it is dropped half-way, as by an answer that is given before it was read: whoever is still
/// sending would be cut off, and not hear the answer.
struct Heard(Option<Pieces>);

impl Stream for Heard {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(pieces) = &mut self.0 else { return Poll::Ready(None) };
        let piece = std::task::ready!(pieces.as_mut().poll_next(context));
        if !matches!(piece, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(piece)
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        let (Some(mut pieces), Ok(runtime)) = (self.0.take(), Handle::try_current()) else { return };
        runtime.spawn(async move {
            let mut left = REST;
            while let Some(Ok(piece)) = pieces.next().await
                && piece.len() <= left
            {
                left -= piece.len();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPELL: Duration = Duration::from_millis(60);

    /// Whether a body of so many pieces of so many bytes, with pauses between them, is read to its end.
    async fn ends(pieces: usize, size: usize, pause: Duration) -> bool {
        let sent = async_stream::stream! {
            for _ in 0..pieces {
                tokio::time::sleep(pause).await;
                yield Ok::<_, axum::Error>(Bytes::from(vec![0; size]));
            }
        };
        let broke_off = Arc::new(AtomicBool::new(false));
        let body = patient(Body::from_stream(sent), SPELL, broke_off.clone());
        let read = axum::body::to_bytes(body, usize::MAX).await;
        assert_eq!(read.is_err(), broke_off.load(Ordering::Relaxed));
        read.is_ok_and(|bytes| bytes.len() == pieces * size)
    }

    #[tokio::test]
    async fn who_sends_nothing_or_next_to_nothing_is_not_waited_for() {
        assert!(ends(0, 1, Duration::ZERO).await && ends(100, 10_000, Duration::ZERO).await);
        assert!(ends(12, LEAST, SPELL / 6).await, "slowly, but enough");
        assert!(!ends(1, LEAST, 20 * SPELL).await, "nothing");
        assert!(!ends(60, 1, SPELL / 6).await, "a byte now and then");
    }
}
