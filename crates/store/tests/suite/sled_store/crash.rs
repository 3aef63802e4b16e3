//! What was acknowledged is there after a crash at any moment.

use std::{collections::BTreeSet, fs, path::Path};

use tempfile::TempDir;
use vmpool_store::{Batch, Cursor, Revision, Store};
use vmpool_testkit::store::sample;

use super::{commit_one, copy, main_domain, open, open::every_byte};

/// Opens an image and checks that it holds VMs `1..=at_least`, or one more, and as many events.
pub(super) async fn check_image(image: &Path, at_least: u32) {
    let store = open(image).unwrap();
    let snapshot = store.load(&main_domain()).await.unwrap();
    let count = u32::try_from(snapshot.revision.0).unwrap();
    assert!(count == at_least || count == at_least + 1, "{count} commits, {at_least} acknowledged");
    let expected: Vec<_> = (1..=count).map(|number| sample::vm(number).unwrap()).collect();
    assert!(snapshot.vms == expected);
    let page = store.events(&main_domain(), Cursor(0), usize::MAX).await.unwrap();
    let events: Vec<_> = page.events.into_iter().map(|stored| stored.event).collect();
    assert!(events == (1..=count).map(sample::event).collect::<Vec<_>>());
    // It can be gone on with.
    let claim = store.claim(&main_domain(), "after the crash").await.unwrap();
    commit_one(&store, &claim, snapshot.revision, count + 1).await;
}

#[tokio::test]
async fn the_files_of_any_moment_hold_every_acknowledged_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    let mut revision = Revision(0);
    for number in 1..=40 {
        revision = commit_one(&store, &claim, revision, number).await.revision;
        let image = tempfile::tempdir().unwrap();
        copy(dir.path(), image.path());
        check_image(image.path(), number).await;
    }
}

/// Takes the files after one commit and after the next, and plays that the power failed while the
/// second was written: a part of its bytes is there, cut at 40 places, or at each byte if `EVERY_BYTE` is in the environment.
#[tokio::test]
async fn f12_a_torn_tail_opens_to_what_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path()).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    let mut revision = Revision(0);
    for number in 1..=3 {
        revision = commit_one(&store, &claim, revision, number).await.revision;
    }
    copy(dir.path(), before.path());
    commit_one(&store, &claim, revision, 4).await;
    copy(dir.path(), after.path());

    for image in torn_images(before.path(), after.path(), every_byte().map_or(40, |()| usize::MAX)) {
        check_image(image.path(), 3).await;
    }
}

/// The same with a commit that goes over several of sled's segments.
#[tokio::test]
async fn f12_a_torn_large_commit_is_there_whole_or_not_at_all() {
    const MANY: u32 = 1500;
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    super::fill(dir.path(), 3).await;
    let store = open(dir.path()).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    copy(dir.path(), before.path());
    let changes = (4..4 + MANY).map(|number| sample::put_vm(number).unwrap()).collect();
    let batch = Batch { expected: Revision(3), changes, events: vec![] };
    store.commit(&claim, batch).await.unwrap();
    copy(dir.path(), after.path());
    let size = fs::metadata(after.path().join("sled/db")).unwrap().len();
    assert!(1 << 20 < size, "the commit is in {size} bytes, which are too few segments");

    let mut found = BTreeSet::new();
    for image in torn_images(before.path(), after.path(), 12) {
        let snapshot = open(image.path()).unwrap().load(&main_domain()).await.unwrap();
        found.insert((snapshot.revision, snapshot.vms.len()));
    }
    let whole = usize::try_from(3 + MANY).unwrap();
    assert_eq!(found, BTreeSet::from([(Revision(3), 3), (Revision(4), whole)]));
}

/// Makes images between two others: ever more of the bytes that differ are those of the later one.
fn torn_images(before: &Path, after: &Path, count: usize) -> impl Iterator<Item = TempDir> {
    let read = |image: &Path| fs::read(image.join("sled/db")).unwrap();
    let (mut old, new) = (read(before), read(after));
    old.resize(new.len().max(old.len()), 0);
    let changed: Vec<usize> = (0..new.len()).filter(|place| old[*place] != new[*place]).collect();
    assert!(100 < changed.len(), "the commit wrote {} bytes", changed.len());
    let before = before.to_owned();
    let count = count.min(changed.len());
    (0..=count).map(move |part| {
        let image = tempfile::tempdir().unwrap();
        copy(&before, image.path());
        let mut torn = old.clone();
        for place in &changed[..changed.len() * part / count] {
            torn[*place] = new[*place];
        }
        fs::write(image.path().join("sled/db"), torn).unwrap();
        image
    })
}

#[tokio::test]
async fn garbage_behind_the_end_of_the_database_is_ignored() {
    for garbage in [1, 500, 600_000] {
        let dir = tempfile::tempdir().unwrap();
        super::fill(dir.path(), 3).await;
        let path = dir.path().join("sled/db");
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend(std::iter::repeat_n(0xA5, garbage));
        fs::write(&path, bytes).unwrap();
        check_image(dir.path(), 3).await;
    }
}
