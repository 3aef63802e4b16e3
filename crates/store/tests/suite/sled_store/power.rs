//! What a commit asks of the disk, and what a power failure leaves of it.

use std::{collections::BTreeMap, env, fs, io::Write as _, path::Path};

use fastrand::Rng;
use futures_channel::oneshot;
use tokio::task::JoinSet;
use vmpool_store::{Batch, Revision, Store};
use vmpool_testkit::store::sample;

use super::{
    commit_one, copy,
    crash::check_image,
    main_domain, open,
    trace::{Call, trace},
};

/// How many commits are traced, one after the other.
const COMMITS: u32 = 6;

/// How many commits of as many domains come at once.
const AT_ONCE: u32 = 64;

/// Where the traced process has its store; set by the tests that start it.
const ONE_BY_ONE: &str = "VMPOOL_TEST_TRACED_STORE";
const TOGETHER: &str = "VMPOOL_TEST_TRACED_GROUP";

fn mark(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("MARK {text}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

/// Commits one after the other, after a copy of the files as they are on the drive. Does nothing unless [`ONE_BY_ONE`] is set.
#[tokio::test]
async fn commits_one_by_one() {
    let Some(place) = env::var_os(ONE_BY_ONE) else { return };
    let place = Path::new(&place);
    let store = open(&place.join("store")).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    copy(&place.join("store"), &place.join("at first"));
    mark("began");
    let mut revision = Revision(0);
    for number in 1..=COMMITS {
        revision = commit_one(&store, &claim, revision, number).await.revision;
        mark("acknowledged");
    }
}

/// Lets many domains commit at once. Does nothing unless [`TOGETHER`] is set.
#[tokio::test]
async fn commits_together() {
    let Some(place) = env::var_os(TOGETHER) else { return };
    let store = std::sync::Arc::new(open(&Path::new(&place).join("store")).unwrap());
    let mut tasks = JoinSet::new();
    let mut starts = Vec::new();
    for number in 0..AT_ONCE {
        let domain = sample::domain(&format!("domain-{number}")).unwrap();
        let claim = store.claim(&domain, "test").await.unwrap();
        let (start, started) = oneshot::channel::<()>();
        starts.push(start);
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move {
            started.await.unwrap();
            let changes = vec![sample::put_vm(number).unwrap()];
            store.commit(&claim, Batch { changes, ..Batch::default() }).await.unwrap();
        });
    }
    mark("began");
    starts.into_iter().for_each(|start| start.send(()).unwrap());
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    mark("acknowledged");
}

/// Traces a store, and returns the calls since it was opened.
fn traced(test: &str, variable: &str, place: &Path) -> Option<Vec<Call>> {
    let calls = trace(&format!("sled_store::power::{test}"), (variable, place))?;
    let from = calls.iter().position(|call| call.mark() == Some("began")).unwrap();
    Some(calls[from + 1..].to_vec())
}

#[test]
fn a_commit_is_written_then_synced_once_then_answered() {
    let place = tempfile::tempdir().unwrap();
    let Some(calls) = traced("commits_one_by_one", ONE_BY_ONE, place.path()) else { return };
    let commits: Vec<&[Call]> = calls.split(|call| call.mark().is_some()).collect();
    assert_eq!(commits.len(), 1 + COMMITS as usize, "and what comes after the last answer");
    for commit in &commits[..COMMITS as usize] {
        let of_database: Vec<&Call> = commit.iter().filter(|call| call.path.ends_with("/sled/db")).collect();
        let syncs: Vec<&&Call> = of_database.iter().filter(|call| call.is_sync()).collect();
        let [sync] = syncs.as_slice() else { panic!("{} syncs of one commit", syncs.len()) };
        let last_write = of_database.iter().filter(|call| !call.data.is_empty()).map(|call| call.ended).max();
        assert!(last_write.is_some_and(|last| last < sync.began), "{commit:?}");
        let others = commit.iter().filter(|call| call.is_sync() && !call.path.ends_with("/sled/db"));
        assert_eq!(others.count(), 0, "a commit syncs one file: {commit:?}");
    }
}

#[test]
fn commits_that_come_at_once_share_a_sync() {
    let place = tempfile::tempdir().unwrap();
    let Some(calls) = traced("commits_together", TOGETHER, place.path()) else { return };
    let until = calls.iter().position(|call| call.mark().is_some()).unwrap();
    let syncs = calls[..until].iter().filter(|call| call.is_sync()).count();
    // What comes while others are synced goes together; a quick thread begins with few.
    assert!((1..=AT_ONCE as usize / 4).contains(&syncs), "{syncs} syncs for {AT_ONCE} commits");
}

/// What is on the drive of one file, and what may be.
#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    /// What was written since, and when that ended.
    pending: Vec<(usize, u64, Vec<u8>)>,
}

/// What the drive has of the writes that were not synced.
#[derive(Debug, Clone, Copy)]
enum Left {
    /// Nothing.
    Nothing,
    /// Half of them, and half of the last of these.
    Torn,
    /// Some sectors of each, by chance.
    Sectors,
    /// What was written beside the database, which is synced by nobody.
    Beside,
}

impl File {
    fn left(&self, path: &str, left: Left, rng: &mut Rng) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let half = self.pending.len().div_ceil(2);
        for (number, (_, offset, data)) in self.pending.iter().enumerate() {
            let kept = match left {
                Left::Nothing => 0,
                Left::Torn if number + 1 == half => data.len() / 2,
                Left::Torn if half <= number => 0,
                Left::Beside if path.ends_with("/sled/db") => 0,
                Left::Torn | Left::Sectors | Left::Beside => data.len(),
            };
            for (sector, data) in data[..kept].chunks(512).enumerate() {
                if !matches!(left, Left::Sectors) || rng.bool() {
                    put(&mut bytes, offset + 512 * sector as u64, data);
                }
            }
        }
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let offset = usize::try_from(offset).unwrap();
    bytes.resize(bytes.len().max(offset + data.len()), 0);
    bytes[offset..offset + data.len()].copy_from_slice(data);
}

/// Plays a power failure after every answer and before every sync: the drive has what was synced, and of the rest nothing, a
/// part, or sectors by chance.
#[tokio::test]
async fn f12_a_power_failure_takes_nothing_that_was_acknowledged_whatever_the_drive_had_not_synced() {
    let place = tempfile::tempdir().unwrap();
    let Some(calls) = traced("commits_one_by_one", ONE_BY_ONE, place.path()) else { return };
    let store = format!("{}/store/", place.path().display());
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    let mut rng = Rng::with_seed(7);
    let (mut acknowledged, mut failures) = (0, 0);
    for call in &calls {
        let is_mark = call.mark().is_some();
        let name = call.path.strip_prefix(&store).unwrap_or_default();
        if is_mark || (call.is_sync() && !name.is_empty()) {
            acknowledged += u32::from(is_mark);
            for left in [Left::Nothing, Left::Torn, Left::Sectors, Left::Beside] {
                let image = tempfile::tempdir().unwrap();
                copy(&place.path().join("at first"), image.path());
                for (name, file) in &files {
                    fs::write(image.path().join(name), file.left(name, left, &mut rng)).unwrap();
                }
                check_image(image.path(), acknowledged).await;
                failures += 1;
            }
        }
        if is_mark || name.is_empty() {
            continue;
        }
        let first = || fs::read(place.path().join("at first").join(name)).unwrap();
        let file =
            files.entry(name.to_owned()).or_insert_with(|| File { durable: first(), pending: Vec::new() });
        if let Some(offset) = call.offset {
            file.pending.push((call.ended, offset, call.data.clone()));
        } else if call.is_sync() {
            let (synced, pending): (Vec<_>, _) =
                std::mem::take(&mut file.pending).into_iter().partition(|(ended, ..)| *ended < call.began);
            file.pending = pending;
            synced.iter().for_each(|(_, offset, data)| put(&mut file.durable, *offset, data));
        } else {
            assert_eq!(
                call.name, "sync_file_range",
                "the files are changed in a way that is not played: {call:?}"
            );
        }
    }
    assert!(acknowledged == COMMITS && 4 * 2 * COMMITS <= failures, "{acknowledged}, {failures}");
}
