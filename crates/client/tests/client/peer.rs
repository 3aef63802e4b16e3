//! A daemon of a few lines: it takes connections in turn and answers each as it was told.

#![expect(clippy::unwrap_used, reason = "the helper of tests fails loudly")]

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use vmpool_client::Client;

/// What the peer saw, one text per connection.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// Starts a peer that answers the connections with these texts, in order; an empty text hangs up without an answer.
pub(crate) async fn peer(answers: Vec<String>) -> (Client, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let seen = Seen::default();
    let log = seen.clone();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = read_request(&mut stream).await;
            log.lock().unwrap().push(request);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (client, seen)
}

/// Makes an answer of this version with a JSON body.
pub(crate) fn answer(status: u16, body: &str) -> String {
    with_headers(status, "vmpool-api: 1\r\ncontent-type: application/json\r\n", body)
}

/// Makes an answer with headers of the test's own.
pub(crate) fn with_headers(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

/// Makes an answer of this version with a problem.
pub(crate) fn problem(status: u16, code: &str) -> String {
    let body = format!(r#"{{"status":{status},"code":"{code}","detail":"so it is"}}"#);
    with_headers(status, "vmpool-api: 1\r\ncontent-type: application/problem+json\r\n", &body)
}

/// The JSON of a lease.
pub(crate) fn lease(ttl: &str) -> String {
    format!(
        r#"{{"id":"1-2","vm":"small-7f3k","pool":"small","owner":"ada","request":"build-17","ttl":"{ttl}","fence":7,
        "acquired_at":"2026-01-01T00:00:00Z","expires_at":"2026-01-01T00:10:00Z","addresses":["10.0.0.7"]}}"#
    )
}

/// Reads one request from a connection.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(0 < count, "the client hung up: {text}");
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if length.unwrap_or(0) <= body.len() {
            return text;
        }
    }
}
