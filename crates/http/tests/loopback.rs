//! The client against a server on loopback that says exactly what a test wants.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use vmpool_driver::Operation;
use vmpool_http::{Answer, HttpClient, HttpConfig, HttpError, Method, Request, Tls};
use vmpool_model::{Certainty, FailureKind};

/// What the server does with a connection.
enum Server {
    /// Reads the head of the request, says this and closes.
    Says(String),
    /// Reads the head of the request and closes.
    HangsUp,
    /// Reads the head of the request and waits for ever.
    Waits,
}

/// Sends a request to a server and returns what the client makes of it, and what the server got.
async fn ask(config: HttpConfig, server: Server, request: &str) -> (Result<Answer, HttpError>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut buffer = [0; 1024];
            let count = socket.read(&mut buffer).await.unwrap();
            head.extend_from_slice(&buffer[..count]);
        }
        match server {
            // The client may hang up early, which is what some tests are about.
            Server::Says(text) => drop(socket.write_all(text.as_bytes()).await),
            Server::HangsUp => {}
            Server::Waits => drop(socket.read(&mut [0]).await),
        }
        String::from_utf8(head).unwrap()
    };
    let request = Request::new(Method::Post, &format!("http://{address}{request}")).unwrap();
    let request = request.with_header("x-secret", "hunter2");
    let client = HttpClient::new(config).unwrap();
    tokio::join!(client.send(request), serving)
}

fn answer(status: &str, headers: &str, body: &str) -> Server {
    Server::Says(format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    ))
}

#[tokio::test]
async fn path_and_query_arrive_as_they_were_given() {
    let (_, got) = ask(HttpConfig::default(), answer("200 OK", "", ""), "/a%2Fb/c:d?x=1,2&y=a%20b:c").await;
    assert!(got.starts_with("POST /a%2Fb/c:d?x=1,2&y=a%20b:c HTTP/1.1\r\n"), "{got}");
    assert!(got.contains("x-secret: hunter2\r\n"), "{got}");
}

#[tokio::test]
async fn any_status_is_an_answer() {
    let (answer, _) =
        ask(HttpConfig::default(), answer("418 Teapot", "retry-after: 3\r\n", "short"), "/").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (418, &b"short"[..]));
    assert_eq!(answer.classify().unwrap().retry_after, Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (answer, _) =
        ask(HttpConfig::default(), answer("302 Found", "location: http://127.0.0.1:1/\r\n", ""), "/").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("location")), (302, Some("http://127.0.0.1:1/")));
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_read() {
    let config = HttpConfig::default().with_max_body(10);
    let (answer, _) = ask(config, answer("200 OK", "", "12345678901"), "/").await;
    let err = answer.unwrap_err();
    assert!(matches!(err, HttpError::TooLarge { limit: 10, .. }), "{err}");
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Protocol, Certainty::Unknown));
}

#[tokio::test]
async fn a_body_that_announces_nothing_is_read_up_to_the_limit() {
    let chunked = |length: usize| {
        let body = "x".repeat(length);
        Server::Says(format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        ))
    };
    let config = HttpConfig::default().with_max_body(10);
    let (whole, _) = ask(config.clone(), chunked(10), "/").await;
    assert_eq!(whole.unwrap().body.len(), 10);
    let (cut, _) = ask(config, chunked(11), "/").await;
    assert!(matches!(cut.unwrap_err(), HttpError::TooLarge { .. }));
}

#[tokio::test]
async fn a_server_that_never_answers_may_have_done_it() {
    let config = HttpConfig::default().with_timeout(Duration::from_millis(50));
    let (answer, _) = ask(config, Server::Waits, "/").await;
    let err = answer.unwrap_err().into_error(Operation::Create);
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Timeout, Certainty::Unknown));
}

#[tokio::test]
async fn a_connection_that_breaks_may_have_done_it_unless_it_was_a_read() {
    let (answer, _) = ask(HttpConfig::default(), Server::HangsUp, "/").await;
    let err = answer.unwrap_err();
    assert!(matches!(err, HttpError::Broken { .. }), "{err}");
    assert_eq!(err.into_error(Operation::Create).certainty(), Certainty::Unknown);
    let (answer, _) = ask(HttpConfig::default(), Server::HangsUp, "/").await;
    assert_eq!(answer.unwrap_err().into_error(Operation::List).certainty(), Certainty::NotApplied);
}

#[tokio::test]
async fn a_body_that_breaks_off_may_have_done_it() {
    let server = Server::Says("HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{".to_owned());
    let (answer, _) = ask(HttpConfig::default(), server, "/").await;
    assert_eq!(answer.unwrap_err().certainty(), Certainty::Unknown);
}

#[tokio::test]
async fn a_server_that_is_not_there_has_done_nothing() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = HttpClient::new(HttpConfig::default()).unwrap();
    let request = Request::new(Method::Post, &format!("http://{address}/my?signature=hunter2")).unwrap();
    let err = client.send(request).await.unwrap_err();
    let shown = format!("{err} {err:?}");
    assert!(matches!(err, HttpError::Connect { .. }), "{err}");
    assert!(shown.contains("/my?signature=…") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(err.into_error(Operation::Create).certainty(), Certainty::NotApplied);
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_not_shown() {
    let client = HttpClient::new(HttpConfig::default()).unwrap();
    let request = Request::new(Method::Get, "http://127.0.0.1:1/").unwrap().with_header("x-a", "hunter2\n");
    let err = client.send(request).await.unwrap_err();
    assert!(!format!("{err} {err:?}").contains("hunter2"), "{err:?}");
    assert_eq!(err.certainty(), Certainty::NotApplied);
}

#[test]
fn certificates_that_are_none_are_refused() {
    let config = HttpConfig::default().with_tls(Tls::Also(b"nonsense".to_vec()));
    let err = HttpClient::new(config).unwrap_err();
    assert!(err.to_string().contains("certificates"), "{err}");
}
