//! The description of the API.

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

/// The description, as `cargo xtask codegen` makes it from the types and the operations.
const DOCUMENT: &str = include_str!("../../../../docs/generated/openapi.json");

pub(super) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
