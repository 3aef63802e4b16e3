//! The drivers that are built in, and opening one with the usual layers.

use std::{sync::Arc, time::Duration};

use vmpool_driver::{Driver, FactoryContext, LayerExt, OpenError, Pause, Registry};
use vmpool_layers::{RateLimitLayer, RetryLayer, TimeoutLayer, TracingLayer};
use vmpool_model::{ProviderName, config::ProviderConfig};

/// Returns a registry of all drivers that the features of this crate build in.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "dummy")]
/// assert!(vmpool::drivers::builtin().names().any(|name| name == "dummy"));
/// ```
#[must_use]
pub fn builtin() -> Registry {
    let registry = Registry::new();
    #[cfg(feature = "dummy")]
    let registry = registry.with(vmpool_dummy::factory());
    registry
}

/// Opens the driver of a provider and puts the usual layers around it: tracing ∘ retry ∘ rate limit ∘ timeout ∘ driver.
///
/// Each attempt has the provider's `request_timeout`; what certainly had no effect is tried again. If the provider has a
/// `rate`, attempts begin no faster, whatever they are for; one whose turn would come only after half of the
/// `request_timeout` fails at once, and nothing was asked for.
/// Calls of the driver need a tokio runtime with time.
///
/// # Errors
///
/// [`OpenError`] if there is no such driver, its options do not fit, or the cloud cannot be used.
pub async fn open(
    registry: &Registry,
    provider: &ProviderName,
    config: &ProviderConfig,
) -> Result<Arc<dyn Driver>, OpenError> {
    let factory = registry.get(&config.driver)?;
    let context = FactoryContext::new(provider.clone()).with_pause(pause());
    let driver = factory.open(context, &config.options).await?;
    let driver = driver.layer(&TimeoutLayer::new(config.request_timeout));
    let driver = match config.rate {
        Some(rate) => driver.layer(&rate_limit(rate, config)),
        None => driver,
    };
    Ok(driver.layer(&RetryLayer::new(fastrand::u64(..))).layer(&TracingLayer::new(provider.clone())))
}

/// Returns whether a driver that was [opened](open) for one configuration is as good for another one.
///
/// What only the manager looks at, such as how often nodes are listed, does not matter.
#[must_use]
pub fn is_same(before: &ProviderConfig, after: &ProviderConfig) -> bool {
    let opened_for = |config: &ProviderConfig| {
        let ProviderConfig { driver, options, request_timeout, rate, burst, .. } = config;
        (driver.clone(), options.clone(), *request_timeout, rate.map(|rate| (rate, *burst)))
    };
    opened_for(before) == opened_for(after)
}

/// Limits how fast requests of the account begin, all pools together.
fn rate_limit(rate: f64, config: &ProviderConfig) -> RateLimitLayer {
    // A rate that is all but 0 is one request, and then none.
    let interval = Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::MAX);
    RateLimitLayer::new(interval, config.burst).with_max_wait(config.request_timeout / 2)
}

/// Returns the wait that drivers and deployments are lent: on tokio's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "drivers know no runtime; this is the wait that they are lent")]
pub fn pause() -> Pause {
    Arc::new(|duration| Box::pin(tokio::time::sleep(duration)))
}
