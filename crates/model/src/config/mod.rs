//! What a pool, a provider and the owners of a domain can be told.

mod capacity;
mod check;
mod doubts;
mod hooks;
mod limits;
mod offer;
mod options;
mod pool;
mod provider;
mod stock;
mod validate;
mod whole;

pub(crate) use self::pool::defaults;
pub use self::{
    check::{CheckConfig, CheckMode, HttpCheck, SshCheck},
    doubts::doubts,
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
