//! The check over HTTP, with a server that says what it is told.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};
use vmpool_manager::{
    CheckReport, CheckTarget, Checker, NetworkChecker,
    model::config::{CheckConfig, HttpCheck},
};

use super::target;

/// Answers one request with these bytes; returns the port, and what was asked once that is there.
async fn serve(answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        // Who asked may have heard enough before the end.
        let _ = stream.write_all(&answer).await;
        String::from_utf8(asked).unwrap()
    });
    (port, serving)
}

fn over_http(port: u16, edit: impl FnOnce(&mut HttpCheck)) -> CheckTarget {
    let mut check = HttpCheck::default();
    check.port = port;
    edit(&mut check);
    target(&["127.0.0.1"], CheckConfig::Http(check))
}

async fn check(answer: impl Into<Vec<u8>>, edit: impl FnOnce(&mut HttpCheck)) -> Result<CheckReport, String> {
    let (port, _serving) = serve(answer.into()).await;
    NetworkChecker::new().check(&over_http(port, edit)).await
}

fn body(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn the_path_is_asked_for_and_the_expected_status_passes() {
    let (port, serving) = serve(body("200 OK", "fine").into()).await;
    let target = over_http(port, |check| check.path = "/health?full=1".to_owned());
    assert_eq!(NetworkChecker::new().check(&target).await, Ok(CheckReport::default()));
    let asked = serving.await.unwrap().to_lowercase();
    assert!(asked.starts_with("get /health?full=1 http/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{asked}");
}

#[tokio::test]
async fn another_status_is_a_failure_that_names_it() {
    let why = check(body("503 Busy", "later"), |_| {}).await.unwrap_err();
    assert!(why.ends_with("/: status 503, not 200"), "{why}");
    assert!(check(body("204 None", ""), |check| check.status = 204).await.is_ok());
}

#[tokio::test]
async fn the_answer_must_contain_what_is_expected() {
    let ready = |check: &mut HttpCheck| check.contains = Some("ready".to_owned());
    assert!(check(body("200 OK", "I am ready."), ready).await.is_ok());
    // Old servers say nothing of a length, and close.
    assert!(check("HTTP/1.0 200 OK\r\n\r\nready", ready).await.is_ok());
    let why = check(body("200 OK", "not yet"), ready).await.unwrap_err();
    assert!(why.ends_with("its answer does not contain \"ready\""), "{why}");
}

#[tokio::test]
async fn of_a_large_answer_only_the_beginning_is_read() {
    let ready = |check: &mut HttpCheck| check.contains = Some("ready".to_owned());
    let edge = "x".repeat(64 * 1024 - 5);
    assert!(check(body("200 OK", &format!("{edge}ready")), ready).await.is_ok());
    assert!(check(body("200 OK", &format!("{edge}xready")), ready).await.is_err());
    // No end is waited for.
    let endless = format!("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n{}", "x".repeat(100_000));
    assert!(timeout(Duration::from_secs(20), check(endless, ready)).await.unwrap().is_err());
}

#[tokio::test]
async fn what_is_no_http_is_a_failure() {
    let why = check("SSH-2.0-OpenSSH_9.2\r\n\r\n", |_| {}).await.unwrap_err();
    assert!(why.contains("invalid HTTP"), "{why}");
    let why = check("", |_| {}).await.unwrap_err();
    assert!(why.starts_with("http://127.0.0.1:"), "{why}");
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_named() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let why = NetworkChecker::new().check(&over_http(port, |_| {})).await.unwrap_err();
    assert!(why.starts_with(&format!("http://127.0.0.1:{port}/: ")), "{why}");
}

#[test]
fn a_path_that_http_does_not_know_is_found_early() {
    let validate = |path: &str| {
        let mut check = HttpCheck::default();
        path.clone_into(&mut check.path);
        NetworkChecker::new().validate(&CheckConfig::Http(check))
    };
    assert_eq!(validate("/a?b=c"), Ok(()));
    for path in ["", "health", "/a b", "http://elsewhere/"] {
        assert!(validate(path).is_err_and(|err| err.key == "path"), "{path}");
    }
}
