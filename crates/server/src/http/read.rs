//! Reading requests: bodies, queries and names.

use std::{error::Error as _, time::Duration};

use axum::{
    body::{Bytes, HttpBody as _},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, header::CONTENT_TYPE, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout;
use vmpool::model::InvalidName;
use vmpool_api::{Problem, code, routes};

use super::refuse::Refused;
use crate::words;

/// The most bytes that a body may have.
const MAX_BODY: u64 = routes::MAX_BODY as u64;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The body of a request, read strictly from JSON.
///
/// Because it must be declared as JSON, no web page of another site can send one through somebody's browser.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let declared = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = declared.and_then(|value| value.split(';').next()).map(str::trim).unwrap_or_default();
        if !media.eq_ignore_ascii_case("application/json") {
            let problem =
                Problem::new(code::UNSUPPORTED_MEDIA_TYPE, format!("the body is declared as {media:?}"));
            return Err(problem.with_hint("send the header `content-type: application/json`").into());
        }
        // What is said to be too large is not waited for.
        if MAX_BODY < request.body().size_hint().lower() {
            return Err(too_large().into());
        }
        let arrived = timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await.map_err(|_| {
            let detail = format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs());
            Problem::new(code::REQUEST_TIMEOUT, detail)
        })?;
        let bytes =
            arrived.map_err(|rejection| match rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                true => too_large(),
                false => Problem::new(code::INVALID_REQUEST, rejection.body_text()),
            })?;
        parse(&bytes).map(Self)
    }
}

fn too_large() -> Problem {
    Problem::new(code::TOO_LARGE, format!("a body may have {MAX_BODY} bytes"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    // A list would be taken, too, for the values of the object's keys in their order.
    match bytes.trim_ascii_start().first() {
        Some(b'{') => {}
        Some(_) => return Err(invalid("the body does not fit: a JSON object is expected")),
        None => return Err(invalid("the body is empty: a JSON object is expected")),
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|err| body_problem(&err.path().to_string(), err.inner()))?;
    json.end().map_err(|err| body_problem(".", &err))?;
    Ok(value)
}

fn body_problem(path: &str, err: &serde_json::Error) -> Refused {
    let place = format!("line {} column {}", err.line(), err.column());
    let message = err.to_string();
    let message = message.strip_suffix(&format!(" at {place}")).unwrap_or(&message);
    match (err.classify(), path) {
        (Category::Eof, _) => invalid(format!("the body is not JSON: it ends too early, at {place}")),
        (Category::Syntax | Category::Io, _) => {
            invalid(format!("the body is not JSON at {place}: {message}"))
        }
        (Category::Data, "." | "?") => {
            invalid(format!("the body does not fit at {place}: {}", words::plain(message, words::OBJECT)))
        }
        (Category::Data, path) => {
            let message = words::plain(message, words::OBJECT);
            invalid(format!("the body does not fit at `{path}`: {message} ({place})"))
        }
    }
}

fn invalid(detail: impl Into<String>) -> Refused {
    Problem::new(code::INVALID_REQUEST, detail).into()
}

/// The query of a request, read strictly.
#[derive(Debug)]
pub(super) struct Filter<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Filter<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(filter)) => Ok(Self(filter)),
            // The cause alone, without what axum says around it.
            Err(rejection) => Err(match rejection.source() {
                Some(cause) => invalid(query_problem(&cause.to_string())),
                None => invalid(rejection.body_text()),
            }),
        }
    }
}

/// Says what does not fit in a query; `message` begins with the parameter, if it is known.
fn query_problem(message: &str) -> String {
    let (parameter, message) = match message.split_once(": ") {
        Some((parameter, message)) if !parameter.contains(' ') => (parameter, message),
        _ => ("", message),
    };
    if let Some(unknown) = message.strip_prefix("unknown field ") {
        return format!("the query does not fit: unknown parameter {unknown}");
    }
    if let Some(twice) = message.strip_prefix("duplicate field ") {
        return format!("the query does not fit: {twice} is given twice");
    }
    let message = match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "a whole number of 0 or more is expected"
        }
        "number too large to fit in target type" => "the number is too large",
        other => other,
    };
    match parameter {
        "" => format!("the query does not fit: {message}"),
        parameter => format!("the query does not fit at `{parameter}`: {message}"),
    }
}

/// The name or id in the path of a request.
#[derive(Debug)]
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(rejection) => Err(Problem::new(code::INVALID_REQUEST, rejection.body_text()).into()),
        }
    }
}

/// Says which key of a body holds a name that cannot be one.
pub(crate) fn invalid_name(key: &'static str) -> impl FnOnce(InvalidName) -> Refused {
    move |err| does_not_fit(key, &err.to_string())
}

/// Says which key of a body does not fit, and why.
pub(super) fn does_not_fit(key: &str, why: &str) -> Refused {
    invalid(format!("the body does not fit at `{key}`: {why}"))
}
