//! What a manager is told to manage, and whether that fits.

use std::{collections::BTreeMap, sync::Arc};

use vmpool_driver::Driver;
use vmpool_engine::{Engine, Reconfigure};
use vmpool_model::{
    PoolName, ProviderName,
    config::{
        ConfigTable, HookKind, HooksConfig, InvalidConfig, LimitsConfig, Misfit, PoolConfig, ProviderConfig,
        check_config,
    },
};

use crate::{Checker, HookRunner, domain::Domain, hints::Hints, view::Listings, withheld::Withheld};

/// Providers with their drivers.
pub type Drivers = BTreeMap<ProviderName, (ProviderConfig, Arc<dyn Driver>)>;

/// What a manager is told to manage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    pub(crate) pools: BTreeMap<PoolName, PoolConfig>,
    pub(crate) providers: Drivers,
    pub(crate) limits: LimitsConfig,
}

/// What carries checks and hooks out.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) checker: Arc<dyn Checker>,
    pub(crate) hooks: Arc<dyn HookRunner>,
}

/// What of a running manager can be looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) domain: &'a Domain,
    pub(crate) engine: &'a Engine,
    pub(crate) listings: &'a Listings,
    pub(crate) withheld: &'a Withheld,
    pub(crate) hints: &'a Hints,
}

/// Returns providers as an engine is told them.
pub(crate) fn configs(drivers: &Drivers) -> BTreeMap<ProviderName, ProviderConfig> {
    drivers.iter().map(|(name, (config, _))| (name.clone(), config.clone())).collect()
}

impl Setup {
    /// Checks every value, what pools refer to, what drivers can do, and whether commands are there.
    pub(crate) fn check(&self, tools: &Tools) -> Result<(), Misfit> {
        self.limits.validate().map_err(|err| Misfit::new(ConfigTable::Limits, err))?;
        check_config(&self.pools, &self.provider_configs())?;
        for (name, config) in &self.pools {
            let check = self.check_drivers(config).and_then(|()| check_tools(config, tools));
            check.map_err(|err| Misfit::new(ConfigTable::Pool(name.clone()), err))?;
        }
        Ok(())
    }

    /// Returns the providers as an engine is told them.
    pub(crate) fn provider_configs(&self) -> BTreeMap<ProviderName, ProviderConfig> {
        configs(&self.providers)
    }

    pub(crate) fn reconfigure(&self) -> Reconfigure {
        let providers = self.provider_configs();
        Reconfigure { pools: self.pools.clone(), providers, limits: self.limits.clone() }
    }

    /// Checks that nodes can be marked: a node whose creation was not answered could never be found otherwise.
    fn check_drivers(&self, config: &PoolConfig) -> Result<(), InvalidConfig> {
        for (index, offer) in config.offers().iter().enumerate() {
            let Some((_, driver)) = self.providers.get(&offer.provider) else { continue };
            if driver.capabilities().create_with_token {
                continue;
            }
            let key = match config.offers.is_empty() {
                true => "provider".to_owned(),
                false => format!("offers[{index}].provider"),
            };
            let reason = format!(
                "the driver {} of provider {} cannot put a token on a node (it lacks `create_with_token`), and a pool \
                 needs that to find its nodes again",
                driver.info().name,
                offer.provider
            );
            return Err(InvalidConfig { key: key.into(), reason });
        }
        Ok(())
    }
}

/// Checks that checks and hooks can be carried out at all.
fn check_tools(config: &PoolConfig, tools: &Tools) -> Result<(), InvalidConfig> {
    let HooksConfig { after_boot, before_release, after_destroy, .. } = &config.hooks;
    for (kind, hook) in [
        (HookKind::AfterBoot, after_boot),
        (HookKind::BeforeRelease, before_release),
        (HookKind::AfterDestroy, after_destroy),
    ] {
        if let Some(Err(reason)) = hook.as_ref().map(|hook| tools.hooks.validate(hook)) {
            return Err(InvalidConfig { key: format!("hooks.{kind}.command[0]").into(), reason });
        }
    }
    let check = tools.checker.validate(&config.check);
    check.map_err(|err| InvalidConfig { key: format!("check.{}", err.key).into(), ..err })
}
