//! How long a store takes to open, how much memory that takes, and how large a day of churn makes its files.
//!
//! With `--peers` it prints the tables of docs/benchmarks.md; without, criterion opens a small store again and again.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use criterion::Criterion;
use tokio::runtime::{Builder, Runtime};
use vmpool_store::{Batch, Claim, Revision, SledOptions, SledStore, Store, model::Change};
use vmpool_testkit::store::sample;

/// How many records or events go into one commit while a store is filled.
const EACH: u32 = 1000;

fn main() {
    match std::env::args().any(|argument| argument == "--peers") {
        true => tables(),
        false => {
            let mut criterion = Criterion::default().configure_from_args();
            let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            drop(fill(dir.path(), 1000, 1000));
            criterion.bench_function("open/1000", |bencher| {
                bencher.iter(|| SledStore::open(SledOptions::new(dir.path())).unwrap());
            });
            criterion.final_summary();
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// Makes a store with so many VM records and events.
fn fill(dir: &Path, vms: u32, events: u32) -> (SledStore, Claim, Revision) {
    let runtime = runtime();
    let store = SledStore::open(SledOptions::new(dir)).unwrap();
    let claim = runtime.block_on(store.claim(&sample::domain("main").unwrap(), "bench")).unwrap();
    let mut expected = runtime.block_on(store.load(&claim.domain)).unwrap().revision;
    for first in (0..vms.max(events)).step_by(EACH as usize) {
        let upto = |most: u32| first.min(most)..(first + EACH).min(most);
        let changes = upto(vms).map(put_vm).collect();
        let events = upto(events).map(sample::event).collect();
        let batch = Batch { expected, changes, events };
        expected = runtime.block_on(store.commit(&claim, batch)).unwrap().revision;
    }
    (store, claim, expected)
}

fn tables() {
    println!("A store that is opened after it was filled and closed; the files lie in the system's cache:\n");
    println!(
        "| VM records | events | files | open | of that to copy the files | load the records | memory after it |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (vms, events) in [(10_000, 0), (10_000, 1_000_000), (100_000, 0), (1_000_000, 0)] {
        open(vms, events);
    }
    println!(
        "\nA day of churn, of which each lease writes its VM, lease and request twice and six events, in commits of 200 leases:\n"
    );
    churn();
}

/// Fills a store in one process and opens it in another one, whose memory is its own.
fn open(vms: u32, events: u32) {
    const CHILD: &str = "VMPOOL_BENCH_STORE";
    if let Ok(place) = std::env::var(CHILD) {
        return opened(Path::new(&place));
    }
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    drop(fill(dir.path(), vms, events));
    let program = std::env::current_exe().unwrap();
    let output = std::process::Command::new(program).arg("--peers").env(CHILD, dir.path()).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let line = told.lines().find(|line| line.starts_with("OPENED ")).unwrap();
    println!(
        "| {vms} | {events} | {} MB | {}",
        size(dir.path()) / 1_000_000,
        line.trim_start_matches("OPENED ")
    );
}

fn opened(place: &Path) {
    let before = memory();
    // The least of three, because others use the processor, too.
    let mut least = Duration::MAX;
    let mut store = None;
    for _ in 0..3 {
        drop(store.take());
        let began = Instant::now();
        store = Some(SledStore::open(SledOptions::new(place)).unwrap());
        least = least.min(began.elapsed());
    }
    let store = store.unwrap();
    let copy = copied(place);
    let began = Instant::now();
    let snapshot = runtime().block_on(store.load(&sample::domain("main").unwrap())).unwrap();
    let loaded = began.elapsed();
    let count = snapshot.vms.len().max(1) as u64;
    drop(snapshot);
    let taken = memory().saturating_sub(before);
    println!(
        "OPENED {} ms | {} ms | {} ms | {} MB, {} bytes for each VM |",
        least.as_millis(),
        copy.as_millis(),
        loaded.as_millis(),
        taken / 1_000_000,
        taken / count
    );
    std::process::exit(0);
}

/// Copies the database once more, as opening does.
fn copied(place: &Path) -> Duration {
    let to = place.join("copy");
    let began = Instant::now();
    fs::copy(place.join("sled/db"), &to).unwrap();
    let took = began.elapsed();
    fs::remove_file(to).unwrap();
    took
}

/// Returns how many bytes of this process are in memory.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
}

/// Returns how many bytes the files of a store take on the disk, without the room that is set aside.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    let sizes = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => size(&entry.path()),
        false if entry.file_name() == "reserve" => 0,
        false => entry.metadata().unwrap().len(),
    });
    sizes.sum()
}

/// Acquires and releases as a busy farm does in a day, and looks at the size of the files and the process now and then.
fn churn() {
    /// How many VMs there are, how many leases a day has, and how many go into one commit.
    const VMS: u32 = 10_000;
    const LEASES: u32 = 1_000_000;
    const TOGETHER: u32 = 200;
    /// How often it is looked.
    const LOOKS: u32 = 10;
    /// How many events are kept: what is written of them in less than a thirtieth of the day.
    const KEEP: u64 = 162_000;
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (store, ..) = fill(dir.path(), VMS, 0);
    drop(store);
    let store = SledStore::open(SledOptions::new(dir.path()).with_keep_events(KEEP)).unwrap();
    let runtime = runtime();
    let claim = runtime.block_on(store.claim(&sample::domain("main").unwrap(), "bench")).unwrap();
    let mut expected = runtime.block_on(store.load(&claim.domain)).unwrap().revision;
    println!("| leases | events written | events kept at most | files | memory of the process |");
    println!("|---|---|---|---|---|");
    let look = |leases: u32, events: u32| {
        let (files, memory) = (size(dir.path()) / 1_000_000, memory() / 1_000_000);
        println!("| {leases} | {events} | {} | {files} MB | {memory} MB |", KEEP * 11 / 10);
    };
    look(0, 0);
    let mut event = 0;
    for first in (0..LEASES).step_by(TOGETHER as usize) {
        for ends in [false, true] {
            let leases = first..first + TOGETHER;
            let changes = leases.flat_map(|number| turn(number % VMS, number, ends)).collect();
            let events = (0..TOGETHER * 3).map(|more| sample::event(event + more)).collect();
            event += TOGETHER * 3;
            let batch = Batch { expected, changes, events };
            expected = runtime.block_on(store.commit(&claim, batch)).unwrap().revision;
        }
        if (first + TOGETHER).is_multiple_of(LEASES / LOOKS) {
            look(first + TOGETHER, event);
        }
    }
}

/// Makes a record of a VM as most are: nobody keeps it, and nothing is wrong with it.
fn put_vm(number: u32) -> Change {
    let mut vm = sample::vm(number).unwrap();
    (vm.returned, vm.hold, vm.problem, vm.suspect, vm.host_key) = (None, None, None, None, None);
    Change::PutVm(Box::new(vm))
}

/// Returns what begins or ends one lease.
fn turn(vm: u32, number: u32, ends: bool) -> [Change; 3] {
    let lease = sample::lease(number).unwrap();
    let request = sample::request(number).unwrap();
    let vm = put_vm(vm);
    match ends {
        false => [vm, Change::PutLease(Box::new(lease)), Change::PutRequest(Box::new(request))],
        true => [vm, Change::RemoveLease(lease.id), Change::RemoveRequest(request.id)],
    }
}
