//! A simulated OpenNebula, the records of a manager, and a clock for both that can be put forward.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use vmpool_driver::Driver;
use vmpool_manager::{
    CheckReport, CheckTarget, Checker, Clock, Manager, ManagerHandle, SystemClock, View,
    model::{
        Acquire, Owner, PoolName, ProviderName, RecordState, RequestId, Timestamp, VmName,
        config::{CheckConfig, PoolConfig, ProviderConfig},
        states::opennebula::VmState,
    },
    store::MemoryStore,
};
use vmpool_opennebula::{
    api::VirtualMachine,
    client::{Client, ClientConfig, Session},
    driver::{OpenNebulaDriver, OpenNebulaOptions},
    rpc::Call,
    vm::Vm,
};
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig, SimServer, SimUser};

/// What outlives the managers of a test.
pub(crate) struct World {
    pub(crate) sim: OpenNebulaSim,
    _server: SimServer,
    pub(crate) client: Client,
    driver: Arc<dyn Driver>,
    store: MemoryStore,
    clock: Arc<Ahead>,
    pub(crate) checked: Arc<Checked>,
}

/// The system's clock, put forward.
#[derive(Debug)]
struct Ahead {
    clock: SystemClock,
    millis: AtomicU64,
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.clock.now() + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

/// Passes every check, and remembers which VMs were checked at which address.
#[derive(Debug, Default)]
pub(crate) struct Checked(Mutex<Vec<(VmName, String)>>);

#[async_trait]
impl Checker for Checked {
    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
        let address = target.node.addresses.first().ok_or("it has no address")?;
        self.0.lock().unwrap().push((target.vm.clone(), address.to_string()));
        Ok(CheckReport::default())
    }
}

impl Checked {
    pub(crate) fn all(&self) -> Vec<(VmName, String)> {
        self.0.lock().unwrap().clone()
    }
}

impl World {
    /// Starts a cloud in which a VM boots within some milliseconds, for a plain user.
    pub(crate) async fn new() -> Self {
        Self::with(|config| config).await
    }

    pub(crate) async fn with(change: impl FnOnce(SimConfig) -> SimConfig) -> Self {
        let clock = Arc::new(Ahead { clock: SystemClock::new(), millis: AtomicU64::new(0) });
        let telling = Arc::clone(&clock);
        let millis = Duration::from_millis;
        let config = SimConfig::default().with_boot(millis(30)).with_step(millis(10));
        let config = change(config.with_user(SimUser::new("ci", "hunter2")));
        let sim = OpenNebulaSim::with_clock(config, Arc::new(move || telling.now())).unwrap();
        let server = sim.clone().start().await.unwrap();
        let client = Client::new(ClientConfig::new(server.endpoint(), Session::of("ci", "hunter2"))).unwrap();
        let driver = Arc::new(OpenNebulaDriver::connect_with(client.clone(), options()).await.unwrap());
        let store = MemoryStore::new();
        Self { sim, _server: server, client, driver, store, clock, checked: Arc::default() }
    }

    /// Starts a manager with one pool of two VMs.
    pub(crate) async fn start(&self, change: impl FnOnce(&mut PoolConfig)) -> Manager {
        let mut provider = ProviderConfig::new("opennebula");
        provider.list_interval = Duration::from_millis(100);
        provider.visibility_window = Duration::ZERO;
        provider.create_settle = Some(Duration::ZERO);
        provider.missing_grace = Duration::from_millis(300);
        provider.orphan_grace = Duration::from_millis(300);
        let mut pool = PoolConfig::new(lab(), "small", 2);
        pool.check = CheckConfig::Tcp { port: 22 };
        pool.max_idle = Duration::ZERO;
        change(&mut pool);
        let builder = Manager::builder(Arc::new(self.store.clone()))
            .provider(lab(), provider, Arc::clone(&self.driver))
            .pool(small(), pool)
            .checker(Arc::clone(&self.checked) as _)
            .clock(Arc::clone(&self.clock) as _);
        builder.check_invariants().start().await.unwrap()
    }

    /// Puts the clock of the cloud and of the manager forward.
    pub(crate) fn skip(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.clock.millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// Returns what the server tells of a VM.
    pub(crate) async fn vm(&self, id: i32) -> Vm {
        VirtualMachine::new(&self.client, id).info().await.unwrap()
    }

    /// Returns the numbers of all VMs that were ever made and are not done.
    pub(crate) fn alive(&self) -> Vec<i32> {
        let all = (0..).map_while(|id| self.sim.state(id).map(|(state, _)| (id, state)));
        all.filter(|(_, state)| *state != VmState::Done).map(|(id, _)| id).collect()
    }

    /// Gives a VM an attribute that no answer can be sent with, or takes it away.
    pub(crate) fn poison(&self, id: i32, text: &str) {
        let call = Call::new("one.vm.update").with("oneadmin:opennebula").with(id);
        let call = call.with(format!("<T><LABELS>{text}</LABELS></T>")).with(1);
        let answer = self.sim.answer(call.to_xml().as_bytes());
        assert!(answer.contains("<boolean>1</boolean>"), "{answer}");
    }
}

/// Lets what is found on hold go at once.
fn options() -> OpenNebulaOptions {
    serde_json::from_str(r#"{"release_after": "0s"}"#).unwrap()
}

pub(crate) fn lab() -> ProviderName {
    ProviderName::new("lab").unwrap()
}

pub(crate) fn small() -> PoolName {
    PoolName::new("small").unwrap()
}

pub(crate) fn request(id: &str) -> Acquire {
    let id = RequestId::new(id).unwrap();
    Acquire::new(id, small(), Owner::new("me").unwrap()).with_wait(Duration::from_secs(60))
}

/// Waits until a manager shows what it should; a test that waits in vain is ended from outside.
pub(crate) async fn until(handle: &ManagerHandle, what: &str, is_so: impl Fn(&View) -> bool) -> Arc<View> {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut last = handle.view().await.unwrap();
    for _ in 0..1500 {
        if is_so(&last) {
            return last;
        }
        ticks.tick().await;
        last = handle.view().await.unwrap();
    }
    panic!("it did not come about that {what}: {last:#?}");
}

/// Waits until so many VMs are ready and none is in another state but leased.
pub(crate) async fn until_ready(handle: &ManagerHandle, count: usize) -> Arc<View> {
    until(handle, &format!("{count} VMs are ready"), |view| {
        let ready = view.vms.iter().filter(|vm| vm.state == RecordState::Ready).count();
        let rest = view.vms.iter().filter(|vm| !matches!(vm.state, RecordState::Ready | RecordState::InUse));
        ready == count && rest.count() == 0
    })
    .await
}

/// Returns the number of the VM of a record.
pub(crate) fn number(view: &View, name: &VmName) -> i32 {
    view.vm(name).unwrap().node.as_ref().unwrap().id.as_str().parse().unwrap()
}
