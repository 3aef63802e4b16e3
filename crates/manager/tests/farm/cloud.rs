//! Dummy clouds behind a network that takes its time and now and then loses a call.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fastrand::Rng;
use vmpool_dummy::{DummyCloud, DummyDriver};
use vmpool_manager::{
    Clock, SystemClock,
    driver::{
        Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, HintStream, Listing,
        Operation, PowerAction,
    },
    model::{FailureKind, Node, NodeId, ProviderName, Timestamp, VmName},
};

use crate::{ledger::Ledger, plan::Account, stopwatch::Stopwatch, verdict::Verdict, wall, world::pass};

/// An account on a cloud, and the network before it.
#[derive(Debug, Clone)]
pub(crate) struct Cloud(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    name: ProviderName,
    driver: DummyDriver,
    call: (Duration, Duration),
    lost: f64,
    max_concurrent: usize,
    active: AtomicUsize,
    rng: Mutex<Rng>,
    ledger: Arc<Mutex<Ledger>>,
    verdict: Verdict,
    stopwatch: Stopwatch,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Luck {
    Good,
    RequestLost,
    AnswerLost,
}

impl Cloud {
    pub(crate) fn new(
        name: &ProviderName,
        account: &Account,
        clock: &SystemClock,
        ledger: &Arc<Mutex<Ledger>>,
        verdict: &Verdict,
        stopwatch: &Stopwatch,
        rng: Rng,
    ) -> Self {
        let clock = clock.clone();
        let dummy = DummyCloud::in_memory(account.cloud.clone()).unwrap();
        let dummy = dummy.with_clock(Arc::new(move || clock.now()));
        ledger.lock().unwrap().clouds.insert(name.clone(), dummy.clone());
        Self(Arc::new(Shared {
            name: name.clone(),
            driver: DummyDriver::new(dummy),
            call: account.call,
            lost: account.lost,
            max_concurrent: account.config.max_concurrent,
            active: AtomicUsize::new(0),
            rng: Mutex::new(rng),
            ledger: Arc::clone(ledger),
            verdict: verdict.clone(),
            stopwatch: stopwatch.clone(),
        }))
    }

    /// Puts nodes of somebody else into the cloud.
    pub(crate) async fn settle_strangers(&self) {
        let mut settled = 0;
        while settled < 2 {
            settled += u32::from(self.0.driver.create(&CreateRequest::new("none")).await.is_ok());
        }
    }

    /// Lets a call travel to the cloud and back; once it is on the way it has its effect, whoever still listens.
    async fn call<T: Send + 'static>(
        &self,
        operation: Operation,
        act: impl Future<Output = Result<T, DriverError>> + Send + 'static,
    ) -> Result<T, DriverError> {
        let (there, back, luck) = self.roll(operation);
        let stopwatch = self.0.stopwatch.clone();
        let travel = tokio::spawn(async move {
            pass(there).await;
            let begun = wall::worked();
            // A dummy without a pause answers at once, so this is the time that it works.
            let answer = match luck {
                Luck::RequestLost => Err(DriverError::new(operation, FailureKind::Timeout)),
                _ => act.await,
            };
            stopwatch.add("the dummy clouds", begun);
            answer
        });
        let answer = travel.await.unwrap();
        pass(back).await;
        match luck {
            Luck::AnswerLost => Err(DriverError::new(operation, FailureKind::Timeout)),
            _ => answer,
        }
    }

    fn roll(&self, operation: Operation) -> (Duration, Duration, Luck) {
        let mut rng = self.0.rng.lock().unwrap();
        let (least, most) = self.0.call;
        let half = (least + (most - least).mul_f64(rng.f64())) / 2;
        let luck = match rng.f64() {
            _ if operation.is_read() => Luck::Good,
            dice if dice < self.0.lost / 2.0 => Luck::RequestLost,
            dice if dice < self.0.lost => Luck::AnswerLost,
            _ => Luck::Good,
        };
        (half, half, luck)
    }

    /// I3: counts a call as long as the result lives.
    fn enter(&self) -> Entered<'_> {
        let active = self.0.active.fetch_add(1, Ordering::Relaxed) + 1;
        let (name, most) = (&self.0.name, self.0.max_concurrent);
        if most < active {
            self.0.verdict.violate(format!("I3: {active} calls at {name} at once, {most} at most"));
        }
        Entered(&self.0.active)
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
    vm: VmName,
    made: Option<NodeId>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.ledger.lock().unwrap().land(&self.vm, self.made.take());
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Driver for Cloud {
    fn info(&self) -> &DriverInfo {
        self.0.driver.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.driver.capabilities()
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        let driver = self.0.driver.clone();
        self.call(Operation::List, async move { driver.list().await }).await
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        let (driver, node) = (self.0.driver.clone(), id.clone());
        let _entered = self.enter();
        self.call(Operation::Get, async move { driver.get(&node).await }).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        let (driver, request) = (self.0.driver.clone(), request.clone());
        let _entered = self.enter();
        let Some(token) = request.token.clone() else {
            self.0.verdict.violate("a node without a token is asked for");
            return Err(DriverError::new(Operation::Create, FailureKind::InvalidRequest));
        };
        self.0.verdict.judge(self.0.ledger.lock().unwrap().take_off(&token));
        let flight = Flight { ledger: Arc::clone(&self.0.ledger), vm: token.vm, made: None };
        let act = async move {
            let mut flight = flight;
            let created = driver.create(&request).await;
            flight.made = created.as_ref().ok().map(|node| node.id.clone());
            created
        };
        self.call(Operation::Create, act).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        let (driver, node) = (self.0.driver.clone(), id.clone());
        let _entered = self.enter();
        self.0.verdict.judge(self.0.ledger.lock().unwrap().destroy_begins(&self.0.name, id));
        self.call(Operation::Destroy, async move { driver.destroy(&node).await }).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        self.0.driver.power(id, action).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.0.driver.catalog().await
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        self.0.driver.set_expiry(id, at).await
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        self.0.driver.hints().await
    }
}
