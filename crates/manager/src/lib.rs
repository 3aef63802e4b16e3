//! Carries out what the engine decides: one loop that owns the records of a domain.
//!
//! A [`Manager`] takes a store, providers with their drivers, and pools. Its loop takes all waiting
//! inputs, steps the engine for each, commits what was decided in one durable batch, answers, and then
//! calls the providers. A [`ManagerHandle`] is how everybody else speaks to it.
//!
//! | what | for |
//! |---|---|
//! | [`Manager::builder`] | saying what to manage, and starting |
//! | [`ManagerHandle`] | acquiring, renewing, releasing, looking |
//! | [`Clock`], [`Checker`], [`HookRunner`] | bringing your own time, health checks, or runner of hooks |
//!
//! # Examples
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
//! use vmpool_manager::{Manager, store::MemoryStore};
//! use vmpool_manager::model::{Acquire, config::{PoolConfig, ProviderConfig}};
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let driver = DummyDriver::new(DummyCloud::in_memory(DummyConfig::default())?);
//! let manager = Manager::builder(Arc::new(MemoryStore::new()))
//!     .provider("lab".parse()?, ProviderConfig::new("dummy"), Arc::new(driver))
//!     .pool("small".parse()?, PoolConfig::new("lab".parse()?, "small-template", 2))
//!     .start().await?;
//! let handle = manager.handle();
//! let request = Acquire::new("build-17".parse()?, "small".parse()?, "me".parse()?);
//! let grant = handle.acquire(request.with_wait(Duration::from_secs(60))).await?;
//! assert!(!grant.node.addresses.is_empty());
//! handle.release(grant.lease.id).await?;
//! handle.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Contract
//!
//! * What was answered is durable, and no effect begins before its record is.
//! * The last request of a client that got no answer can be repeated with the same request id.
//! * A driver that hangs or panics delays or breaks nothing but its own call.
//! * After a failed commit nothing in memory is believed: the engine is made anew of the records.
//! * A manager whose domain another one took over stops and writes nothing.

mod builder;
mod carry_out;
mod check;
mod clock;
mod command;
mod domain;
mod effects;
mod error;
mod handle;
mod hints;
mod hooks;
mod lookup;
mod manager;
mod newest;
mod notice;
mod restore;
mod run;
mod setup;
mod start;
mod store_call;
mod turn;
mod view;
mod waiters;
mod wake;
mod withheld;

pub use vmpool_driver as driver;
pub use vmpool_engine::{
    CheckReport, Explanation, Grant, HookRun, Limit, MassLossView, Obstacle, OwnerLimitView, PoolView,
    ProviderView, Refusal, StockView, Stranger,
};
pub use vmpool_model as model;
pub use vmpool_store as store;

pub use crate::{
    builder::ManagerBuilder,
    check::{CheckTarget, Checker, NetworkChecker},
    clock::{Clock, SystemClock},
    command::find_program,
    error::{ManagerError, StartError, StopError},
    handle::{ManagerHandle, Renewed, VmQuery, VmStatus},
    hints::EventStream,
    hooks::{CommandHooks, HookRunner},
    manager::Manager,
    notice::Notice,
    setup::Drivers,
    view::{PoolStatus, ProviderStatus, View},
};
