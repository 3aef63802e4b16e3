//! Rules of who may write: compare-and-set on the revision, and fences.

use std::{
    pin::pin,
    task::{Context, Waker},
};

use vmpool_store::{Batch, Claim, Cursor, Fence, Revision, Snapshot, Store, StoreError};

use crate::store::{RuleResult, StoreHarness, sample};

/// Every commit grows the domain's revision, and a load shows the revision of the last commit.
pub async fn every_commit_grows_the_revision(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let mut last = Revision(0);
    for number in 0..5 {
        let revision = store.commit(&claim, batch(last, number)?).await?.revision;
        assert!(last < revision, "{revision:?} after {last:?}");
        assert_eq!(store.load(&claim.domain).await?.revision, revision);
        last = revision;
    }
    Ok(())
}

/// A batch for a revision that is past is refused, and nothing of it is written.
pub async fn a_batch_on_an_old_revision_changes_nothing(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let current = store.commit(&claim, batch(Revision(0), 1)?).await?.revision;
    check_conflict(&*store, &claim, Revision(0), current).await?;
    drop(store);
    check_conflict(&*harness.open().await?, &claim, Revision(0), current).await
}

/// A batch for a revision that was never reached is refused, and nothing of it is written.
pub async fn a_batch_on_a_future_revision_changes_nothing(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let current = store.commit(&claim, batch(Revision(0), 1)?).await?.revision;
    check_conflict(&*store, &claim, Revision(current.0 + 1), current).await
}

/// Of two commits on the same revision at the same time, one happens and the other is refused.
pub async fn of_two_commits_at_once_one_wins(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let (one, two) = tokio::join!(
        store.commit(&claim, batch(Revision(0), 1)?),
        store.commit(&claim, batch(Revision(0), 2)?)
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?}, {two:?}");
    let number = if one.is_ok() { 1 } else { 2 };
    assert_eq!(store.load(&claim.domain).await?.vms, [sample::vm(number)?]);
    Ok(())
}

/// A commit whose future is dropped after it began happens as a whole or not at all.
pub async fn a_dropped_commit_happens_whole_or_not_at_all(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let both = Batch { changes: vec![sample::put_vm(1)?, sample::put_vm(2)?], ..Batch::default() };
    {
        let commit = pin!(store.commit(&claim, both));
        let _ = commit.poll(&mut Context::from_waker(Waker::noop()));
    }
    drop(store);
    let store = harness.open().await?;
    let snapshot = store.load(&claim.domain).await?;
    let happened = Revision(0) < snapshot.revision;
    let expected = if happened { vec![sample::vm(1)?, sample::vm(2)?] } else { vec![] };
    assert_eq!(snapshot.vms, expected);
    let claim = store.claim(&claim.domain, "test").await?;
    store.commit(&claim, batch(snapshot.revision, 3)?).await?;
    Ok(())
}

/// Claiming a domain leaves its records and events as they are.
pub async fn a_claim_changes_no_records(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "one").await?;
    store.commit(&claim, batch(Revision(0), 1)?).await?;
    let before = store.load(&claim.domain).await?;
    store.claim(&claim.domain, "two").await?;
    let after = store.load(&claim.domain).await?;
    assert_eq!(Snapshot { revision: before.revision, ..after }, before);
    Ok(())
}

/// Who lost a domain to a newer claim cannot write to it, and is told so.
pub async fn a_superseded_claim_writes_nothing(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let old = store.claim(&sample::domain("main")?, "old").await?;
    store.commit(&old, batch(Revision(0), 1)?).await?;
    let new = store.claim(&old.domain, "new").await?;
    check_fenced(&*store, &old, new.fence).await?;
    let revision = store.load(&old.domain).await?.revision;
    store.commit(&new, batch(revision, 3)?).await?;
    Ok(())
}

/// A made-up claim with a fence that was never given cannot write.
pub async fn a_claim_that_was_never_made_writes_nothing(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let real = store.claim(&sample::domain("main")?, "test").await?;
    let forged = Claim { domain: real.domain.clone(), fence: Fence(real.fence.0 + 1) };
    check_fenced(&*store, &forged, real.fence).await
}

/// A claim that holds is proven, before and after a commit and after reopening, and that changes nothing.
pub async fn a_claim_that_holds_is_proven_and_nothing_changes(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    store.prove(&claim).await?;
    store.commit(&claim, batch(Revision(0), 1)?).await?;
    let before = store.load(&claim.domain).await?;
    store.prove(&claim).await?;
    assert_eq!(store.load(&claim.domain).await?, before);
    drop(store);
    harness.open().await?.prove(&claim).await?;
    Ok(())
}

/// A claim is not proven once a newer one was answered, nor one that was never made.
pub async fn a_claim_that_does_not_hold_is_not_proven(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let old = store.claim(&sample::domain("main")?, "old").await?;
    let new = store.claim(&old.domain, "new").await?;
    let other = Claim { domain: sample::domain("other")?, fence: new.fence };
    let forged = Claim { domain: new.domain.clone(), fence: Fence(new.fence.0 + 1) };
    for claim in [old, other, forged] {
        match store.prove(&claim).await {
            Err(StoreError::Fenced { held, .. }) => assert_eq!(held, claim.fence),
            proven => return Err(format!("{claim:?} is proven: {proven:?}").into()),
        }
    }
    store.prove(&new).await?;
    Ok(())
}

/// Each claim of a domain has a greater fence than all before, also after the store was closed.
pub async fn fences_grow_across_reopening(harness: &mut impl StoreHarness) -> RuleResult {
    let domain = sample::domain("main")?;
    let mut last = Fence(0);
    for _ in 0..3 {
        let store = harness.open().await?;
        for _ in 0..2 {
            let fence = store.claim(&domain, "test").await?.fence;
            assert!(last < fence, "{fence:?} after {last:?}");
            last = fence;
        }
    }
    Ok(())
}

/// A claim outlives the store object it came from only until somebody else claims the domain.
pub async fn a_claim_from_before_reopening_is_superseded_by_a_new_one(
    harness: &mut impl StoreHarness,
) -> RuleResult {
    let store = harness.open().await?;
    let old = store.claim(&sample::domain("main")?, "old").await?;
    drop(store);
    let store = harness.open().await?;
    let new = store.claim(&old.domain, "new").await?;
    check_fenced(&*store, &old, new.fence).await
}

fn batch(expected: Revision, number: u32) -> Result<Batch, vmpool_model::InvalidName> {
    Ok(Batch { expected, changes: vec![sample::put_vm(number)?], events: vec![sample::event(number)] })
}

async fn check_conflict(store: &dyn Store, claim: &Claim, wrong: Revision, current: Revision) -> RuleResult {
    let before = (store.load(&claim.domain).await?, store.events(&claim.domain, Cursor(0), 100).await?);
    let refused = store.commit(claim, batch(wrong, 77)?).await;
    let as_expected = matches!(refused, Err(StoreError::Conflict { expected, found })
        if expected == wrong && found == current);
    assert!(as_expected, "{refused:?}");
    let after = (store.load(&claim.domain).await?, store.events(&claim.domain, Cursor(0), 100).await?);
    assert_eq!(after, before);
    Ok(())
}

async fn check_fenced(store: &dyn Store, claim: &Claim, valid: Fence) -> RuleResult {
    let before = (store.load(&claim.domain).await?, store.events(&claim.domain, Cursor(0), 100).await?);
    let refused = store.commit(claim, batch(before.0.revision, 77)?).await;
    let as_expected = matches!(refused, Err(StoreError::Fenced { held, current })
        if held == claim.fence && current == valid);
    assert!(as_expected, "{refused:?}");
    let after = (store.load(&claim.domain).await?, store.events(&claim.domain, Cursor(0), 100).await?);
    assert_eq!(after, before);
    Ok(())
}
