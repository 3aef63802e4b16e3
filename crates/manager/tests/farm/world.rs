//! What outlives the managers of a farm: clouds, store, rules, and the way to the manager.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use tokio::{sync::watch, time::Instant};
use vmpool_manager::{
    Manager, ManagerHandle, SystemClock,
    model::{InstallationId, ProviderName, RecordState},
};

use crate::{
    cloud::Cloud,
    figures::Figures,
    ledger::Ledger,
    plan::{Plan, seconds},
    stopwatch::Stopwatch,
    store::WatchedStore,
    tools::Tools,
    verdict::Verdict,
    wall,
};

/// The id of the farm's installation.
const INSTALLATION: &str = "farm";
/// How often everything is looked at, and not only what changes.
pub(crate) const RECKONING: Duration = Duration::from_secs(60);

/// How often the engine looks at everything that it knows; of a large farm that takes longer than a minute's work.
fn check_period(plan: &Plan) -> Duration {
    if plan.size.vms <= 10_000 { RECKONING } else { RECKONING * 5 }
}

/// What outlives the managers of a farm.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) began: Instant,
    pub(crate) verdict: Verdict,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) clouds: BTreeMap<ProviderName, Cloud>,
    pub(crate) figures: Mutex<Figures>,
    store: Arc<WatchedStore>,
    tools: Arc<Tools>,
    clock: SystemClock,
    seed: Mutex<Rng>,
    manager: Mutex<Option<Manager>>,
    handle: Mutex<Option<ManagerHandle>>,
    is_rush: AtomicBool,
    over: watch::Sender<bool>,
}

impl World {
    pub(crate) fn new(plan: Plan, verdict: Verdict, stopwatch: Stopwatch, rng: &mut Rng) -> Self {
        let clock = SystemClock::anchored_at("2026-01-01T00:00:00Z".parse().unwrap());
        let ledger = Arc::new(Mutex::new(Ledger::new(&plan)));
        let clouds = plan.accounts.iter().map(|(name, account)| {
            (name.clone(), Cloud::new(name, account, &clock, &ledger, &verdict, &stopwatch, rng.fork()))
        });
        Self {
            began: Instant::now(),
            clouds: clouds.collect(),
            figures: Mutex::new(Figures::new(plan.owners.len())),
            store: Arc::new(WatchedStore::new(&ledger, &verdict, &stopwatch, rng.fork())),
            tools: Arc::new(Tools::new(&ledger, rng.fork())),
            clock,
            seed: Mutex::new(rng.fork()),
            manager: Mutex::default(),
            handle: Mutex::default(),
            is_rush: AtomicBool::new(false),
            over: watch::Sender::new(false),
            plan,
            verdict,
            stopwatch,
            ledger,
        }
    }

    /// Starts a manager; one that is there crashes.
    pub(crate) async fn start_manager(&self) -> Result<(), String> {
        self.manager.lock().unwrap().take();
        let begun = wall::worked();
        let mut builder = Manager::builder(self.store.clone())
            .installation(InstallationId::new(INSTALLATION).unwrap())
            .checker(self.tools.clone())
            .hooks(self.tools.clone())
            .clock(Arc::new(self.clock.clone()))
            .check_invariants_every(check_period(&self.plan))
            .seed(self.seed.lock().unwrap().u64(..));
        for (name, account) in &self.plan.accounts {
            builder =
                builder.provider(name.clone(), account.config.clone(), Arc::new(self.clouds[name].clone()));
        }
        for (name, config) in &self.plan.pools {
            builder = builder.pool(name.clone(), config.clone());
        }
        let manager = builder.start().await.map_err(|err| format!("the manager does not start: {err}"))?;
        self.figures.lock().unwrap().started.push(wall::worked() - begun);
        *self.handle.lock().unwrap() = Some(manager.handle());
        *self.manager.lock().unwrap() = Some(manager);
        Ok(())
    }

    /// Says why the manager has stopped, if it has.
    pub(crate) async fn why_stopped(&self) -> Result<(), String> {
        if !self.handle().is_stopped() {
            return Ok(());
        }
        let manager = self.manager.lock().unwrap().take();
        match manager {
            Some(mut manager) => Err(format!("the manager has stopped: {:?}", manager.wait().await)),
            None => Ok(()),
        }
    }

    /// Returns how to speak to the manager that was started last.
    pub(crate) fn handle(&self) -> ManagerHandle {
        self.handle.lock().unwrap().clone().unwrap()
    }

    /// Returns how many VMs are in a state.
    pub(crate) fn count(&self, state: RecordState) -> usize {
        self.ledger.lock().unwrap().vms.values().filter(|vm| vm.state == state).count()
    }

    /// Lets more requests come than usual, or no longer.
    pub(crate) fn set_rush(&self, is_rush: bool) {
        self.is_rush.store(is_rush, Ordering::Relaxed);
    }

    /// Returns how many requests come in a second.
    pub(crate) fn rate(&self) -> f64 {
        let rush = if self.is_rush.load(Ordering::Relaxed) { 1.5 } else { 1.0 };
        self.plan.rate() * rush
    }

    /// Lets nobody ask any more.
    pub(crate) fn end(&self) {
        self.over.send_replace(true);
    }

    pub(crate) fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Lets time pass, but no longer than the farm lasts.
    pub(crate) async fn pass_while_busy(&self, duration: Duration) {
        let mut over = self.over.subscribe();
        let _ = tokio::time::timeout(duration, over.wait_for(|over| *over)).await;
    }

    /// Says how far the farm is.
    pub(crate) fn tell(&self, what: &str) {
        let ledger = self.ledger.lock().unwrap();
        let (memory, _) = wall::memory();
        tell(&format!(
            "{:>6.1} min {what}: {} VMs, {} leased, {} wait; {} leases, {} commits; {memory} MiB, {:.0} s of real time",
            self.began.elapsed().as_secs_f64() / 60.0,
            ledger.vms.len(),
            ledger.leased(),
            ledger.waiting.len(),
            ledger.total.leases,
            ledger.total.commits,
            self.figures.lock().unwrap().wall.elapsed().as_secs_f64(),
        ));
    }
}

/// Lets time pass.
pub(crate) async fn pass(duration: Duration) {
    let _ = tokio::time::timeout(duration, std::future::pending::<()>()).await;
}

/// Lets time pass until something holds; says whether it did within a limit.
pub(crate) async fn pass_until(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let step = seconds(5);
    let mut left = limit;
    while !holds() {
        if left < step {
            return false;
        }
        pass(step).await;
        left -= step;
    }
    true
}

#[expect(clippy::print_stdout, reason = "progress and figures are for people")]
pub(crate) fn tell(line: &str) {
    println!("{line}");
}
