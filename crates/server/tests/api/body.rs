//! Bodies and queries that do not fit.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use reqwest::{Method, StatusCode};
use vmpool_client::api::Problem;

use crate::world::World;

async fn post(body: String, media: &str) -> (StatusCode, Problem) {
    let world = World::ready().await;
    let request = world.raw(Method::POST, "/v1/leases").header("content-type", media).body(body);
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

async fn check(body: &str, wanted: &str) {
    let (status, problem) = post(body.to_owned(), "application/json; charset=utf-8").await;
    assert_eq!((status, problem.code.as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
    assert!(problem.detail.contains(wanted), "{problem}");
    assert!(!problem.may_have_happened);
}

#[tokio::test]
async fn broken_json_names_line_and_column() {
    check("{\n \"request\": }", "at line 2 column 13").await;
}

#[tokio::test]
async fn an_unknown_key_is_named_with_its_place() {
    let body = r#"{"request":"r","pool":"small","owner":"ada","wiat":"5s"}"#;
    check(body, "at `wiat`: unknown field `wiat`, expected one of `request`").await;
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_named_by_its_key() {
    check(r#"{"request":"r","pool":"small","owner":7}"#, "at `owner`: invalid type: integer `7`").await;
    check(r#"{"request":"r","pool":"small","owner":"ada","wait":"5"}"#, "at `wait`: \"5\" is not a duration")
        .await;
}

#[tokio::test]
async fn a_name_that_cannot_be_one_is_named_by_its_key() {
    check(
        r#"{"request":"a b","pool":"small","owner":"ada"}"#,
        "at `request`: \"a b\" is not a valid request id",
    )
    .await;
}

#[tokio::test]
async fn what_comes_after_the_json_is_refused() {
    check(r#"{"request":"r","pool":"small","owner":"ada"} {}"#, "trailing characters").await;
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_refused() {
    let (status, problem) = post("{}".to_owned(), "text/plain").await;
    assert_eq!(
        (status, problem.code.as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
    );
    assert!(problem.hint.unwrap().contains("application/json"));
}

#[tokio::test]
async fn a_body_above_64_kib_is_refused() {
    let (status, problem) = post(" ".repeat(64 * 1024 + 1), "application/json").await;
    assert_eq!((status, problem.code.as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
}

#[tokio::test]
async fn an_unknown_filter_is_refused_by_name() {
    let world = World::ready().await;
    let problem: Problem =
        world.raw(Method::GET, "/v1/vms?pol=small").send().await.unwrap().json().await.unwrap();
    assert_eq!(problem.code, "invalid_request");
    assert!(problem.detail.contains("unknown field `pol`, expected `pool` or `state`"), "{problem}");
}
