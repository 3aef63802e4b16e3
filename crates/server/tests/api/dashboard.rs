//! What a browser is given: the files of the dashboard, and what its pages show.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use reqwest::{Method, StatusCode, header};
use serde_json::Value;

use crate::world::{World, wish};

async fn json(world: &World, path: &str) -> Value {
    let response = world.raw(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.json().await.unwrap()
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere_and_run_nothing_of_its_own() {
    let world = World::ready().await;
    for path in ["/", "/assets/app.js"] {
        let response = world.raw(Method::GET, path).send().await.unwrap();
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    let missing = world.raw(Method::GET, "/assets/..%2Fvmpool.toml").send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let world = World::ready().await;
    let first = world.raw(Method::GET, "/assets/base.css").send().await.unwrap();
    let tag = first.headers()[header::ETAG].clone();
    let again =
        world.raw(Method::GET, "/assets/base.css").header(header::IF_NONE_MATCH, tag).send().await.unwrap();
    assert_eq!((again.status(), again.bytes().await.unwrap().len()), (StatusCode::NOT_MODIFIED, 0));
    world.stop().await.unwrap();
}

#[tokio::test]
async fn pools_and_providers_are_told_in_the_words_of_the_api() {
    let world = World::ready().await;
    let state = json(&world, "/dashboard/state").await;
    let pools = json(&world, "/v1/pools").await;
    for key in ["name", "counts", "size", "max_total", "waiting", "limits", "drain"] {
        assert_eq!(state["pools"][0][key], pools["pools"][0][key], "{key}");
    }
    assert_eq!(state["providers"][0]["name"], "lab");
    assert_eq!(state["health"]["installation"], json(&world, "/v1/health").await["installation"]);
    assert_eq!(json(&world, "/dashboard/state?brief=true").await["changed"], Value::Null);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn who_asks_again_is_told_what_changed_meanwhile_and_nothing_else() {
    let world = World::ready().await;
    let first = json(&world, "/dashboard/state").await["changed"].clone();
    assert_eq!((&first["full"], first["vms"].as_array().unwrap().len()), (&true.into(), 1));
    assert_eq!(first["vms"][0]["state"], "ready");
    let lease = world.client.acquire(&wish("r1")).await.unwrap();
    let next =
        json(&world, &format!("/dashboard/state?after={}", first["revision"])).await["changed"].clone();
    assert_eq!((&next["full"], &next["vms"][0]["state"]), (&false.into(), &"in_use".into()));
    assert_eq!(
        (&next["leases"][0]["id"], &next["leases"][0]["owner"]),
        (&lease.id.clone().into(), &"ada".into())
    );
    // It was spawning, had an address, was ready, and is in use now: each state with its time.
    let life = next["vms"][0]["life"].as_array().unwrap();
    let states: Vec<u64> = life.iter().step_by(2).map(|state| state.as_u64().unwrap()).collect();
    assert_eq!((states.first(), states.last()), (Some(&0), Some(&5)), "{life:?}");
    world.client.release(&lease.id).await.unwrap();
    let last = json(&world, &format!("/dashboard/state?after={}", next["revision"])).await["changed"].clone();
    assert_eq!(last["gone_leases"], Value::from(vec![lease.id]));
    world.stop().await.unwrap();
}

#[tokio::test]
async fn the_queue_says_what_the_explanation_of_each_request_says() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let waits = wish("r2").with_wait(std::time::Duration::from_secs(60));
    let answer = world.raw(Method::POST, "/v1/leases").json(&waits).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let state = json(&world, "/dashboard/state").await;
    let explained = json(&world, "/v1/requests/r2/explain").await;
    assert_eq!((&state["waiting"], &state["queue"][0]["position"]), (&1.into(), &explained["position"]));
    assert_eq!(state["queue"][0]["limits"], explained["limits"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn samples_of_the_pools_are_there_at_the_first_look() {
    let world = World::ready().await;
    for range in ["hour", "day"] {
        let series = json(&world, &format!("/dashboard/history?range={range}&pool=small")).await;
        assert_eq!(series["small"]["max"][0], 1, "{series}");
        assert_eq!(
            json(&world, &format!("/dashboard/history?range={range}&pool=other")).await,
            serde_json::json!({})
        );
    }
    world.stop().await.unwrap();
}
