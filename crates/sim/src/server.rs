//! The socket of a simulated cloud, whichever protocol it speaks.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

/// A simulated server that listens until this is dropped.
#[derive(Debug)]
pub struct SimServer {
    address: SocketAddr,
    path: &'static str,
    _stop: oneshot::Sender<Infallible>,
}

impl SimServer {
    /// Returns where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what a client calls its endpoint.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }
}

/// Why there is no answer; the connection ends with it.
#[derive(Debug, thiserror::Error)]
#[error("the simulated server lost what it was to answer")]
pub(crate) struct Lost;

/// What answers requests.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data = Bytes, Error = Infallible> + Send + 'static;

    /// The path of what clients call the endpoint.
    const PATH: &'static str;

    /// Whether a connection can be used again.
    const KEEPS_ALIVE: bool;

    /// Answers a request.
    fn respond(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Self::Body>, Lost>> + Send;
}

/// Serves on a free port of loopback until what is returned is dropped.
pub(crate) async fn start<S: Service>(service: S) -> io::Result<SimServer> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<Infallible>();
    tokio::spawn(serve(service, listener, async {
        // It ends when the other side is gone.
        drop(stopped.await);
    }));
    Ok(SimServer { address, path: S::PATH, _stop: stop })
}

/// Serves until told to stop; connections that are open then go on by themselves.
pub(crate) async fn serve<S: Service>(service: S, listener: TcpListener, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { tokio::spawn(converse(service.clone(), stream)); }
                // Most often too many open files, and the connections that are open end soon.
                Err(_) => pause(Duration::from_millis(100)).await,
            },
        }
    }
}

async fn converse<S: Service>(service: S, stream: TcpStream) {
    let respond = service_fn(|request| service.respond(request));
    let mut http = http1::Builder::new();
    http.keep_alive(S::KEEPS_ALIVE).title_case_headers(true);
    // An error is a client that went away, or an answer that is to be lost.
    drop(http.serve_connection(TokioIo::new(stream), respond).await);
}

/// Lets time pass that an answer takes.
#[expect(clippy::disallowed_methods, reason = "a server that takes its time is what is simulated")]
pub(crate) async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
