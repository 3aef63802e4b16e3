//! A cloud in memory: for trying vmpool out, and for testing whatever uses a cloud.
//!
//! A [`DummyCloud`] holds nodes that boot, run, stop and die by the time of an injected clock; a
//! [`DummyDriver`] speaks to it as any driver does to its cloud. It can be slow, have a quota, lose
//! answers, show half of its nodes or leave half-made ones behind, all from one seed ([`DummyConfig`],
//! [`FaultConfig`]) or by script ([`DummyCloud::fail_next`]), and one can look into it and see what it was asked.
//! With [`DummyConfig::path`] it is in a file and outlives its process; [`DummyCloud::read`] looks into it from another one.
//! [`DummyDriver::libcloud`] behaves as libcloud's dummy driver does.
//!
//! ```
//! use vmpool_driver::{CreateRequest, Driver, Operation};
//! use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver, Fault};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let cloud = DummyCloud::in_memory(DummyConfig::default())?;
//! let driver = DummyDriver::new(cloud.clone());
//! cloud.fail_next(Operation::Create, Fault::LostAnswer);
//! assert!(driver.create(&CreateRequest::new("small")).await.is_err());
//! assert_eq!(cloud.nodes().len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod call;
mod clock;
mod cloud;
mod config;
mod create;
mod creds;
mod driver;
mod factory;
mod faults;
mod hints;
mod history;
mod journal;
mod libcloud;
mod machine;
mod nodes;
mod state;

pub use crate::{
    clock::Clock,
    cloud::{CloudError, Death, DummyCloud},
    config::{DummyConfig, Feature},
    creds::{Creds, InvalidCreds},
    driver::DummyDriver,
    factory::{factory, factory_of},
    faults::{Fault, FaultConfig},
    history::{Call, Outcome},
    journal::JournalError,
    libcloud::libcloud_v1_uuid,
};
