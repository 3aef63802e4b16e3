//! When the disk takes no more, nothing that was acknowledged is lost.

use std::{
    env,
    path::Path,
    process::{Command, Output},
};

use vmpool_store::{Batch, Claim, Revision, SledOptions, SledStore, Store, StoreError};
use vmpool_testkit::store::sample;

use super::{commit_one, load, main_domain, open};

/// How many VMs each commit of the child writes.
const EACH: u32 = 50;

/// What the child prints at its end.
const DONE: &str = "went on after there was room";

/// Where the child finds its store; set by the test that starts it.
const PLACE: &str = "VMPOOL_TEST_LIMITED_STORE";

/// Runs [`in_a_limited_process`] in a process whose files may not grow beyond 1 MiB.
fn run_limited(dir: &Path) -> Output {
    let test = "sled_store::full::in_a_limited_process";
    let script = "trap '' XFSZ; ulimit -S -f 2048; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(PLACE, dir).output().unwrap()
}

/// Commits until it fails, makes room, and goes on. Does nothing unless [`PLACE`] is set.
#[tokio::test]
async fn in_a_limited_process() {
    let Some(place) = env::var_os(PLACE) else { return };
    let store = open(place.as_ref()).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    let mut revision = Revision(0);
    let err = loop {
        match store.commit(&claim, batch(revision)).await {
            Ok(committed) => revision = committed.revision,
            Err(err) => break err,
        }
    };
    assert!(Revision(1) < revision, "{err:?}");
    assert!(matches!(err, StoreError::Io { .. } | StoreError::Full { .. }), "{err:?}");
    // There may be room for this, or not; it does not hang or panic.
    let _ = store.commit(&claim, Batch { expected: revision, ..Batch::default() }).await;

    let process = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited"]).status().unwrap();
    assert!(raised.success());
    let snapshot = store.load(&claim.domain).await.unwrap();
    let unacknowledged = 1 + u64::from(err.is_unknown());
    assert!(
        (revision.0..=revision.0 + unacknowledged).contains(&snapshot.revision.0),
        "{revision:?}, {err:?}"
    );
    store.commit(&claim, batch(snapshot.revision)).await.unwrap();
    println!("{DONE}");
}

/// Makes a batch of VMs that no batch for another revision has.
fn batch(expected: Revision) -> Batch {
    let first = u32::try_from(expected.0).unwrap() * EACH;
    let changes = (first..first + EACH).map(|number| sample::put_vm(number).unwrap()).collect();
    Batch { expected, changes, events: vec![] }
}

#[tokio::test]
async fn f11_a_store_that_found_no_room_goes_on_when_there_is_some() {
    let dir = tempfile::tempdir().unwrap();
    let output = run_limited(dir.path());
    let text = String::from_utf8_lossy(&output.stdout);
    let whole = output.status.success() && text.contains(DONE);
    assert!(whole, "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    // Every commit but that of nothing wrote as many VMs, whole.
    let snapshot = load(dir.path()).await.unwrap();
    let count = u64::try_from(snapshot.vms.len()).unwrap();
    assert!(
        count == snapshot.revision.0 * u64::from(EACH)
            || count == (snapshot.revision.0 - 1) * u64::from(EACH)
    );
}

/// How large the disk of [`on_a_small_disk`] is, what fills it at first, and what the store sets aside.
const DISK: u64 = 14 << 20;
const FILL: usize = 5 << 20;
const RESERVE: u64 = 2 << 20;

/// Runs [`on_a_small_disk`] in a process that has mounted a small disk for itself.
fn run_on_small_disk(dir: &Path) -> Output {
    let test = "sled_store::full::on_a_small_disk";
    let script = format!("mount -t tmpfs -o size={DISK} none \"$PLACE\" && exec \"$0\" \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    command.arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env("PLACE", dir).env(SMALL_DISK, dir).output().unwrap()
}

/// Where the child that has a small disk finds it.
const SMALL_DISK: &str = "VMPOOL_TEST_SMALL_DISK";

/// Commits until it fails; returns the revision that was reached, and how it failed.
async fn commit_until_full(store: &dyn Store, claim: &Claim, from: Revision) -> (Revision, StoreError) {
    let mut revision = from;
    loop {
        match store.commit(claim, batch(revision)).await {
            Ok(committed) => revision = committed.revision,
            Err(err) => return (revision, err),
        }
    }
}

/// Fills the disk, goes on with what was set aside, and goes on as ever after there is room. Does nothing unless
/// [`SMALL_DISK`] is set.
#[tokio::test]
async fn on_a_small_disk() {
    let Some(place) = env::var_os(SMALL_DISK) else { return };
    let place = Path::new(&place);
    let fill = place.join("fill");
    std::fs::write(&fill, vec![1; FILL]).unwrap();
    let options = SledOptions::new(place.join("store")).with_reserve_bytes(RESERVE);
    let store = SledStore::open(options).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    assert!(!store.is_short());
    let (revision, err) = commit_until_full(&store, &claim, Revision(0)).await;
    assert!(Revision(1) < revision && store.is_short(), "{revision:?}, {err:?}");
    assert!(matches!(err, StoreError::Full { .. }), "{err:?}");

    // What was acknowledged can be read, and there is room for what is small.
    assert_eq!(store.load(&claim.domain).await.unwrap().revision, revision);
    store.events(&claim.domain, vmpool_store::Cursor(0), 10).await.unwrap();
    let mut revision = revision;
    for _ in 0..50 {
        revision = commit_one(&store, &claim, revision, 1).await.revision;
    }
    assert!(store.is_short());

    // At the end there is none for anything, and nothing that was acknowledged is lost.
    let (revision, err) = commit_until_full(&store, &claim, revision).await;
    assert!(err.is_unknown() || matches!(err, StoreError::Full { .. }), "{err:?}");
    std::fs::remove_file(&fill).unwrap();
    let snapshot = store.load(&claim.domain).await.unwrap();
    let most = revision.0 + u64::from(err.is_unknown());
    assert!((revision.0..=most).contains(&snapshot.revision.0), "{revision:?}, {err:?}");
    commit_one(&store, &claim, snapshot.revision, 1).await;
    assert!(!store.is_short(), "the room is set aside again");
    println!("{DONE}");
}

#[tokio::test]
async fn f11_a_store_on_a_full_disk_goes_on_with_what_it_had_set_aside() {
    if env::var_os("VMPOOL_TEST_WITHOUT_NAMESPACES").is_some() {
        println!("left out: it mounts a small disk in a namespace of its own");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let output = run_on_small_disk(dir.path());
    let text = String::from_utf8_lossy(&output.stdout);
    let whole = output.status.success() && text.contains(DONE);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        whole,
        "{text}\n{told}\nIt needs `unshare --user --mount`; VMPOOL_TEST_WITHOUT_NAMESPACES=1 leaves it out."
    );
}
