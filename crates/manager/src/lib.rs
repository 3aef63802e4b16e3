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
//! | [`Clock`], [`Checker`] | bringing your own time, or your own health checks |

mod builder;
mod carry_out;
mod check;
mod clock;
mod domain;
mod effects;
mod error;
mod handle;
mod manager;
mod newest;
mod restore;
mod run;
mod start;
mod store_call;
mod turn;
mod view;
mod waiters;
mod wake;

pub use vmpool_driver as driver;
pub use vmpool_engine::{Grant, PoolView, Refusal};
pub use vmpool_model as model;
pub use vmpool_store as store;

pub use crate::{
    builder::ManagerBuilder,
    check::{CheckTarget, Checker, NetworkChecker},
    clock::{Clock, SystemClock},
    error::{ManagerError, StartError, StopError},
    handle::ManagerHandle,
    manager::Manager,
    view::{Notice, PoolStatus, ProviderStatus, View},
};
