//! Acquiring and releasing through the handle, with the store in memory: one element is both.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::Instant,
};
use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
use vmpool_manager::{
    Manager, ManagerHandle,
    model::{
        Acquire, RecordState,
        config::{OnRelease, PoolConfig, ProviderConfig},
    },
    store::MemoryStore,
};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Starts a manager whose VMs go back to their last user, and waits until all are ready.
async fn start(size: u32) -> Manager {
    let driver = DummyDriver::new(DummyCloud::in_memory(DummyConfig::default()).unwrap());
    let mut pool = PoolConfig::new("lab".parse().unwrap(), "template", size);
    pool.max_starting = size;
    pool.on_release = OnRelease::Reuse;
    pool.dirty_timeout = Duration::from_secs(3600);
    pool.check_interval = Duration::ZERO;
    let manager = Manager::builder(Arc::new(MemoryStore::new().with_keep_events(1000)))
        .provider("lab".parse().unwrap(), ProviderConfig::new("dummy"), Arc::new(driver))
        .pool("small".parse().unwrap(), pool)
        .start()
        .await
        .unwrap();
    let handle = manager.handle();
    let mut events = handle.watch_events();
    while handle.view().await.unwrap().vms.iter().any(|vm| vm.state != RecordState::Ready) {
        events.changed().await.unwrap();
    }
    manager
}

/// Acquires and releases so often.
async fn work(handle: ManagerHandle, client: u64, times: u64) {
    let owner = vmpool_manager::model::Owner::new(format!("client-{client}")).unwrap();
    for _ in 0..times {
        let request = format!("r{}", NEXT.fetch_add(1, Ordering::Relaxed)).parse().unwrap();
        let acquire = Acquire::new(request, "small".parse().unwrap(), owner.clone());
        let grant = handle.acquire(acquire.with_wait(Duration::from_secs(60))).await.unwrap();
        handle.release(grant.lease.id).await.unwrap();
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn acquire_and_release(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("acquire_and_release");
    group.throughput(Throughput::Elements(1));
    for (clients, vms) in [(1_u64, 1_u32), (1, 10_000), (64, 64), (64, 10_000)] {
        let runtime = runtime();
        let manager = runtime.block_on(start(vms));
        group.bench_function(format!("{clients}_clients_{vms}_vms"), |bencher| {
            bencher.to_async(&runtime).iter_custom(|times| {
                let handle = manager.handle();
                async move {
                    let begun = Instant::now();
                    let mut tasks = JoinSet::new();
                    for client in 0..clients {
                        tasks.spawn(work(handle.clone(), client, times.div_ceil(clients)));
                    }
                    tasks.join_all().await;
                    begun.elapsed()
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, acquire_and_release);
criterion_main!(benches);
