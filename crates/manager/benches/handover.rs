//! How long a freed VM takes to whoever waits for it, in real time: 64 waiters share eight VMs, so that there is always
//! somebody who waits. `PAIRS` in the environment sets how many pairs of acquire and release there are, a million unless told.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures real time, and says what it measured"
)]

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{runtime::Builder, task::JoinSet};
use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
use vmpool_manager::{
    Manager, ManagerHandle,
    model::{
        Acquire, VmName,
        config::{OnRelease, PoolConfig, ProviderConfig},
    },
    store::{MemoryStore, SledOptions, SledStore, Store},
};

/// How many wait for VMs.
const WAITERS: u64 = 64;
/// How many VMs there are.
const VMS: u32 = 8;
/// Of how many pairs one is made with the store on the disk, which syncs each.
const DISK_SHARE: u64 = 100;

/// When VMs were given back, by their names.
type Freed = Arc<Mutex<HashMap<VmName, Instant>>>;

async fn start(store: Arc<dyn Store>) -> Manager {
    let driver = DummyDriver::new(DummyCloud::in_memory(DummyConfig::default()).unwrap());
    let mut pool = PoolConfig::new("lab".parse().unwrap(), "template", VMS);
    pool.max_starting = VMS;
    pool.on_release = OnRelease::Reuse;
    pool.dirty_timeout = Duration::from_secs(3600);
    pool.check_interval = Duration::ZERO;
    let provider = ProviderConfig::new("dummy");
    Manager::builder(store)
        .provider("lab".parse().unwrap(), provider, Arc::new(driver))
        .pool("small".parse().unwrap(), pool)
        .start()
        .await
        .unwrap()
}

/// Acquires and gives back until all pairs are made; returns how long each VM took from whoever gave it back.
async fn wait(handle: ManagerHandle, freed: Freed, left: Arc<AtomicU64>) -> Vec<Duration> {
    let mut took = Vec::new();
    loop {
        let number = left.fetch_sub(1, Ordering::Relaxed);
        if number == 0 || u64::MAX / 2 < number {
            return took;
        }
        let request = format!("r{number}").parse().unwrap();
        let acquire = Acquire::new(request, "small".parse().unwrap(), "ann".parse().unwrap());
        let grant = handle.acquire(acquire.with_wait(Duration::from_secs(600))).await.unwrap();
        let given_back = freed.lock().unwrap().remove(&grant.lease.vm);
        took.extend(given_back.map(|at| at.elapsed()));
        freed.lock().unwrap().insert(grant.lease.vm, Instant::now());
        handle.release(grant.lease.id).await.unwrap();
    }
}

fn measure(name: &str, store: Arc<dyn Store>, pairs: u64) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let begun = Instant::now();
    let mut took: Vec<Duration> = runtime.block_on(async {
        let manager = start(store).await;
        let (freed, left) = (Freed::default(), Arc::new(AtomicU64::new(pairs)));
        let mut waiters = JoinSet::new();
        for _ in 0..WAITERS {
            waiters.spawn(wait(manager.handle(), Arc::clone(&freed), Arc::clone(&left)));
        }
        waiters.join_all().await.into_iter().flatten().collect()
    });
    let all = begun.elapsed();
    took.sort_unstable();
    let at = |share: f64| {
        let index = (took.len() as f64 * share) as usize;
        took[index.min(took.len() - 1)].as_secs_f64() * 1e3
    };
    println!(
        "{name}: {pairs} pairs in {:.1} s, {} hand-overs, p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms, longest {:.3} ms",
        all.as_secs_f64(),
        took.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
    );
}

fn main() {
    let pairs: u64 = std::env::var("PAIRS").map_or(1_000_000, |pairs| pairs.parse().unwrap());
    measure("store in memory", Arc::new(MemoryStore::new().with_keep_events(1000)), pairs);
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = SledStore::open(SledOptions::new(dir.path())).unwrap();
    measure("store on the disk", Arc::new(store), pairs.div_ceil(DISK_SHARE));
}
