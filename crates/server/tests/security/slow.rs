//! Clients that send too slowly, or do not read.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, interval},
};
use vmpool_client::api::Role;

use crate::world::World;

/// Reads to the end of a connection, and says what came and after how long.
async fn to_the_end(mut stream: TcpStream) -> (String, Duration) {
    let (began, mut answer) = (Instant::now(), Vec::new());
    let _ = stream.read_to_end(&mut answer).await;
    (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_ends_its_connection() {
    let world = World::start().await;
    let (read, mut write) = TcpStream::connect(world.address).await.unwrap().into_split();
    let slow = tokio::spawn(async move {
        let mut due = interval(Duration::from_secs(5));
        for byte in b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\nx-slow: loris".iter().cycle() {
            due.tick().await;
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
    });
    let mut read = read;
    let (began, mut answer) = (Instant::now(), Vec::new());
    let _ = read.read_to_end(&mut answer).await;
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    slow.abort();
    world.goes_on().await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_answered_with_408() {
    let world = World::start().await;
    let token = world.token("ci", Role::User, None).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "POST /v1/leases HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: \
         application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (answer, after) = to_the_end(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"request_timeout\""), "{answer}");
    assert!(after < Duration::from_secs(90), "{after:?}");
    world.goes_on().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_by_itself() {
    let world = World::start().await;
    let (answer, after) = to_the_end(TcpStream::connect(world.address).await.unwrap()).await;
    assert!(answer.is_empty() && after < Duration::from_secs(60), "{after:?}: {answer}");
    world.goes_on().await;
}
