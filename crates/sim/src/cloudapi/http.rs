//! The server on its socket.

use std::{convert::Infallible, future::Future, io};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{HeaderName, HeaderValue},
};
use md5::{Digest as _, Md5};
use tokio::net::TcpListener;

use super::{CloudApiSim, reply::SimReply, request::SimRequest, sim::Ending, times::http_date};
use crate::server::{self, Lost, Service, SimServer, pause};

/// The longest request that is read at all, in bytes.
const LONGEST: usize = 16 << 20;

/// What the real server calls itself.
const NAME: &str = "cloudapi/9.20.0";

/// The newest version of the API, which the answers call theirs whatever was asked for.
const VERSION: &str = "9.0.0";

impl CloudApiSim {
    /// Serves on a free port of loopback until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// If no port can be listened to.
    pub async fn start(self) -> io::Result<SimServer> {
        server::start(self).await
    }

    /// Serves until told to stop; connections that are open then go on by themselves.
    ///
    /// What goes wrong with one connection ends that one.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        server::serve(self, listener, stop).await;
    }
}

impl Service for CloudApiSim {
    type Body = UnsyncBoxBody<Bytes, Infallible>;

    const PATH: &'static str = "";
    const KEEPS_ALIVE: bool = true;

    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Self::Body>, Lost> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let mut asked = SimRequest::new(request.method().as_str(), target);
        for (name, value) in request.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            asked = asked.with_header(name.as_str(), value);
        }
        let body = Limited::new(request.into_body(), LONGEST).collect().await.map_err(|_| Lost)?;
        let asked = asked.with_body(body.to_bytes());
        pause(self.latency()).await;
        match self.answer_or_lose(&asked) {
            Ending::Answered(reply) => Ok(self.written(&reply)),
            Ending::Lost => Err(Lost),
        }
    }
}

impl CloudApiSim {
    fn written(&self, reply: &SimReply) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
        let text = reply.body.as_ref().map(ToString::to_string);
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put("date", &http_date(self.now()));
        put("server", NAME);
        put("access-control-allow-origin", "*");
        if reply.has_version {
            put("api-version", VERSION);
        }
        if let Some(text) = &text {
            put("content-type", "application/json");
            put("content-md5", &STANDARD.encode(Md5::digest(text.as_bytes())));
            put("request-id", &request_id(text));
            put("response-time", "1");
        }
        for (name, value) in &reply.headers {
            put(name, value);
        }
        let body = match (text, reply.status) {
            (Some(text), _) => Full::new(Bytes::from(text)).boxed_unsync(),
            (None, 204) => Full::new(Bytes::new()).boxed_unsync(),
            // Without a length, as the real server does it.
            (None, _) => StreamBody::new(stream::empty::<Result<Frame<Bytes>, Infallible>>()).boxed_unsync(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
        *response.headers_mut() = headers;
        response
    }
}

/// Returns something that looks like the id of a request.
fn request_id(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let digits: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
