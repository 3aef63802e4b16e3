//! The server on its socket: one call per connection, as the real one.

use std::{future::Future, io};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONNECTION, CONTENT_TYPE, SERVER, TRANSFER_ENCODING},
};
use tokio::net::TcpListener;

use super::{OpenNebulaSim, sim::Ending};
use crate::server::{self, Lost, Service, SimServer, pause};

/// The only path that there is.
const PATH: &str = "/RPC2";

/// The longest request that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// The name that the real server gives itself.
const NAME: &str = "Xmlrpc-c_Abyss/1.33.14";

impl OpenNebulaSim {
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

impl Service for OpenNebulaSim {
    type Body = Full<Bytes>;

    const PATH: &'static str = PATH;
    const KEEPS_ALIVE: bool = false;

    async fn respond(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
        if request.method() == Method::OPTIONS {
            let mut response = answer(StatusCode::OK, "text/html", String::new());
            response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("POST"));
            return Ok(response);
        }
        if request.method() != Method::POST {
            return Ok(page(
                StatusCode::METHOD_NOT_ALLOWED,
                "POST is the only HTTP method this server understands",
            ));
        }
        if request.uri().path() != PATH {
            let path = request.uri().path();
            let text = format!(
                "This XML-RPC For C/C++ Abyss XML-RPC server responds to only one URI path.  \
                 I don't know what URI path that is, but it's not the one you requested: '{path}'.  (Typically, it's '/RPC2')"
            );
            return Ok(page(StatusCode::NOT_FOUND, &text));
        }
        if request.headers().contains_key(TRANSFER_ENCODING) {
            let text = "You must send a content-length HTTP header in an XML-RPC call.";
            return Ok(page(StatusCode::LENGTH_REQUIRED, text));
        }
        let body = match Limited::new(request.into_body(), LONGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(err) if err.is::<LengthLimitError>() => {
                return Ok(page(StatusCode::PAYLOAD_TOO_LARGE, "The call is too long"));
            }
            Err(_) => return Err(Lost),
        };
        if body.is_empty() {
            let text = "According to your content-length HTTP header, your request is empty (zero length)";
            return Ok(page(StatusCode::BAD_REQUEST, text));
        }
        pause(self.latency()).await;
        match self.answer_or_lose(&body) {
            Ending::Answered(text) => Ok(answer(StatusCode::OK, "text/xml; charset=utf-8", text)),
            Ending::Lost => Err(Lost),
        }
    }
}

/// Makes the page that the real server sends when it has been asked for something else than a call.
fn page(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let code = status.as_u16();
    let html = format!(
        "<HTML><HEAD><TITLE>Error {code}</TITLE></HEAD><BODY><H1>Error {code}</H1><P>{text}</P><p><HR><b><i>\
         <a href=\"http://xmlrpc-c.sourceforge.net\">ABYSS Web Server for XML-RPC For C/C++</a></i></b> \
         version 1.33.14<br></p></BODY></HTML>"
    );
    answer(status, "text/html", html)
}

fn answer(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    for (name, value) in [(CONTENT_TYPE, content_type), (CONNECTION, "close"), (SERVER, NAME)] {
        response.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
    }
    response
}
