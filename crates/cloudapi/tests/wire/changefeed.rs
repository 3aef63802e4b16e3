//! The changefeed against a scripted server: its opening, what it brings, and its end.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};
use vmpool_cloudapi::CloudApiDriver;
use vmpool_driver::{Driver, DriverError, Hint, HintStream};
use vmpool_model::FailureKind;

use crate::{
    exchange::one,
    loopback::{Server, say},
    open,
    suite::templates,
};

type Socket = WebSocketStream<TcpStream>;

async fn driver(url: &str) -> CloudApiDriver {
    CloudApiDriver::new(open(url).await, templates()).with_events(true)
}

async fn listen() -> (TcpListener, CloudApiDriver) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, driver(&url).await)
}

/// Reads the head of a request: its first line, and its headers with names in lower case.
async fn head(stream: &mut TcpStream) -> (String, BTreeMap<String, String>) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    let text = String::from_utf8(bytes).unwrap();
    let mut lines = text.trim_end().split("\r\n");
    let first = lines.next().unwrap().to_owned();
    let header =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    (first, lines.filter_map(header).collect())
}

/// Lets a client open a feed; returns the connection, what it asked for, and what it wants to hear.
async fn accept(listener: &TcpListener) -> (Socket, String, BTreeMap<String, String>, Value) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (first, headers) = head(&mut stream).await;
    let key = derive_accept_key(headers["sec-websocket-key"].as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {key}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let wish = socket.next().await.unwrap().unwrap();
    (socket, first, headers, serde_json::from_str(wish.to_text().unwrap()).unwrap())
}

async fn opened() -> (Box<dyn HintStream>, Socket) {
    let (listener, driver) = listen().await;
    let (hints, (socket, ..)) = tokio::join!(driver.hints(), accept(&listener));
    (hints.unwrap(), socket)
}

async fn refused(status: u16, body: &str) -> DriverError {
    let body = body.to_owned();
    let server = Server::start(move |_| say(status, body.clone())).await;
    driver(&server.url).await.hints().await.unwrap_err()
}

fn node(id: &str) -> Hint {
    Hint::Node(id.parse().unwrap())
}

#[tokio::test]
async fn the_feed_is_opened_with_a_signed_request_and_says_what_it_wants() {
    let (listener, driver) = listen().await;
    assert!(driver.capabilities().hints);
    let (hints, (_socket, first, headers, wish)) = tokio::join!(driver.hints(), accept(&listener));
    hints.unwrap();
    assert_eq!(first, "GET /test/changefeed HTTP/1.1");
    let header = |name: &str| headers[name].as_str();
    assert_eq!((header("connection"), header("upgrade")), ("Upgrade", "websocket"));
    assert_eq!((header("sec-websocket-version"), header("accept-version")), ("13", "~9"));
    assert!(header("authorization").starts_with("Signature keyId=\"/test/keys/"), "{headers:?}");
    assert!(headers.contains_key("date"));
    assert_eq!(wish, json!({"resource": "vm", "subResources": ["destroyed", "nics", "state"]}));
}

#[tokio::test]
async fn each_change_is_a_hint_and_what_cannot_be_understood_is_one_about_any_machine() {
    let (mut hints, mut socket) = opened().await;
    let change = |id: &str, state: &str| {
        let kind = json!({"resource": "vm", "subResources": ["state"]});
        let text = json!({
            "changeKind": kind, "changedResourceId": id, "published": "1511389506379", "resourceState": state,
            "resourceObject": {"id": id, "state": state, "unheard of": [1]},
        });
        Message::text(text.to_string())
    };
    let id = "b2b6a2d1-9e26-4a54-9e18-05cd6bbd4a8f";
    let messages = [
        change(id, "running"),
        Message::Ping("are you there".into()),
        Message::text("[]"),
        Message::binary(&b"\xff"[..]),
        change(id, "in the year 3000"),
        change("", "running"),
    ];
    for message in messages {
        socket.send(message).await.unwrap();
    }
    for hint in [node(id), Hint::Provider, Hint::Provider, node(id), Hint::Provider] {
        assert_eq!(hints.next().await.unwrap(), hint);
    }
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("are you there".into()));
    socket.close(None).await.unwrap();
    let err = hints.next().await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Unavailable);
    assert!(err.to_string().contains("the server closed the changefeed"), "{err}");
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let (mut hints, mut socket) = opened().await;
    let text = json!({"changedResourceId": "m-1", "filler": "x".repeat(100_000)}).to_string();
    let write = async {
        for _ in 0..3 {
            socket.send(Message::text(text.clone())).await.unwrap();
        }
        socket
    };
    let read = async {
        let mut count = 0;
        while count < 3 {
            if let Ok(hint) = tokio::time::timeout(Duration::ZERO, hints.next()).await {
                assert_eq!(hint.unwrap(), node("m-1"));
                count += 1;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(read, write);
}

#[tokio::test]
async fn a_connection_that_breaks_ends_the_stream() {
    let (mut hints, socket) = opened().await;
    drop(socket);
    assert_eq!(hints.next().await.unwrap_err().kind(), FailureKind::Unavailable);
}

#[tokio::test]
async fn a_server_that_is_silent_is_asked_and_then_given_up() {
    let (mut hints, mut socket) = opened().await;
    tokio::time::pause();
    let err = hints.next().await.unwrap_err();
    assert!(err.to_string().contains("says nothing any more"), "{err}");
    tokio::time::resume();
    assert!(matches!(socket.next().await, Some(Ok(Message::Ping(_)))));
}

#[tokio::test]
async fn a_data_center_without_a_feed_says_so_once_and_for_all() {
    let recorded = one("237-changefeed-no-upgrade").response;
    let unknown = r#"{"code":"MethodNotAllowed","message":"GET is not allowed"}"#;
    for (status, body) in
        [(recorded.status, recorded.body.as_str()), (404, ""), (405, unknown), (426, ""), (200, "{}")]
    {
        let err = refused(status, body).await;
        assert_eq!(err.kind(), FailureKind::Unsupported, "{status}: {err}");
    }
}

#[tokio::test]
async fn a_refusal_that_may_pass_is_one_of_its_kind() {
    let kind = async |status| refused(status, "{}").await.kind();
    assert_eq!(kind(401).await, FailureKind::Authentication);
    assert_eq!(kind(503).await, FailureKind::Unavailable);
    assert_eq!(kind(429).await, FailureKind::RateLimited);
    assert_ne!(refused(500, "an accident").await.kind(), FailureKind::Unsupported);
    assert_eq!(
        driver("http://127.0.0.1:1").await.hints().await.unwrap_err().kind(),
        FailureKind::Unavailable
    );
}

#[tokio::test]
async fn who_switches_to_something_else_is_refused() {
    let (listener, driver) = listen().await;
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: no\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream
    };
    let (hints, _stream) = tokio::join!(driver.hints(), server);
    assert_eq!(hints.unwrap_err().kind(), FailureKind::Protocol);
}

#[tokio::test]
async fn a_driver_that_is_not_to_listen_does_not() {
    let driver = CloudApiDriver::new(open("http://127.0.0.1:1").await, templates());
    assert!(!driver.capabilities().hints);
    assert_eq!(driver.hints().await.unwrap_err().kind(), FailureKind::Unsupported);
}
