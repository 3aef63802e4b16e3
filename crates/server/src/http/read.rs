//! Reading requests: bodies, queries and names.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, header::CONTENT_TYPE, request::Parts},
};
use serde::de::DeserializeOwned;
use vmpool::model::InvalidName;
use vmpool_api::{Problem, code, routes};

use super::refuse::Refused;

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
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            match rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                true => Problem::new(code::TOO_LARGE, format!("a body may have {} bytes", routes::MAX_BODY)),
                false => Problem::new(code::INVALID_REQUEST, rejection.body_text()),
            }
        })?;
        parse(&bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let invalid = |place: &str, err: &serde_json::Error| {
        // The message ends with line and column.
        Refused::from(Problem::new(code::INVALID_REQUEST, format!("the body does not fit{place}: {err}")))
    };
    let value =
        serde_path_to_error::deserialize(&mut json).map_err(|err| match err.path().to_string().as_str() {
            "." => invalid("", err.inner()),
            path => invalid(&format!(" at `{path}`"), err.inner()),
        })?;
    json.end().map_err(|err| invalid("", &err))?;
    Ok(value)
}

/// The query of a request, read strictly.
#[derive(Debug)]
pub(super) struct Filter<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Filter<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(filter)) => Ok(Self(filter)),
            Err(rejection) => Err(Problem::new(code::INVALID_REQUEST, rejection.body_text()).into()),
        }
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
pub(super) fn invalid_name(key: &'static str) -> impl FnOnce(InvalidName) -> Refused {
    move |err| Problem::new(code::INVALID_REQUEST, format!("the body does not fit at `{key}`: {err}")).into()
}
