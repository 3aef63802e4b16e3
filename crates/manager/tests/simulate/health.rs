//! Checks that pass, fail or hang by chance.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use fastrand::Rng;
use vmpool_manager::{CheckReport, CheckTarget, Checker};

use crate::{
    scenario::HealthLuck,
    world::{pass, up_to},
};

/// Checks VMs by rolling dice.
#[derive(Debug)]
pub(crate) struct Health {
    luck: HealthLuck,
    rng: Mutex<Rng>,
    is_calm: AtomicBool,
}

impl Health {
    pub(crate) fn new(luck: HealthLuck, rng: Rng) -> Self {
        Self { luck, rng: Mutex::new(rng), is_calm: AtomicBool::new(false) }
    }

    pub(crate) fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Checker for Health {
    async fn check(&self, _: &CheckTarget) -> Result<CheckReport, String> {
        if self.is_calm.load(Ordering::Relaxed) {
            return Ok(CheckReport::default());
        }
        let (takes, hangs, fails) = {
            let mut rng = self.rng.lock().unwrap();
            (up_to(self.luck.slowest, &mut rng), rng.f64() < self.luck.hangs, rng.f64() < self.luck.fails)
        };
        pass(takes).await;
        match (hangs, fails) {
            (true, _) => std::future::pending().await,
            (_, true) => Err("the dice say so".to_owned()),
            _ => Ok(CheckReport::default()),
        }
    }
}
