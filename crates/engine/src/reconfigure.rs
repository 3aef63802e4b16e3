//! Another configuration takes the place of the one before, in one step or not at all.

use std::{collections::BTreeMap, sync::Arc};

use vmpool_model::{
    EventKind, PoolName, ProviderName,
    config::{ConfigTable, LimitsConfig, Misfit, PoolConfig, ProviderConfig, check_config},
};

use crate::{
    Answer, Engine, Reconfigure, Refusal, first_listing::Unlisted, pool::Pool, provider::Provider,
    timers::Timer, unrecorded::Unrecorded,
};

impl Reconfigure {
    /// Checks every value, and what pools refer to.
    ///
    /// # Errors
    ///
    /// The first thing that does not fit, and where it is.
    pub fn check(&self) -> Result<(), Misfit> {
        self.limits.validate().map_err(|err| Misfit::new(ConfigTable::Limits, err))?;
        check_config(&self.pools, &self.providers)
    }
}

/// What a new configuration changes, by name.
#[derive(Debug, Default)]
struct News {
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
}

impl News {
    /// Says what changed, for people; nothing if nothing did.
    fn told(&self) -> Option<String> {
        let parts = [("added", &self.added), ("changed", &self.changed), ("removed", &self.removed)];
        let parts = parts.into_iter().filter(|(_, names)| !names.is_empty());
        let parts: Vec<_> = parts.map(|(what, names)| format!("{what} {}", names.join(", "))).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl Engine {
    /// Takes another configuration in: it counts for all decisions to come, and ends no lease.
    pub(crate) fn reconfigure(&mut self, to: Reconfigure) -> Answer {
        if let Err(misfit) = to.check() {
            return Answer::Refused(Refusal::InvalidConfig(misfit));
        }
        let Reconfigure { pools, providers, limits } = to;
        let mut news = News::default();
        self.change_providers(providers, &mut news);
        self.change_pools(pools, &mut news);
        self.change_limits(limits, &mut news);
        let Some(detail) = news.told() else { return Answer::Accepted };
        self.count_unreadable();
        self.event(EventKind::ConfigChanged, |event| event.detail = detail);
        self.requeue_all();
        Answer::Accepted
    }

    fn change_limits(&mut self, limits: LimitsConfig, news: &mut News) {
        if self.spec.limits != limits {
            self.spec.limits = limits;
            news.changed.push(ConfigTable::Limits.to_string());
            self.touched.extend(self.pools.keys().cloned());
        }
    }

    fn change_providers(&mut self, to: BTreeMap<ProviderName, ProviderConfig>, news: &mut News) {
        for (name, config) in &to {
            let table = ConfigTable::Provider(name.clone()).to_string();
            match self.providers.get_mut(name) {
                Some(provider) if provider.config == *config && provider.retired_at.is_none() => continue,
                Some(provider) => {
                    let before = std::mem::replace(&mut provider.config, config.clone());
                    match provider.retired_at.take() {
                        Some(_) => news.added.push(table),
                        None => news.changed.push(table),
                    }
                    if (&before.driver, &before.options) != (&config.driver, &config.options) {
                        (provider.listing, provider.list_again) = (None, false);
                        provider.glances.clear();
                        provider.orphans.clear();
                        provider.gate.unrecorded = Unrecorded::default();
                        provider.gate.unlisted = Some(Unlisted::new(self.now));
                        self.meet_again(name);
                    }
                }
                None => {
                    self.add_provider(name, config.clone());
                    news.added.push(table);
                }
            }
            // What it can be asked for, and how much of it, may be another thing now.
            let is_its = |pool: &Pool| pool.offers.iter().any(|offer| offer.config.provider == *name);
            let pools = self.pools.iter().filter(|(_, pool)| is_its(pool)).map(|(pool, _)| pool.clone());
            self.touched.extend(pools);
            if self.providers.get(name).is_some_and(|provider| provider.listing.is_none()) {
                self.timers.set(Timer::Provider(name.clone()), Some(self.now));
            }
        }
        let is_gone = |(name, provider): &(&ProviderName, &Provider)| {
            provider.retired_at.is_none() && !to.contains_key(*name)
        };
        let gone: Vec<_> = self.providers.iter().filter(is_gone).map(|(name, _)| name.clone()).collect();
        self.spec.providers = to;
        for name in gone {
            news.removed.push(ConfigTable::Provider(name.clone()).to_string());
            self.retire_provider(&name);
        }
    }

    /// Adds a provider; the VMs that were there before go on as after a start.
    fn add_provider(&mut self, name: &ProviderName, config: ProviderConfig) {
        self.providers.insert(name.clone(), Provider::new(config, self.spec.seed, self.now));
        self.refloat(name);
        for vm in self.vms_at(name) {
            self.bind_known(&vm);
            if let (Some(vm), Some(provider)) = (self.vms.get(&vm), self.providers.get_mut(name)) {
                provider.gate.count_in(&vm.record);
            }
        }
        self.meet_again(name);
    }

    /// Lets the VMs at a provider go on as after a start: whoever is asked from now on may be another one, and nothing that
    /// was said before proves anything of what that one has.
    fn meet_again(&mut self, name: &ProviderName) {
        let now = self.moment();
        for vm in self.vms_at(name) {
            if let Some(vm) = self.vms.get_mut(&vm) {
                (vm.may_exist, vm.asked_at, vm.absent, vm.destroyed_at) = (true, now, None, None);
                vm.spared_until = now.at + self.spec.restart_grace;
            }
            self.look_again(&vm);
            self.timers.set(Timer::Vm(vm), Some(now.at));
        }
    }

    fn change_pools(&mut self, to: BTreeMap<PoolName, PoolConfig>, news: &mut News) {
        for (name, config) in &to {
            let table = ConfigTable::Pool(name.clone()).to_string();
            match self.pools.get(name) {
                Some(pool) if pool.retired => news.added.push(table),
                Some(pool) if *pool.config == *config => continue,
                Some(_) => news.changed.push(table),
                None => {
                    self.pools.insert(name.clone(), Pool::new(config.clone(), false));
                    self.wake_pool(name);
                    news.added.push(table);
                }
            }
            self.change_pool(name, config.clone());
        }
        let is_gone = |(name, pool): &(&PoolName, &Pool)| !pool.retired && !to.contains_key(*name);
        let gone: Vec<_> = self.pools.iter().filter(is_gone).map(|(name, _)| name.clone()).collect();
        self.spec.pools = to;
        for name in gone {
            news.removed.push(ConfigTable::Pool(name.clone()).to_string());
            self.remove_pool(&name);
        }
    }

    /// Gives a pool and its VMs another configuration.
    fn change_pool(&mut self, name: &PoolName, config: PoolConfig) {
        let vms = self.vms_of(name);
        self.give_left_room_back(name);
        let Some(pool) = self.pools.get_mut(name) else { return };
        let its = || vms.iter().filter_map(|vm| self.vms.get(vm));
        // Each VM counts with the offer that it is of; which that is may be another one now.
        its().for_each(|vm| pool.count_out(&vm.record, vm.stale));
        pool.change(config);
        its().for_each(|vm| pool.count_in(&vm.record, vm.stale));
        let config = Arc::clone(&pool.config);
        pool.removed_at = None;
        self.put_pool(name);
        for vm in vms {
            if let Some(vm) = self.vms.get_mut(&vm) {
                // Whoever passed another check passed none.
                vm.passed_at = vm.passed_at.filter(|_| vm.config.check == config.check);
                vm.config = Arc::clone(&config);
            }
            self.advance(&vm);
        }
        self.touched.insert(name.clone());
    }

    /// Takes a pool out of the configuration: its leases run out, and what nobody uses is destroyed.
    fn remove_pool(&mut self, name: &PoolName) {
        let now = self.now;
        let Some(pool) = self.pools.get_mut(name) else { return };
        pool.retired = true;
        if pool.records() == 0 {
            return self.drop_pool(name);
        }
        pool.removed_at = Some(now);
        self.put_pool(name);
        self.advance_all_of(name);
        self.touched.insert(name.clone());
    }
}
