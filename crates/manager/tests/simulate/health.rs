//! Checks and hooks that pass, fail or hang by chance.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use fastrand::Rng;
use vmpool_manager::{CheckReport, CheckTarget, Checker, HookRun, HookRunner, model::config::HookKind};

use crate::{
    ledger::Ledger,
    scenario::HealthLuck,
    world::{pass, up_to},
};

/// Checks VMs and runs hooks by rolling dice.
#[derive(Debug)]
pub(crate) struct Health {
    luck: HealthLuck,
    rng: Mutex<Rng>,
    is_calm: AtomicBool,
    ledger: Arc<Mutex<Ledger>>,
}

impl Health {
    pub(crate) fn new(luck: HealthLuck, ledger: &Arc<Mutex<Ledger>>, rng: Rng) -> Self {
        Self { luck, rng: Mutex::new(rng), is_calm: AtomicBool::new(false), ledger: Arc::clone(ledger) }
    }

    async fn roll(&self) -> Result<(), String> {
        if self.is_calm.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (takes, hangs, fails) = {
            let mut rng = self.rng.lock().unwrap();
            (up_to(self.luck.slowest, &mut rng), rng.f64() < self.luck.hangs, rng.f64() < self.luck.fails)
        };
        pass(takes).await;
        match (hangs, fails) {
            (true, _) => std::future::pending().await,
            (_, true) => Err("the dice say so".to_owned()),
            _ => Ok(()),
        }
    }

    pub(crate) fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Checker for Health {
    async fn check(&self, _: &CheckTarget) -> Result<CheckReport, String> {
        self.roll().await.map(|()| CheckReport::default())
    }
}

#[async_trait]
impl HookRunner for Health {
    async fn run(&self, run: &HookRun) -> Result<(), String> {
        self.roll().await?;
        if run.kind == HookKind::BeforeRelease {
            self.ledger.lock().unwrap().clean(&run.vm.name);
        }
        Ok(())
    }
}
