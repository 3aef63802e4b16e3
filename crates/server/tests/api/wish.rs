//! What an acquire may ask for, and what contradicts itself.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use reqwest::Method;
use serde_json::{Value, json};
use vmpool_client::api::Problem;

use crate::world::{World, wish};

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
