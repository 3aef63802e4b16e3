//! The contract between vmpool and one kind of cloud.
//!
//! Whoever writes a driver needs this crate alone: implement [`Driver`] for the cloud and
//! [`DriverFactory`] for its configuration, register the factory in a [`Registry`], and run the suite
//! of `vmpool-testkit` against it.
//! Whoever uses a driver finds what is convenient in [`DriverExt`], [`HandleExt`] and on [`NodeHandle`].
//!
//! A driver never sleeps, retries or caches: a [`Layer`] around it does. The usual order is
//! metrics ∘ retry ∘ rate limit ∘ timeout ∘ driver.

mod capabilities;
mod driver;
mod error;
mod ext;
mod handle;
mod hint;
mod layer;
mod operation;
mod registry;
mod trace;
mod types;

/// Lets an `impl` of [`Driver`] or [`DriverFactory`] have `async` methods; re-exported so that a driver needs no other crate.
pub use async_trait::async_trait;
pub use vmpool_model as model;

pub use crate::{
    capabilities::Capabilities,
    driver::Driver,
    error::DriverError,
    ext::{
        AddressFamily, Connect, ConnectError, ConnectOptions, DeployError, DeployOptions, DeployProgress,
        DeployTarget, Deployment, DriverExt, FileDeployment, HandleExt, Interface, InvalidDeployment, Lookup,
        MultiStep, ScriptDeployment, Shell, ShellError, ShellOutput, SshKeyDeployment, StepError,
        UnknownInterface, WaitError, WaitOptions, quote,
    },
    handle::NodeHandle,
    hint::{Hint, HintStream},
    layer::{Layer, LayerExt},
    operation::Operation,
    registry::{DriverFactory, FactoryContext, OpenError, Pause, Registry},
    trace::{trace_with, traceparent},
    types::{Auth, Catalog, CreateRequest, DriverInfo, Listing, PowerAction, QuotaUse},
};
