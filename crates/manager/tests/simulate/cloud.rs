//! Dummy clouds behind a network that delays, loses, refuses and hangs, and shows every call to the rules.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use fastrand::Rng;
use vmpool_dummy::{Death, DummyCloud, DummyDriver, FaultConfig};
use vmpool_manager::{
    Clock, SystemClock,
    driver::{
        Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, HintStream, Listing,
        Operation, PowerAction,
    },
    model::{Certainty, FailureKind, Node, NodeId, ProviderName, Timestamp, Token, states::NodeState},
};

use crate::{
    journal::Journal,
    ledger::Ledger,
    scenario::{Provider, Weather, seconds},
    world::{World, pass, up_to},
};

/// A cloud and the network before it.
#[derive(Debug)]
pub(crate) struct Cloud {
    name: ProviderName,
    pub(crate) dummy: DummyCloud,
    driver: DummyDriver,
    weather: Weather,
    max_concurrent: usize,
    network: Mutex<Network>,
    ledger: Arc<Mutex<Ledger>>,
    journal: Journal,
}

#[derive(Debug)]
struct Network {
    rng: Rng,
    mode: Mode,
    is_calm: bool,
    calls: u64,
}

/// How the network treats calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Fine,
    Down,
    Throttled,
    Hanging,
}

impl Cloud {
    pub(crate) fn new(
        name: &ProviderName,
        provider: &Provider,
        clock: &SystemClock,
        ledger: &Arc<Mutex<Ledger>>,
        journal: &Journal,
        rng: Rng,
    ) -> Arc<Self> {
        let clock = clock.clone();
        let dummy = DummyCloud::in_memory(provider.cloud.clone()).unwrap();
        let dummy = dummy.with_clock(Arc::new(move || clock.now()));
        ledger.lock().unwrap().know(name.clone(), dummy.clone());
        Arc::new(Self {
            name: name.clone(),
            driver: DummyDriver::new(dummy.clone()).with_pause(Arc::new(|time| Box::pin(pass(time)))),
            dummy,
            weather: provider.weather,
            max_concurrent: provider.config.max_concurrent,
            network: Mutex::new(Network { rng, mode: Mode::Fine, is_calm: false, calls: 0 }),
            ledger: Arc::clone(ledger),
            journal: journal.clone(),
        })
    }

    /// Makes a driver for the manager of a number.
    pub(crate) fn driver(self: &Arc<Self>, manager: u64) -> Arc<CloudDriver> {
        Arc::new(CloudDriver { cloud: Arc::clone(self), manager, active: AtomicUsize::new(0) })
    }

    /// Puts nodes of somebody else into the cloud.
    pub(crate) async fn settle_strangers(&self) {
        let (faults, quota) = (self.set_faults(FaultConfig::default()), self.set_quota(None));
        let others: Token = "others/pool0/pool0-abc".parse().unwrap();
        for request in [CreateRequest::new("none"), CreateRequest::new("none").with_token(others)] {
            let _ = self.driver.create(&request).await;
        }
        self.set_faults(faults);
        self.set_quota(quota.map(|quota| quota + 2));
    }

    fn set_faults(&self, mut faults: FaultConfig) -> FaultConfig {
        self.dummy.reconfigure(|config| std::mem::swap(&mut config.faults, &mut faults));
        faults
    }

    fn set_quota(&self, mut quota: Option<usize>) -> Option<usize> {
        self.dummy.reconfigure(|config| std::mem::swap(&mut config.quota, &mut quota));
        quota
    }

    /// Lets everything work.
    pub(crate) fn calm(&self) {
        self.set_faults(FaultConfig::default());
        self.set_quota(None);
        let mut network = self.network.lock().unwrap();
        (network.mode, network.is_calm) = (Mode::Fine, true);
    }

    fn set_mode(&self, mode: Mode) {
        self.journal.note(|| format!("{}: {mode:?}", self.name));
        let mut network = self.network.lock().unwrap();
        if !network.is_calm {
            network.mode = mode;
        }
    }

    /// Returns the number of a call, the time it takes to the cloud and back, and how it is treated.
    fn roll(&self) -> (u64, std::time::Duration, std::time::Duration, Mode) {
        let mut network = self.network.lock().unwrap();
        network.calls += 1;
        let slowest = if network.is_calm { seconds(1) } else { self.weather.slowest };
        let total = up_to(slowest, &mut network.rng);
        let there = up_to(total, &mut network.rng);
        (network.calls, there, total - there, network.mode)
    }

    /// Lets the cloud be away, in calm times, too, or come back.
    pub(crate) fn stay_down(&self, is_down: bool) {
        self.journal.note(|| format!("{}: {}", self.name, if is_down { "stays down" } else { "is back" }));
        self.network.lock().unwrap().mode = if is_down { Mode::Down } else { Mode::Fine };
    }

    /// Leaves nodes out of a listing that claims to be complete: only such as are known and kept. What is being made or destroyed
    /// is found by complete listings alone, and they must be right about it.
    fn lie(&self, mut listing: Listing) -> Listing {
        if self.chance(self.weather.lies) {
            let ledger = self.ledger.lock().unwrap();
            listing.nodes.retain(|node| !ledger.is_settled(node) || !self.chance(0.5));
        }
        listing
    }

    fn chance(&self, probability: f64) -> bool {
        let mut network = self.network.lock().unwrap();
        !network.is_calm && network.rng.f64() < probability
    }

    /// Lets a call travel to the cloud and back; once it is on the way it has its effect, whoever still listens.
    async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        operation: Operation,
        what: impl std::fmt::Display,
        act: impl Future<Output = Result<T, DriverError>> + Send + 'static,
    ) -> Result<T, DriverError> {
        let (number, there, back, mode) = self.roll();
        self.journal.note(|| format!("{} #{number}: {operation:?} {what}", self.name));
        let is_told = operation != Operation::List;
        let answer = match mode {
            Mode::Fine => tokio::spawn(async move {
                pass(there).await;
                act.await
            })
            .await
            .unwrap(),
            Mode::Down => {
                pass(there.min(seconds(2))).await;
                Err(DriverError::new(operation, FailureKind::Unavailable))
            }
            Mode::Throttled => Err(DriverError::new(operation, FailureKind::RateLimited)
                .with_certainty(Certainty::NotApplied)
                .with_retry_after(Some(seconds(5)))),
            Mode::Hanging => std::future::pending().await,
        };
        pass(back).await;
        match &answer {
            Err(err) => self.journal.note(|| format!("{} #{number}: {err}", self.name)),
            Ok(_) if is_told => self.journal.note(|| format!("{} #{number}: {operation:?} done", self.name)),
            Ok(_) => {}
        }
        answer
    }
}

/// Lets a cloud have good and bad times.
pub(crate) async fn weather(world: Arc<World>, cloud: Arc<Cloud>, mut rng: Rng) {
    let Weather { outages, throttles, hangs, deaths, .. } = cloud.weather;
    let choices = [(outages, Mode::Down), (throttles, Mode::Throttled), (hangs, Mode::Hanging)];
    let modes: Vec<_> = choices.into_iter().filter(|(may, _)| *may).map(|(_, mode)| mode).collect();
    while !world.is_calm() {
        world.pass_in_trouble(seconds(rng.u64(5..90))).await;
        if let Some(mode) = rng.choice(&modes) {
            cloud.set_mode(*mode);
            world.pass_in_trouble(seconds(rng.u64(1..90))).await;
            cloud.set_mode(Mode::Fine);
        }
        if deaths && !world.is_calm() {
            let nodes = cloud.dummy.nodes();
            // Nobody rises from the dead.
            let alive = nodes.iter().filter(|node| node.state != NodeState::Terminated);
            let ours = alive
                .filter(|node| node.token.as_ref().is_some_and(|token| token.installation.as_str() == "sim"));
            let ours: Vec<_> = ours.collect();
            if let Some(node) = rng.choice(ours) {
                let death = [Death::Error, Death::Terminated, Death::Vanished][rng.usize(0..3)];
                world.journal.note(|| format!("{}: node {} ends: {death:?}", cloud.name, node.id));
                cloud.dummy.kill_node(&node.id, death);
                if death == Death::Terminated {
                    cloud.ledger.lock().unwrap().bury(&cloud.name, &node.id);
                }
            }
        }
    }
}

/// How one manager speaks to a cloud.
#[derive(Debug)]
pub(crate) struct CloudDriver {
    cloud: Arc<Cloud>,
    manager: u64,
    active: AtomicUsize,
}

impl CloudDriver {
    /// Counts a call that changes something, if its manager may make it.
    fn enter_to_write(&self, what: &str) -> Entered<'_> {
        let verdict = self.cloud.ledger.lock().unwrap().owners.check_write(self.manager, what);
        self.cloud.journal.judge(verdict);
        self.enter()
    }

    /// Counts a call as long as the result lives.
    fn enter(&self) -> Entered<'_> {
        let active = self.active.fetch_add(1, Ordering::Relaxed) + 1;
        let most = self.cloud.max_concurrent;
        if most < active {
            self.cloud
                .journal
                .violate(format!("I3: {active} calls at {} at once, {most} at most", self.cloud.name));
        }
        Entered(&self.active)
    }
}

struct Entered<'a>(&'a AtomicUsize);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A create that may still have its effect.
struct Flight {
    ledger: Arc<Mutex<Ledger>>,
    number: u64,
}

impl Flight {
    fn take_off(ledger: &Arc<Mutex<Ledger>>, token: &Token) -> Self {
        Self { number: ledger.lock().unwrap().take_off(token), ledger: Arc::clone(ledger) }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.ledger.lock().unwrap().land(self.number);
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Driver for CloudDriver {
    fn info(&self) -> &DriverInfo {
        self.cloud.driver.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.cloud.driver.capabilities()
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        let (driver, cloud) = (self.cloud.driver.clone(), Arc::clone(&self.cloud));
        let act = async move { driver.list().await.map(|listing| cloud.lie(listing)) };
        self.cloud.call(Operation::List, "", act).await
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        let (driver, node) = (self.cloud.driver.clone(), id.clone());
        let _entered = self.enter();
        self.cloud.call(Operation::Get, id, async move { driver.get(&node).await }).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        let (driver, ledger, journal) =
            (self.cloud.driver.clone(), Arc::clone(&self.cloud.ledger), self.cloud.journal.clone());
        let provider = self.cloud.name.clone();
        let _entered = self.enter_to_write("a create");
        journal.judge(ledger.lock().unwrap().create_begins(self.manager, request.token.as_ref()));
        let token = request.token.clone().unwrap();
        let what = format!("{token} by manager {}", self.manager);
        let flight = Flight::take_off(&ledger, &token);
        let request = request.clone();
        let act = async move {
            let _flight = flight;
            let created = driver.create(&request).await;
            journal.judge(ledger.lock().unwrap().create_happened(&provider, &token));
            created
        };
        self.cloud.call(Operation::Create, what, act).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        let (driver, node) = (self.cloud.driver.clone(), id.clone());
        let _entered = self.enter_to_write("a destroy");
        let verdict = self.cloud.ledger.lock().unwrap().destroy_begins(&self.cloud.name, id);
        self.cloud.journal.judge(verdict);
        let stubborn = self.cloud.chance(self.cloud.weather.stubborn);
        let lies = self.cloud.chance(0.5);
        let (ledger, journal) = (Arc::clone(&self.cloud.ledger), self.cloud.journal.clone());
        let provider = self.cloud.name.clone();
        let act = async move {
            if !stubborn {
                journal.judge(ledger.lock().unwrap().destroy_happens(&provider, &node));
            }
            match (stubborn, lies) {
                (false, _) => driver.destroy(&node).await,
                (true, true) => Ok(()),
                (true, false) => Err(DriverError::new(Operation::Destroy, FailureKind::InvalidState)),
            }
        };
        self.cloud.call(Operation::Destroy, id, act).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        self.cloud.driver.power(id, action).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.cloud.driver.catalog().await
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        let (driver, node) = (self.cloud.driver.clone(), id.clone());
        let _entered = self.enter_to_write("an expiry");
        self.cloud.call(Operation::SetExpiry, id, async move { driver.set_expiry(&node, at).await }).await
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        let driver = self.cloud.driver.clone();
        self.cloud.call(Operation::Hints, "", async move { driver.hints().await }).await
    }
}
