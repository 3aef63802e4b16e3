//! What outlives the managers of a life: clouds, store, the rules, and the way to the manager.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use vmpool_manager::{ManagerHandle, SystemClock, model::ProviderName};

use crate::{
    clocks,
    cloud::{Cloud, CloudDriver},
    health::Health,
    journal::Journal,
    ledger::Ledger,
    reload::Config,
    scenario::Scenario,
    store::WatchedStore,
};

/// What outlives the managers of a life.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) journal: Journal,
    pub(crate) clock: SystemClock,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) clouds: BTreeMap<ProviderName, Arc<Cloud>>,
    pub(crate) store: Arc<WatchedStore>,
    pub(crate) health: Arc<Health>,
    pub(crate) managers: tokio::sync::Mutex<Vec<vmpool_manager::Manager>>,
    /// Held by who starts a manager, and by who changes the configuration.
    pub(crate) editing: tokio::sync::Mutex<()>,
    config: Mutex<Config>,
    handles: Mutex<Handles>,
    is_calm: AtomicBool,
}

/// How to speak to the managers.
#[derive(Debug, Default)]
struct Handles {
    newest: Option<ManagerHandle>,
    /// Those that have not stopped, the newest one last.
    all: Vec<ManagerHandle>,
    asked: usize,
}

impl World {
    pub(crate) fn new(scenario: Scenario, journal: Journal, rng: &mut Rng) -> Self {
        let clock = SystemClock::anchored_at(clocks::begin());
        let ledger = Arc::new(Mutex::new(Ledger::new(&scenario)));
        let clouds: BTreeMap<_, _> = scenario
            .providers
            .iter()
            .map(|(name, provider)| {
                (name.clone(), Cloud::new(name, provider, &clock, &ledger, &journal, rng.fork()))
            })
            .collect();
        Self {
            store: Arc::new(WatchedStore::new(scenario.store, &ledger, &journal, rng.fork())),
            health: Arc::new(Health::new(scenario.health, &ledger, rng.fork())),
            journal,
            clock,
            ledger,
            clouds,
            managers: tokio::sync::Mutex::default(),
            editing: tokio::sync::Mutex::default(),
            config: Mutex::new(Config::first(&scenario)),
            handles: Mutex::default(),
            is_calm: AtomicBool::new(false),
            scenario,
        }
    }

    /// Returns how to speak to the manager that was started last, or now and then to one before it, since not everybody
    /// hears of a new one at once.
    pub(crate) fn handle(&self) -> ManagerHandle {
        let mut handles = self.handles.lock().unwrap();
        handles.asked += 1;
        let asked = handles.asked;
        handles.all.retain(|handle| !handle.is_stopped());
        match handles.all.split_last() {
            Some((_, before)) if !before.is_empty() && asked.is_multiple_of(4) => {
                before[asked % before.len()].clone()
            }
            Some((newest, _)) => newest.clone(),
            None => handles.newest.clone().unwrap(),
        }
    }

    /// Returns how to speak to the manager that was started last.
    pub(crate) fn newest(&self) -> ManagerHandle {
        self.handles.lock().unwrap().newest.clone().unwrap()
    }

    /// Makes a driver for the manager that was started last.
    pub(crate) fn newest_driver(&self, provider: &ProviderName) -> Arc<CloudDriver> {
        self.clouds[provider].driver(self.ledger.lock().unwrap().newest)
    }

    /// Returns what is configured now.
    pub(crate) fn config(&self) -> Config {
        self.config.lock().unwrap().clone()
    }

    pub(crate) fn set_config(&self, config: Config) {
        *self.config.lock().unwrap() = config;
    }

    pub(crate) fn set_handle(&self, handle: ManagerHandle) {
        let mut handles = self.handles.lock().unwrap();
        handles.newest = Some(handle.clone());
        handles.all.push(handle);
    }

    /// Makes the clock of a manager; each reads another wall clock at its start.
    pub(crate) fn clock(&self, manager: u64) -> SystemClock {
        match self.scenario.disasters.clocks {
            true => clocks::off_by(
                &self.clock,
                [0, 1, 0, 365, -365, 0, -1][usize::try_from(manager % 7).unwrap()],
            ),
            false => self.clock.clone(),
        }
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn calm(&self) {
        self.journal.note(|| "CALM".to_owned());
        self.is_calm.store(true, Ordering::Relaxed);
        self.clouds.values().for_each(|cloud| cloud.calm());
        self.store.calm();
        self.health.calm();
        self.ledger.lock().unwrap().calm();
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// Lets time pass, but no longer than the trouble lasts.
    pub(crate) async fn pass_in_trouble(&self, duration: Duration) {
        let mut left = duration;
        while !self.is_calm() && !left.is_zero() {
            let step = left.min(Duration::from_secs(5));
            pass(step).await;
            left -= step;
        }
    }
}

/// Lets time pass.
pub(crate) async fn pass(duration: Duration) {
    let _ = tokio::time::timeout(duration, std::future::pending::<()>()).await;
}

/// Returns a random time up to a longest one.
pub(crate) fn up_to(longest: Duration, rng: &mut Rng) -> Duration {
    match u64::try_from(longest.as_millis()).unwrap() {
        0 => Duration::ZERO,
        millis => Duration::from_millis(rng.u64(0..=millis)),
    }
}
