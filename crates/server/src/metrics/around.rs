//! Measuring health checks and hooks.

use async_trait::async_trait;
use tokio::time::Instant;
use vmpool::{
    engine::HookRun,
    manager::{CheckReport, CheckTarget, Checker, CommandHooks, HookRunner, NetworkChecker},
    model::{
        PoolName,
        config::{CheckConfig, HookConfig, HookKind, InvalidConfig},
    },
};

use super::Metrics;

/// Does the checks of the manager, and measures them.
#[derive(Debug)]
pub(crate) struct MeasuredChecks {
    inner: NetworkChecker,
    metrics: Metrics,
}

impl MeasuredChecks {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { inner: NetworkChecker::new(), metrics }
    }
}

#[async_trait]
impl Checker for MeasuredChecks {
    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
        let mut measured = Measured::begin(&self.metrics, &target.pool, None);
        let report = self.inner.check(target).await;
        measured.outcome = if report.is_ok() { "passed" } else { "failed" };
        report
    }

    fn validate(&self, check: &CheckConfig) -> Result<(), InvalidConfig> {
        self.inner.validate(check)
    }
}

/// Runs the hooks of the manager, and measures them.
#[derive(Debug)]
pub(crate) struct MeasuredHooks {
    inner: CommandHooks,
    metrics: Metrics,
}

impl MeasuredHooks {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { inner: CommandHooks::new(), metrics }
    }
}

#[async_trait]
impl HookRunner for MeasuredHooks {
    async fn run(&self, run: &HookRun) -> Result<(), String> {
        let mut measured = Measured::begin(&self.metrics, &run.vm.pool, Some(run.kind));
        let end = self.inner.run(run).await;
        measured.outcome = if end.is_ok() { "ok" } else { "failed" };
        end
    }

    fn validate(&self, hook: &HookConfig) -> Result<(), String> {
        self.inner.validate(hook)
    }
}

/// Counts a check or a hook when it ends, also if it is given up.
struct Measured<'a> {
    metrics: &'a Metrics,
    pool: &'a PoolName,
    hook: Option<HookKind>,
    outcome: &'static str,
    began: Instant,
}

impl<'a> Measured<'a> {
    fn begin(metrics: &'a Metrics, pool: &'a PoolName, hook: Option<HookKind>) -> Self {
        Self { metrics, pool, hook, outcome: "canceled", began: Instant::now() }
    }
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        match self.hook {
            Some(hook) => self.metrics.hook(self.pool, hook, self.outcome, took),
            None => self.metrics.check(self.pool, self.outcome, took),
        }
    }
}
