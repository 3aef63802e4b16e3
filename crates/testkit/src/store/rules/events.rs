//! Rules of the event log: order, cursors, pages.

use vmpool_model::Event;
use vmpool_store::{Batch, Claim, Committed, Cursor, Revision, Store, StoreError, StoredEvent};

use crate::store::{RuleResult, StoreHarness, sample};

/// Events come back in the order of their commits and, within one, of the batch, with growing cursors.
pub async fn events_keep_the_order_of_their_commits(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    append(&*store, &claim, &[&[1, 2], &[], &[3], &[4, 5, 6]]).await?;
    let page = store.events(&claim.domain, Cursor(0), 100).await?;
    assert_eq!(numbers(&page.events), ["1", "2", "3", "4", "5", "6"]);
    assert!(Cursor(0) < page.events[0].cursor);
    assert!(page.events.is_sorted_by(|one, two| one.cursor < two.cursor), "{:?}", page.events);
    Ok(())
}

/// A commit returns the cursor of the last event in the log, and so does a load.
pub async fn the_cursor_of_a_commit_is_that_of_its_last_event(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    for numbers in [vec![1, 2], vec![], vec![3]] {
        let done = append(&*store, &claim, &[&numbers]).await?;
        let page = store.events(&claim.domain, Cursor(0), 100).await?;
        assert_eq!(page.events.last().map(|stored| stored.cursor), Some(done.cursor));
        assert_eq!(store.load(&claim.domain).await?.cursor, done.cursor);
    }
    Ok(())
}

/// Reading on after the last cursor of each page yields every event once.
pub async fn events_are_read_page_by_page(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    append(&*store, &claim, &[&[1, 2, 3], &[4, 5, 6, 7]]).await?;
    let whole = store.events(&claim.domain, Cursor(0), usize::MAX).await?.events;
    let mut read = Vec::new();
    let mut sizes = Vec::new();
    let mut after = Cursor(0);
    loop {
        let page = store.events(&claim.domain, after, 3).await?.events;
        let Some(last) = page.last() else { break };
        after = last.cursor;
        sizes.push(page.len());
        read.extend(page);
    }
    assert_eq!((read, sizes), (whole, vec![3, 3, 1]));
    Ok(())
}

/// After the last event there is nothing, however far after, and a page of none is empty.
pub async fn a_page_after_the_last_event_is_empty(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let last = append(&*store, &claim, &[&[1, 2, 3]]).await?.cursor;
    for (after, limit) in [(last, 10), (Cursor(last.0 + 1), 10), (Cursor(u64::MAX), 10), (Cursor(0), 0)] {
        assert_eq!(store.events(&claim.domain, after, limit).await?.events, [], "{after:?} {limit}");
    }
    Ok(())
}

/// The log is there when the store is opened again, and later events come after it.
pub async fn events_survive_reopening_and_cursors_go_on(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    append(&*store, &claim, &[&[1, 2]]).await?;
    let before = store.events(&claim.domain, Cursor(0), 100).await?;
    drop(store);
    let store = harness.open().await?;
    assert_eq!(store.events(&claim.domain, Cursor(0), 100).await?, before);
    let claim = store.claim(&claim.domain, "test").await?;
    append(&*store, &claim, &[&[3]]).await?;
    let page = store.events(&claim.domain, Cursor(0), 100).await?;
    assert_eq!(numbers(&page.events), ["1", "2", "3"]);
    assert!(page.events.is_sorted_by(|one, two| one.cursor < two.cursor), "{:?}", page.events);
    Ok(())
}

/// Every page names the cursor of the oldest event that is kept, wherever it begins.
pub async fn the_oldest_event_is_named(harness: &mut impl StoreHarness) -> RuleResult {
    let store = harness.open().await?;
    let claim = store.claim(&sample::domain("main")?, "test").await?;
    let last = append(&*store, &claim, &[&[1, 2, 3]]).await?.cursor;
    let oldest = store.events(&claim.domain, Cursor(0), 1).await?.events[0].cursor;
    for after in [Cursor(0), oldest, last, Cursor(u64::MAX)] {
        assert_eq!(store.events(&claim.domain, after, 1).await?.oldest, oldest, "{after:?}");
    }
    Ok(())
}

/// Commits each list of events on its own.
async fn append(store: &dyn Store, claim: &Claim, batches: &[&[u32]]) -> Result<Committed, StoreError> {
    let mut done = Committed { revision: store.load(&claim.domain).await?.revision, cursor: Cursor(0) };
    for batch in batches {
        let events: Vec<Event> = batch.iter().map(|number| sample::event(*number)).collect();
        let expected: Revision = done.revision;
        done = store.commit(claim, Batch { expected, events, changes: vec![] }).await?;
    }
    Ok(done)
}

fn numbers(events: &[StoredEvent]) -> Vec<&str> {
    events.iter().map(|stored| stored.event.detail.as_str()).collect()
}
