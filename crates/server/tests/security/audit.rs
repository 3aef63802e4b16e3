//! Who did what to tokens, and who was refused, in the event log.

use vmpool_client::{
    Client,
    api::{Event, Role},
};

use crate::world::World;

/// Follows the events until one of a kind comes.
async fn told(client: &Client, kind: &str) -> Event {
    let mut events = client.follow(Some(0));
    loop {
        let event = events.next().await.unwrap();
        if event.kind == kind {
            return event;
        }
    }
}

#[tokio::test]
async fn who_makes_and_revokes_a_token_is_in_the_event_log() {
    let world = World::start().await;
    let ops = world.client("ops", Role::Admin).await;
    let made = ops.create_token(&vmpool_client::api::TokenRequest::new("ci", Role::User)).await.unwrap();
    ops.revoke_token("ci").await.unwrap();
    let events = world.admin.events(0, 1000).await.unwrap().events;
    let by_ops = |kind: &str| {
        events.iter().find(|event| event.kind == kind && event.by.as_deref() == Some("token:ops")).unwrap()
    };
    let created = &by_ops("token_created").detail;
    assert!(created.starts_with("ci (") && created.contains("user for ci, for ever"), "{created}");
    assert!(by_ops("token_revoked").detail.starts_with("ci ("));
    let secret = made.secret.rsplit('_').next().unwrap();
    assert!(events.iter().all(|event| !event.detail.contains(secret)));
    let user = world.client("look", Role::User).await;
    let seen = user.events(0, 1000).await.unwrap().events;
    assert!(seen.iter().all(|event| !event.kind.starts_with("token_")), "a user sees only its own");
}

#[tokio::test(start_paused = true)]
async fn refused_attempts_are_in_the_event_log_and_cannot_fill_it() {
    let world = World::start().await;
    let wrong =
        Client::new(&format!("http://{}", world.address)).unwrap().with_token("vmpool_00000000_00").unwrap();
    wrong.pools().await.unwrap_err();
    let first = told(&world.admin, "access_refused").await;
    assert_eq!(first.detail, "from 127.0.0.1: the token is not one of ours");
    assert_eq!(first.by, None);
    let reader = world.client("look", Role::Reader).await;
    reader.drain("small", None).await.unwrap_err();
    for _ in 0..50 {
        wrong.pools().await.unwrap_err();
    }
    let mut events = world.admin.follow(Some(first.cursor));
    let second = loop {
        let event = events.next().await.unwrap();
        if event.kind == "access_refused" {
            break event;
        }
    };
    assert_eq!(second.by.as_deref(), Some("token:look"));
    assert!(second.detail.contains("is a reader"), "{}", second.detail);
    // The others are one event at most, with their number.
    let all = world.admin.events(0, 1000).await.unwrap().events;
    let all = all.iter().filter(|event| event.kind == "access_refused").count();
    assert!(all <= 3, "{all}");
}

#[tokio::test]
async fn who_shows_nothing_is_no_event() {
    let world = World::start().await;
    world.raw(reqwest::Method::GET, "/v1/pools").send().await.unwrap();
    world.raw(reqwest::Method::GET, "/v1/pools").bearer_auth("x").send().await.unwrap();
    let first = told(&world.admin, "access_refused").await;
    assert!(first.detail.ends_with("the token is not one of ours"), "{}", first.detail);
}
