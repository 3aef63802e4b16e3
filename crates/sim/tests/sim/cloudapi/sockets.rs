//! The server on its socket.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use vmpool_dummy::FaultConfig;
use vmpool_sim::cloudapi::{CloudApiSim, SimConfig, SimRequest};

use super::world::{IMAGE, PACKAGE, World};

/// Sends a request over a new connection, and returns whatever comes back.
async fn sent(world: &World, request: &SimRequest, body: &str) -> String {
    let server = world.sim.clone().start().await.unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "{} {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {}\r\nDate: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        request.method,
        request.target,
        request.headers["authorization"],
        request.headers["date"],
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A connection that is reset had no answer, either.
    drop(stream.read_to_string(&mut answer).await);
    answer.to_ascii_lowercase()
}

#[tokio::test]
async fn an_answer_has_the_headers_of_the_real_server() {
    let world = World::new(SimConfig::default());
    let request = world.signed_as("test", ("GET", "/my/machines"));
    let answer = sent(&world, &request, "").await;
    for line in [
        "http/1.1 200 ok\r\n",
        "\r\nx-query-limit: 1000\r\n",
        "\r\nx-resource-count: 0\r\n",
        "\r\napi-version: 9.0.0\r\n",
        "\r\nserver: cloudapi/9.20.0\r\n",
        "\r\ncontent-type: application/json\r\n",
        "\r\ncontent-md5: 11fxoyiyfpmxmanj4kgjzg==\r\n",
        "\r\ndate: sat, 21 nov 2026 08:36:15 gmt\r\n",
    ] {
        assert!(answer.contains(line), "{line:?} is not in {answer}");
    }
    assert!(answer.ends_with("\r\n\r\n[]"), "{answer}");
    let request = world.signed_as("test", ("HEAD", "/my/machines"));
    let answer = sent(&world, &request, "").await;
    assert!(answer.contains("x-resource-count: 0") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn an_accepted_action_is_answered_by_chunks_of_nothing() {
    let world = World::new(SimConfig::default());
    let id = world.running("web-1");
    let request = world.signed_as("test", ("POST", &format!("/my/machines/{id}")));
    let answer = sent(&world, &request, r#"{"action": "stop"}"#).await;
    assert!(answer.starts_with("http/1.1 202 "), "{answer}");
    assert!(answer.contains("\r\ntransfer-encoding: chunked\r\n"), "{answer}");
    assert!(!answer.contains("content-type") && answer.ends_with("\r\n\r\n0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_lost_answer_is_one_that_had_its_effect_and_a_lost_request_is_not() {
    let body = json!({"name": "web-1", "package": PACKAGE, "image": IMAGE}).to_string();
    for (lost_answers, lost_requests, expected) in [(1.0, 0.0, 1), (0.0, 1.0, 0)] {
        let mut faults = FaultConfig::default();
        (faults.lost_answers, faults.lost_requests) = (lost_answers, lost_requests);
        let world = World::new(SimConfig::default().with_faults(faults));
        let request = world.signed_as("test", ("POST", "/my/machines"));
        assert_eq!(sent(&world, &request, &body).await, "");
        assert_eq!(world.get("/my/machines").as_array().unwrap().len(), expected);
    }
}

#[tokio::test]
async fn without_accounts_there_is_one_with_a_key_from_the_seed() {
    let sim = CloudApiSim::new(SimConfig::default()).unwrap();
    let request = SimRequest::new("GET", "/sim/machines");
    assert_eq!(sim.answer(&request).status, 401);
}
