//! The handshake of TLS: so long, and so many at once.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use vmpool_api::{Problem, code};

use super::{
    connection::until,
    crowd::{Crowd, Entry},
    words,
};
use crate::tls::Tls;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many handshakes may be under way at once: who begins one more ends the oldest.
const MAX_HANDSHAKES: usize = 512;

/// How long the other side may take to read why a handshake failed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A connection whose other side may have proved who it is, by these names.
pub(super) type Safe = (TlsStream<TcpStream>, Arc<[String]>);

/// What makes handshakes; clones share their number.
#[derive(Debug, Clone)]
pub(super) struct Handshakes {
    tls: Tls,
    crowd: Arc<Crowd>,
    stopping: watch::Receiver<bool>,
}

impl Handshakes {
    pub(super) fn new(tls: Tls, stopping: watch::Receiver<bool>) -> Self {
        Self { tls, crowd: Arc::new(Crowd::new(MAX_HANDSHAKES)), stopping }
    }

    /// Makes a handshake; `None` if nothing came of it.
    pub(super) fn shake(&self, stream: TcpStream) -> impl Future<Output = Option<Safe>> + Send + use<> {
        let Self { tls, crowd, mut stopping } = self.clone();
        let entry = crowd.enter();
        async move {
            // Nobody is busy among those who shake hands, so there is a place.
            let Entry::Place(place) = entry else { return None };
            let shaken = tokio::select! {
                shaken = timeout(HANDSHAKE_TIMEOUT, shake(stream, tls)) => shaken,
                () = place.asked_to_leave() => return None,
                () = until(&mut stopping) => return None,
            };
            match shaken {
                Ok(Ok(safe)) => safe,
                Ok(Err(err)) => {
                    tracing::debug!("a handshake failed: {err}");
                    None
                }
                Err(_) => {
                    tracing::debug!("a handshake took too long");
                    None
                }
            }
        }
    }
}

async fn shake(mut stream: TcpStream, tls: Tls) -> io::Result<Option<Safe>> {
    let mut first = [0];
    // A record of TLS begins with a number, a request in clear with a letter.
    if stream.peek(&mut first).await? == 1 && first[0].is_ascii_alphabetic() {
        let problem =
            Problem::new(code::INVALID_REQUEST, "this port speaks TLS, and the request came in clear");
        let problem = problem.with_hint("write https:// instead of http://");
        stream.write_all(&words::answer(&problem)).await?;
        close(stream).await;
        return Ok(None);
    }
    match TlsAcceptor::from(tls.config()).accept(stream).into_fallible().await {
        Ok(stream) => {
            let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let names = shown.map(vmpool_tls::names).unwrap_or_default().into();
            Ok(Some((stream, names)))
        }
        Err((err, stream)) => {
            close(stream).await;
            Err(err)
        }
    }
}

/// Ends a connection so that the other side reads what it was told last: one that is closed with something unread is reset.
async fn close(mut stream: impl AsyncWrite + tokio::io::AsyncRead + Unpin) {
    let read_on = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut unread = [0; 1024];
        while matches!(stream.read(&mut unread).await, Ok(1..)) {}
    };
    let _ = timeout(LAST_WORDS, read_on).await;
}
