//! Triton CloudAPI over REST with HTTP signatures: a complete client for machines, and a driver for pools.
//!
//! A [`DataCenter`] is where an account has its machines; a [`Machine`] is one of them, with everything that can be done with it.
//! Both are usable without any pool. [`sign`] signs requests, with keys from files or from an ssh-agent; [`types`] is what the
//! server sends and takes. A [`CloudApiDriver`] makes both usable for pools; [`factory`] makes it of a configuration.
//! A [`CloudApiError`] says what failed, why, and whether it may have happened.
//!
//! ```
//! use vmpool_cloudapi::{CloudApiConfig, DataCenter, KeySource, types::CreateMachine};
//!
//! /// Makes a machine and lists all.
//! async fn first_machine(datacenter: &DataCenter) -> Result<usize, vmpool_cloudapi::CloudApiError> {
//!     let request = CreateMachine::new("sample-1G", "2b683a82-a066-11e3-97ab-2faa44701c5a").with_tag("role", "web");
//!     let machine = datacenter.create_machine(&request).await?;
//!     assert!(machine.tags.contains_key("role"));
//!     Ok(datacenter.machines(&Default::default()).await?.len())
//! }
//! # fn main() {}
//! ```

mod client;
mod driver;
mod machine;
pub mod sign;
pub mod types;

#[cfg(feature = "events")]
pub use crate::client::{Changefeed, MachineChange};
pub use crate::{
    client::{
        Clock, CloudApiConfig, CloudApiError, ConfigError, DataCenter, FieldError, KeySource, MachineFilter,
        Profile, ProfileError, system_clock,
    },
    driver::{CloudApiDriver, CloudApiOptions, Template, factory},
    machine::{Machine, Snapshot, WaitError, WaitOptions},
};
