//! What a batch system does with a set of VM ids, as with `VMPool` of gc3libs: load, add, update, contains, get.
//!
//! `cargo bench -p vmpool-store --bench vm_pool` prints a table; `cargo xtask bench gc3libs` writes it into
//! docs/benchmarks.md.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![expect(clippy::print_stdout, reason = "a table is what it is for")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use tokio::runtime::Builder;
use vmpool_model::{Node, NodeId, states::NodeState};
use vmpool_store::VmPool;

/// How many VMs pools have.
const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// How often each is done, of which the median is told.
const ROUNDS: usize = 5;

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let sizes = if is_test { &SIZES[..1] } else { &SIZES[..] };
    println!(
        "A pool in a directory, one file for each VM, median of {ROUNDS} rounds; an add is synced, the rest is not:\n"
    );
    println!(
        "| VMs | load, ms | update, nothing changed, ms | 1 % changed, ms | 10 % changed, ms | add one, µs | contains, ns | get from the cache, ns |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for size in sizes {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fill(dir.path(), 0..*size);
        let pool = VmPool::open(dir.path()).unwrap();
        let load = median(|| took(|| drop(VmPool::open(dir.path()).unwrap())));
        let mut end = *size;
        let updates = [0, 1, 10].map(|percent| {
            median(|| {
                // Another process removes the oldest ones and adds as many.
                let count = size * percent / 100;
                (end - size..end - size + count)
                    .for_each(|number| fs::remove_file(file(dir.path(), number)).unwrap());
                fill(dir.path(), end..end + count);
                end += count;
                let took = took(|| pool.update(true).unwrap());
                assert_eq!(pool.len(), *size);
                took
            })
        });
        let mut added = 0;
        let add = median(|| {
            added += 1;
            took(|| pool.add_vm(node(10_000_000 + added), true).unwrap())
        });
        let known = node(10_000_001);
        let contains = many(|| assert!(pool.contains(&known)));
        let runtime = Builder::new_current_thread().build().unwrap();
        let get = runtime.block_on(async {
            let began = now();
            for _ in 0..MANY {
                assert_eq!(pool.get_vm(&known, false).await.unwrap().id, known.id);
            }
            began.elapsed().as_secs_f64() / f64::from(MANY)
        });
        let [same, one, ten] = updates.map(|time| time * 1e3);
        println!(
            "| {size} | {:.2} | {same:.2} | {one:.2} | {ten:.2} | {:.0} | {:.0} | {:.0} |",
            load * 1e3,
            add * 1e6,
            contains * 1e9,
            get * 1e9,
        );
    }
}

/// How often is done what takes less than a microsecond.
const MANY: u32 = 10_000;

/// Puts files of VMs where another process would, without syncing each.
fn fill(dir: &Path, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let body = format!(r#"{{"v":1,"vm":{{"id":"i-{number:08}","preferred_ip":null}}}}"#);
        fs::write(file(dir, number), body).unwrap();
    }
}

fn file(dir: &Path, number: usize) -> std::path::PathBuf {
    dir.join(format!("i-{number:08}.vm"))
}

fn node(number: usize) -> Node {
    let id = format!("i-{number:08}");
    Node::new(NodeId::new(&id).unwrap(), id, NodeState::Running)
}

fn median(mut round: impl FnMut() -> Duration) -> f64 {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| round()).collect();
    times.sort_unstable();
    times[ROUNDS / 2].as_secs_f64()
}

/// Returns how many seconds something takes on average.
fn many(mut work: impl FnMut()) -> f64 {
    took(|| (0..MANY).for_each(|_| work())).as_secs_f64() / f64::from(MANY)
}

fn took(work: impl FnOnce()) -> Duration {
    let began = now();
    work();
    began.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn now() -> Instant {
    Instant::now()
}
