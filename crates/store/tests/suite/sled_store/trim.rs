//! Old events are removed, and the log stays readable.

use std::time::Duration;

use vmpool_store::{Batch, Cursor, Revision, SledOptions, SledStore, Store};
use vmpool_testkit::store::sample;

use super::main_domain;

#[tokio::test]
async fn old_events_are_trimmed_and_the_rest_is_read_on() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions::new(dir.path()).with_keep_events(20);
    let store = SledStore::open(options.clone()).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    for turn in 0..10 {
        let events = (turn * 10 + 1..=turn * 10 + 10).map(sample::event).collect();
        let batch = Batch { expected: Revision(u64::from(turn)), events, ..Batch::default() };
        store.commit(&claim, batch).await.unwrap();
        let page = store.events(&claim.domain, Cursor(0), 1000).await.unwrap();
        assert_eq!(page.events[0].cursor, page.oldest);
        assert_eq!(page.events.last().unwrap().event, sample::event(turn * 10 + 10));
    }
    drop(store);
    let store = SledStore::open(options).unwrap();
    let page = store.events(&claim.domain, Cursor(0), 1000).await.unwrap();
    assert_eq!((page.oldest, page.events.len()), (Cursor(81), 20));
    assert_eq!(page.events[0].event, sample::event(81));
}

/// The sample events are a millisecond apart.
#[tokio::test]
async fn events_are_removed_by_their_age_and_the_newest_thousand_stays() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions::new(dir.path()).with_keep_events_for(Duration::from_secs(2));
    let store = SledStore::open(options.clone()).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    for turn in 0..10 {
        let events = (turn * 500 + 1..=turn * 500 + 500).map(sample::event).collect();
        let batch = Batch { expected: Revision(u64::from(turn)), events, ..Batch::default() };
        store.commit(&claim, batch).await.unwrap();
    }
    let page = store.events(&claim.domain, Cursor(0), 10_000).await.unwrap();
    // What is younger than two seconds at the last commit, which is at 5 s, and what came with it.
    assert_eq!((page.oldest, page.events.len()), (Cursor(3000), 2001));

    drop(store);
    let store = SledStore::open(options.with_keep_events_for(Duration::ZERO)).unwrap();
    let batch = |turn: u64, number| Batch {
        expected: Revision(turn),
        events: vec![sample::event(number)],
        ..Batch::default()
    };
    store.commit(&claim, batch(10, 500_000)).await.unwrap();
    let page = store.events(&claim.domain, Cursor(0), 10_000).await.unwrap();
    assert_eq!(page.events.len(), 1001, "a thousand before the one that was added");
}

#[tokio::test]
async fn a_clock_that_was_set_back_removes_no_events() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions::new(dir.path()).with_keep_events_for(Duration::from_secs(60));
    let store = SledStore::open(options).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    let batch = |turn: u64, events: Vec<_>| Batch { expected: Revision(turn), events, ..Batch::default() };
    store.commit(&claim, batch(0, (100_000..102_000).map(sample::event).collect())).await.unwrap();
    store.commit(&claim, batch(1, vec![sample::event(1)])).await.unwrap();
    let page = store.events(&claim.domain, Cursor(0), 10_000).await.unwrap();
    assert_eq!(page.events.len(), 2001);
}
