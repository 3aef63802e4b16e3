//! What an operator does and sees: drains, holds, quotas and strangers.

use std::sync::Arc;

use vmpool::store::MemoryStore;
use vmpool_client::api::{HoldRequest, Quota, TerminateRequest};

use crate::world::{ONE_VM, World, config, ready, wish};

#[tokio::test]
async fn a_provider_shows_what_is_used_of_its_quota_and_who_is_a_stranger_there() {
    let more = "quota = { vms = 9, cores = 4 }\noptions = { libcloud = 2 }\n[pools.small]";
    let text = ONE_VM.replace("[pools.small]", more);
    let world = World::start(config(&text), Arc::new(MemoryStore::new())).await;
    world.until_ready().await;
    // The VM may be ready before the provider is listed for the first time after its strangers were there.
    let provider = loop {
        let provider = world.client.provider("lab").await.unwrap();
        if provider.listed_at.is_some() {
            break provider;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(provider.quota["vms"], Quota { used: 1, max: 9 });
    assert_eq!(provider.quota["cores"], Quota { used: 0, max: 4 });
    assert_eq!((provider.strangers, provider.first_strangers.len()), (2, 2));
    assert_eq!(provider.first_strangers[0].state, "running");
    assert_eq!((provider.limit, provider.brake, provider.orphans), (None, None, 0));
}

#[tokio::test]
async fn a_provider_shows_whether_it_says_by_itself_what_changes() {
    let more = "options = { events = true }\n[pools.small]";
    let text = ONE_VM.replace("[pools.small]", more);
    let world = World::start(config(&text), Arc::new(MemoryStore::new())).await;
    let events = loop {
        let events = world.client.provider("lab").await.unwrap().events.unwrap();
        if events.state != "opening" {
            break events;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((events.state.as_str(), events.since.is_some(), events.reason), ("up", true, None));
    assert_eq!(World::ready().await.client.provider("lab").await.unwrap().events, None);
}

#[tokio::test]
async fn a_pool_that_is_drained_shows_why_and_gives_nothing_until_it_is_undrained() {
    let world = World::ready().await;
    world.client.drain("small", Some("new image")).await.unwrap();
    let pool = world.client.pool("small").await.unwrap();
    assert_eq!(pool.drain.unwrap().reason, "new image");
    let err = world.client.acquire(&wish("r1")).await.unwrap_err();
    assert_eq!(err.problem().unwrap().code, "pool_drained");
    world.client.undrain("small").await.unwrap();
    assert_eq!(world.client.pool("small").await.unwrap().drain, None);
    world.until_ready().await;
    world.client.acquire(&wish("r2")).await.unwrap();
}

#[tokio::test]
async fn who_does_what_an_operator_does_is_told_in_the_events() {
    let world = World::ready().await;
    let zoe = world.client.clone().with_by(Some("zoe".to_owned()));
    let vm = zoe.vms(&ready()).await.unwrap().remove(0).name;
    zoe.hold(&vm, &HoldRequest::new(None)).await.unwrap();
    zoe.unhold(&vm).await.unwrap();
    zoe.terminate_if(&vm, &TerminateRequest::new(None).with_by(Some("bob".to_owned()))).await.unwrap();
    zoe.forget(&vm, "it hangs").await.unwrap();
    zoe.drain("small", Some("new image")).await.unwrap();
    assert_eq!(zoe.pool("small").await.unwrap().drain.unwrap().by.as_deref(), Some("zoe"));
    zoe.undrain("small").await.unwrap();
    world.until_ready().await;
    let lease = world.client.acquire(&wish("r1")).await.unwrap();
    zoe.release_if(&lease.id, lease.fence).await.unwrap();
    let events = zoe.events(0, 1000).await.unwrap().events;
    let who = |kind: &str| {
        let event = events.iter().find(|event| event.kind == kind);
        event.unwrap_or_else(|| unreachable!("{kind}")).by.clone()
    };
    for kind in ["vm_held", "vm_unheld", "vm_forgotten", "pool_drained", "pool_undrained", "lease_released"] {
        assert_eq!(who(kind).as_deref(), Some("zoe"), "{kind}");
    }
    assert_eq!(who("vm_terminating").as_deref(), Some("bob"), "a wish may name somebody else");
    assert_eq!(who("vm_ready"), None);
}

#[tokio::test]
async fn a_name_that_nobody_can_have_is_refused_by_its_key() {
    let world = World::ready().await;
    let err = world.client.clone().with_by(Some(" ".to_owned())).undrain("small").await.unwrap_err();
    let problem = err.problem().unwrap();
    assert_eq!(problem.code, "invalid_request");
    assert!(problem.detail.contains("does not fit at `by`"), "{problem:?}");
}

#[tokio::test]
async fn a_loss_that_there_is_not_cannot_be_accepted() {
    let world = World::ready().await;
    let err = world.client.accept_loss("lab").await.unwrap_err();
    assert_eq!(err.problem().unwrap().code, "no_mass_loss");
    let err = world.client.accept_loss("lap").await.unwrap_err();
    assert_eq!(err.problem().unwrap().code, "unknown_provider");
}

#[tokio::test]
async fn an_owner_is_told_what_it_may_hold_in_a_pool_and_over_all() {
    let text = ONE_VM.replace("size = 1", "size = 3\nmax_per_owner = 2") + "[limits]\nmax_per_owner = 5\n";
    let world = World::start(config(&text), Arc::new(MemoryStore::new())).await;
    world.until_ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let share = world.client.owner("ada", Some("small")).await.unwrap();
    let limits: Vec<_> =
        share.limits.iter().map(|limit| (limit.pool.as_deref(), limit.held, limit.max)).collect();
    assert_eq!(limits, [(None, 1, 5), (Some("small"), 1, 2)]);
    assert_eq!(share.room, Some(1));
    assert_eq!(world.client.owner("ada/sub", None).await.unwrap().room, Some(4));
    assert_eq!(world.client.owner("bob", Some("small")).await.unwrap().room, Some(2));
    let err = world.client.owner("ada", Some("big")).await.unwrap_err();
    assert_eq!(err.problem().unwrap().code, "unknown_pool");
}
