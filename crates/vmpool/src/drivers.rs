//! The drivers that are built in, and opening one with the usual layers.

use std::{sync::Arc, time::Duration};

use vmpool_driver::{Driver, FactoryContext, LayerExt, OpenError, Pause, Registry};
use vmpool_layers::{RateLimitLayer, RetryLayer, TimeoutLayer, TracingLayer};
use vmpool_model::{
    ProviderName,
    config::{DriverOptions, ProviderConfig},
};

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
    #[cfg(feature = "cloudapi")]
    let registry = registry.with(vmpool_cloudapi::factory());
    #[cfg(feature = "opennebula")]
    let registry = registry.with(vmpool_opennebula::driver::factory());
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
    let Opening { driver, options, request_timeout, rate } = Opening::of(config);
    let factory = registry.get(driver)?;
    let context = FactoryContext::new(provider.clone()).with_pause(pause());
    let driver = factory.open(context, options).await?;
    let driver = driver.layer(&TimeoutLayer::new(request_timeout));
    let driver = match rate {
        Some(Rate { interval, burst }) => {
            driver.layer(&RateLimitLayer::new(interval, burst).with_max_wait(request_timeout / 2))
        }
        None => driver,
    };
    Ok(driver.layer(&RetryLayer::new(fastrand::u64(..))).layer(&TracingLayer::new(provider.clone())))
}

/// Returns whether a driver that was [opened](open) for one configuration is as good for another one.
///
/// What only the manager looks at, such as how often nodes are listed, does not matter.
#[must_use]
pub fn is_same(before: &ProviderConfig, after: &ProviderConfig) -> bool {
    Opening::of(before) == Opening::of(after)
}

/// What a driver is opened with. It is all that [`open`] sees of a configuration, so that [`is_same`] misses nothing.
#[derive(Debug, PartialEq)]
struct Opening<'a> {
    driver: &'a str,
    options: &'a DriverOptions,
    request_timeout: Duration,
    rate: Option<Rate>,
}

/// How fast requests of the account begin, all pools together.
#[derive(Debug, PartialEq)]
struct Rate {
    interval: Duration,
    burst: u32,
}

impl<'a> Opening<'a> {
    fn of(config: &'a ProviderConfig) -> Self {
        let ProviderConfig { driver, options, request_timeout, rate, burst, .. } = config;
        // A rate that is all but 0 is one request, and then none.
        let interval = |rate: f64| Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::MAX);
        let rate = rate.map(|rate| Rate { interval: interval(rate), burst: *burst });
        Self { driver, options, request_timeout: *request_timeout, rate }
    }
}

/// Returns the wait that drivers and deployments are lent: on tokio's clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "drivers know no runtime; this is the wait that they are lent")]
pub fn pause() -> Pause {
    Arc::new(|duration| Box::pin(tokio::time::sleep(duration)))
}
