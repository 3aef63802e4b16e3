//! Who is let in: signatures that other clients made, in front of a real server.

use std::collections::BTreeMap;

use serde::Deserialize;
use vmpool_sim::cloudapi::{SimConfig, SimRequest};

use super::world::{BEGINNING, World, exchanges};

/// The headers that a recorded request was signed with.
#[derive(Debug, Deserialize)]
struct Signed {
    id: String,
    headers: BTreeMap<String, String>,
}

fn signed() -> Vec<Signed> {
    serde_json::from_str(include_str!("../../data/cloudapi-signed.json")).unwrap()
}

#[test]
fn recorded_signatures_are_taken_and_refused_as_they_were() {
    let world = World::new(SimConfig::default());
    let exchanges = exchanges();
    let mut wrong = Vec::new();
    let signed = signed();
    assert_eq!(signed.len(), 32);
    for signed in signed {
        let exchange = exchanges.iter().find(|exchange| exchange.id == signed.id).unwrap();
        // The pre-signed ones were made some minutes before the others.
        world.set_clock(if signed.id.starts_with('3') { 1_795_249_782_000 } else { BEGINNING });
        let mut request = SimRequest::new(&exchange.request.method, &exchange.request.path);
        for (name, value) in exchange.request.headers.iter().chain(&signed.headers) {
            request = request.with_header(name, value);
        }
        if signed.id == "026-version-missing" {
            request = SimRequest::new(&exchange.request.method, &exchange.request.path)
                .with_header("date", &signed.headers["date"])
                .with_header("authorization", &signed.headers["authorization"]);
        }
        let reply = world.sim.answer(&request);
        let recorded = serde_json::from_str(&exchange.response.body).ok();
        let is_refusal = 400 <= exchange.response.status;
        if reply.status != exchange.response.status
            || is_refusal && exchange.request.method != "HEAD" && reply.body != recorded
        {
            wrong.push(format!("{}: {reply:?} instead of {:?}", signed.id, exchange.response));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_signature_counts_for_its_request_alone() {
    let world = World::new(SimConfig::default());
    let good = world.signed_as("test", ("GET", "/test/machines?limit=1"));
    assert_eq!(world.sim.answer(&good).status, 200);
    let swapped = |target: &str| SimRequest { target: target.to_owned(), ..good.clone() };
    assert_eq!(world.sim.answer(&swapped("/test/machines?limit=1")).status, 200);
    assert_eq!(world.sim.answer(&swapped("/test/machines?limit=2")).status, 401);
}

#[test]
fn a_clock_that_is_off_by_more_than_five_minutes_is_refused() {
    let world = World::new(SimConfig::default());
    let request = world.signed_as("test", ("GET", "/test/machines"));
    for (seconds, status) in [(299, 200), (600, 400), (-600, 400)] {
        world.set_clock(BEGINNING + seconds * 1000);
        assert_eq!(world.sim.answer(&request).status, status, "{seconds}");
    }
}
