//! What a pool, a provider and the owners of a domain can be told.

mod check;
mod hooks;
mod limits;
mod offer;
mod options;
mod pool;
mod provider;
mod stock;
mod validate;
mod whole;

pub use self::{
    check::{CheckConfig, CheckMode, HttpCheck, SshCheck},
    hooks::{HookConfig, HookKind, HooksConfig},
    limits::{LimitsConfig, OwnerLimits},
    offer::OfferConfig,
    options::DriverOptions,
    pool::{OnExpiry, OnRelease, PoolConfig},
    provider::ProviderConfig,
    stock::{Day, DemandConfig, InvalidTimeOfDay, ScheduleConfig, TimeOfDay},
    validate::InvalidConfig,
    whole::{ConfigTable, Misfit, check_config, misfits},
};
