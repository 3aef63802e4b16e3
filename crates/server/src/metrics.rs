//! What the daemon measures, for Prometheus.
//!
//! What is so now is looked up when somebody asks; only what happens is counted here, as it becomes durable.
//! Labels take their values from the configuration and from this program, so there are only so many.

mod around;
mod catalog;
mod histogram;
mod layers;
mod numbers;
mod process;
mod render;
mod text;
mod web;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use vmpool::{
    driver::{Driver, LayerExt as _},
    layers::MetricsLayer,
    model::{PoolName, ProviderName, config::HookKind},
};

pub(crate) use self::{
    around::{MeasuredChecks, MeasuredHooks},
    layers::Calls,
    numbers::Happened,
    render::{Now, render},
    text::CONTENT_TYPE,
    web::measure,
};
use self::{layers::Layers, numbers::Numbers};

/// What the daemon has counted so far; clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    numbers: Arc<Mutex<Numbers>>,
    layers: Arc<Mutex<Layers>>,
}

impl Metrics {
    /// Puts a layer around a driver that counts its calls.
    pub(crate) fn driver(&self, provider: &ProviderName, driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        let layer: MetricsLayer = self.layers().of(provider);
        driver.layer(&layer)
    }

    /// Returns how many calls there were to a provider.
    pub(crate) fn calls(&self, provider: &ProviderName) -> Calls {
        self.layers().calls(provider)
    }

    /// Counts a commit, and what it was about if it is durable.
    pub(crate) fn commit(&self, took: Duration, happened: Option<&Happened>) {
        self.numbers().commit(took, happened);
    }

    /// Counts an answer of HTTP.
    pub(crate) fn answer(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        self.numbers().answer(method, route, status, took);
    }

    fn check(&self, pool: &PoolName, outcome: &'static str, took: Duration) {
        self.numbers().check(pool, outcome, took);
    }

    fn hook(&self, pool: &PoolName, hook: HookKind, outcome: &'static str, took: Duration) {
        self.numbers().hook(pool, hook, outcome, took);
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn layers(&self) -> MutexGuard<'_, Layers> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
