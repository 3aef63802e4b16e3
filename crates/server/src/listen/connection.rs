//! One connection: its requests are answered one after the other, and none may take for ever to arrive.

use std::{convert::Infallible, pin::pin, time::Duration};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    sync::watch,
    time::timeout,
};
use tower_service::Service as _;
use vmpool_api::{Problem, code};

use super::{
    crowd::{Entry, Place},
    guarded::Guarded,
    words::{self, Worded},
};
use crate::access::Peer;

/// How long the head of a request may take to arrive, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer may find no room on its way because the client does not read.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a refusal may take.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// The most bytes that the head of a request may have.
const MAX_HEAD: usize = 32 * 1024;

/// The most header fields that a request may have.
const MAX_HEADERS: usize = 64;

/// What serves connections.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    router: Router,
    stopping: watch::Receiver<bool>,
}

impl Connections {
    pub(super) fn new(router: Router, stopping: watch::Receiver<bool>) -> Self {
        Self { router, stopping }
    }

    /// Serves one connection to its end, or refuses it if there is no place.
    pub(super) fn run<S>(
        &self,
        stream: S,
        peer: Peer,
        entry: Entry,
    ) -> impl Future<Output = ()> + Send + use<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { router, stopping } = self.clone();
        async move {
            match entry {
                Entry::Place(place) => serve(stream, peer, place, router, stopping).await,
                // It was not listened to, and may not listen either.
                Entry::Full => drop(timeout(REFUSAL_TIMEOUT, refuse(stream)).await),
            }
        }
    }
}

async fn serve<S>(stream: S, peer: Peer, place: Place, router: Router, mut stopping: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(|request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        let busy = place.busy();
        let answer = router.clone().call(request);
        async move {
            let response = answer.await?;
            // A body that is a stream keeps the connection busy to its end.
            Ok::<_, Infallible>(response.map(|body| busy.with(body)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Worded::new(Guarded::new(stream, STALL_TIMEOUT))), answer);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = place.asked_to_leave() => return,
        () = until(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(err) = ended {
        tracing::debug!("a connection ended: {err}");
    }
}

/// Waits until the daemon stops.
pub(super) async fn until(stopping: &mut watch::Receiver<bool>) {
    // An error says that the daemon is gone, which is a stop, too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// Says why nobody listens.
async fn refuse(mut stream: impl AsyncWrite + Unpin) -> std::io::Result<()> {
    let problem =
        Problem::new(code::TOO_MANY, "there are as many connections as there may be, and all are busy")
            .with_hint("try again soon, or raise daemon.max_connections");
    stream.write_all(&words::answer(&problem)).await?;
    stream.shutdown().await
}
