//! What an acquire may ask for, and what contradicts itself.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::{sync::Arc, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use vmpool::store::MemoryStore;
use vmpool_client::api::{AcquireAnswer, Problem, RequestStatus, exit};

use crate::world::{ONE_VM, World, config, wish};

/// Sends the body of an acquire, and returns what is refused.
async fn refused(world: &World, body: Value) -> String {
    let response = world.raw(Method::POST, "/v1/leases").json(&body).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 400);
    response.json::<Problem>().await.unwrap().detail
}

#[tokio::test]
async fn a_wish_names_one_pool_several_or_labels() {
    let world = World::ready().await;
    assert_eq!(
        refused(&world, json!({"request": "r", "owner": "ada"})).await,
        "the body does not fit at `pool`: it is missing: name a pool, pools or labels"
    );
    assert_eq!(
        refused(&world, json!({"request": "r", "owner": "ada", "pool": "small", "pools": ["small"]})).await,
        "the body does not fit at `pools`: give either one pool as `pool` or several as `pools`"
    );
    let spaced = json!({"request": "r", "owner": "ada", "labels": ["big disk"]});
    assert!(
        refused(&world, spaced)
            .await
            .starts_with("the body does not fit at `labels`: \"big disk\" is not a valid")
    );
}

#[tokio::test]
async fn the_first_lease_stands_beside_all() {
    let world = World::ready().await;
    let leases = world.client.acquire_all(&wish("r1")).await.unwrap();
    assert_eq!(leases, world.client.leases().await.unwrap());
    let request = world.client.request("r1").await.unwrap();
    assert_eq!((request.pools, request.count, request.priority), (vec!["small".to_owned()], 1, 0));
    assert_eq!(request.leases, [leases[0].id.clone()]);
    assert_eq!(world.client.acquire(&wish("r1")).await.unwrap(), leases[0]);
}

#[tokio::test]
async fn who_asks_again_for_several_vms_is_told_which_lease_ended_and_given_those_that_last() {
    let two = ONE_VM.replace("size = 1", "size = 2");
    let world = World::start(config(&two), Arc::new(MemoryStore::new())).await;
    let wish = wish("r1").with_count(2).with_wait(Duration::from_secs(30));
    let all = world.client.acquire_all(&wish).await.unwrap();
    world.client.release(&all[0].id).await.unwrap();
    for _ in 0..2 {
        let answer = world.client.acquire_answer(&wish).await.unwrap();
        let AcquireAnswer::Granted { lease, leases, ended } = answer else { panic!("{answer:?}") };
        assert_eq!((&*lease, leases.as_slice()), (&all[1], &all[1..]));
        let told: Vec<_> = ended.iter().map(|ended| [&ended.id, &ended.vm, &ended.end]).collect();
        assert_eq!(told, [[&all[0].id, &all[0].vm, &"it was released".to_owned()]]);
    }
    assert_eq!(world.client.request("r1").await.unwrap().ended.len(), 1);
    world.client.release(&all[1].id).await.unwrap();
    let over = world.client.acquire(&wish).await.unwrap_err();
    assert_eq!(over.problem().unwrap().code, "request_ended");
    let ended = world.client.request("r1").await.unwrap().ended;
    assert_eq!(ended.iter().map(|ended| &ended.id).collect::<Vec<_>>(), [&all[0].id, &all[1].id]);
}

#[tokio::test]
async fn a_request_that_a_drain_turned_away_hears_of_it_when_it_is_sent_again() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let patient = wish("r2").with_wait(Duration::from_secs(60));
    let waiting = tokio::spawn({
        let (client, patient) = (world.client.clone(), patient.clone());
        async move { client.acquire(&patient).await }
    });
    let mut events = world.client.follow(Some(0));
    while events.next().await.unwrap().kind != "request_waiting" {}
    world.client.drain("small", Some("new image")).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap_err().problem().unwrap().code, "pool_drained");
    world.client.undrain("small").await.unwrap();
    let again = world.client.acquire(&patient).await.unwrap_err();
    let problem = again.problem().unwrap();
    assert_eq!((problem.code.as_str(), again.exit_code()), ("request_turned_away", exit::REFUSED));
    assert!(problem.detail.contains("pool small is being drained (new image)"), "{problem}");
    assert_eq!(world.client.request("r2").await.unwrap().status, RequestStatus::TurnedAway);
}

#[tokio::test]
async fn a_vm_is_not_held_for_longer_than_its_pool_allows() {
    let world = World::ready().await;
    let vm = world.client.vms(&crate::world::ready()).await.unwrap().remove(0).name;
    let path = format!("/v1/vms/{vm}/hold");
    let response = world.raw(Method::POST, &path).json(&json!({"time": "169h"})).send().await.unwrap();
    let problem = response.json::<Problem>().await.unwrap();
    assert_eq!((problem.status, problem.code.as_str()), (422, "ttl_out_of_range"));
    assert!(problem.detail.contains("at most 168h (max_hold_time)"), "{problem}");
    let response = world.raw(Method::POST, &path).json(&json!({"time": "168h"})).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 204);
}

#[tokio::test]
async fn a_renewal_or_release_with_another_fence_is_refused() {
    let world = World::ready().await;
    let lease = world.client.acquire(&wish("r1")).await.unwrap();
    let older = lease.fence - 1;
    let renewed = world.client.renew_if(&lease.id, Some(older), None).await.unwrap_err();
    let released = world.client.release_if(&lease.id, older).await.unwrap_err();
    for err in [renewed, released] {
        let problem = err.problem().unwrap();
        assert_eq!((problem.code.as_str(), problem.status), ("stale_fence", 409));
        assert!(problem.detail.contains("must not use it any more"), "{problem}");
    }
    world.client.renew_if(&lease.id, Some(lease.fence), None).await.unwrap();
    world.client.release_if(&lease.id, lease.fence).await.unwrap();
    assert_eq!(world.client.leases().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_told_with_a_body_that_does_not_fit_is_refused_by_key() {
    let world = World::ready().await;
    let vm = world.client.vms(&crate::world::ready()).await.unwrap().remove(0).name;
    for (verb, body, wanted) in [
        ("terminate", json!({"only_if": "reddy"}), "the body does not fit at `only_if`: "),
        ("hold", json!({"by": " "}), "the body does not fit at `by`: "),
        ("hold", json!({"time": "5"}), "the body does not fit at `time`: "),
        ("unhold", json!({"now": true}), "the body does not fit at `now`: unknown field `now`"),
        ("forget", json!({"reason": " "}), "the body does not fit at `reason`: it is empty"),
    ] {
        let response =
            world.raw(Method::POST, &format!("/v1/vms/{vm}/{verb}")).json(&body).send().await.unwrap();
        let problem = response.json::<Problem>().await.unwrap();
        assert!(problem.status == 400 && problem.detail.starts_with(wanted), "{verb}: {problem}");
    }
}
