//! Records that an earlier version wrote are read; those of a later one are refused by name.

use std::path::Path;

use vmpool_model::{Change, EventKind, RecordState, states::NodeState};
use vmpool_store::{Cursor, RecordKind, Store, StoreError, Unreadable};
use vmpool_testkit::store::sample;

use super::{fill, load, main_domain, open, raw};

/// A VM record as the first vmpool wrote it. Never change it: stores out there hold such records.
const VM_1: &str = r#"{"v":1,"vm":{"name":"small-1","pool":"small","provider":"lab","state":"in_use","since":"2023-11-14T22:13:20Z","created_at":"2023-11-14T22:13:19.5Z","node":{"id":"0","state":"running","raw_state":{"kind":"opennebula","state":{"vm":3,"lcm":3}},"addresses":["10.0.0.7"]},"lease":"lease-1","owner":"zoe","sandbox":null,"uses":1,"check_fails":0,"last_check":"2023-11-14T22:13:20Z","last_release":null,"attempts":0,"retry_at":null,"suspect":null,"problem":null}}"#;

/// Records of each kind with every field set, as this version writes them. A new field is added here, and a record
/// without it goes on being read; nothing else may change.
const GOLDEN: &[(&str, &str)] = &[
    (
        "vsmall-000001",
        r#"{"v":1,"vm":{"name":"small-000001","pool":"small","provider":"lab","template":"small","needs":{"cores":4},"state":"in_use","since":"2023-11-14T22:13:20.002Z","created_at":"2023-11-14T22:13:20.001Z","node":{"id":"1","state":"running","raw_state":{"kind":"text","state":"läuft"},"addresses":["10.0.0.7","20:1::7"]},"lease":"lease-000001","owner":"Zoë / build","sandbox":"sandbox \"1\"","uses":1,"check_fails":1,"last_check":"2023-11-14T22:13:20.002Z","last_release":"2023-11-14T22:13:20.003Z","dirty_since":"2023-11-14T22:13:20.01Z","returned":{"lease":{"id":"lease-000001","vm":"small-000001","pool":"small","owner":"zoe","sandbox":"box","task":"task-1","request":"request-000001","acquired_at":"2023-11-14T22:13:20.001Z","expires_at":"2023-11-14T22:14:20.001Z","ttl":"1m","fence":1048576,"suspect":"it looks ill"},"clean":true},"starting_since":"2023-11-14T22:13:20.011Z","attempts":4,"retry_at":"2023-11-14T22:13:20.005Z","suspect":"it looks ill","hold":{"reason":"look","by":"zoe","since":"2023-11-14T22:13:20.006Z","until":"2023-11-14T22:13:20.007Z"},"prepared":true,"host_key":"ssh-ed25519 AAAA","cloud_expiry":"2023-11-14T22:13:20.008Z","gone_at":"2023-11-14T22:13:20.009Z","problem":"line 1\nline 2"}}"#,
    ),
    (
        "llease-000001",
        r#"{"v":1,"lease":{"id":"lease-000001","vm":"small-000001","pool":"small","owner":"zoe","sandbox":"box","task":"task-1","request":"request-000001","acquired_at":"2023-11-14T22:13:20.001Z","expires_at":"2023-11-14T22:14:20.001Z","ttl":"1m","fence":1048576,"suspect":"it looks ill"}}"#,
    ),
    (
        "rrequest-000001",
        r#"{"v":1,"request":{"id":"request-000001","pools":["small","big"],"labels":["arch=x86_64"],"count":3,"priority":-1,"owner":"zoe","sandbox":"box","task":"task-1","ttl":"1m","submitted_at":"2023-11-14T22:13:20.001Z","order":1,"deadline":"2023-11-14T22:13:50.001Z","status":{"status":"ended","lease":"lease-1","vm":"small-1","at":"2023-11-14T22:13:20.001Z","how":"expired"}}}"#,
    ),
    (
        "ppool-000001",
        r#"{"v":1,"pool":{"name":"pool-000001","drain":{"reason":"it moves","since":"2023-11-14T22:13:20.001Z"}}}"#,
    ),
];

/// A record of a version that is yet to come.
const NEWER: &str = r#"{"v":2,"machine":{"wheels":4}}"#;

/// Writes a record straight into the database, as another version would have.
fn put_raw(dir: &Path, key: &[u8], body: &str) {
    let db = raw(dir);
    db.insert(key, body).unwrap();
    db.flush().unwrap();
}

#[tokio::test]
async fn a_record_of_the_first_version_is_read() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    put_raw(dir.path(), b"main\0vsmall-1", VM_1);
    let vms = load(dir.path()).await.unwrap().vms;
    let [vm] = vms.as_slice() else { panic!("{vms:?}") };
    assert_eq!((vm.name.as_str(), vm.state, vm.uses), ("small-1", RecordState::InUse, 1));
    let node = vm.node.as_ref().unwrap();
    assert_eq!((node.id.as_str(), node.state), ("0", NodeState::Running));
    assert_eq!(node.raw_state.to_string(), "ACTIVE/RUNNING");
}

#[tokio::test]
async fn version_1_is_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    let changes = vec![
        Change::PutVm(Box::new(sample::vm(1).unwrap())),
        Change::PutLease(Box::new(sample::lease(1).unwrap())),
        Change::PutRequest(Box::new(sample::request(1).unwrap())),
        Change::PutPool(Box::new(sample::pool(1).unwrap())),
    ];
    store.commit(&claim, sample::first(changes)).await.unwrap();
    drop(store);
    let db = raw(dir.path());
    for (key, golden) in GOLDEN {
        let body = db.get([b"main\0", key.as_bytes()].concat()).unwrap().unwrap();
        assert_eq!(std::str::from_utf8(&body).unwrap(), *golden, "{key}");
    }
}

#[tokio::test]
async fn f14_a_record_of_a_newer_version_is_told_by_name_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 1).await;
    put_raw(dir.path(), b"main\0vsmall-2", NEWER);
    let loaded = load(dir.path()).await.unwrap();
    assert_eq!(loaded.vms.len(), 1);
    let [Unreadable { kind: RecordKind::Vm, id, why }] = loaded.unreadable.as_slice() else {
        panic!("{:?}", loaded.unreadable)
    };
    assert_eq!(id, "small-2");
    assert!(why.contains("small-2 was written in format 2, this version reads up to 1"), "{why}");
    assert_eq!(raw(dir.path()).get(b"main\0vsmall-2").unwrap().unwrap(), NEWER);
}

#[tokio::test]
async fn f14_a_record_that_cannot_be_read_is_told_by_name() {
    let other = VM_1.replace("\"name\":\"small-1\"", "\"name\":\"small-3\"");
    for body in ["", "{", "[]", r#"{"v":1}"#, r#"{"v":1,"vm":{}}"#, r#"{"v":0,"vm":{}}"#, &other] {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), 1).await;
        put_raw(dir.path(), b"main\0vsmall-2", body);
        let loaded = load(dir.path()).await.unwrap();
        let [Unreadable { kind: RecordKind::Vm, id, why }] = loaded.unreadable.as_slice() else {
            panic!("{body}: {:?}", loaded.unreadable)
        };
        assert!(id == "small-2" && why.contains("small-2"), "{body}: {why}");
        assert_eq!(loaded.vms.len(), 1);
    }
}

#[tokio::test]
async fn c75_what_is_no_address_is_never_taken_for_one() {
    for address in ["foobar", "256.0.0.2", "not-an-ip", "example.com", ""] {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()).unwrap());
        let body = VM_1.replace("10.0.0.7", address);
        put_raw(dir.path(), b"main\0vsmall-1", &body);
        let loaded = load(dir.path()).await.unwrap();
        assert_eq!((loaded.vms.len(), loaded.unreadable.len()), (0, 1), "{address}");
        assert!(loaded.unreadable[0].why.contains("invalid IP address"), "{:?}", loaded.unreadable);
    }
}

#[tokio::test]
async fn f14_an_event_that_cannot_be_read_hides_no_other() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 3).await;
    put_raw(dir.path(), b"main\0e\0\0\0\0\0\0\0\x02", NEWER);
    let store = open(dir.path()).unwrap();
    let events = store.events(&main_domain(), Cursor(0), 10).await.unwrap().events;
    let kinds: Vec<_> = events.iter().map(|stored| stored.event.kind).collect();
    assert_eq!(kinds, [EventKind::VmReady, EventKind::Unknown, EventKind::VmReady]);
    assert_eq!((events[1].cursor, events[1].event.at), (Cursor(2), events[0].event.at));
    assert!(events[1].event.detail.contains("was written in format 2"), "{:?}", events[1]);
}

#[tokio::test]
async fn an_installation_that_cannot_be_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 1).await;
    put_raw(dir.path(), b"main\0i", "{");
    let err = load(dir.path()).await.unwrap_err();
    assert!(matches!(&err, StoreError::Damaged { place, .. } if place.contains("main")), "{err:?}");
}

#[tokio::test]
async fn a_domain_of_a_newer_version_is_refused_when_the_store_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 1).await;
    put_raw(dir.path(), b"main\0m", r#"{"v":7}"#);
    let err = open(dir.path()).unwrap_err();
    assert!(matches!(err, StoreError::NewerVersion { found: 7, .. }), "{err:?}");
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 1).await;
    std::fs::write(dir.path().join("vmpool-store.json"), r#"{"v":2,"store":"?"}"#).unwrap();
    let before = super::contents(dir.path());
    let err = open(dir.path()).unwrap_err();
    assert!(
        matches!(&err, StoreError::NewerVersion { place, found: 2, known: 1 }
        if place.ends_with("vmpool-store.json")),
        "{err:?}"
    );
    assert!(super::contents(dir.path()) == before);
}
