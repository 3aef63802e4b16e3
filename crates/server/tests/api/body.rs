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
async fn json_that_breaks_off_or_has_a_bad_key_names_line_and_column() {
    check("{\n 7: 1}", "the body is not JSON at line 2 column 2: key must be a string").await;
    check(r#"{"request":"r""#, "the body is not JSON: it ends too early, at line 1 column 14").await;
}

#[tokio::test]
async fn a_list_is_no_body_even_if_its_values_would_fit() {
    for body in ["[]", r#"["r","small","ada",null,null,null,null]"#, "7"] {
        check(body, "the body does not fit: a JSON object is expected").await;
    }
    check(" ", "the body is empty: a JSON object is expected").await;
}

#[tokio::test]
async fn an_unknown_key_is_named_with_its_place() {
    let body = r#"{"request":"r","pool":"small","owner":"ada","wiat":"5s"}"#;
    check(body, "at `wiat`: unknown field `wiat`, expected one of `request`").await;
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_named_by_its_key() {
    check(
        r#"{"request":"r","pool":"small","owner":7}"#,
        "at `owner`: a text is expected, not the number 7 (line 1 column ",
    )
    .await;
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
async fn a_query_that_does_not_fit_names_the_parameter() {
    let world = World::ready().await;
    let number = "at `limit`: a whole number of 0 or more is expected";
    for (path, wanted) in [
        (
            "/v1/vms?pol=small",
            ": unknown parameter `pol`, expected one of `pool`, `state`, `address`, `task`, `owner`, `name`, `after`, `limit`",
        ),
        ("/v1/vms?pool=a&pool=b", ": `pool` is given twice"),
        ("/v1/events?limit=x", number),
        ("/v1/events?limit=", number),
        ("/v1/events?limit=-1", number),
        ("/v1/events?after=99999999999999999999999", "at `after`: the number is too large"),
        ("/v1/events?limit=0", "at `limit`: 1 or more is expected; a page has 1000 events at most"),
    ] {
        let response = world.raw(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
        let problem: Problem = response.json().await.unwrap();
        assert_eq!(problem.code, "invalid_request");
        let separator = if wanted.starts_with(':') { "" } else { " " };
        assert_eq!(problem.detail, format!("the query does not fit{separator}{wanted}"));
    }
}

#[tokio::test]
async fn c71_whatever_is_sent_is_refused_and_the_daemon_goes_on() {
    let world = World::ready().await;
    let good = r#"{"request":"r1","pool":"small","owner":"ada"}"#;
    for body in ["null", "{}", "{", "not JSON", "\u{0}", r#"{"topic":"vm_spawned"}"#, &good[..20]] {
        let request = world.raw(Method::POST, "/v1/leases").header("content-type", "application/json");
        let response = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body:?}");
    }
    let unknown = world.raw(Method::POST, "/v1/no-such-topic").body(good).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let request = world.raw(Method::POST, "/v1/leases").header("content-type", "application/json");
    assert_eq!(request.body(good).send().await.unwrap().status(), StatusCode::OK);
}
