//! The store in memory keeps the contract, and fails as it is told.

use std::sync::Arc;

use async_trait::async_trait;
use vmpool_model::DomainName;
use vmpool_store::{Batch, CommitFault, Cursor, MemoryStore, RecordKind, Revision, Store, StoreError};
use vmpool_testkit::store::{StoreHarness, sample};

struct Memory(MemoryStore);

#[async_trait]
impl StoreHarness for Memory {
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(self.0.clone()))
    }

    async fn damage(&mut self, domain: &DomainName, kind: RecordKind, id: &str) -> bool {
        self.0.damage(domain, kind, id)
    }
}

mod contract {
    vmpool_testkit::store_suite!(super::Memory(super::MemoryStore::new()));
}

/// Commits one VM with `fault`; returns the error and the revision that the domain is at then.
async fn commit_with(fault: CommitFault) -> (StoreError, Revision) {
    let store = MemoryStore::new();
    let claim = store.claim(&sample::domain("main").unwrap(), "test").await.unwrap();
    store.fail_next(fault);
    let err = store.commit(&claim, sample::first(vec![sample::put_vm(1).unwrap()])).await.unwrap_err();
    let snapshot = store.load(&claim.domain).await.unwrap();
    assert_eq!(snapshot.vms.len(), usize::from(Revision(0) < snapshot.revision));
    let next = Batch { expected: snapshot.revision, ..Batch::default() };
    store.commit(&claim, next).await.expect("a fault is for one commit");
    (err, snapshot.revision)
}

#[tokio::test]
async fn a_commit_that_is_made_to_fail_did_not_happen() {
    let (err, revision) = commit_with(CommitFault::NotApplied).await;
    assert!(!err.is_unknown());
    assert_eq!(revision, Revision(0));
}

#[tokio::test]
async fn a_commit_that_is_made_unknown_did_happen() {
    let (err, revision) = commit_with(CommitFault::UnknownButApplied).await;
    assert!(err.is_unknown());
    assert_eq!(revision, Revision(1));
}

#[tokio::test]
async fn a_commit_that_is_made_unknown_did_not_happen() {
    let (err, revision) = commit_with(CommitFault::UnknownAndNotApplied).await;
    assert!(err.is_unknown());
    assert_eq!(revision, Revision(0));
}

#[tokio::test]
async fn a_full_disk_can_be_played() {
    let (err, revision) = commit_with(CommitFault::Full).await;
    assert!(matches!(err, StoreError::Full { .. }), "{err}");
    assert_eq!(revision, Revision(0));
}

#[tokio::test]
async fn old_events_are_trimmed() {
    let store = MemoryStore::new().with_keep_events(3);
    let claim = store.claim(&sample::domain("main").unwrap(), "test").await.unwrap();
    let events = (1..=5).map(sample::event).collect();
    store.commit(&claim, Batch { events, ..Batch::default() }).await.unwrap();
    let page = store.events(&claim.domain, Cursor(0), 10).await.unwrap();
    assert_eq!(page.oldest, Cursor(3));
    assert_eq!(page.events[0].event, sample::event(3));
}
