//! Bodies whose senders are not waited for for ever.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use tokio::time::{Instant, timeout};
use tokio_stream::StreamExt as _;

/// Bytes that must come within each spell of waiting, unless the body ends: a line of the last century brings more.
const LEAST: usize = 8 << 10;

/// A body that breaks off, and says so in `broke_off`, when less than [`LEAST`] bytes come in so long a wait. Time in which nobody
/// reads does not count.
pub(crate) fn patient(body: Body, spell: Duration, broke_off: Arc<AtomicBool>) -> Body {
    let mut pieces = body.into_data_stream();
    Body::from_stream(async_stream::stream! {
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
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

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
