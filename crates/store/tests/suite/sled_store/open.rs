//! Opening tells what is wrong, and changes nothing then.

use std::{fs, path::Path};

use vmpool_store::{SledOptions, SledStore, Store, StoreError};

use super::{contents, copy, fill, load, main_domain, open};

/// Fills a store, spoils it, and opens it: it must be refused as damaged and left as it was spoiled.
async fn check_damaged(spoil: impl Fn(&Path)) -> String {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 5).await;
    spoil(dir.path());
    let before = contents(dir.path());
    let err = open(dir.path()).unwrap_err();
    assert!(matches!(err, StoreError::Damaged { .. }), "{err:?}");
    assert!(contents(dir.path()) == before, "something was changed");
    err.to_string()
}

#[tokio::test]
async fn a_second_opener_is_told_that_the_store_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let err = open(dir.path()).unwrap_err();
    assert!(matches!(err, StoreError::InUse { .. }), "{err:?}");
    drop(store);
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_foreign_user_of_the_database_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 1).await;
    let data = fs::File::open(dir.path().join("sled/db")).unwrap();
    data.lock().unwrap();
    let err = open(dir.path()).unwrap_err();
    assert!(matches!(err, StoreError::InUse { .. }), "{err:?}");
}

#[tokio::test]
async fn a_file_is_no_place_for_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "precious").unwrap();
    for place in [file.clone(), file.join("below")] {
        let err = open(&place).unwrap_err();
        assert!(matches!(err, StoreError::NotADirectory { .. }), "{err:?}");
        let wanted = format!("{} is not a directory: move it away", file.display());
        assert!(err.to_string().starts_with(&wanted), "{err}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

#[tokio::test]
async fn missing_directories_are_made() {
    let dir = tempfile::tempdir().unwrap();
    open(&dir.path().join("a/b/c")).unwrap();
    open(&dir.path().join("a/b/c")).unwrap();
}

#[tokio::test]
async fn a_missing_database_is_not_taken_for_a_new_store() {
    let text = check_damaged(|dir| fs::remove_file(dir.join("sled/db")).unwrap()).await;
    assert!(text.contains("sled/db is damaged: the database is missing"), "{text}");
    check_damaged(|dir| fs::remove_dir_all(dir.join("sled")).unwrap()).await;
}

#[tokio::test]
async fn an_empty_database_is_not_taken_for_a_new_store() {
    check_damaged(|dir| fs::write(dir.join("sled/db"), "").unwrap()).await;
}

#[tokio::test]
async fn a_database_that_was_cut_off_is_refused() {
    // Everything that sled wrote in this test is in the first segment.
    for size in [1, 100, 1000, 3000] {
        check_damaged(|dir| {
            let data = fs::OpenOptions::new().write(true).open(dir.join("sled/db")).unwrap();
            data.set_len(size).unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn a_database_full_of_garbage_is_refused() {
    check_damaged(|dir| {
        let size = usize::try_from(fs::metadata(dir.join("sled/db")).unwrap().len()).unwrap();
        let mut rng = fastrand::Rng::with_seed(3);
        let garbage: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(size).collect();
        fs::write(dir.join("sled/db"), garbage).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_missing_marker_is_noticed() {
    let text = check_damaged(|dir| fs::remove_file(dir.join("vmpool-store.json")).unwrap()).await;
    assert!(text.contains("vmpool-store.json is missing"), "{text}");
}

#[tokio::test]
async fn a_missing_or_broken_head_is_noticed() {
    check_damaged(|dir| fs::remove_file(dir.join("head")).unwrap()).await;
    check_damaged(|dir| fs::write(dir.join("head"), "what?").unwrap()).await;
}

#[tokio::test]
async fn an_older_database_under_the_same_head_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let older = tempfile::tempdir().unwrap();
    fill(dir.path(), 2).await;
    copy(&dir.path().join("sled"), older.path());
    let store = open(dir.path()).unwrap();
    store.claim(&main_domain(), "later").await.unwrap();
    drop(store);
    fs::remove_dir_all(dir.path().join("sled")).unwrap();
    copy(older.path(), &dir.path().join("sled"));
    let err = open(dir.path()).unwrap_err();
    assert!(err.to_string().contains("were acknowledged"), "{err}");
}

#[tokio::test]
async fn a_loss_can_be_accepted() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 2).await;
    fs::write(dir.path().join("sled/db"), "").unwrap();
    drop(SledStore::open(SledOptions::new(dir.path()).with_accept_loss(true)).unwrap());
    assert_eq!(load(dir.path()).await.unwrap().vms, []);
}

#[tokio::test]
async fn a_store_that_was_made_half_is_made_whole() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    // The marker comes last.
    fs::remove_file(dir.path().join("vmpool-store.json")).unwrap();
    fs::remove_file(dir.path().join("head")).unwrap();
    drop(open(dir.path()).unwrap());
    fill(dir.path(), 1).await;
    assert_eq!(load(dir.path()).await.unwrap().vms.len(), 1);
}

/// Returns something if a test is to try each byte, which takes minutes.
pub(super) fn every_byte() -> Option<()> {
    std::env::var_os("EVERY_BYTE").map(drop)
}

/// Spoils one byte of the database after the other, or every 97th unless `EVERY_BYTE` is in the environment: the store is
/// refused, or holds everything that was acknowledged.
#[tokio::test]
async fn f12_a_flipped_byte_never_loses_a_record_silently() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 3).await;
    let expected = load(dir.path()).await.unwrap();
    let size = fs::metadata(dir.path().join("sled/db")).unwrap().len().min(6000);
    let mut refused = 0;
    for place in (0..usize::try_from(size).unwrap()).step_by(every_byte().map_or(97, |()| 1)) {
        let spoiled = tempfile::tempdir().unwrap();
        copy(dir.path(), spoiled.path());
        let data = spoiled.path().join("sled/db");
        let mut bytes = fs::read(&data).unwrap();
        bytes[place] ^= 0x10;
        fs::write(&data, bytes).unwrap();
        match load(spoiled.path()).await {
            Ok(found) => assert!(found == expected, "byte {place}"),
            Err(StoreError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("byte {place}: {other:?}"),
        }
    }
    assert!(10 < refused, "only {refused} spoiled databases were refused");
}
