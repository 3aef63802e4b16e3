//! The event log over HTTP.

use reqwest::Method;

use crate::world::{World, wish};

#[tokio::test]
async fn the_log_is_read_by_pages() {
    let world = World::ready().await;
    let first = world.client.events(0, 2).await.unwrap();
    assert_eq!(first.events.len(), 2);
    assert_eq!(first.next, first.events[1].cursor);
    let rest = world.client.events(first.next, 1000).await.unwrap();
    assert!(first.next < rest.events[0].cursor);
    let end = world.client.events(rest.next, 1000).await.unwrap();
    assert_eq!((end.events.len(), end.next), (0, rest.next));
}

#[tokio::test]
async fn a_stream_tells_what_happens_from_now_on() {
    let world = World::ready().await;
    let mut events = world.client.event_stream(None).await.unwrap();
    let lease = world.client.acquire(&wish("r1")).await.unwrap();
    let event = events.next().await.unwrap().unwrap();
    assert_eq!((event.kind.as_str(), event.lease.as_ref()), ("lease_granted", Some(&lease.id)));
    assert_eq!((event.owner.as_deref(), event.vm), (Some("ada"), Some(lease.vm)));
}

#[tokio::test]
async fn a_stream_goes_on_after_a_cursor() {
    let world = World::ready().await;
    let log = world.client.events(0, 1000).await.unwrap().events;
    let mut events = world.client.event_stream(Some(log[1].cursor)).await.unwrap();
    for wanted in &log[2..] {
        assert_eq!(events.next().await.unwrap().as_ref(), Some(wanted));
    }
}

#[tokio::test]
async fn the_last_event_id_of_a_browser_counts_more_than_its_query() {
    let world = World::ready().await;
    let log = world.client.events(0, 1000).await.unwrap().events;
    let request = world.raw(Method::GET, "/v1/events/stream?after=0");
    let mut response = request.header("last-event-id", log[1].cursor.to_string()).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = String::from_utf8(response.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let id = format!("id: {}\n", log[2].cursor);
    assert!(text.lines().any(|line| line == id.trim()), "{text}");
    assert!(!text.contains(&format!("id: {}\n", log[1].cursor)), "{text}");
}

#[tokio::test]
async fn a_cursor_that_is_none_is_refused() {
    let world = World::ready().await;
    let response =
        world.raw(Method::GET, "/v1/events/stream").header("last-event-id", "x").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 400);
}

#[tokio::test]
async fn a_cursor_of_another_log_is_refused() {
    let world = World::ready().await;
    let err = world.client.event_stream(Some(1_000_000)).await.unwrap_err();
    assert!(err.to_string().contains("beyond the newest event"), "{err}");
    assert!(world.client.events(1_000_000, 1).await.is_err());
}
