//! The listener: what `axum::serve` does, with bounds on clients that are slow or half gone.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use scim_example_app::{CONNECTIONS, Connections, GRACE, HEAD_TIME};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How many bytes of a head may come before hyper refuses to read on. It looks between two reads, and one read may bring as
/// much again: 64 KiB are always taken, and more than twice that never is.
const HEAD: usize = 64 << 10;

/// Serves until `end`, then lets requests that have begun come to theirs.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    connections: &Arc<Connections>,
    end: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    // a client that has sent its request and closed its side still reads the answer
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).half_close(true).max_buf_size(HEAD);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut end = pin!(end);
    loop {
        let accepted = async {
            // it is never closed
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut end => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // out of file descriptors, most likely: others have to be closed first
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // answers are written at once: there is nothing to wait for
        let _ = stream.set_nodelay(true);
        let Some(stream) = connections.take(stream, peer) else { continue };
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}
