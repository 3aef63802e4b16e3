//! Agreeing on the version of the API.

use axum::{
    extract::Request,
    http::HeaderValue,
    middleware::Next,
    response::{IntoResponse, Response},
};
use vmpool_api::{Problem, code, version};

use super::refuse::Refused;

/// Puts the version on every answer, and refuses a client that says it speaks another one.
///
/// A client that says nothing, such as curl, is served.
pub(super) async fn negotiate(request: Request, next: Next) -> Response {
    let header = request.headers().get(version::HEADER);
    let checked = match header {
        Some(value) => version::check(Some(value.to_str().unwrap_or("?"))),
        None => Ok(()),
    };
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(mismatch) => Refused::from(Problem::new(code::API_VERSION, mismatch.to_string())).into_response(),
    };
    response.headers_mut().insert(version::HEADER, HeaderValue::from(version::VERSION));
    response
}
