//! Old events are removed, and the log stays readable.

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
