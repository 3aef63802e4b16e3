//! All records of a store: looked at, checked, exported and made a store of again.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use vmpool_model::{Change, LeaseId};
use vmpool_store::{Batch, KeptRecord, Misfit, Revision, SledCopy, SledImport, Store, StoreError};
use vmpool_testkit::store::sample;

use super::{contents, fill, load, main_domain, open, raw};

/// Makes a store with three VMs, three events, and the lease of each VM.
async fn filled(dir: &Path) {
    fill(dir, 3).await;
    let store = open(dir).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    let leases = (1..=3).map(|number| Change::PutLease(Box::new(sample::lease(number).unwrap())));
    let changes = leases.collect();
    store.commit(&claim, Batch { expected: Revision(3), changes, events: vec![] }).await.unwrap();
}

fn records(dir: &Path) -> Vec<KeptRecord> {
    SledCopy::take(dir).unwrap().records().map(Result::unwrap).collect()
}

fn lines(dir: &Path) -> Vec<String> {
    records(dir).iter().map(|record| serde_json::to_string(record).unwrap()).collect()
}

fn check(dir: &Path) -> Vec<Misfit> {
    SledCopy::take(dir).unwrap().check(|_| {}).unwrap()
}

fn import(records: Vec<KeptRecord>, into: &Path) -> Result<u64, StoreError> {
    let mut import = SledImport::begin(into)?;
    for record in records {
        import.put(record)?;
    }
    import.finish()
}

#[tokio::test]
async fn a_look_at_a_store_changes_nothing_and_reads_one_that_cannot_be_written_to() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    let before = contents(dir.path());
    let set = |mode| fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
    set(0o500);
    let kinds: Vec<String> = records(dir.path()).into_iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["event", "event", "event", "lease", "lease", "lease", "domain", "vm", "vm", "vm"]);
    assert_eq!(check(dir.path()), []);
    set(0o700);
    assert!(before == contents(dir.path()));
}

#[tokio::test]
async fn what_was_exported_and_imported_is_the_same_store() {
    let [old, new] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    filled(old.path()).await;
    assert_eq!(import(records(old.path()), new.path()).unwrap(), 10);
    assert_eq!(lines(old.path()), lines(new.path()));
    assert_eq!(check(new.path()), []);
    assert_eq!(load(old.path()).await.unwrap(), load(new.path()).await.unwrap());
    // It goes on from there: fences and revisions grow.
    let store = open(new.path()).unwrap();
    assert_eq!(store.claim(&main_domain(), "test").await.unwrap().fence.0, 3);
}

#[tokio::test]
async fn a_store_that_a_daemon_has_open_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    let store = open(dir.path()).unwrap();
    assert!(matches!(SledCopy::take(dir.path()), Err(StoreError::InUse { process: Some(_), .. })));
    drop(store);
    let copy = SledCopy::take(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(StoreError::InUse { .. })), "and nobody opens it meanwhile");
    drop(copy);
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn what_does_not_fit_is_named_with_its_place() {
    let cases: [(&str, Option<&str>, &str); 8] = [
        ("main\0vsmall-000002", Some("{\"v\":1,"), "record main\\x00vsmall-000002: it is not a record"),
        (
            "main\0vsmall-000002",
            Some("{\"v\":1,\"vm\":{}}"),
            "record main\\x00vsmall-000002: it is not a vm: missing field",
        ),
        (
            "main\0vsmall-000002",
            Some("{\"v\":9,\"vm\":{}}"),
            "vsmall-000002: it is of format 9, this version reads up to 1",
        ),
        (
            "main\0vsmall-000001",
            None,
            "domain main: lease lease-000001 is of VM small-000001, which is not there",
        ),
        (
            "main\0llease-000001",
            None,
            "domain main: VM small-000001 has lease lease-000001, which is not there",
        ),
        ("main\0e\0\0\0\0\0\0\0\x02", None, "domain main: the events 2 to 2 are missing"),
        ("main\0m", None, "domain main: the record of the domain itself is missing"),
        ("main\0zodd", Some("x"), "record main\\x00zodd: no version of vmpool knows such a key"),
    ];
    for (key, body, told) in cases {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path()).await;
        let database = raw(dir.path());
        match body {
            Some(body) => drop(database.insert(key, body).unwrap()),
            None => assert!(database.remove(key).unwrap().is_some(), "{key:?}"),
        }
        database.flush().unwrap();
        drop(database);
        let found: Vec<String> =
            check(dir.path()).into_iter().map(|misfit| format!("{}: {}", misfit.place, misfit.why)).collect();
        assert!(found.iter().any(|found| found.contains(told)), "{told}: {found:#?}");
    }
}

#[tokio::test]
async fn a_store_that_lacks_what_was_acknowledged_is_told() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    let head = dir.path().join("head");
    fs::remove_file(dir.path().join("vmpool-store.json")).unwrap();
    fs::write(&head, "").unwrap();
    let found = check(dir.path());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].why.contains("missing") && found[1].place.ends_with("head"), "{found:?}");
}

#[tokio::test]
async fn an_import_that_cannot_be_finished_leaves_nothing() {
    let [old, beside] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    filled(old.path()).await;
    let into = beside.path().join("new");
    let mut broken = records(old.path());
    broken[9].body = serde_json::json!({"v": 1, "vm": {}});
    assert!(matches!(import(broken, &into), Err(StoreError::Damaged { .. })));
    let mut renamed = records(old.path());
    renamed[9].id = LeaseId::new("other").unwrap().to_string();
    assert!(import(renamed, &into).is_err());
    let mut odd = records(old.path());
    odd[0].kind = "odd".to_owned();
    assert!(import(odd, &into).unwrap_err().to_string().contains("does not know such a record"));
    assert_eq!(fs::read_dir(beside.path()).unwrap().count(), 0);
    fs::create_dir(&into).unwrap();
    fs::write(into.join("mine"), "").unwrap();
    assert!(import(records(old.path()), &into).unwrap_err().to_string().contains("not empty"));
    assert_eq!(fs::read_dir(beside.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn where_there_is_no_store_none_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let err = SledCopy::take(&dir.path().join("none")).unwrap_err();
    assert!(err.to_string().contains("there is no store in it"), "{err}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
