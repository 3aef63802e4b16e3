//! Single calls: versions, problems, addresses, and peers that do not answer.

use vmpool_client::{
    Client, ClientError,
    api::{VmFilter, exit, version::VersionMismatch},
};

use crate::peer::{answer, peer, problem, with_headers};

#[tokio::test]
async fn a_dead_port_says_that_no_daemon_runs_there() {
    let err = Client::new("http://127.0.0.1:1").unwrap().pools().await.unwrap_err();
    assert_eq!(err.exit_code(), exit::UNREACHABLE);
    assert!(!err.may_have_happened());
    let text = err.to_string();
    assert!(text.contains("http://127.0.0.1:1") && text.contains("vmpool serve"), "{text}");
    assert!(text.to_lowercase().contains("connection refused"), "{text}");
}

#[tokio::test]
async fn a_daemon_of_another_version_is_named_as_such() {
    let (client, _) = peer(vec![with_headers(200, "vmpool-api: 2\r\n", "{}")]).await;
    let err = client.health().await.unwrap_err();
    assert!(
        matches!(err, ClientError::Version { mismatch: VersionMismatch::Newer { found: 2 }, .. }),
        "{err}"
    );
    assert_eq!(err.exit_code(), exit::VERSION);
}

#[tokio::test]
async fn what_sends_no_version_is_no_daemon() {
    let (client, _) =
        peer(vec![with_headers(502, "content-type: text/html\r\n", "<h1>bad gateway</h1>")]).await;
    let err = client.health().await.unwrap_err();
    assert!(
        matches!(err, ClientError::Version { status: 502, mismatch: VersionMismatch::Missing, .. }),
        "{err}"
    );
}

#[tokio::test]
async fn every_call_tells_the_version_of_the_client() {
    let (client, seen) = peer(vec![answer(200, r#"{"pools":[]}"#)]).await;
    assert_eq!(client.pools().await.unwrap(), []);
    assert!(seen.lock().unwrap()[0].contains("vmpool-api: 1"));
}

#[tokio::test]
async fn a_problem_keeps_its_code() {
    let (client, _) = peer(vec![problem(404, "unknown_lease")]).await;
    let err = client.release("1-2").await.unwrap_err();
    assert_eq!(err.problem().unwrap().code, "unknown_lease");
    assert_eq!(err.exit_code(), exit::NOT_FOUND);
}

#[tokio::test]
async fn a_release_without_answer_may_have_happened() {
    let (client, _) = peer(vec![String::new()]).await;
    let err = client.release("1-2").await.unwrap_err();
    assert!(matches!(err, ClientError::Broken { .. }), "{err:?}");
    assert!(err.may_have_happened() && err.is_temporary());
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_a_fault_of_the_daemon() {
    let (client, _) = peer(vec![answer(200, r#"{"pools":"#)]).await;
    let err = client.pools().await.unwrap_err();
    assert_eq!(err.exit_code(), exit::DAEMON);
    assert!(err.to_string().contains("GET /v1/pools"), "{err}");
}

#[tokio::test]
async fn filters_are_sent_only_if_they_are_given() {
    let (client, seen) = peer(vec![answer(200, r#"{"vms":[]}"#), answer(200, r#"{"vms":[]}"#)]).await;
    client.vms(&VmFilter::default()).await.unwrap();
    client.vms(&VmFilter::default().with_pool("small").with_states(["ready"])).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen[0].starts_with("GET /v1/vms HTTP"), "{}", seen[0]);
    assert!(seen[1].starts_with("GET /v1/vms?pool=small&state=ready HTTP"), "{}", seen[1]);
}

#[test]
fn an_address_that_cannot_be_used_says_what_to_write() {
    for (url, wanted) in [
        ("127.0.0.1:7717", "write http://127.0.0.1:7717"),
        ("ftp://pool.example", "only http and https are"),
        ("http://", "not the address"),
        ("http://pool.example/?a=b", "end with the path"),
    ] {
        let err = Client::new(url).unwrap_err();
        assert!(err.to_string().contains(wanted), "{url}: {err}");
        assert_eq!(err.exit_code(), exit::USAGE);
    }
}
