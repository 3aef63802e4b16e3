//! Every request has an id, in and out and in the log; and whatever goes wrong is answered as a problem.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    extract::Request,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use tracing::{Instrument as _, field};
use vmpool_api::{Problem, code, routes};

use super::refuse::Refused;

/// The header of the id.
const HEADER: HeaderName = HeaderName::from_static(routes::REQUEST_ID);

/// The header that says which trace a request belongs to: W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest id that is taken over from a client.
const LONGEST: usize = 128;

/// Counts the requests that came without an id.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Gives a request its id, logs it, and makes a problem of what else would break off.
pub(super) async fn request(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&HEADER).filter(|value| is_usable(value)).cloned();
    let id = given.unwrap_or_else(make);
    request.headers_mut().insert(HEADER, id.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let shown = id.to_str().unwrap_or_default();
    // What somebody else began is told with every line of the log about it.
    let parent = request.headers().get(&TRACEPARENT).filter(|value| is_usable(value));
    let parent = parent.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let traceparent = parent.as_deref();
    let span = tracing::info_span!("request", id = shown, actor = field::Empty, traceparent);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone());
    let mut response = match answer.await {
        Ok(response) => response,
        Err(_) => {
            span.in_scope(|| tracing::error!("a request broke off by a fault of the program"));
            let problem = Problem::new(code::INTERNAL, "the daemon has a fault that this request met");
            let problem = problem.with_hint("look for the request's id in the daemon's log");
            Refused::from(problem.with_may_have_happened(true)).into_response()
        }
    };
    if !is_answer(&response) {
        response = problem_of(&response);
    }
    response.headers_mut().insert(HEADER, id.clone());
    let status = response.status().as_u16();
    span.in_scope(|| match status {
        500.. => tracing::warn!(%method, path, status, "answered"),
        _ => tracing::debug!(%method, path, status, "answered"),
    });
    response
}

/// An id goes into logs, so it has neither spaces nor what ends a line.
fn is_usable(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:/+=-".contains(byte);
    !bytes.is_empty() && bytes.len() <= LONGEST && bytes.iter().all(is_plain)
}

fn make() -> HeaderValue {
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    HeaderValue::from_str(&format!("r-{:x}-{number:x}", std::process::id()))
        .unwrap_or_else(|_| HeaderValue::from_static("r"))
}

/// Returns whether an answer is what clients expect: no error, or a problem.
fn is_answer(response: &Response) -> bool {
    let media = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    response.status().as_u16() < 400 || media == Some(routes::PROBLEM_JSON.as_bytes())
}

/// Says as a problem what a library answered by itself.
fn problem_of(response: &Response) -> Response {
    let status = response.status();
    let code = match status {
        StatusCode::NOT_FOUND => code::NO_ROUTE,
        StatusCode::METHOD_NOT_ALLOWED => code::METHOD_NOT_ALLOWED,
        StatusCode::PAYLOAD_TOO_LARGE => code::TOO_LARGE,
        StatusCode::REQUEST_TIMEOUT => code::REQUEST_TIMEOUT,
        status if status.is_client_error() => code::INVALID_REQUEST,
        _ => code::INTERNAL,
    };
    let detail = status.canonical_reason().unwrap_or("the request failed").to_lowercase();
    let mut made = Refused::from(Problem::new(code, detail)).into_response();
    for allow in response.headers().get_all(ALLOW) {
        made.headers_mut().append(ALLOW, allow.clone());
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_line_of_a_log_is_not_taken_over() {
        for (text, usable) in [("abc-1", true), ("a b", false), ("", false), ("a\tb", false), ("\"", false)] {
            assert_eq!(is_usable(&HeaderValue::from_str(text).unwrap()), usable, "{text:?}");
        }
        assert!(!is_usable(&HeaderValue::from_str(&"a".repeat(129)).unwrap()));
    }

    #[test]
    fn what_a_library_answers_by_itself_becomes_a_problem() {
        let made = problem_of(&StatusCode::METHOD_NOT_ALLOWED.into_response());
        assert!(is_answer(&made) && made.status() == StatusCode::METHOD_NOT_ALLOWED);
        let made = problem_of(&StatusCode::IM_A_TEAPOT.into_response());
        assert_eq!(made.status(), StatusCode::BAD_REQUEST);
    }
}
