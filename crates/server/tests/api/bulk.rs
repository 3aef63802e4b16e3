//! Renewing and releasing many leases with one request.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use vmpool_client::api::{LeaseRef, Problem, routes};

use crate::world::{World, wish};

#[tokio::test]
async fn each_lease_of_a_request_has_a_result_of_its_own() {
    let world = World::ready().await;
    let lease = world.client.acquire(&wish("r1")).await.unwrap();
    let stale = LeaseRef::new(&lease.id).with_fence(Some(lease.fence - 1));
    let named = [LeaseRef::new("no-such"), LeaseRef::new("not an id"), LeaseRef::from(&lease), stale];
    let renewals = world.client.renew_all(&named, Some(Duration::from_secs(3600))).await.unwrap();
    assert_eq!(renewals[2].lease.as_ref().unwrap().ttl, Duration::from_secs(3600));
    assert_eq!(renewals[2].lease.as_ref().unwrap().addresses, lease.addresses);
    let code = |index: usize| renewals[index].problem.as_ref().unwrap().code.clone();
    assert_eq!([code(0), code(1), code(3)], ["unknown_lease", "unknown_lease", "stale_fence"]);

    let releases = world.client.release_all(&named).await.unwrap();
    let codes = releases.iter().map(|release| release.problem.as_ref().map(|problem| problem.code.as_str()));
    let codes: Vec<_> = codes.collect();
    // The last one is that of the lease that was just released.
    assert_eq!(codes, [Some("unknown_lease"), Some("unknown_lease"), None, Some("unknown_lease")]);
    assert_eq!(world.client.leases().await.unwrap(), []);
}

#[tokio::test]
async fn no_leases_and_too_many_leases_are_refused() {
    let world = World::ready().await;
    let many: Vec<_> = (0..=routes::MAX_LEASES).map(|number| json!({"id": format!("1-{number}")})).collect();
    let cases = [
        (json!([]), "the body does not fit at `leases`: it is empty: name at least one lease"),
        (json!(many), "the body does not fit at `leases`: it names 501 leases, and 500 are the most at once"),
    ];
    for (leases, why) in cases {
        for path in [routes::RENEWALS, routes::RELEASES] {
            let response =
                world.raw(Method::POST, path).json(&json!({"leases": leases})).send().await.unwrap();
            assert_eq!(response.status().as_u16(), 400);
            assert_eq!(response.json::<Problem>().await.unwrap().detail, why);
        }
    }
}

#[tokio::test]
async fn a_client_splits_what_one_request_cannot_hold() {
    let world = World::ready().await;
    let many: Vec<_> = (0..=routes::MAX_LEASES).map(|number| LeaseRef::new(format!("1-{number}"))).collect();
    assert_eq!(world.client.renew_all(&many, None).await.unwrap().len(), routes::MAX_LEASES + 1);
    assert_eq!(world.client.release_all(&many).await.unwrap().len(), routes::MAX_LEASES + 1);
}
