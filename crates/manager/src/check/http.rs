//! The check by a `GET` over plain HTTP.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{CONNECTION, HOST, USER_AGENT},
    http::uri::PathAndQuery,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};
use vmpool_engine::CheckReport;
use vmpool_model::config::{HttpCheck, InvalidConfig};

/// How much of a body is looked at.
const LOOKED_AT: usize = 64 * 1024;

/// Gets a path and compares the answer.
pub(super) async fn check(address: SocketAddr, check: HttpCheck) -> Result<CheckReport, String> {
    let at = |why: String| format!("http://{address}{}: {why}", check.path);
    let stream = TcpStream::connect(address).await.map_err(|err| at(err.to_string()))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|err| at(told(&err)))?;
    // It ends with this check, however that ends.
    let mut driven = JoinSet::new();
    driven.spawn(connection);
    let request = Request::get(&check.path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, "vmpool")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|err| at(err.to_string()))?;
    let response = sender.send_request(request).await.map_err(|err| at(told(&err)))?;
    let status = response.status().as_u16();
    if status != check.status {
        return Err(at(format!("status {status}, not {}", check.status)));
    }
    match &check.contains {
        Some(text) if !holds(response, text.as_bytes()).await.map_err(|err| at(told(&err)))? => {
            Err(at(format!("its answer does not contain {text:?}")))
        }
        _ => Ok(CheckReport::default()),
    }
}

/// Says early why a check could never be made.
pub(super) fn validate(check: &HttpCheck) -> Result<(), InvalidConfig> {
    match check.path.starts_with('/') && check.path.parse::<PathAndQuery>().is_ok() {
        true => Ok(()),
        false => {
            let reason = format!("{:?} is no path and query of HTTP, such as /health?full=1", check.path);
            Err(super::misfit("path", reason))
        }
    }
}

/// Returns whether the beginning of a body holds a text; reads no further than it has to.
async fn holds(response: Response<Incoming>, text: &[u8]) -> Result<bool, hyper::Error> {
    let mut body = response.into_body();
    let mut read = Vec::new();
    while read.len() < LOOKED_AT {
        let Some(frame) = body.frame().await.transpose()? else { break };
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
    }
    read.truncate(LOOKED_AT);
    Ok(text.is_empty() || read.windows(text.len()).any(|part| part == text))
}

/// Tells an error with what is behind it.
fn told(err: &hyper::Error) -> String {
    let mut told = err.to_string();
    let mut source = std::error::Error::source(err);
    while let Some(cause) = source {
        told.push_str(": ");
        told.push_str(&cause.to_string());
        source = cause.source();
    }
    told
}
