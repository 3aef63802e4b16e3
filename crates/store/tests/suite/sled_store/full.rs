//! When the disk takes no more, nothing that was acknowledged is lost.

use std::{
    env,
    path::Path,
    process::{Command, Output},
};

use vmpool_store::{Batch, Revision, Store, StoreError};
use vmpool_testkit::store::sample;

use super::{load, main_domain, open};

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
