//! Refusing requests that were meant for another host.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{header::HOST, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use vmpool_api::{Problem, code};

use super::refuse::Refused;

/// Refuses names other than `localhost` if the daemon listens on loopback.
///
/// A web page can give the loopback address a name of its own (DNS rebinding) and would then be as good as a local
/// program; what it cannot do is to send another name than that.
pub(super) async fn check(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !address.ip().is_loopback() || is_local(host) {
        return next.run(request).await;
    }
    let detail = format!("the daemon listens on {address} and does not answer to the name {host:?}");
    let hint = "use the IP address or `localhost`";
    Refused::from(Problem::new(code::WRONG_HOST, detail).with_hint(hint)).into_response()
}

fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_are_local() {
        for host in ["localhost:7717", "LOCALHOST", "127.0.0.1:7717", "[::1]:7717", "10.0.0.1"] {
            assert!(is_local(host), "{host}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for host in ["", "evil.example", "evil.example:7717", "localhost.evil.example", "a b"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
