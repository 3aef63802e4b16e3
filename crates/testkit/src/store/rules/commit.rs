//! Rules of what a commit writes: all of it, durably, and nothing else.

use vmpool_model::{Change, NodeId, Owner, RecordState, VmName};
use vmpool_store::{Batch, Cursor, EventPage, Revision, Snapshot, Store};

use crate::store::{
    RuleResult, StoreHarness,
    sample::{self, first},
};

/// A domain that nobody used is at revision 0 and holds nothing.
pub async fn a_new_domain_is_empty(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let domain = sample::domain("main")?;
    assert_eq!(store.load(&domain).await?, Snapshot::default());
    assert_eq!(store.events(&domain, Cursor(0), 10).await?, EventPage::default());
    store.claim(&domain, "test").await?;
    assert_eq!(store.load(&domain).await?, Snapshot::default());
    Ok(())
}

/// Every field of every kind of record is loaded as it was written.
pub async fn a_commit_is_loaded_as_it_was_written(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let expected = write_one_of_each(&*store).await?;
    assert_eq!(store.load(&sample::domain("main")?).await?, expected);
    Ok(())
}

/// What a commit acknowledged is there when the store is opened again.
pub async fn a_commit_survives_reopening(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let expected = write_one_of_each(&*store).await?;
    drop(store);
    let store = harness.open().await?;
    assert_eq!(store.load(&sample::domain("main")?).await?, expected);
    Ok(())
}

/// A put replaces the record: nothing of the old one shines through.
pub async fn a_put_replaces_the_whole_record(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let full = sample::vm(1)?;
    let mut bare = sample::vm(1)?;
    (bare.node, bare.lease, bare.owner, bare.sandbox) = (None, None, None, None);
    bare.state = RecordState::Spawning;
    let expected = store.commit(&claim, first(vec![Change::PutVm(Box::new(full))])).await?.revision;
    let changes = vec![Change::PutVm(Box::new(bare.clone()))];
    store.commit(&claim, Batch { expected, changes, events: vec![] }).await?;
    assert_eq!(store.load(&claim.domain).await?.vms, [bare]);
    Ok(())
}

/// A record that was removed is gone, and only that one, also when the store is opened again.
pub async fn a_removed_record_is_gone(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    write_one_of_each(&*store).await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let before = store.load(&claim.domain).await?;
    let changes = vec![
        Change::RemoveVm(sample::vm(1)?.name),
        Change::RemoveLease(sample::lease(1)?.id),
        Change::RemoveRequest(sample::request(1)?.id),
    ];
    let done = store.commit(&claim, Batch { expected: before.revision, changes, events: vec![] }).await?;
    let (vms, leases, requests) = (vec![sample::vm(2)?], vec![], vec![]);
    let expected = Snapshot { revision: done.revision, vms, leases, requests, ..before };
    assert_eq!(store.load(&claim.domain).await?, expected);
    drop(store);
    assert_eq!(harness.open().await?.load(&claim.domain).await?, expected);
    Ok(())
}

/// Removing a record that does not exist is fine and changes nothing but the revision.
pub async fn removing_what_is_not_there_changes_nothing(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let before = write_one_of_each(&*store).await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let changes = vec![
        Change::RemoveVm(sample::vm(9)?.name),
        Change::RemoveLease(sample::lease(9)?.id),
        Change::RemoveRequest(sample::request(9)?.id),
    ];
    let done = store.commit(&claim, Batch { expected: before.revision, changes, events: vec![] }).await?;
    let expected = Snapshot { revision: done.revision, ..before };
    assert_eq!(store.load(&claim.domain).await?, expected);
    Ok(())
}

/// Of several changes of one record in a batch, the last one counts.
pub async fn a_later_change_of_the_same_record_wins(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let mut last = sample::vm(1)?;
    last.uses = 99;
    let (one, two) = (sample::put_vm(1)?, sample::put_vm(2)?);
    let removes = [1, 2].map(|number| sample::vm(number).map(|vm| Change::RemoveVm(vm.name)));
    let [remove_one, remove_two] = removes;
    let changes = vec![one, remove_one?, Change::PutVm(Box::new(last.clone())), two, remove_two?];
    store.commit(&claim, first(changes)).await?;
    assert_eq!(store.load(&claim.domain).await?.vms, [last]);
    Ok(())
}

/// A batch without changes and events is a commit like any other.
pub async fn a_commit_of_nothing_is_a_commit(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let done = store.commit(&claim, Batch::default()).await?;
    assert!(Revision(0) < done.revision);
    assert_eq!(done.cursor, Cursor(0));
    drop(store);
    let expected = Snapshot { revision: done.revision, ..Snapshot::default() };
    assert_eq!(harness.open().await?.load(&claim.domain).await?, expected);
    Ok(())
}

/// Records are loaded in the order of their names, whatever the order of their commits.
pub async fn records_are_loaded_in_the_order_of_their_names(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let mut changes = Vec::new();
    for name in ["b", "a-b", "a", "z9", "a0", "ab", "10", "9"] {
        let mut vm = sample::vm(1)?;
        vm.name = VmName::new(name)?;
        changes.push(Change::PutVm(Box::new(vm)));
    }
    store.commit(&claim, first(changes)).await?;
    let vms = store.load(&claim.domain).await?.vms;
    let names: Vec<_> = vms.iter().map(|vm| vm.name.as_str()).collect();
    assert_eq!(names, ["10", "9", "a", "a-b", "a0", "ab", "b", "z9"]);
    Ok(())
}

/// Ids and names may be as long and as odd as their types allow.
pub async fn any_valid_text_can_be_an_id(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain(&"d".repeat(40))?, "a 'holder' \\ with\tall \u{1F600}").await?;
    let mut vm = sample::vm(1)?;
    vm.name = VmName::new("v".repeat(63))?;
    vm.owner = Some(Owner::new("'; DROP TABLE vms; -- \"\\ %s \u{1F600}")?);
    if let Some(node) = &mut vm.node {
        node.id = NodeId::new("ü/".repeat(66))?;
    }
    let mut lease = sample::lease(1)?;
    lease.id = "L".repeat(128).parse()?;
    let mut other = sample::lease(2)?;
    other.id = "..:_-".parse()?;
    let changes = vec![
        Change::PutVm(Box::new(vm.clone())),
        Change::PutLease(Box::new(lease.clone())),
        Change::PutLease(Box::new(other.clone())),
    ];
    store.commit(&claim, first(changes)).await?;
    drop(store);
    let snapshot = harness.open().await?.load(&claim.domain).await?;
    assert_eq!((snapshot.vms, snapshot.leases), (vec![vm], vec![other, lease]));
    Ok(())
}

/// Thousands of records and events go in one commit, and come back.
pub async fn a_large_batch_is_committed_whole(harness: &mut impl StoreHarness) -> RuleResult {
    const MANY: u32 = 3_000;
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let changes = (0..MANY).map(sample::put_vm).collect::<Result<Vec<_>, _>>()?;
    let events = (0..MANY).map(sample::event).collect();
    store.commit(&claim, Batch { changes, events, ..Batch::default() }).await?;
    drop(store);
    let store = harness.open().await?;
    let expected = (0..MANY).map(sample::vm).collect::<Result<Vec<_>, _>>()?;
    assert_eq!(store.load(&claim.domain).await?.vms, expected);
    let page = store.events(&claim.domain, Cursor(0), usize::MAX).await?;
    let details: Vec<_> = page.events.into_iter().map(|stored| stored.event).collect();
    assert_eq!(details, (0..MANY).map(sample::event).collect::<Vec<_>>());
    Ok(())
}

/// Writes the installation, two VMs, a lease, a request and an event; returns what must be loaded then.
async fn write_one_of_each(store: &dyn Store) -> Result<Snapshot, Box<dyn std::error::Error + Send + Sync>> {
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let changes = vec![
        Change::PutInstallation(sample::installation(1)?),
        sample::put_vm(2)?,
        sample::put_vm(1)?,
        Change::PutLease(Box::new(sample::lease(1)?)),
        Change::PutRequest(Box::new(sample::request(1)?)),
        Change::PutPool(Box::new(sample::pool(1)?)),
    ];
    let events = vec![sample::event(1)];
    let done = store.commit(&claim, Batch { changes, events, ..Batch::default() }).await?;
    assert!(Cursor(0) < done.cursor);
    Ok(Snapshot {
        revision: done.revision,
        cursor: done.cursor,
        installation: Some(sample::installation(1)?),
        vms: vec![sample::vm(1)?, sample::vm(2)?],
        leases: vec![sample::lease(1)?],
        requests: vec![sample::request(1)?],
        pools: vec![sample::pool(1)?],
        unreadable: Vec::new(),
    })
}
