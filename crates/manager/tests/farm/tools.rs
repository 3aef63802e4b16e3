//! Checks and hooks: they take their time, and seldom fail.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use fastrand::Rng;
use vmpool_manager::{
    CheckReport, CheckTarget, Checker, HookRun, HookRunner,
    model::config::{HookConfig, HookKind},
};

use crate::{ledger::Ledger, plan::seconds, world::pass};

/// Checks VMs and runs hooks.
#[derive(Debug)]
pub(crate) struct Tools {
    rng: Mutex<Rng>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Tools {
    pub(crate) fn new(ledger: &Arc<Mutex<Ledger>>, rng: Rng) -> Self {
        Self { rng: Mutex::new(rng), ledger: Arc::clone(ledger) }
    }

    /// Takes up to some time; fails seldom.
    async fn work(&self, longest: Duration) -> Result<(), String> {
        let (takes, fails) = {
            let mut rng = self.rng.lock().unwrap();
            (longest.mul_f64(rng.f64()), rng.f64() < 0.001)
        };
        pass(takes).await;
        if fails { Err("the dice say so".to_owned()) } else { Ok(()) }
    }
}

#[async_trait]
impl Checker for Tools {
    async fn check(&self, _: &CheckTarget) -> Result<CheckReport, String> {
        self.work(Duration::from_millis(500)).await.map(|()| CheckReport::default())
    }
}

#[async_trait]
impl HookRunner for Tools {
    async fn run(&self, run: &HookRun) -> Result<(), String> {
        self.work(seconds(5)).await?;
        if run.kind == HookKind::BeforeRelease {
            self.ledger.lock().unwrap().cleaned(&run.vm.name);
        }
        Ok(())
    }

    fn validate(&self, _: &HookConfig) -> Result<(), String> {
        Ok(())
    }
}
