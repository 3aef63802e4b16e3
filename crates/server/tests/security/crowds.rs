//! Very many connections, and streams that nobody reads.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use vmpool_client::api::Role;

use crate::world::World;

/// How many idle connections are tried: both of their ends count as open files of this process.
fn as_many_as_allowed() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files: usize = files.split_whitespace().next().unwrap().parse().unwrap();
    (files.saturating_sub(200) / 2).min(10_000)
}

/// Returns the memory that this process has in use, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let used = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    used.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn ten_thousand_idle_connections_keep_nobody_out_and_cost_little() {
    let world = World::with("max_connections = 12000").await;
    let before = memory();
    let count = as_many_as_allowed();
    let mut idle = Vec::with_capacity(count);
    for _ in 0..count {
        idle.push(TcpStream::connect(world.address).await.unwrap());
    }
    world.goes_on().await;
    let each = memory().saturating_sub(before) * 1024 / u64::try_from(count).unwrap();
    assert!(each < 64 * 1024, "{count} connections cost {each} bytes each");
    drop(idle);
    world.goes_on().await;
}

#[tokio::test]
async fn more_connections_than_there_may_be_push_the_oldest_idle_ones_out() {
    let world = World::with("max_connections = 8").await;
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(TcpStream::connect(world.address).await.unwrap());
    }
    world.goes_on().await;
    let mut first = idle.swap_remove(0);
    assert_eq!(first.read(&mut [0]).await.unwrap_or_default(), 0, "it was closed");
}

#[tokio::test]
async fn where_all_connections_are_busy_a_new_one_is_refused_in_words() {
    let world = World::with("max_connections = 3").await;
    let token = world.token("look", Role::Reader, None).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let head = format!(
            "GET /v1/events/stream HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).await.unwrap();
        assert_eq!(&begun, b"HTTP/1.1 200");
        streams.push(stream);
    }
    let answer = world.say(b"").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"too_many\""), "{answer}");
    drop(streams);
    world.goes_on().await;
}

#[tokio::test]
async fn streams_that_nobody_reads_take_bounded_memory() {
    let world = World::start().await;
    let token = world.token("look", Role::Reader, None).await;
    let user = world.client("ci", Role::User).await;
    let head = format!(
        "GET /v1/events/stream?after=0 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let mut unread = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        unread.push(stream);
    }
    let before = memory();
    for number in 0..100 {
        let lease = world.lease(&user, &format!("r{number}")).await;
        user.release(&lease.id).await.unwrap();
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB for 100 streams that nobody reads");
    world.goes_on().await;
}
