//! What is refused before it is a request, in words all the same.

use vmpool_client::api::Problem;

use crate::{pki::Files, world::World};

/// Returns the problem in a whole answer, and checks that its head says the same.
fn problem(answer: &str) -> Problem {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, "no answer"));
    let head = head.to_ascii_lowercase();
    assert!(head.contains("content-type: application/problem+json"), "{answer}");
    assert!(head.contains("connection: close"), "{answer}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
    let problem: Problem = serde_json::from_str(body).unwrap();
    assert!(head.starts_with(&format!("http/1.1 {} ", problem.status)), "{answer}");
    problem
}

#[tokio::test]
async fn a_head_that_is_no_head_is_refused_with_a_problem() {
    let world = World::start().await;
    for head in [
        "GET /v1/health HTTP/1.1\r\nhost: localhost\r\nbad header: x\r\n\r\n",
        "GET /v1/health HTTP/9.9\r\nhost: localhost\r\n\r\n",
        "POST /v1/leases HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let problem = problem(&world.say(head.as_bytes()).await);
        assert_eq!((problem.status, problem.code.as_str()), (400, "invalid_request"), "{head:?}");
    }
    world.goes_on().await;
}

#[tokio::test]
async fn a_head_or_path_that_is_too_large_is_refused_with_a_problem() {
    let world = World::start().await;
    let large =
        format!("GET /v1/health HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "a".repeat(256 * 1024));
    let many = format!("GET /v1/health HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(1000));
    for head in [large, many] {
        let problem = problem(&world.say(head.as_bytes()).await);
        assert_eq!((problem.status, problem.code.as_str()), (431, "head_too_large"));
    }
    let long = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(64 * 1024));
    let problem = problem(&world.say(long.as_bytes()).await);
    assert!([414, 431].contains(&problem.status), "{problem:?}");
    world.goes_on().await;
}

#[tokio::test]
async fn what_follows_a_good_request_on_its_connection_is_refused_with_a_problem_too() {
    let world = World::start().await;
    let both = "GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\nnonsense\r\n\r\n";
    let answer = world.say(both.as_bytes()).await;
    let begins = answer.rfind("HTTP/1.1 ").unwrap();
    assert!(0 < begins && answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(problem(&answer[begins..]).status, 400);
}

#[tokio::test]
async fn a_request_in_clear_to_a_port_of_tls_is_refused_with_a_problem() {
    let world = Files::new().start("", "").await;
    let problem = problem(&world.say(b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n").await);
    assert!(problem.detail.contains("TLS"), "{problem:?}");
    world.goes_on().await;
}
