//! What a pool and a provider can be told.

mod check;
mod options;
mod pool;
mod provider;

pub use self::{
    check::CheckConfig,
    options::DriverOptions,
    pool::{InvalidConfig, OnRelease, PoolConfig},
    provider::ProviderConfig,
};
