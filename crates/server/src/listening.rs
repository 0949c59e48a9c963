//! Connections: as many as there is room for, each with limited patience.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::people::Peer;
use crate::places::{Places, refuse};
use crate::writing::Hurried;

/// How long clients are waited for, so that slow ones do not hold places for ever.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Until the head of a request has come.
    pub(crate) head: Duration,
    /// Until something more of an answer is taken.
    pub(crate) answer: Duration,
}

/// With everybody.
pub(crate) const PATIENCE: Patience =
    Patience { head: Duration::from_secs(15), answer: Duration::from_secs(60) };
/// How long it is waited when the system has no socket to give.
const BREATH: Duration = Duration::from_millis(50);

/// Answers until `until`; then what is under way is ended, and nothing new begun. Nobody is waited for longer than `patience` says.
pub(crate) async fn listen(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    places: Arc<Places>,
    until: impl Future<Output = ()>,
) {
    // HTTP/2 without TLS is what no client does unasked, and looking for it, as upgrades do as well, would wait for silent ones for ever.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.head);
    let under_way = GracefulShutdown::new();
    tokio::pin!(until);
    loop {
        let next = async {
            let place = places.next().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut until => break,
        };
        let Ok((socket, peer)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let Some(place) = places.give(place, peer.ip()) else {
            refuse(&socket);
            continue;
        };
        // Answers are small and wait for nobody.
        let _ = socket.set_nodelay(true);
        let peer = Peer(peer.ip());
        let service = TowerToHyperService::new(router.clone().map_request(move |mut request: Request<_>| {
            request.extensions_mut().insert(peer);
            request
        }));
        let socket = Hurried::new(socket, patience.answer);
        let (builder, watcher) = (builder.clone(), under_way.watcher());
        tokio::spawn(async move {
            let connection = builder.serve_connection(TokioIo::new(socket), service);
            // A client that breaks off is none of our concern.
            let _ = watcher.watch(connection.into_owned()).await;
            drop(place);
        });
    }
    // Whoever comes now finds nobody here, and asks elsewhere.
    drop(listener);
    under_way.shutdown().await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::{Instant, interval, timeout};

    use super::*;

    const SHORT: Duration = Duration::from_millis(300);
    const PATIENT: Patience = Patience { head: SHORT, answer: SHORT };
    const ASKED: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";

    /// What comes back when the bytes are sent one at a time with pauses, until the other end closes.
    async fn told(address: std::net::SocketAddr, bytes: &[u8], pause: Duration) -> (String, Duration) {
        let since = Instant::now();
        let (mut reads, mut writes) = TcpStream::connect(address).await.expect("a connection").into_split();
        let mut told = Vec::new();
        let sending = async {
            let mut pauses = interval(pause);
            for byte in bytes {
                pauses.tick().await;
                if writes.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
            // Nothing more is said, and nobody hangs up.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // A connection that is reset is closed as well.
            _ = timeout(60 * SHORT, reads.read_to_end(&mut told)) => {}
            () = sending => {}
        }
        (String::from_utf8_lossy(&told).into_owned(), since.elapsed())
    }

    /// A server with patience for little, until it is stopped.
    async fn served(router: Router) -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let places = Arc::new(Places::new(None));
        (address, tokio::spawn(listen(listener, router, PATIENT, places, std::future::pending())))
    }

    #[tokio::test]
    async fn who_creeps_is_cut_off_and_keeps_nobody_waiting() {
        let (address, listening) = served(Router::new().route("/", get(|| async { "here" }))).await;
        // One says nothing at all, one begins as if it spoke another version, one never comes to the end of its head.
        let long = [ASKED[..18].to_vec(), vec![b'x'; 4000]].concat();
        let creep = |bytes| told(address, bytes, SHORT / 10);
        let slow = async { tokio::join!(creep(b""), creep(b"PRI * HT"), creep(&long)) };
        let ((silent, other, creeping), (quick, _)) =
            tokio::join!(slow, told(address, ASKED, Duration::from_millis(1)));
        assert!(quick.starts_with("HTTP/1.1 200") && quick.ends_with("here"), "{quick}");
        for (told, took) in [silent, other, creeping] {
            assert!(!told.contains("200") && took < 20 * SHORT, "{told} after {took:?}");
        }
        listening.abort();
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_is_cut_off() {
        /// More than what lies between two ends.
        const LONG: usize = 64 << 20;
        let (address, listening) = served(Router::new().route("/", get(|| async { vec![0_u8; LONG] }))).await;
        let taken = async |rest: Duration| {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(ASKED).await.expect("somebody listens");
            tokio::time::sleep(rest).await;
            let mut told = Vec::new();
            // A connection that is reset is closed as well.
            let _ = stream.read_to_end(&mut told).await;
            told.len()
        };
        let (at_once, late) = tokio::join!(taken(Duration::ZERO), taken(4 * SHORT));
        assert!(at_once > LONG && late < LONG, "{at_once} {late}");
        listening.abort();
    }
}
