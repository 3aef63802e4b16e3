//! What operators do: they drain pools, change the configuration, and know what only they can know.

use std::time::Duration;

use proptest::prelude::*;
use vmpool_engine::{Effect, Input, Reconfigure, Spec};
use vmpool_model::{
    PoolName, ProviderName,
    config::{ConfigTable, Misfit, PoolConfig, check_config},
};

use crate::{
    setup::seconds,
    world::{World, pick_of},
};

/// One thing that an operator does, or has to cope with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Drain {
        pool: u8,
    },
    Undrain {
        pool: u8,
    },
    /// What is missing at a provider is lost.
    AcceptLoss {
        provider: u8,
    },
    /// All nodes of a cloud end at once.
    Blackout {
        cloud: u8,
    },
    /// A pool is configured otherwise.
    Change {
        pool: u8,
        what: u8,
        value: u8,
    },
    /// A provider is configured otherwise.
    Provider {
        provider: u8,
        value: u8,
    },
    /// A provider leaves the configuration, and all offers of it do, or it comes back.
    TakeOut {
        provider: u8,
    },
    /// A pool leaves the configuration, or comes back.
    Remove {
        pool: u8,
    },
}

pub(crate) fn deed() -> impl Strategy<Value = Deed> {
    let pick = any::<u8>;
    prop_oneof![
        2 => pick().prop_map(|pool| Deed::Drain { pool }),
        2 => pick().prop_map(|pool| Deed::Undrain { pool }),
        1 => pick().prop_map(|provider| Deed::AcceptLoss { provider }),
        1 => pick().prop_map(|cloud| Deed::Blackout { cloud }),
        4 => (pick(), 0..8_u8, pick()).prop_map(|(pool, what, value)| Deed::Change { pool, what, value }),
        1 => (pick(), pick()).prop_map(|(provider, value)| Deed::Provider { provider, value }),
        2 => pick().prop_map(|pool| Deed::Remove { pool }),
        2 => pick().prop_map(|provider| Deed::TakeOut { provider }),
    ]
}

impl World {
    pub(crate) fn operate(&mut self, deed: Deed) -> Result<(), String> {
        match deed {
            Deed::Drain { pool } => match self.known_pool(pool) {
                Some(pool) => self.step(Input::Drain { pool, reason: "operator".to_owned() }),
                None => Ok(()),
            },
            Deed::Undrain { pool } => match self.known_pool(pool) {
                Some(pool) => self.step(Input::Undrain(pool)),
                None => Ok(()),
            },
            Deed::AcceptLoss { provider } => self.step(Input::AcceptLoss(self.provider_name(provider))),
            Deed::Blackout { cloud } => {
                let name = self.provider_name(cloud);
                let alive = self.clouds[&name].nodes.iter().filter(|node| node.is_alive() && !node.is_stray);
                let ids: Vec<_> = alive.map(|node| node.node.id.clone()).collect();
                let now = self.now;
                let cloud = self.clouds.get_mut(&name).unwrap();
                ids.iter().for_each(|id| cloud.end(id, now, now));
                self.tell(|| format!("all nodes of {name} end"));
                Ok(())
            }
            Deed::Change { pool, what, value } => {
                let Some(pool) = pick_of(&self.full.pools.keys().cloned().collect::<Vec<_>>(), pool) else {
                    return Ok(());
                };
                let mut config = self.full.pools[&pool].clone();
                let number = self.edits;
                change(&mut config, &self.origin.pools[&pool], what, value, number);
                self.edits += 1;
                let mut pools = self.full.pools.clone();
                pools.insert(pool, config);
                if check_config(&pools, &self.full.providers).is_ok() {
                    self.full.pools = pools;
                }
                self.reconfigure()
            }
            Deed::Provider { provider, value } => {
                let name = self.provider_name(provider);
                // Whoever is out of the configuration goes on as it was.
                if self.absent.contains(&name) {
                    return Ok(());
                }
                let config = self.full.providers.get_mut(&name).unwrap();
                config.list_interval = seconds(3 + u64::from(value % 3));
                config.missing_grace = seconds(u64::from(value % 2) * 12);
                config.max_loss_percent = [0, 50, 100][usize::from(value % 3)];
                self.reconfigure()
            }
            Deed::TakeOut { provider } => {
                let name = self.provider_name(provider);
                if !self.absent.remove(&name) && self.absent.len() + 1 < self.full.providers.len() {
                    self.absent.insert(name);
                }
                self.reconfigure()
            }
            Deed::Remove { pool } => {
                let Some(pool) = pick_of(&self.full.pools.keys().cloned().collect::<Vec<_>>(), pool) else {
                    return Ok(());
                };
                if !self.out.remove(&pool) && self.out.len() + 1 < self.full.pools.len() {
                    self.out.insert(pool.clone());
                }
                self.reconfigure()
            }
        }
    }

    fn reconfigure(&mut self) -> Result<(), String> {
        let Spec { pools, providers, limits, .. } = self.configured();
        let to = Reconfigure { pools, providers, limits };
        ensure!(to.check().is_ok(), "{:?}", to.check());
        // A pool that comes back has forgotten its pauses.
        let added = to.pools.keys().filter(|pool| !self.engine.spec().pools.contains_key(*pool));
        added.for_each(|pool| self.ledger.life.forget_pool(pool));
        self.ledger.life.forget_offers(&to.pools);
        // So has a provider, and what it was asked before says nothing any more.
        for name in to.providers.keys().filter(|name| !self.engine.knows_provider(name)) {
            self.ledger.life.open.remove(name);
            self.flights.retain(|_, flight| match &flight.effect {
                Effect::List { provider } | Effect::Glance { provider, .. } => provider != name,
                _ => true,
            });
        }
        self.step(Input::Reconfigure(Box::new(to)))
    }

    /// What is configured: all pools and providers but those that an operator took out, and pools that would have no offer.
    pub(crate) fn configured(&self) -> Spec {
        let mut spec = self.full.clone();
        spec.providers.retain(|provider, _| !self.absent.contains(provider));
        for config in spec.pools.values_mut() {
            config.offers.retain(|offer| !self.absent.contains(&offer.provider));
        }
        spec.pools.retain(|pool, config| !self.out.contains(pool) && !config.offers.is_empty());
        loop {
            let known: Vec<_> = spec.pools.keys().cloned().collect();
            for config in spec.pools.values_mut() {
                config.fallback = config.fallback.take().filter(|pool| known.contains(pool));
            }
            match check_config(&spec.pools, &spec.providers) {
                // What is left of its offers cannot make what it is to have.
                Err(Misfit { table: ConfigTable::Pool(pool), .. }) => drop(spec.pools.remove(&pool)),
                _ => return spec,
            }
        }
    }

    /// What is configured, without the pools that are drained.
    pub(crate) fn open(&self) -> Spec {
        let mut spec = self.spec().clone();
        spec.pools.retain(|pool, _| !self.is_drained(pool));
        spec
    }

    pub(crate) fn is_drained(&self, pool: &PoolName) -> bool {
        self.working.pools.get(pool).is_some_and(|pool| pool.drain.is_some())
    }

    fn known_pool(&self, pick: u8) -> Option<PoolName> {
        pick_of(&self.engine.pools().into_iter().map(|view| view.name).collect::<Vec<_>>(), pick)
    }

    fn provider_name(&self, pick: u8) -> ProviderName {
        pick_of(&self.clouds.keys().cloned().collect::<Vec<_>>(), pick).unwrap()
    }

    /// Gives the engine back what it was told at the beginning.
    pub(crate) fn restore_configuration(&mut self) {
        self.out.clear();
        self.absent.clear();
        self.full = self.origin.clone();
    }

    /// Lets all drained pools work again, and accepts all losses.
    pub(crate) fn let_go(&mut self) -> Result<(), String> {
        for view in self.engine.pools().into_iter().filter(|view| view.drain.is_some()) {
            self.step(Input::Undrain(view.name))?;
        }
        for view in self.engine.providers().into_iter().filter(|view| view.mass_loss.is_some()) {
            self.step(Input::AcceptLoss(view.name))?;
        }
        Ok(())
    }
}

/// Changes one thing of a pool; there are never more VMs wanted than at the beginning, so that all fit.
fn change(config: &mut PoolConfig, origin: &PoolConfig, what: u8, value: u8, number: usize) {
    let time = |times: [u64; 3]| Duration::from_secs(times[usize::from(value % 3)]);
    match what {
        0 => config.size = u32::from(value) % (origin.size + 1),
        1 => config.min_ready = u32::from(value) % (origin.min_ready + 1),
        2 => config.dirty_timeout = time([10, 40, 80]),
        3 => config.check_interval = time([0, 30, 60]),
        4 => config.boot_timeout = time([40, 60, 90]),
        5 => config.max_starting = 1 + u32::from(value % 3),
        6 => config.max_idle = time([0, 30, 60]),
        _ => {
            let index = usize::from(value) % config.offers.len();
            config.offers[index].template = format!("newer-{number}");
        }
    }
}
