//! One exchange: a connection, a request, an answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    CallFailure,
    endpoint::Endpoint,
    gate::Gate,
    receive::Receive,
    stream::{Stream, close, connect},
};

/// How long an exchange that nobody waits for is kept up; the connection is closed then, which does not reset it as long as
/// the server has sent nothing.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where to, and how.
pub(super) struct Target {
    pub(super) endpoint: Endpoint,
    pub(super) gate: Gate,
    pub(super) tls: Option<TlsConnector>,
    pub(super) connect_timeout: Duration,
}

/// Whether the request has been sent, or never will be.
///
/// Whoever comes first decides: the task that sends, or the caller that gives up. So an error never says that the server did
/// not get a call that it got.
#[derive(Debug, Default)]
struct Fate(AtomicU8);

impl Fate {
    const OPEN: u8 = 0;
    const SENT: u8 = 1;
    const GIVEN_UP: u8 = 2;

    /// Decides that the request is sent; false if it has been given up.
    fn send(&self) -> bool {
        self.decide(Self::SENT)
    }

    /// Decides that the request is not sent; false if it has been.
    fn give_up(&self) -> bool {
        self.decide(Self::GIVEN_UP)
    }

    fn decide(&self, fate: u8) -> bool {
        let decided = self.0.compare_exchange(Self::OPEN, fate, Ordering::AcqRel, Ordering::Acquire);
        decided.is_ok() || decided == Err(fate)
    }
}

/// Gives the request up when the caller goes.
struct Caller(Arc<Fate>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// An exchange that has not begun.
pub(super) struct Exchange<R> {
    target: Arc<Target>,
    body: Bytes,
    receive: R,
    /// Which trace it belongs to.
    trace: Option<String>,
}

impl<R: Receive> Exchange<R> {
    pub(super) fn new(target: &Arc<Target>, body: String, receive: R) -> Self {
        let trace = vmpool_driver::traceparent();
        Self { target: Arc::clone(target), body: Bytes::from(body), receive, trace }
    }

    /// Makes the exchange in a task of its own, so that it ends in good order even if the caller does not wait for it.
    pub(super) async fn run(self, limit: Duration) -> Result<R::Output, CallFailure> {
        let fate = Arc::new(Fate::default());
        let caller = Caller(Arc::clone(&fate));
        let answered = timeout(limit, async {
            let Some(place) = self.target.gate.pass().await else {
                return Err(CallFailure::BrokenOff("the process is ending".to_owned()));
            };
            let (answer, answered) = oneshot::channel();
            tokio::spawn(self.carry_out(fate, place, answer));
            match answered.await {
                Ok(answer) => answer,
                Err(_) => Err(CallFailure::BrokenOff("the exchange was ended with its runtime".to_owned())),
            }
        });
        match answered.await {
            Ok(answer) => answer,
            Err(_) => Err(CallFailure::Timeout { after: limit, sent: !caller.0.give_up() }),
        }
    }

    async fn carry_out(
        self,
        fate: Arc<Fate>,
        place: OwnedSemaphorePermit,
        answer: oneshot::Sender<Result<R::Output, CallFailure>>,
    ) {
        let connecting =
            timeout(self.target.connect_timeout, connect(&self.target.endpoint, self.target.tls.as_ref()));
        let stream = match connecting.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(failure)) => return drop(answer.send(Err(failure))),
            Err(_) => {
                let after = self.target.connect_timeout;
                return drop(answer.send(Err(CallFailure::Timeout { after, sent: false })));
            }
        };
        if fate.send() {
            // What is left of the exchange when time is up is dropped, with its connection.
            let _ = timeout(PATIENCE, self.speak(stream, answer)).await;
        } else {
            close(stream).await;
        }
        drop(place);
    }

    /// Sends the request, tells the caller what came of it, and reads on until the connection has ended.
    async fn speak(self, stream: Box<dyn Stream>, answer: oneshot::Sender<Result<R::Output, CallFailure>>) {
        let (mut sender, connection) = match http1::handshake(TokioIo::new(stream)).await {
            Ok(pair) => pair,
            Err(err) => return drop(answer.send(Err(lost(&err)))),
        };
        let connection = async {
            if let Ok(parts) = connection.without_shutdown().await {
                close(parts.io.into_inner()).await;
            }
        };
        let request = request(&self.target.endpoint, self.body, self.trace.as_deref());
        let exchange = async move {
            match sender.send_request(request).await {
                Ok(response) => receive(response, self.receive, answer).await,
                Err(err) => drop(answer.send(Err(lost(&err)))),
            }
        };
        tokio::join!(connection, exchange);
    }
}

fn request(endpoint: &Endpoint, body: Bytes, trace: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = hyper::Method::POST;
    *request.uri_mut() = endpoint.path.parse().unwrap_or_default();
    let headers = request.headers_mut();
    if let Ok(host) = header::HeaderValue::from_str(&endpoint.authority) {
        headers.insert(header::HOST, host);
    }
    let agent = concat!("vmpool/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, header::HeaderValue::from_static(agent));
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/xml"));
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    if let Some(trace) = trace.and_then(|trace| header::HeaderValue::from_str(trace).ok()) {
        headers.insert("traceparent", trace);
    }
    request
}

/// Reads an answer to its end, whether or not it can be understood.
async fn receive<R: Receive>(
    response: Response<Incoming>,
    mut receive: R,
    answer: oneshot::Sender<Result<R::Output, CallFailure>>,
) {
    let status = response.status();
    let mut body = response.into_body();
    if status != StatusCode::OK {
        let _ = answer.send(Err(CallFailure::Status { status: status.as_u16() }));
        return read_on(body).await;
    }
    while let Some(frame) = body.frame().await {
        let piece = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(err) => return drop(answer.send(Err(lost(&err)))),
        };
        if let Err(err) = receive.feed(&piece) {
            let _ = answer.send(Err(CallFailure::Unreadable(err)));
            return read_on(body).await;
        }
    }
    let _ = answer.send(receive.finish().map_err(CallFailure::Unreadable));
}

/// Reads what nobody wants, so that the connection ends in good order.
async fn read_on(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Says how a connection was lost, with what is behind it.
fn lost(err: &hyper::Error) -> CallFailure {
    use std::error::Error as _;
    CallFailure::BrokenOff(match err.source() {
        Some(source) => format!("{err}: {source}"),
        None => err.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_either_sent_or_given_up() {
        let fate = Fate::default();
        assert!(fate.send() && fate.send() && !fate.give_up());
        let fate = Fate::default();
        assert!(fate.give_up() && fate.give_up() && !fate.send());
    }
}
