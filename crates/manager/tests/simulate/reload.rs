//! Somebody who edits the configuration while the manager runs: pools and providers are removed, changed and brought back, limits
//! become others, and now and then the new configuration is broken.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fastrand::Rng;
use tokio::time::Instant;
use vmpool_manager::{
    Drivers, ManagerError, ManagerHandle, Refusal,
    model::{
        PoolName, ProviderName,
        config::{LimitsConfig, OfferConfig, OwnerLimits, PoolConfig, ProviderConfig},
    },
};

use crate::{
    offers,
    scenario::{Scenario, limits, seconds},
    world::{World, pass},
};

/// How long an answer to a reload is waited for.
const PATIENCE: u64 = 60;
/// How long the VMs at a provider may be there that left the configuration, once nothing goes wrong any more.
const LAST: u64 = 1800;

/// What a manager is told to manage.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) pools: BTreeMap<PoolName, PoolConfig>,
    pub(crate) providers: BTreeMap<ProviderName, ProviderConfig>,
    pub(crate) limits: LimitsConfig,
}

impl Config {
    /// Returns what a life begins with.
    pub(crate) fn first(scenario: &Scenario) -> Self {
        let providers = scenario.providers.iter();
        Self {
            pools: scenario.pools.clone(),
            providers: providers.map(|(name, provider)| (name.clone(), provider.config.clone())).collect(),
            limits: scenario.limits.clone(),
        }
    }

    /// Makes another configuration, under whose quotas everything can come to rest as well.
    fn change(&mut self, first: &Self, rng: &mut Rng) {
        match rng.u32(0..6) {
            0 => self.limits = limits(rng),
            1 => self.change_provider(first, rng),
            2 => self.change_providers(first, rng),
            _ => self.change_pool(first, rng),
        }
        self.tidy(first);
    }

    /// Leaves out what refers to what there is not.
    fn tidy(&mut self, first: &Self) {
        let providers = &self.providers;
        self.pools.retain(|name, pool| {
            let is_new = |offer: &&OfferConfig| pool.offers.iter().all(|its| its.provider != offer.provider);
            let back: Vec<_> = first.pools[name].offers.iter().filter(is_new).cloned().collect();
            pool.offers.extend(back);
            pool.offers.retain(|offer| providers.contains_key(&offer.provider));
            match &pool.provider {
                Some(provider) => providers.contains_key(provider),
                None => !pool.offers.is_empty(),
            }
        });
        let names: Vec<_> = self.pools.keys().cloned().collect();
        for config in self.pools.values_mut() {
            config.fallback = config.fallback.take().filter(|fallback| names.contains(fallback));
        }
    }

    /// Removes a provider with all that needs it, or brings one back.
    fn change_providers(&mut self, first: &Self, rng: &mut Rng) {
        let name = rng.choice(first.providers.keys()).unwrap();
        let mut without = self.clone();
        match without.providers.remove(name) {
            None => drop(self.providers.insert(name.clone(), first.providers[name].clone())),
            Some(_) => {
                without.tidy(first);
                if !without.pools.is_empty() {
                    *self = without;
                }
            }
        }
    }

    fn change_pool(&mut self, first: &Self, rng: &mut Rng) {
        let name = rng.choice(first.pools.keys()).unwrap();
        match (self.pools.remove(name), rng.u32(0..3)) {
            (Some(_), 0) if !self.pools.is_empty() => {}
            (None, _) => drop(self.pools.insert(name.clone(), first.pools[name].clone())),
            (Some(mut config), _) => {
                offers::vary(&mut config, &first.pools[name], rng);
                self.pools.insert(name.clone(), config);
            }
        }
    }

    fn change_provider(&mut self, first: &Self, rng: &mut Rng) {
        let name = rng.choice(first.providers.keys()).unwrap();
        let Some(config) = self.providers.get_mut(name) else { return };
        config.list_interval = seconds(rng.u64(2..=10));
        config.missing_grace = seconds(rng.u64(0..=30));
        for (resource, most) in &mut config.quota {
            *most = first.providers[name].quota[resource] + rng.u64(0..3);
        }
    }

    /// Breaks something.
    fn spoil(&mut self, rng: &mut Rng) {
        let mut pools: Vec<_> = self.pools.values_mut().collect();
        let Some(pool) = rng.choice(&mut pools) else { return };
        match rng.u32(0..5) {
            0 => pool.fallback = Some(PoolName::new("nowhere").unwrap()),
            1 => {
                (pool.provider, pool.template) = (ProviderName::new("nowhere").ok(), Some("none".to_owned()));
                pool.offers.clear();
            }
            2 => pool.min_ready = pool.max_total() + 1,
            3 => drop(self.providers.remove(&pool.offers()[0].provider)),
            _ => {
                let mut spoiled = OwnerLimits::default();
                spoiled.weight = 0;
                self.limits.owners.insert("ann".parse().unwrap(), spoiled);
            }
        }
    }
}

/// Edits the configuration until calm comes.
pub(crate) async fn edit(world: Arc<World>, mut rng: Rng) {
    let (pause, first) = (world.scenario.reload_pause, Config::first(&world.scenario));
    let mut removed = BTreeMap::new();
    while pause != 0 && !world.is_calm() {
        world.pass_in_trouble(seconds(rng.u64(1..=pause))).await;
        let mut config = world.config();
        config.change(&first, &mut rng);
        match rng.u32(0..4) {
            0 => refuse(&world, config, &mut rng).await,
            _ => load(&world, &config, &mut rng).await,
        }
        let manager = world.ledger.lock().unwrap().newest;
        let there = world.config().providers;
        removed.retain(|name, _| !there.contains_key(name));
        for name in first.providers.keys().filter(|name| !there.contains_key(*name)) {
            removed.entry(name.clone()).or_insert(manager);
        }
    }
    for (name, manager) in removed {
        bring_back(&world, &first, name, manager, &mut rng).await;
    }
}

/// Waits until the VMs at a provider that was removed are gone, if the manager that saw this still runs; brings it back otherwise,
/// since who starts without it cannot end them.
async fn bring_back(world: &World, first: &Config, name: ProviderName, manager: u64, rng: &mut Rng) {
    let end = Instant::now() + seconds(LAST);
    while Instant::now() < end && world.ledger.lock().unwrap().rows.has_vms_at(&name) {
        pass(seconds(10)).await;
    }
    let (is_left, newest) = {
        let ledger = world.ledger.lock().unwrap();
        (ledger.rows.has_vms_at(&name), ledger.newest)
    };
    if is_left && newest == manager {
        world.journal.violate(format!("nobody ends the VMs at {name}, which left the configuration"));
    }
    if is_left || rng.bool() {
        let mut config = world.config();
        config.providers.insert(name.clone(), first.providers[&name].clone());
        load(world, &config, rng).await;
    }
}

/// Lets the manager take another configuration over; tries until that is certain, since until then nobody knows which one
/// holds.
async fn load(world: &World, config: &Config, rng: &mut Rng) {
    world.journal.note(|| format!("the configuration becomes {config:?}"));
    world.ledger.lock().unwrap().expect(config.clone());
    loop {
        // No manager starts meanwhile, so that each starts with what holds.
        let editing = world.editing.lock().await;
        match ask(world, &world.newest(), config).await {
            Some(Ok(())) => {
                world.set_config(config.clone());
                world.ledger.lock().unwrap().settle();
                return;
            }
            Some(Err(ManagerError::Refused(refusal))) => {
                return world.journal.violate(format!("the configuration is refused: {refusal}"));
            }
            _ => {}
        }
        drop(editing);
        pass(Duration::from_millis(rng.u64(1..2000))).await;
    }
}

/// Shows the manager a configuration that is broken, which is refused and changes nothing.
async fn refuse(world: &World, mut config: Config, rng: &mut Rng) {
    config.spoil(rng);
    let _editing = world.editing.lock().await;
    let newest = world.newest();
    match ask(world, &newest, &config).await {
        Some(Err(ManagerError::Refused(Refusal::InvalidConfig(_)))) => {}
        Some(Ok(())) => return world.journal.violate(format!("{config:?} is broken and not refused")),
        _ => return,
    }
    let Ok(view) = newest.view().await else { return };
    let pools = view.pools.iter();
    let pools: BTreeMap<_, _> =
        pools.filter_map(|status| Some((status.pool.name.clone(), status.config.clone()?))).collect();
    let (before, drivers) = (world.config(), newest.drivers().await);
    let providers =
        drivers.map(|drivers| drivers.into_iter().map(|(name, (config, _))| (name, config)).collect());
    if pools != before.pools || providers.is_ok_and(|providers| before.providers != providers) {
        world.journal.violate(format!("a configuration that was refused changed {before:?}"));
    }
}

/// Asks a manager to take a configuration over; returns nothing if it does not answer.
async fn ask(world: &World, manager: &ManagerHandle, config: &Config) -> Option<Result<(), ManagerError>> {
    let reload = async {
        let mut there = manager.known_drivers().await?;
        let drivers = config.providers.iter().map(|(name, config)| {
            let driver = there.remove(name).map(|(_, driver)| driver);
            (name.clone(), (config.clone(), driver.unwrap_or_else(|| world.newest_driver(name))))
        });
        let drivers: Drivers = drivers.collect();
        manager.reconfigure(config.pools.clone(), drivers, config.limits.clone()).await
    };
    tokio::time::timeout(seconds(PATIENCE), reload).await.ok()
}
