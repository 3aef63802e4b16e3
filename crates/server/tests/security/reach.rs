//! Paths and headers that try to reach what they may not.

use reqwest::{Method, StatusCode};
use vmpool_client::api::Role;

use crate::world::{World, refused};

#[tokio::test]
async fn tricks_with_paths_reach_nothing() {
    let world = World::start().await;
    let token = world.token("ci", Role::User, None).await;
    for path in [
        "/v1/leases/../tokens",
        "/v1/leases/..%2ftokens",
        "/v1/%2e%2e/v1/tokens",
        "//v1/tokens",
        "/v1//tokens",
        "/V1/tokens",
        "/v1/tokens/",
        "/v1/tokens%00",
        "/v1/tokens;x=1",
        "/v1/leases/%ff%fe",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/../../etc/passwd",
    ] {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        let answer = world.say(head.as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "401", "403", "404"].contains(&status), "{path}: {answer}");
        assert!(!answer.contains("\"tokens\"") && !answer.contains("root:"), "{path}: {answer}");
        assert!(answer.contains("application/problem+json"), "{path}: {answer}");
    }
    world.goes_on().await;
}

#[tokio::test]
async fn headers_of_proxies_and_other_methods_give_nobody_a_right() {
    let world = World::start().await;
    let token = world.token("ci", Role::Reader, None).await;
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-forwarded-user", "root"),
        ("x-remote-user", "root"),
        ("x-original-url", "/v1/health"),
        ("x-http-method-override", "GET"),
        ("cookie", "token=admin"),
    ] {
        let request = world.raw(Method::GET, "/v1/tokens").header(name, value);
        assert_eq!(refused(request).await.0, StatusCode::UNAUTHORIZED, "{name}");
        let request =
            world.raw(Method::POST, "/v1/pools/small/drain").header(name, value).bearer_auth(&token);
        assert_eq!(refused(request.body("{}")).await.0, StatusCode::FORBIDDEN, "{name}");
    }
    for method in [Method::PUT, Method::PATCH, Method::OPTIONS, Method::TRACE] {
        let (status, problem) = refused(world.raw(method, "/v1/tokens")).await;
        assert_eq!((status, problem.code.as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
    }
}

#[tokio::test]
async fn a_token_in_a_query_is_not_taken() {
    let world = World::start().await;
    let token = world.token("ci", Role::Admin, None).await;
    let path = format!("/v1/whoami?token={token}&access_token={token}");
    assert_eq!(refused(world.raw(Method::GET, &path)).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn requests_that_a_proxy_would_read_otherwise_are_refused() {
    let world = World::start().await;
    for head in [
        "POST /v1/leases HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        "POST /v1/leases HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET /v1/health HTTP/1.1\r\nhost: localhost\r\nbad header: x\r\n\r\n",
        "GET /v1/health HTTP/9.9\r\nhost: localhost\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
    ] {
        let answer = world.say(head.as_bytes()).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{head:?}: {answer}");
    }
    world.goes_on().await;
}

#[tokio::test]
async fn a_web_page_under_another_name_and_a_form_of_another_site_reach_nothing() {
    let world = World::start().await;
    let token = world.token("ci", Role::Admin, None).await;
    let rebound = world.raw(Method::GET, "/v1/pools").header("host", "evil.example").bearer_auth(&token);
    assert_eq!(refused(rebound).await.1.code, "wrong_host");
    let form = world.raw(Method::POST, "/v1/pools/small/drain").bearer_auth(&token);
    let form = form.header("content-type", "application/x-www-form-urlencoded").body("{}");
    assert_eq!(refused(form).await.1.code, "unsupported_media_type");
    let asked =
        world.raw(Method::GET, "/v1/health").header("origin", "https://evil.example").send().await.unwrap();
    assert!(asked.headers().get("access-control-allow-origin").is_none());
}
