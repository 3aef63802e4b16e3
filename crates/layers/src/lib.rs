//! What is put around a driver: limits, retries, metrics, traces.
//!
//! A driver makes one attempt per call and neither waits nor repeats; these layers do that for all drivers alike.
//! Every layer is itself a driver that forwards every method.
//!
//! | layer | what it adds |
//! |---|---|
//! | [`TimeoutLayer`] | each call ends within a limit |
//! | [`RetryLayer`] | a call that certainly had no effect is repeated after a growing pause |
//! | [`RateLimitLayer`] | calls begin at a steady rate, and a provider that asks for it is left alone |
//! | [`ConcurrencyLayer`] | only so many calls are under way at once |
//! | [`MetricsLayer`] | calls are counted by operation and outcome, with their durations |
//! | [`TracingLayer`] | each call is one span and one event: operation, outcome, duration |
//!
//! # Order
//!
//! The layer that is added last is the outermost, and the right order is *tracing outside retry outside timeout*:
//! each attempt has a limit of its own, and a trace shows a call as its caller sees it.
//! With all of them it is tracing ∘ metrics ∘ retry ∘ rate limit ∘ concurrency ∘ timeout ∘ driver.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use vmpool_driver::{Driver, LayerExt, Operation, model::ProviderName};
//! use vmpool_layers::{RetryLayer, TimeoutLayer, TracingLayer};
//! use vmpool_testkit::fault::{Fault, FaultLayer};
//! # use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let cloud: Arc<dyn Driver> = Arc::new(DummyDriver::new(DummyCloud::in_memory(DummyConfig::default())?));
//! let faults = FaultLayer::new();
//! let driver = cloud
//!     .layer(&faults)
//!     .layer(&TimeoutLayer::new(Duration::from_secs(60)))
//!     .layer(&RetryLayer::new(7))
//!     .layer(&TracingLayer::new(ProviderName::new("lab")?));
//!
//! faults.fail_next(Operation::List, Fault::Hang);
//! assert!(driver.list().await?.is_complete(), "the first attempt ended after 60 s, the second worked");
//! # Ok(())
//! # }
//! ```
//!
//! With the timeout outside, one attempt that hangs uses up the time of all of them, and nothing is ever repeated:
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use vmpool_driver::{Driver, LayerExt, Operation, model::FailureKind};
//! # use vmpool_layers::{RetryLayer, TimeoutLayer};
//! # use vmpool_testkit::fault::{Fault, FaultLayer};
//! # use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let cloud: Arc<dyn Driver> = Arc::new(DummyDriver::new(DummyCloud::in_memory(DummyConfig::default())?));
//! # let faults = FaultLayer::new();
//! let wrong = cloud
//!     .layer(&faults)
//!     .layer(&RetryLayer::new(7))
//!     .layer(&TimeoutLayer::new(Duration::from_secs(60)));
//!
//! faults.fail_next(Operation::List, Fault::Hang);
//! assert_eq!(wrong.list().await.err().map(|err| err.kind()), Some(FailureKind::Timeout));
//! assert_eq!(faults.calls(), [Operation::List], "there was no second attempt");
//! # Ok(())
//! # }
//! ```

mod around;
mod backoff;
mod concurrency;
mod metrics;
mod rate;
mod retry;
mod timeout;
mod tracing;

pub use crate::{
    concurrency::ConcurrencyLayer,
    metrics::{BUCKETS_MS, CallMetrics, MetricsLayer},
    rate::RateLimitLayer,
    retry::RetryLayer,
    timeout::TimeoutLayer,
    tracing::TracingLayer,
};
