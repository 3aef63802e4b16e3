//! What goes wrong by order or by chance.

use std::time::Duration;

use serde_json::json;
use vmpool_dummy::FaultConfig;
use vmpool_sim::cloudapi::{Limit, SimConfig};

use super::world::{IMAGE, PACKAGE, World};

#[test]
fn a_limit_can_say_how_long_to_wait() {
    let limit = Limit::new(1, 1).with_retry_after(Duration::from_secs(7));
    let world = World::new(SimConfig::default().with_limit(limit));
    world.get("/my/packages");
    let refused = world.ask("GET", "/my/packages", None);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("7")));
}

#[test]
fn a_full_data_center_refuses_until_a_machine_is_gone() {
    let world = World::new(SimConfig::default().with_capacity(1));
    let id = world.running("a");
    let body = json!({"name": "b", "package": PACKAGE, "image": IMAGE});
    let refused = world.ask("POST", "/my/machines", Some(body)).body.unwrap();
    assert_eq!(refused["code"], "InsufficientServersError");
    world.ask("DELETE", &format!("/my/machines/{id}"), None);
    world.create("b");
}

#[test]
fn creates_fail_by_chance_and_the_same_seed_fails_the_same() {
    let counts = |seed: u64| {
        let mut faults = FaultConfig::default();
        (faults.fail_create, faults.boot_failure) = (0.3, 0.3);
        let world = World::new(SimConfig::default().with_seed(seed).with_faults(faults));
        let create = |number: usize| {
            let body = json!({"name": format!("m-{number}"), "package": PACKAGE, "image": IMAGE});
            world.ask("POST", "/my/machines", Some(body)).status
        };
        let refused = (0..100).map(create).filter(|status| *status == 409).count();
        let failed = world.get("/my/machines?tombstone=true");
        let failed = failed.as_array().unwrap().iter().filter(|machine| machine["state"] == "failed").count();
        (refused, failed)
    };
    let (refused, failed) = counts(1);
    assert!((10..60).contains(&refused) && (5..50).contains(&failed), "{refused} {failed}");
    assert_eq!(counts(1), (refused, failed));
    assert_ne!(counts(2), (refused, failed));
}

#[test]
fn spoiled_requests_are_answered_and_leave_the_server_at_work() {
    let world = World::new(SimConfig::default());
    let id = world.running("web-1");
    let paths =
        ["", "/tags", "/metadata", "/snapshots", "/snapshots/s", "/nics", "/disks", "/fwrules", "/audit"];
    let bodies = [
        "",
        "{}",
        "[]",
        "null",
        "{\"action\":[]}",
        "{\"name\":{},\"network\":7,\"size\":-1}",
        "{\"a\":",
        "\u{1F680}",
    ];
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..4000 {
        let method = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"][rng.usize(..6)];
        let ids = [id.as_str(), "x", "..", "%2E%00", "00000000-0000-4000-8000-000000000000"];
        // A deletion of the machine would end the fun.
        let path = match method {
            "DELETE" => paths[1 + rng.usize(..paths.len() - 1)],
            _ => paths[rng.usize(..paths.len())],
        };
        let query = ["", "?limit=-1", "?tag.a=(", "?%", "?&&=&a", "?state=%F0%9F%9A%80"][rng.usize(..6)];
        let target = format!("/my/machines/{}{path}{query}", ids[rng.usize(..ids.len())]);
        let request = world
            .signed_as("test", (method, &target))
            .with_header("content-type", ["application/json", "text/plain", ""][rng.usize(..3)])
            .with_body(bodies[rng.usize(..bodies.len())]);
        let reply = world.sim.answer(&request);
        assert!((200..=503).contains(&reply.status), "{request:?}");
        world.pass(rng.i64(0..2));
    }
    assert_eq!(world.get("/my/machines").as_array().unwrap().len(), 1);
}
