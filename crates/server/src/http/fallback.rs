//! Paths and methods that there are not.

use axum::{extract::Request, http::Method};
use vmpool_api::{Problem, code, routes};

use super::refuse::Refused;

pub(super) async fn no_route(request: Request) -> Refused {
    let problem = Problem::new(code::NO_ROUTE, format!("there is nothing at {}", request.uri().path()));
    problem.with_hint(format!("the API begins at {}", routes::HEALTH)).into()
}

pub(super) async fn method_not_allowed(method: Method, request: Request) -> Refused {
    let detail = format!("{} does not take {method}", request.uri().path());
    Problem::new(code::METHOD_NOT_ALLOWED, detail).with_hint("the header `allow` says what it takes").into()
}
