//! What Prometheus is told.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::world::{World, wish};

/// The samples of a scrape by their name with labels, as written.
async fn scrape(world: &World) -> BTreeMap<String, f64> {
    let response = world.raw(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    samples.map(sample).collect()
}

#[tokio::test]
async fn what_happened_is_counted_once_it_is_durable() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let samples = scrape(&world).await;
    for (name, value) in [
        (r#"vmpool_pool_vms{pool="small",state="in_use"}"#, 1.0),
        (r#"vmpool_pool_vms{pool="small",state="ready"}"#, 0.0),
        (r#"vmpool_leases{pool="small"}"#, 1.0),
        (r#"vmpool_leases_granted_total{pool="small"}"#, 1.0),
        (r#"vmpool_request_wait_seconds_count{pool="small"}"#, 1.0),
        (r#"vmpool_vm_start_seconds_count{pool="small"}"#, 1.0),
        (r#"vmpool_acquire_duration_seconds_count{outcome="granted"}"#, 1.0),
        (r#"vmpool_provider_calls_total{provider="lab",operation="create",outcome="ok"}"#, 1.0),
        (r#"vmpool_provider_up{provider="lab"}"#, 1.0),
        (r#"vmpool_provider_breaker_open{provider="lab"}"#, 0.0),
        (r#"vmpool_events_total{kind="lease_granted"}"#, 1.0),
        (r#"vmpool_http_requests_total{method="POST",route="/v1/leases",status="200"}"#, 1.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} of {samples:#?}");
    }
    assert!(1.0 <= samples["vmpool_store_commit_duration_seconds_count"]);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn paths_and_methods_that_anybody_can_make_up_make_no_new_series() {
    let world = World::ready().await;
    for path in ["/v1/vms/a", "/v1/vms/b", "/x", "/y"] {
        world.raw(Method::GET, path).send().await.unwrap();
    }
    world.raw(Method::from_bytes(b"BREW").unwrap(), "/v1/vms/a").send().await.unwrap();
    let samples = scrape(&world).await;
    let answers = |labels: &str| samples.get(&format!("vmpool_http_requests_total{{{labels}}}")).copied();
    assert_eq!(answers(r#"method="GET",route="/v1/vms/{vm}",status="404""#), Some(2.0), "{samples:#?}");
    assert_eq!(answers(r#"method="GET",route="none",status="404""#), Some(2.0), "{samples:#?}");
    assert_eq!(answers(r#"method="other",route="/v1/vms/{vm}",status="405""#), Some(1.0), "{samples:#?}");
    world.stop().await.unwrap();
}

#[test]
fn the_dashboard_for_grafana_is_json_with_panels() {
    let text = include_str!("../../../../docs/grafana.json");
    let dashboard: Value = serde_json::from_str(text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    assert!(20 < queries.filter(|target| target["expr"].is_string()).count());
}
