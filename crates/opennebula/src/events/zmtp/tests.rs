//! Frames and greetings, and a publisher whose bytes are those of libzmq 4.3.5.

use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What libzmq's publisher says first: its greeting, in the version 3.1.
fn published_greeting() -> Vec<u8> {
    let mut bytes = greeting();
    (bytes[8], bytes[11]) = (1, 1);
    bytes
}

const READY: &[u8] = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB";

async fn listen() -> (TcpListener, EventsEndpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap()).parse().unwrap();
    (listener, endpoint)
}

/// Connects to a publisher that says this, byte by byte; returns it and what the subscriber said.
async fn meet(says: &[u8]) -> (io::Result<Subscriber>, TcpStream) {
    let (listener, endpoint) = listen().await;
    let publisher = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        for byte in says {
            let _ = stream.write_all(&[*byte]).await;
            tokio::task::yield_now().await;
        }
        stream
    };
    tokio::join!(Subscriber::connect(&endpoint, b"EVENT STATE VM/"), publisher)
}

async fn refused(says: &[u8]) -> String {
    let (listener, endpoint) = listen().await;
    let publisher = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(says).await;
        let _ = stream.shutdown().await;
        stream
    };
    let (connected, _stream) = tokio::join!(Subscriber::connect(&endpoint, b""), publisher);
    connected.unwrap_err().to_string()
}

#[tokio::test]
async fn a_subscriber_says_what_the_protocol_demands() {
    let (subscriber, mut stream) = meet(&[&published_greeting(), READY].concat()).await;
    let _subscriber = subscriber.unwrap();
    let ready = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB";
    let expected = [&greeting()[..], ready, b"\0\x10\x01EVENT STATE VM/"].concat();
    let mut said = vec![0; expected.len()];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(said, expected);
    assert_eq!((said[0], said[9], said[10], &said[12..17], said[32]), (0xff, 0x7f, 3, &b"NULL\0"[..], 0));
}

#[tokio::test]
async fn messages_come_whole_however_they_are_cut_and_however_often_a_wait_is_given_up() {
    let (subscriber, mut stream) = meet(&[&published_greeting(), READY].concat()).await;
    let mut subscriber = subscriber.unwrap();
    let long = vec![b'x'; 7_900];
    let message = [frame(MORE, b"EVENT STATE VM/ACTIVE/RUNNING/1 "), frame(0, &long)].concat();
    let write = async {
        for _ in 0..2 {
            for piece in message.chunks(97) {
                stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
        stream
    };
    let read = async {
        let mut messages = Vec::new();
        while messages.len() < 2 {
            if let Ok(message) = tokio::time::timeout(Duration::ZERO, subscriber.next()).await {
                messages.push(message.unwrap());
            }
            tokio::task::yield_now().await;
        }
        messages
    };
    let (messages, _stream) = tokio::join!(read, write);
    let expected = vec![b"EVENT STATE VM/ACTIVE/RUNNING/1 ".to_vec(), long];
    assert_eq!(messages, [expected.clone(), expected]);
}

#[tokio::test]
async fn a_publisher_that_asks_whether_anybody_is_there_gets_an_answer() {
    let (subscriber, mut stream) = meet(&[&published_greeting(), READY].concat()).await;
    let mut subscriber = subscriber.unwrap();
    stream.write_all(&frame(COMMAND, b"\x04PING\x00\x0ahello")).await.unwrap();
    stream.write_all(&frame(COMMAND, b"\x06FUTURE")).await.unwrap();
    stream.write_all(&[frame(MORE, b"a"), frame(MORE, b"b"), frame(0, b"c")].concat()).await.unwrap();
    assert_eq!(
        subscriber.next().await.unwrap(),
        [b"a", b"b"],
        "what comes after the second part is not kept"
    );
    let mut said = vec![0; GREETING + 27 + 18 + 12];
    stream.read_exact(&mut said).await.unwrap();
    assert!(said.ends_with(b"\x04\x0a\x04PONGhello"), "{said:?}");
}

#[tokio::test]
async fn who_does_not_publish_is_refused_with_the_reason() {
    let said = |mechanism: &[u8]| {
        let mut greeting = published_greeting();
        greeting[12..12 + mechanism.len()].copy_from_slice(mechanism);
        greeting
    };
    assert!(refused(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.contains("closed the connection"));
    assert!(refused(&[b'H'; 64]).await.contains("does not speak ZeroMQ"));
    assert!(refused(&said(b"CURVE")).await.contains("wants to know who connects"));
    let mut old = published_greeting();
    old[10] = 2;
    assert!(refused(&old).await.contains("does not speak ZeroMQ"));
    let ready = |body: &[u8]| [&published_greeting()[..], body].concat();
    assert!(refused(&ready(b"\x04\x06\x05ERROR")).await.contains("it is not ready"));
    let puller = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PULL";
    assert!(refused(&ready(puller)).await.contains("it publishes nothing"));
    assert!(refused(&ready(b"")).await.contains("closed the connection"));
}

#[test]
fn a_frame_that_cannot_be_is_an_error_and_an_unfinished_one_is_waited_for() {
    assert_eq!(read_frame(b"").unwrap(), None);
    assert_eq!(read_frame(b"\0\x02a").unwrap(), None);
    assert_eq!(read_frame(b"\x02\0\0\0\0").unwrap(), None);
    let body = b"ab".to_vec();
    assert_eq!(read_frame(b"\x01\x02abc").unwrap(), Some((Frame { flags: MORE, body }, 4)));
    assert!(read_frame(b"\x08\0").is_err());
    assert!(read_frame(b"\x02\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());
    let long = vec![7; 300];
    let framed = frame(0, &long);
    assert_eq!(read_frame(&framed).unwrap(), Some((Frame { flags: LONG, body: long }, 309)));
}
