//! A provider with a rate is asked no faster, whatever it is asked for and by how many pools.
#![expect(clippy::unwrap_used, reason = "these are tests, and so are their helpers")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;
use vmpool::{
    driver::{
        Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverFactory, DriverInfo, FactoryContext,
        HintStream, Listing, OpenError, Operation, PowerAction, Registry,
    },
    drivers,
    dummy::{DummyCloud, DummyConfig, DummyDriver, Fault},
    manager::Manager,
    model::{
        Acquire, FailureKind, Node, NodeId, Timestamp,
        config::{DriverOptions, PoolConfig, ProviderConfig},
    },
    store::MemoryStore,
};

/// When the provider was asked for what.
type Asked = Arc<Mutex<Vec<(Instant, Operation)>>>;

/// A dummy cloud that notes when it is asked.
#[derive(Debug, Clone)]
struct Noting {
    inner: DummyDriver,
    asked: Asked,
}

impl Noting {
    fn new(cloud: &DummyCloud) -> Self {
        Self { inner: DummyDriver::new(cloud.clone()), asked: Asked::default() }
    }

    fn note(&self, operation: Operation) {
        self.asked.lock().unwrap().push((Instant::now(), operation));
    }
}

#[async_trait]
impl DriverFactory for Noting {
    fn name(&self) -> &'static str {
        "noting"
    }

    fn check(&self, _: &DriverOptions) -> Result<(), OpenError> {
        Ok(())
    }

    async fn open(&self, _: FactoryContext, _: &DriverOptions) -> Result<Arc<dyn Driver>, OpenError> {
        Ok(Arc::new(self.clone()))
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Driver for Noting {
    fn info(&self) -> &DriverInfo {
        self.inner.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        self.note(Operation::List);
        self.inner.list().await
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        self.note(Operation::Get);
        self.inner.get(id).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        self.note(Operation::Create);
        self.inner.create(request).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        self.note(Operation::Destroy);
        self.inner.destroy(id).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        self.inner.power(id, action).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.inner.catalog().await
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        self.note(Operation::SetExpiry);
        self.inner.set_expiry(id, at).await
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        self.note(Operation::Hints);
        self.inner.hints().await
    }
}

const RATE: f64 = 2.0;
const BURST: u32 = 5;

/// Starts two pools of 20 VMs at one provider with a rate.
async fn start(noting: &Noting) -> Manager {
    let mut config = ProviderConfig::new("noting");
    (config.rate, config.burst, config.list_interval) = (Some(RATE), BURST, Duration::from_secs(1));
    let lab = "lab".parse().unwrap();
    let registry = Registry::new().with(Arc::new(noting.clone()));
    let driver = drivers::open(&registry, &lab, &config).await.unwrap();
    let mut pool = PoolConfig::new(lab.clone(), "template", 20);
    pool.max_starting = 20;
    let builder = Manager::builder(Arc::new(MemoryStore::new())).provider(lab, config, driver).seed(7);
    builder
        .pool("small".parse().unwrap(), pool.clone())
        .pool("big".parse().unwrap(), pool)
        .start()
        .await
        .unwrap()
}

async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// Checks that in no time more was asked for than a bucket holds and gets in that time.
fn check(noting: &Noting) {
    let asked = noting.asked.lock().unwrap().clone();
    assert!(asked.iter().any(|(_, operation)| *operation == Operation::List), "listings count, too");
    for (first, (from, _)) in asked.iter().enumerate() {
        for (last, (to, _)) in asked.iter().enumerate().skip(first) {
            let calls = u32::try_from(last - first + 1).unwrap();
            let filled = f64::from(BURST) + (*to - *from).as_secs_f64() * RATE;
            assert!(f64::from(calls) <= filled + 1e-6, "{calls} calls in {:?}", *to - *from);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f13_all_pools_of_an_account_together_keep_within_its_rate() {
    let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
    let noting = Noting::new(&cloud);
    let manager = start(&noting).await;
    pass(Duration::from_secs(120)).await;
    assert_eq!(cloud.nodes().len(), 40);
    check(&noting);
    drop(manager);
}

#[tokio::test(start_paused = true)]
async fn f13_a_provider_that_fails_is_asked_within_its_rate_and_ready_vms_are_given_at_once() {
    let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
    let noting = Noting::new(&cloud);
    let manager = start(&noting).await;
    let handle = manager.handle();
    pass(Duration::from_secs(120)).await;
    for operation in [Operation::List, Operation::Create, Operation::Destroy, Operation::Get] {
        (0..2000).for_each(|_| cloud.fail_next(operation, Fault::Refuse(FailureKind::Unavailable)));
    }
    for number in 0..20 {
        let id = format!("r{number}").parse().unwrap();
        let request = Acquire::new(id, "small".parse().unwrap(), "me".parse().unwrap());
        let before = Instant::now();
        let grant = handle.acquire(request).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO);
        handle.release(grant.lease.id).await.unwrap();
        pass(Duration::from_secs(7)).await;
    }
    check(&noting);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_wait_too_long_for_its_turn_fails_at_once() {
    let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
    let registry = Registry::new().with(Arc::new(Noting::new(&cloud)));
    let mut config = ProviderConfig::new("noting");
    // One in 100 s, but an answer is to come within 60 s.
    (config.rate, config.burst) = (Some(0.01), 1);
    let driver = drivers::open(&registry, &"lab".parse().unwrap(), &config).await.unwrap();
    let _ = driver.list().await.unwrap();
    let before = Instant::now();
    let err = driver.list().await.unwrap_err();
    assert_eq!((err.kind(), before.elapsed()), (FailureKind::RateLimited, Duration::ZERO));

    config.rate = Some(f64::MIN_POSITIVE);
    let driver = drivers::open(&registry, &"lab".parse().unwrap(), &config).await.unwrap();
    let _ = driver.list().await.unwrap();
    assert_eq!(driver.list().await.unwrap_err().kind(), FailureKind::RateLimited);
}

#[test]
fn a_driver_is_opened_anew_for_another_rate() {
    let before = ProviderConfig::new("noting");
    let after = |edit: fn(&mut ProviderConfig)| {
        let mut after = before.clone();
        edit(&mut after);
        drivers::is_same(&before, &after)
    };
    assert!(after(|config| config.max_concurrent = 99));
    assert!(after(|config| config.burst = 99), "without a rate there is no burst");
    assert!(!after(|config| config.rate = Some(1.0)));
    assert!(!after(|config| config.request_timeout = Duration::from_secs(7)));
}
