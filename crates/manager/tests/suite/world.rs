//! A cloud, a store and a manager between them.

use std::{sync::Arc, time::Duration};

use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
use vmpool_manager::{
    Clock, Grant, Manager, ManagerBuilder, ManagerHandle, SystemClock,
    model::{
        Acquire, Owner, PoolName, ProviderName, RecordState, RequestId, Timestamp,
        config::{PoolConfig, ProviderConfig},
    },
    store::MemoryStore,
};

use crate::spy::{Log, SpyDriver, SpyStore};

/// A cloud and a store that outlive the managers of a test.
pub(crate) struct World {
    pub(crate) log: Log,
    pub(crate) cloud: DummyCloud,
    pub(crate) driver: Arc<SpyDriver>,
    pub(crate) memory: MemoryStore,
    pub(crate) store: Arc<SpyStore>,
}

impl World {
    /// Makes a cloud that is instant and faultless, and an empty store.
    pub(crate) fn new() -> Self {
        Self::of(DummyConfig::default())
    }

    pub(crate) fn of(config: DummyConfig) -> Self {
        let log = Log::default();
        let clock = SystemClock::anchored_at(start_time());
        let cloud = DummyCloud::in_memory(config).unwrap().with_clock(Arc::new(move || clock.now()));
        let dummy = DummyDriver::new(cloud.clone()).with_pause(Arc::new(|latency| Box::pin(pass(latency))));
        let memory = MemoryStore::new();
        Self {
            driver: Arc::new(SpyDriver::new(dummy, log.clone())),
            store: Arc::new(SpyStore::new(memory.clone(), log.clone())),
            log,
            cloud,
            memory,
        }
    }

    /// Begins a manager with one provider and no pool.
    pub(crate) fn builder(&self) -> ManagerBuilder {
        Manager::builder(self.store.clone())
            .provider(lab(), prompt(), self.driver.clone())
            .clock(Arc::new(SystemClock::anchored_at(start_time())))
            .seed(7)
    }

    /// Starts a manager with one pool.
    pub(crate) async fn start(&self, size: u32) -> Manager {
        self.builder().pool(small(), pool(size)).start().await.unwrap()
    }
}

pub(crate) fn start_time() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn lab() -> ProviderName {
    ProviderName::new("lab").unwrap()
}

pub(crate) fn small() -> PoolName {
    PoolName::new("small").unwrap()
}

pub(crate) fn pool(size: u32) -> PoolConfig {
    let mut config = PoolConfig::new(lab(), "template", size);
    config.max_starting = size.max(1);
    config
}

pub(crate) fn request(id: &str) -> Acquire {
    let id = RequestId::new(id).unwrap();
    Acquire::new(id, small(), Owner::new("me").unwrap()).with_wait(Duration::from_secs(300))
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Lets time pass.
pub(crate) async fn pass(duration: Duration) {
    let _ = tokio::time::timeout(duration, std::future::pending::<()>()).await;
}

/// Waits until as many VMs are ready.
pub(crate) async fn until_ready(handle: &ManagerHandle, count: usize) {
    for _ in 0..1000 {
        if ready(handle).await == count {
            return;
        }
        pass(Duration::from_millis(100)).await;
    }
    panic!("{:#?}", handle.view().await);
}

pub(crate) async fn ready(handle: &ManagerHandle) -> usize {
    let view = handle.view().await.unwrap();
    view.vms.iter().filter(|vm| vm.state == RecordState::Ready).count()
}

/// Acquires and releases once.
pub(crate) async fn use_one(handle: &ManagerHandle, id: &str) -> Grant {
    let grant = handle.acquire(request(id)).await.unwrap();
    handle.release(grant.lease.id.clone()).await.unwrap();
    grant
}

/// Returns the configuration of a provider that has nothing under way once a call has ended.
pub(crate) fn prompt() -> ProviderConfig {
    let mut config = ProviderConfig::new("dummy");
    config.create_settle = Some(Duration::ZERO);
    config
}
