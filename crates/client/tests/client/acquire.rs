//! Acquiring over lost connections, and keeping a lease.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::time::Duration;

use vmpool_client::api::{AcquireRequest, Lease, exit};

use crate::peer::{answer, lease, peer, problem};

fn wish() -> AcquireRequest {
    AcquireRequest::new("build-17", "small", "ada")
}

fn granted() -> String {
    answer(200, &format!(r#"{{"status":"granted","lease":{}}}"#, lease("10m")))
}

fn waiting() -> String {
    let request = r#"{"id":"build-17","pool":"small","owner":"ada","ttl":"10m","status":"waiting",
        "submitted_at":"2026-01-01T00:00:00Z","deadline":"2026-01-01T00:01:00Z"}"#;
    answer(202, &format!(r#"{{"status":"waiting","request":{request}}}"#))
}

fn body(request: &str) -> serde_json::Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn a_request_that_waits_is_sent_again_with_the_time_that_is_left() {
    let (client, seen) = peer(vec![waiting(), granted()]).await;
    let lease = client.acquire(&wish().with_wait(Duration::from_secs(60))).await.unwrap();
    assert_eq!(lease.vm, "small-7f3k");
    let seen = seen.lock().unwrap();
    let (first, second) = (body(&seen[0]), body(&seen[1]));
    assert_eq!((&first["request"], &first["wait"]), (&second["request"], &serde_json::json!("1m")));
    let left: AcquireRequest = serde_json::from_value(second).unwrap();
    assert!(left.wait.unwrap() < Duration::from_secs(60));
}

#[tokio::test]
async fn f9_a_lost_answer_is_asked_for_again_under_the_same_id() {
    let (client, seen) = peer(vec![String::new(), problem(503, "shutting_down"), granted()]).await;
    client.acquire(&wish().with_wait(Duration::from_secs(60))).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    assert_eq!(body(&seen[0])["request"], body(&seen[2])["request"]);
}

#[tokio::test]
async fn a_request_that_does_not_wait_is_sent_once() {
    let (client, seen) = peer(vec![String::new(), granted()]).await;
    let err = client.acquire(&wish()).await.unwrap_err();
    assert!(err.may_have_happened(), "{err}");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn no_vm_is_final() {
    let (client, seen) = peer(vec![problem(504, "wait_timed_out"), granted()]).await;
    let err = client.acquire(&wish().with_wait(Duration::from_secs(60))).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::NO_VM);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_that_ended_between_two_polls_has_timed_out() {
    let (client, _) = peer(vec![waiting(), problem(503, "no_vm")]).await;
    let err = client.acquire(&wish().with_wait(Duration::from_millis(50))).await.unwrap_err();
    assert_eq!(err.to_string(), "no VM of pool small could be leased within 50ms");
    assert_eq!(err.exit_code(), exit::NO_VM);
}

#[tokio::test]
async fn a_daemon_that_stays_away_ends_the_waiting_when_the_time_is_over() {
    let client = vmpool_client::Client::new("http://127.0.0.1:1").unwrap();
    let err = client.acquire(&wish().with_wait(Duration::from_millis(250))).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::UNREACHABLE);
}

#[tokio::test]
async fn a_lease_is_kept_over_a_lost_connection_and_until_it_is_gone() {
    let answers = vec![
        answer(200, &lease("600ms")),
        String::new(),
        answer(200, &lease("10s")),
        problem(404, "unknown_lease"),
    ];
    // The last answer is never asked for: by then a third of ten seconds would have to pass.
    let (client, seen) = peer(answers).await;
    let held: Lease = serde_json::from_str(&lease("600ms")).unwrap();
    let end = tokio::time::timeout(Duration::from_secs(2), client.keep(&held)).await;
    assert!(end.is_err(), "{end:?}");
    assert_eq!(seen.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn keeping_a_lease_ends_when_the_daemon_does_not_know_it_any_more() {
    let (client, _) = peer(vec![problem(404, "unknown_lease")]).await;
    let held: Lease = serde_json::from_str(&lease("30ms")).unwrap();
    assert_eq!(client.keep(&held).await.exit_code(), exit::NOT_FOUND);
}

#[tokio::test]
async fn all_leases_are_those_that_the_daemon_tells_or_the_one_of_an_earlier_daemon() {
    let (one, two) = (lease("10m"), lease("10m").replace("1-2", "1-3"));
    let both = answer(200, &format!(r#"{{"status":"granted","lease":{one},"leases":[{one},{two}]}}"#));
    let (client, _) = peer(vec![both, granted()]).await;
    let ids = |leases: Vec<Lease>| leases.into_iter().map(|lease| lease.id).collect::<Vec<_>>();
    assert_eq!(ids(client.acquire_all(&wish().with_count(2)).await.unwrap()), ["1-2", "1-3"]);
    assert_eq!(ids(client.acquire_all(&wish()).await.unwrap()), ["1-2"]);
}

#[tokio::test]
async fn who_keeps_a_lease_tells_its_fence_and_is_told_when_the_vm_is_doubted() {
    let held: Lease = serde_json::from_str(&lease("30ms")).unwrap();
    let doubted = lease("30ms").replacen('{', r#"{"suspect":"its node is gone","#, 1);
    let answers = [doubted.clone(), doubted, lease("30ms")].map(|lease| answer(200, &lease));
    let (client, seen) = peer([answers.to_vec(), vec![problem(409, "stale_fence")]].concat()).await;
    let mut told = Vec::new();
    let end = client.keep_watching(&held, |lease| told.push(lease.suspect.clone())).await;
    assert_eq!(end.problem().unwrap().code, "stale_fence");
    assert_eq!(told, [Some("its node is gone".to_owned()), None]);
    assert!(seen.lock().unwrap().iter().all(|request| body(request)["fence"] == 7));
}
