//! The wire format: strict where the daemon reads, lenient where a client reads.

use std::time::Duration;

use serde_json::json;
use vmpool_api::{
    AcquireAnswer, AcquireRequest, Event, ForgetRequest, Lease, Problem, RenewRequest, RequestStatus,
    VerbRequest, code, exit,
};

fn lease() -> serde_json::Value {
    json!({
        "id": "1-2", "vm": "small-7f3k", "pool": "small", "owner": "ada", "request": "build-17",
        "acquired_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:10:00Z", "ttl": "10m", "fence": 7
    })
}

#[test]
fn a_request_with_an_unknown_key_is_refused_by_name() {
    let json = json!({"request": "r", "pool": "p", "owner": "o", "wiat": "5s"});
    let err = serde_json::from_value::<AcquireRequest>(json).unwrap_err();
    assert!(err.to_string().contains("unknown field `wiat`"), "{err}");
}

#[test]
fn a_request_for_one_vm_of_one_pool_is_written_as_before_there_were_more() {
    let request = AcquireRequest::new("r", "p", "o").with_pools(vec!["p".to_owned()]).with_count(1);
    assert_eq!(serde_json::to_value(request).unwrap(), json!({"request": "r", "pool": "p", "owner": "o"}));
}

#[test]
fn a_request_says_pools_labels_count_and_priority() {
    let request = AcquireRequest::new("r", "p", "o")
        .with_pools(vec!["a".to_owned(), "b".to_owned()])
        .with_labels(vec!["ssd".to_owned()])
        .with_count(2)
        .with_priority(-1);
    assert_eq!(request.pools().collect::<Vec<_>>(), ["a", "b"]);
    let json = json!({"request": "r", "pools": ["a", "b"], "labels": ["ssd"], "count": 2, "priority": -1, "owner": "o"});
    assert_eq!(serde_json::to_value(&request).unwrap(), json);
    assert_eq!(serde_json::from_value::<AcquireRequest>(json).unwrap(), request);
}

#[test]
fn a_duration_without_unit_is_refused_with_an_example() {
    let json = json!({"request": "r", "pool": "p", "owner": "o", "wait": "5"});
    let err = serde_json::from_value::<AcquireRequest>(json).unwrap_err();
    assert!(err.to_string().contains("such as 500ms, 60s"), "{err}");
}

#[test]
fn a_renewal_may_be_empty() {
    assert_eq!(serde_json::from_str::<RenewRequest>("{}").unwrap(), RenewRequest::default());
}

#[test]
fn a_lease_of_a_newer_daemon_is_read() {
    let mut json = lease();
    json["color"] = json!("blue");
    let lease: Lease = serde_json::from_value(json).unwrap();
    assert_eq!(lease.ttl, Duration::from_secs(600));
}

#[test]
fn an_answer_to_an_acquire_says_which_it_is() {
    let answer = serde_json::from_value(json!({"status": "granted", "lease": lease()})).unwrap();
    assert!(
        matches!(answer, AcquireAnswer::Granted { lease, leases, .. } if lease.fence == 7 && leases.is_empty())
    );
}

#[test]
fn a_status_of_a_newer_daemon_is_unknown() {
    assert_eq!(
        serde_json::from_str::<RequestStatus>(r#""queued_elsewhere""#).unwrap(),
        RequestStatus::Unknown
    );
}

#[test]
fn an_event_keeps_a_kind_that_this_version_does_not_know() {
    let json = json!({"cursor": 3, "at": "2026-01-01T00:00:00Z", "kind": "vm_painted_blue"});
    assert_eq!(serde_json::from_value::<Event>(json).unwrap().kind, "vm_painted_blue");
}

#[test]
fn a_problem_is_what_rfc_9457_wants() {
    let problem = Problem::new(code::UNKNOWN_POOL, "there is no pool big").with_hint("the pools are small");
    let wanted = json!({
        "type": "urn:vmpool:problem:unknown_pool", "title": "there is no such pool", "status": 404,
        "detail": "there is no pool big", "code": "unknown_pool", "hint": "the pools are small",
        "may_have_happened": false
    });
    assert_eq!(serde_json::to_value(problem).unwrap(), wanted);
}

#[test]
fn a_forgotten_vm_has_a_reason() {
    let err = serde_json::from_value::<ForgetRequest>(json!({})).unwrap_err();
    assert!(err.to_string().contains("missing field `reason`"), "{err}");
}

#[test]
fn a_body_that_may_be_empty_takes_who_wants_it_and_nothing_else() {
    assert_eq!(serde_json::from_str::<VerbRequest>("{}").unwrap(), VerbRequest::new(None));
    let ada = serde_json::from_value::<VerbRequest>(json!({"by": "ada"})).unwrap();
    assert_eq!(ada.by.as_deref(), Some("ada"));
    assert!(serde_json::from_value::<VerbRequest>(json!({"now": true})).is_err());
}

#[test]
fn a_problem_with_an_unknown_code_is_judged_by_its_status() {
    let problem: Problem = serde_json::from_value(json!({"status": 409, "code": "moon_phase"})).unwrap();
    assert_eq!(problem.exit_code(), exit::REFUSED);
}
