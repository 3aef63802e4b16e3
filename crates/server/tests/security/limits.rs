//! What is too large, and what identifies a request.

use reqwest::{Method, StatusCode};
use vmpool_client::api::{Role, code, routes};

use crate::world::{World, refused};

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let world = World::start().await;
    let token = world.token("ci", Role::User, None).await;
    let request = world.raw(Method::POST, "/v1/leases").bearer_auth(&token);
    let request = request.header("content-type", "application/json").body(" ".repeat(routes::MAX_BODY + 1));
    assert_eq!(refused(request).await.1.code, "too_large");
    let head = format!(
        "POST /v1/leases HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: \
         application/json\r\ncontent-length: 1000000000000\r\nconnection: close\r\n\r\n"
    );
    let answer = world.say(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"too_large\""), "{answer}");
    world.goes_on().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_fields_is_refused() {
    let world = World::start().await;
    let large =
        format!("GET /v1/health HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "a".repeat(256 * 1024));
    let many = format!("GET /v1/health HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(1000));
    for head in [large, many] {
        let answer = world.say(head.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    world.goes_on().await;
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request_and_none_can_be_forged() {
    let world = World::start().await;
    let ask =
        |id: &str| world.raw(Method::GET, routes::HEALTH).header(routes::REQUEST_ID, id.to_owned()).send();
    let told =
        |response: &reqwest::Response| response.headers()[routes::REQUEST_ID].to_str().unwrap().to_owned();
    assert_eq!(told(&ask("build-17").await.unwrap()), "build-17");
    for id in ["a b", "x\" level=ERROR", ""] {
        assert!(told(&ask(id).await.unwrap()).starts_with("r-"), "{id}");
    }
    let missing = world.raw(Method::GET, "/nowhere").send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert!(told(&missing).starts_with("r-"));
}

#[tokio::test]
async fn who_has_seen_a_thing_is_told_that_it_is_the_same() {
    let world = World::start().await;
    let token = world.token("ci", Role::Reader, None).await;
    let ask = |tag: &str| {
        let request = world.raw(Method::GET, "/v1/whoami").bearer_auth(&token);
        request.header("if-none-match", tag.to_owned()).send()
    };
    let first = ask("\"old\"").await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.status(), StatusCode::OK);
    for known in [tag.clone(), format!("\"old\", W/{tag}"), "*".to_owned()] {
        let again = ask(&known).await.unwrap();
        assert_eq!(
            (again.status(), again.headers()["etag"].to_str().unwrap()),
            (StatusCode::NOT_MODIFIED, &*tag)
        );
        assert!(again.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn lists_come_by_pages_that_hold_everything_once() {
    let world = World::start().await;
    let user = world.client("ci", Role::User).await;
    for request in ["r1", "r2", "r3"] {
        world.lease(&user, request).await;
    }
    let token = world.token("look", Role::Reader, None).await;
    let page = async |query: &str| -> serde_json::Value {
        let request = world.raw(Method::GET, &format!("/v1/requests{query}")).bearer_auth(&token);
        request.send().await.unwrap().json().await.unwrap()
    };
    let first = page("?limit=2").await;
    assert_eq!((first["requests"].as_array().unwrap().len(), &first["next"]), (2, &"r2".into()));
    let second = page("?limit=2&after=r2").await;
    assert_eq!(
        (second["requests"][0]["id"].as_str(), &second["next"]),
        (Some("r3"), &serde_json::Value::Null)
    );
}

#[tokio::test]
async fn tokens_have_names_that_are_plain_and_their_own() {
    let world = World::start().await;
    world.token("ci", Role::User, None).await;
    let body = |name: &str| serde_json::json!({"name": name, "role": "user"});
    let admin = world.token("root", Role::Admin, None).await;
    for (name, wanted) in
        [("ci", code::TOKEN_EXISTS), ("a b", code::INVALID_REQUEST), ("x\n", code::INVALID_REQUEST)]
    {
        let request = world.raw(Method::POST, routes::TOKENS).bearer_auth(&admin).json(&body(name));
        assert_eq!(refused(request).await.1.code, wanted.text, "{name:?}");
    }
}
