//! Who shows nothing, something wrong, or something of somebody else.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use vmpool_client::api::{AcquireRequest, LeaseRef, Need, Role, code, operation, routes};

use crate::world::{World, refused};

fn method(operation: &operation::Operation) -> Method {
    operation.method.as_str().parse().unwrap()
}

/// Puts a name where the pattern of a path has one.
fn path(operation: &operation::Operation) -> String {
    let parts = operation.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn without_a_token_nothing_is_told_or_done_at_any_route() {
    let world = World::start().await;
    for operation in operation::ALL.iter().filter(|operation| operation.need != Need::Nothing) {
        let request =
            world.raw(method(operation), &path(operation)).header("content-type", "application/json");
        let response = request.body("{}").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{}", operation.id);
        assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"vmpool\"");
        assert!(response.text().await.unwrap().contains("unauthenticated"));
    }
    world.goes_on().await;
}

#[tokio::test]
async fn what_needs_no_token_tells_nothing_of_pools_and_places() {
    let world = World::start().await;
    let health: serde_json::Value =
        world.raw(Method::GET, routes::HEALTH).send().await.unwrap().json().await.unwrap();
    assert_eq!((&health["status"], &health["pools"]), (&"ok".into(), &serde_json::json!([])));
    assert!(health["state_dir"].is_null() && health["cursor"] == 0, "{health}");
    assert_eq!(world.admin.health().await.unwrap().pools, ["small"]);
}

#[tokio::test]
async fn a_wrong_a_revoked_and_an_expired_token_are_refused() {
    let world = World::start().await;
    let revoked = world.token("gone", Role::Admin, None).await;
    world.admin.revoke_token("gone").await.unwrap();
    let expired = world.token("old", Role::Admin, Some(Duration::ZERO)).await;
    for (token, why) in [
        ("vmpool_00000000_00", "the token is not one of ours"),
        (&revoked, "the token was revoked"),
        (&expired, "the token has expired"),
    ] {
        let (status, problem) = refused(world.raw(Method::GET, routes::POOLS).bearer_auth(token)).await;
        assert_eq!((status, problem.detail.as_str()), (StatusCode::UNAUTHORIZED, why));
    }
    world.goes_on().await;
}

#[tokio::test]
async fn a_role_does_what_the_table_of_operations_lets_it_and_no_more() {
    let world = World::start().await;
    for role in Role::ALL {
        let token = world.token(role.as_str(), role, None).await;
        for operation in operation::ALL.iter().filter(|operation| operation.path != routes::EVENTS_STREAM) {
            let request = world.raw(method(operation), &path(operation)).bearer_auth(&token);
            let request = request.header("content-type", "application/json").body("not JSON");
            let status = request.send().await.unwrap().status();
            let is_refused = status == StatusCode::FORBIDDEN;
            // What a user may hold is told to the user alone.
            let is_of_others = operation.id == "owner" && role == Role::User;
            assert_eq!(is_refused, !role.may(operation.need) || is_of_others, "{role} {}", operation.id);
        }
    }
}

#[tokio::test]
async fn the_lease_of_another_owner_can_be_neither_seen_nor_renewed_nor_released() {
    let world = World::start().await;
    let (ada, bob) = (world.client("ada", Role::User).await, world.client("bob", Role::User).await);
    let lease = world.lease(&ada, "r-ada").await;
    assert_eq!(lease.owner, "ada");
    let errors = [
        bob.lease(&lease.id).await.unwrap_err(),
        bob.renew(&lease.id, None).await.unwrap_err(),
        bob.release(&lease.id).await.unwrap_err(),
    ];
    for err in errors {
        assert!(err.problem().unwrap().is(code::UNKNOWN_LEASE), "{err}");
    }
    assert!(bob.vm(&lease.vm).await.unwrap_err().problem().unwrap().is(code::UNKNOWN_VM));
    assert!(bob.request("r-ada").await.unwrap_err().problem().unwrap().is(code::UNKNOWN_REQUEST));
    assert!(bob.cancel("r-ada").await.unwrap_err().problem().unwrap().is(code::UNKNOWN_REQUEST));
    assert!(bob.leases().await.unwrap().is_empty() && bob.requests().await.unwrap().is_empty());
    let told = bob.events(0, 1000).await.unwrap().events;
    assert!(told.iter().all(|event| event.owner.as_deref() == Some("bob")), "{told:?}");
    assert_eq!(ada.leases().await.unwrap().len(), 1);
    ada.release(&lease.id).await.unwrap();
}

#[tokio::test]
async fn of_many_leases_those_of_another_owner_are_neither_renewed_nor_released() {
    let world = World::start().await;
    let (ada, bob) = (world.client("ada", Role::User).await, world.client("bob", Role::User).await);
    let (of_ada, of_bob) = (world.lease(&ada, "r-ada").await, world.lease(&bob, "r-bob").await);
    let named = [LeaseRef::new("not an id"), LeaseRef::from(&of_ada), LeaseRef::from(&of_bob)];
    let renewals = bob.renew_all(&named, None).await.unwrap().into_iter().map(|renewal| renewal.problem);
    let releases = bob.release_all(&named).await.unwrap().into_iter().map(|release| release.problem);
    for results in [renewals.collect::<Vec<_>>(), releases.collect()] {
        assert!(results[..2].iter().all(|problem| problem.as_ref().unwrap().is(code::UNKNOWN_LEASE)));
        assert_eq!(results[2], None);
    }
    assert_eq!((ada.leases().await.unwrap().len(), bob.leases().await.unwrap().len()), (1, 0));
}

#[tokio::test]
async fn nobody_leases_in_the_name_of_another_or_with_the_request_of_another() {
    let world = World::start().await;
    let (ada, bob) = (world.client("ada", Role::User).await, world.client("bob", Role::User).await);
    world.lease(&ada, "r-ada").await;
    let as_ada = bob.acquire(&AcquireRequest::new("r1", "small", "ada")).await.unwrap_err();
    assert!(as_ada.problem().unwrap().is(code::FORBIDDEN), "{as_ada}");
    let same = bob.acquire(&AcquireRequest::new("r-ada", "small", "")).await.unwrap_err();
    assert!(same.problem().unwrap().is(code::REQUEST_CONFLICT), "{same}");
    let sub = AcquireRequest::new("r2", "small", "bob/nightly").with_wait(Duration::from_secs(20));
    assert_eq!(bob.acquire(&sub).await.unwrap().owner, "bob/nightly");
}

#[tokio::test]
async fn every_verb_tells_in_the_event_log_who_did_it() {
    let world = World::start().await;
    let operator = world.client("ops", Role::Operator).await.with_by(Some("grace".to_owned()));
    let user = world.client("ci", Role::User).await.with_by(Some("root".to_owned()));
    let lease = world.lease(&user, "r1").await;
    user.release(&lease.id).await.unwrap();
    operator.drain("small", Some("audit")).await.unwrap();
    let events = world.admin.events(0, 1000).await.unwrap().events;
    // A request that waits tells it when it comes, and one that is served at once with its lease.
    let asked = events.iter().find(|event| event.request.as_deref() == Some("r1")).unwrap();
    assert_eq!(asked.by.as_deref(), Some("token:ci"), "{asked:?}");
    let by = |kind: &str| events.iter().find(|event| event.kind == kind).unwrap().by.clone().unwrap();
    assert_eq!(by("lease_released"), "token:ci", "what a user says of itself does not count");
    assert_eq!(by("pool_drained"), "grace (token:ops)");
}
