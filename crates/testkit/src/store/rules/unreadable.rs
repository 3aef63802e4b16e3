//! Rules of records that cannot be read; they say nothing of a store whose harness cannot damage one.

use vmpool_model::{Change, DomainName};
use vmpool_store::{Batch, RecordKind, Revision, Snapshot, Unreadable};

use crate::store::{RuleResult, StoreHarness, sample};

/// The records that are damaged, by kind and id.
const DAMAGED: [(RecordKind, &str); 4] = [
    (RecordKind::Vm, "small-000001"),
    (RecordKind::Lease, "lease-000001"),
    (RecordKind::Request, "request-000001"),
    (RecordKind::Pool, "pool-000001"),
];

/// A record that cannot be read is told by kind and name, and every other record is loaded as it was written.
pub async fn a_record_that_cannot_be_read_hides_no_other_and_is_told(
    harness: &mut impl StoreHarness,
) -> RuleResult {
    let domain = sample::domain("main")?;
    if !damage(harness, &domain).await? {
        return Ok(());
    }
    let loaded = harness.open().await?.load(&domain).await?;
    check(&loaded)
}

/// Commits that do not name a record that cannot be read leave it as it is.
pub async fn a_record_that_cannot_be_read_is_left_alone_by_other_commits(
    harness: &mut impl StoreHarness,
) -> RuleResult {
    let domain = sample::domain("main")?;
    if !damage(harness, &domain).await? {
        return Ok(());
    }
    let store = harness.open().await?;
    let claim = store.claim(&domain, "test").await?;
    let expected = store.load(&domain).await?.revision;
    let changes = vec![sample::put_vm(2)?, Change::RemoveVm(sample::vm(9)?.name)];
    store.commit(&claim, Batch { expected, changes, events: vec![sample::event(1)] }).await?;
    drop(store);
    check(&harness.open().await?.load(&domain).await?)
}

/// Whoever names a record that cannot be read can remove it, or write it anew.
pub async fn a_record_that_cannot_be_read_can_be_removed_and_written_anew(
    harness: &mut impl StoreHarness,
) -> RuleResult {
    let domain = sample::domain("main")?;
    if !damage(harness, &domain).await? {
        return Ok(());
    }
    let store = harness.open().await?;
    let claim = store.claim(&domain, "test").await?;
    let expected = store.load(&domain).await?.revision;
    let changes = vec![sample::put_vm(1)?, Change::RemoveLease(sample::lease(1)?.id)];
    store.commit(&claim, Batch { expected, changes, events: Vec::new() }).await?;
    let loaded = store.load(&domain).await?;
    assert_eq!(loaded.vms, [sample::vm(1)?, sample::vm(2)?]);
    assert_eq!(loaded.leases, [sample::lease(2)?]);
    let left: Vec<_> = loaded.unreadable.iter().map(|record| record.kind).collect();
    assert_eq!(left, [RecordKind::Request, RecordKind::Pool]);
    Ok(())
}

/// Writes two records of each kind, and damages the first; returns whether that was possible.
async fn damage(
    harness: &mut impl StoreHarness,
    domain: &DomainName,
) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let store = harness.open().await?;
    let claim = store.claim(domain, "test").await?;
    let mut changes = vec![Change::PutInstallation(sample::installation(1)?)];
    for number in [1, 2] {
        changes.push(sample::put_vm(number)?);
        changes.push(Change::PutLease(Box::new(sample::lease(number)?)));
        changes.push(Change::PutRequest(Box::new(sample::request(number)?)));
        changes.push(Change::PutPool(Box::new(sample::pool(number)?)));
    }
    store.commit(&claim, Batch { expected: Revision(0), changes, events: Vec::new() }).await?;
    drop(store);
    for (kind, id) in DAMAGED {
        if !harness.damage(domain, kind, id).await {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check(loaded: &Snapshot) -> RuleResult {
    let told: Vec<_> =
        loaded.unreadable.iter().map(|Unreadable { kind, id, .. }| (*kind, id.as_str())).collect();
    assert_eq!(told, DAMAGED);
    assert!(loaded.unreadable.iter().all(|record| !record.why.is_empty()), "{:?}", loaded.unreadable);
    assert_eq!(loaded.installation, Some(sample::installation(1)?));
    assert_eq!(loaded.vms, [sample::vm(2)?]);
    assert_eq!(loaded.leases, [sample::lease(2)?]);
    assert_eq!(loaded.requests, [sample::request(2)?]);
    assert_eq!(loaded.pools, [sample::pool(2)?]);
    Ok(())
}
