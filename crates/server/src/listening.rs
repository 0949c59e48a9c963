//! Connections: as many as there is room for, each with limited patience.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections that are open at once; more wait for one to end.
const MOST_CONNECTIONS: usize = 4096;
/// How long a client may take to send the head of a request, so that slow ones do not hold places for ever.
const HEAD: Duration = Duration::from_secs(15);
/// How long it is waited when the system has no socket to give.
const BREATH: Duration = Duration::from_millis(50);

/// Answers until `until`; then what is under way is ended, and nothing new begun.
pub(crate) async fn listen(listener: TcpListener, router: Router, until: impl Future<Output = ()>) {
    // HTTP/2 without TLS is what no client does unasked, and looking for it would wait for silent ones.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    let (under_way, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
    tokio::pin!(until);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut until => break,
        };
        let Ok((socket, _)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        // Answers are small and wait for nobody.
        let _ = socket.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let (builder, watcher) = (builder.clone(), under_way.watcher());
        tokio::spawn(async move {
            // Who connects and says nothing is not waited for longer than who says it slowly.
            if tokio::time::timeout(HEAD, socket.readable()).await.is_ok() {
                let connection = builder.serve_connection_with_upgrades(TokioIo::new(socket), service);
                // A client that breaks off is none of our concern.
                let _ = watcher.watch(connection.into_owned()).await;
            }
            drop(place);
        });
    }
    under_way.shutdown().await;
}
