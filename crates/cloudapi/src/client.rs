//! A data center: who is asked, by whom, and how.

mod account;
mod call;
mod catalog;
#[cfg(feature = "events")]
mod changefeed;
mod clock;
mod config;
mod datacenter;
mod env;
mod error;
mod firewall;
mod machines;
mod paging;
mod profile;

pub(crate) use self::call::{Call, decode};
#[cfg(feature = "events")]
pub use self::changefeed::{Changefeed, MachineChange};
pub use self::{
    clock::{Clock, system_clock},
    config::{CloudApiConfig, ConfigError, KeySource},
    datacenter::DataCenter,
    error::{CloudApiError, FieldError},
    machines::MachineFilter,
    profile::{Profile, ProfileError},
};
