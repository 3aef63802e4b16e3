//! The event stream over one connection and over several.

use vmpool_client::api::exit;

use crate::peer::{answer, peer, problem};

fn stream(cursors: &[u64]) -> String {
    let mut body = String::from(": hello\n\n");
    for cursor in cursors {
        let data = format!(r#"{{"cursor":{cursor},"at":"2026-01-01T00:00:00Z","kind":"vm_ready"}}"#);
        body += &format!("id: {cursor}\ndata: {data}\n\n");
    }
    let head =
        "HTTP/1.1 200 x\r\nconnection: close\r\nvmpool-api: 1\r\ncontent-type: text/event-stream\r\n\r\n";
    format!("{head}{body}")
}

#[tokio::test]
async fn events_come_in_order_until_the_daemon_ends_the_stream() {
    let (client, seen) = peer(vec![stream(&[4, 5])]).await;
    let mut events = client.event_stream(Some(3)).await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().cursor, 4);
    assert_eq!(events.next().await.unwrap().unwrap().cursor, 5);
    assert_eq!(events.next().await.unwrap(), None);
    assert!(seen.lock().unwrap()[0].starts_with("GET /v1/events/stream?after=3 "));
}

#[tokio::test]
async fn following_goes_on_after_the_last_event_that_was_seen() {
    let (client, seen) = peer(vec![stream(&[4, 5]), problem(503, "shutting_down"), stream(&[6])]).await;
    let mut events = client.follow(Some(3));
    for cursor in 4..=6 {
        assert_eq!(events.next().await.unwrap().cursor, cursor);
    }
    assert!(seen.lock().unwrap()[2].starts_with("GET /v1/events/stream?after=5 "));
}

#[tokio::test]
async fn following_from_now_asks_where_now_is() {
    let health = r#"{"status":"ok","version":"0.1.0","api":1,"installation":"lab",
        "started_at":"2026-01-01T00:00:00Z","cursor":41}"#;
    let (client, seen) = peer(vec![answer(200, health), stream(&[42])]).await;
    assert_eq!(client.follow(None).next().await.unwrap().cursor, 42);
    assert!(seen.lock().unwrap()[1].starts_with("GET /v1/events/stream?after=41 "));
}

#[tokio::test]
async fn following_ends_at_a_daemon_of_another_version() {
    let newer = stream(&[]).replace("vmpool-api: 1", "vmpool-api: 2");
    let (client, _) = peer(vec![newer]).await;
    assert_eq!(client.follow(Some(0)).next().await.unwrap_err().exit_code(), exit::VERSION);
}
