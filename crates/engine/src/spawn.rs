//! How many VMs a pool has: what is spawned, what is given up.

use std::{collections::BTreeSet, time::Duration};

use vmpool_model::{Change, EventKind, PoolName, VmName, VmRecord, config::OfferConfig};

use crate::{Engine, Limit, pool::Pool, timers::Timer, vm::Vm};

/// A pool's turn to spawn; the least comes next.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    /// Nobody waits for the VM.
    is_stock: bool,
    /// The number of the pool's last spawn.
    spawned: u64,
    pool: PoolName,
}

impl Engine {
    /// Gives up what is too much, and lets the pool take its turn to grow.
    pub(crate) fn settle(&mut self, name: &PoolName) {
        if !self.pools.contains_key(name) {
            return;
        }
        self.probe(name);
        self.evict(name);
        let now = self.now;
        let plan_at = self.pools.get_mut(name).and_then(|pool| pool.plan(now));
        let shrink_at = self.shrink(name);
        if let Some(pool) = self.pools.get_mut(name) {
            pool.look_at = plan_at.into_iter().chain(shrink_at).min();
        }
        self.growing.insert(name.clone());
        self.offer_room(name);
        self.change_left_room(name);
        // What was just decided has touched the pool again; it is at rest all the same.
        self.touched.remove(name);
    }

    /// Lets those look again who wait for room where the pool has VMs that could make it.
    fn offer_room(&mut self, name: &PoolName) {
        let can_spare = |pool: &&Pool| pool.unneeded().max(self.unwanted(name, pool)) != 0;
        let Some(pool) = self.pools.get(name).filter(can_spare) else { return };
        let awaited = self.providers.iter().filter(|(_, provider)| !provider.gate.waiting.is_empty());
        let awaited = awaited.filter(|(provider, _)| pool.has_clean_at(provider));
        let awaited: Vec<_> = awaited.map(|(provider, _)| provider.clone()).collect();
        awaited.iter().for_each(|provider| self.wake_pools(provider));
    }

    /// Lets those look again who leave room to the pool, if it is for more or fewer VMs than before.
    fn change_left_room(&mut self, name: &PoolName) {
        let Some(pool) = self.pools.get_mut(name) else { return };
        let wanted = pool.wants_room();
        if std::mem::replace(&mut pool.left_room, wanted) != wanted {
            self.let_stocks_look(name);
        }
    }

    /// Lets those look again who leave room to the pool, because it goes, or may want other room.
    pub(crate) fn give_left_room_back(&mut self, name: &PoolName) {
        let Some(pool) = self.pools.get_mut(name) else { return };
        if std::mem::take(&mut pool.left_room) != 0 {
            self.let_stocks_look(name);
        }
    }

    fn let_stocks_look(&mut self, name: &PoolName) {
        let Some(pool) = self.pools.get(name) else { return };
        let offers = pool.offers.iter().map(|offer| &offer.config.provider).collect::<BTreeSet<_>>();
        let waiting = offers.into_iter().filter_map(|name| self.providers.get(name));
        let waiting = waiting.flat_map(|provider| &provider.gate.waiting);
        let stocks = waiting.filter(|name| self.pools.get(*name).is_some_and(Pool::has_enough));
        self.growing.extend(stocks.cloned());
    }

    /// Lets the pools that want more VMs take turns, until no limit lets any of them spawn another one.
    pub(crate) fn grow(&mut self) {
        let mut growing = std::mem::take(&mut self.growing);
        growing.append(&mut self.yielding);
        let mut turns: BTreeSet<_> = growing.into_iter().filter_map(|name| self.turn(name)).collect();
        while let Some(Turn { pool: name, .. }) = turns.pop_first() {
            let Some(pool) = self.pools.get(&name) else { continue };
            let limits = match !pool.is_open() || pool.desired() <= pool.live() {
                true => Vec::new(),
                false => match self.next_offer_in_turn(&name, pool) {
                    Ok(offer) => {
                        turns.extend(self.spawn(&name, offer).and_then(|()| self.turn(name)));
                        continue;
                    }
                    Err(limits) => {
                        if self.next_offer(pool).is_ok() {
                            self.yielding.insert(name.clone());
                        }
                        // Others took the room, or what could make room came to be, since the pool was looked at.
                        let is_in_vain = self.is_known_in_vain(&name);
                        debug_assert!(
                            !is_in_vain || self.seen_in_the_way(&name).is_none(),
                            "{name} is looked at no more"
                        );
                        if !is_in_vain && self.in_the_way(&name).is_some() {
                            self.touched.insert(name.clone());
                        }
                        limits
                    }
                },
            };
            let spawn_at = limits.iter().filter_map(Limit::until).min();
            let due = spawn_at.into_iter().chain(pool.look_at).min();
            self.timers
                .set(Timer::Pool(name.clone()), due.map(|due| due.max(self.now + Duration::from_millis(1))));
            for provider in limits.iter().filter_map(Limit::ends_at) {
                if let Some(provider) = self.providers.get_mut(provider) {
                    provider.gate.waiting.insert(name.clone());
                }
            }
            if let Some(pool) = self.pools.get_mut(&name) {
                pool.limits = limits;
            }
        }
        // Who is served next changes what can make room without a record that changes.
        self.in_nobodys_way = None;
    }

    /// Returns a pool's turn to spawn: those for whom somebody waits come first, then those that spawned longest ago.
    fn turn(&self, pool: PoolName) -> Option<Turn> {
        let (is_stock, spawned) = {
            let pool = self.pools.get(&pool)?;
            (pool.has_enough(), pool.spawned)
        };
        Some(Turn { is_stock, spawned, pool })
    }

    /// Records the intent of a VM of an offer; its provider is asked once that is durable.
    fn spawn(&mut self, name: &PoolName, offer: usize) -> Option<()> {
        let spawned = self.number();
        let vm = loop {
            let text = format!("{name}-{}", self.suffix());
            match VmName::new(&text) {
                Ok(vm) if !self.vms.contains_key(&vm) && !self.unreadable.contains(&vm) => break vm,
                Ok(_) => {}
                // A pool's name leaves room for the suffix; if it ever did not, spawning nothing is right.
                Err(_) => return None,
            }
        };
        self.keep_vm(&vm);
        let now = self.moment();
        let pool = self.pools.get_mut(name)?;
        let OfferConfig { provider, template, needs, .. } = &pool.offers.get(offer)?.config;
        let mut record = VmRecord::intended(vm.clone(), name.clone(), provider.clone(), now.at);
        record.template.clone_from(template);
        record.needs.clone_from(needs);
        pool.spawned = spawned;
        pool.count_in(&record, false);
        if let Some(provider) = self.providers.get_mut(&record.provider) {
            provider.gate.count_in(&record);
        }
        self.vms.insert(vm.clone(), Vm::intended(record.clone(), std::sync::Arc::clone(&pool.config), now));
        self.out.changes.push(Change::PutVm(Box::new(record)));
        self.event(EventKind::VmSpawning, |event| {
            event.pool = Some(name.clone());
            event.vm = Some(vm.clone());
        });
        self.advance(&vm);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::RecordState;

    use super::*;
    use crate::sample::{engine, on_demand, pool, ready, spec, want};

    #[test]
    fn a_name_that_a_vm_has_or_may_have_is_not_given_again() {
        let mut engine = engine(spec([("a", on_demand(9))]), Vec::new());
        let again = || fastrand::Rng::with_seed(3);
        engine.rng = again();
        let first = VmName::new(format!("a-{}", engine.suffix())).unwrap();
        engine.unreadable.insert(first.clone());
        for _ in 0..2 {
            engine.rng = again();
            assert_eq!(engine.spawn(&pool("a"), 0), Some(()));
        }
        assert_eq!((engine.vms().count(), engine.vm(&first)), (2, None));
    }

    #[test]
    fn a_stock_looks_again_when_another_pool_wants_the_room_that_was_to_be_its_own() {
        let mut stock = on_demand(9);
        stock.size = 1;
        let mut spec = spec([("a", on_demand(9)), ("b", stock), ("c", on_demand(9))]);
        spec.providers.values_mut().for_each(|config| config.quota = [("vms".to_owned(), 2)].into());
        let ending = VmRecord { state: RecordState::Terminating, ..ready("a-2") };
        let mut engine = engine(spec, vec![ready("a-1"), ending]);
        let surplus = |engine: &Engine| engine.vm(&VmName::new("a-1").unwrap()).map(|vm| vm.state);
        assert_eq!(surplus(&engine), Some(RecordState::Ready), "what ends is room enough");
        want(&mut engine, "r1", "ann", "c", 1);
        assert_eq!(surplus(&engine), Some(RecordState::Terminating), "that is for who waits now");
        assert_eq!(engine.check(), Ok(()));
    }

    #[test]
    fn a_vm_is_stock_if_as_many_as_are_wanted_are_ready_or_start() {
        let mut idle = on_demand(9);
        idle.max_starting = 0;
        let mut engine = engine(spec([("a", on_demand(9)), ("b", idle)]), vec![ready("a-1")]);
        let is_stock = |engine: &Engine, name| engine.turn(pool(name)).unwrap().is_stock;
        want(&mut engine, "r1", "ann", "a", 2);
        assert!(is_stock(&engine, "a"), "one is ready, and one starts");
        assert!(is_stock(&engine, "b"));
        want(&mut engine, "r2", "ann", "b", 1);
        assert!(!is_stock(&engine, "b"));
    }

    #[test]
    fn a_stock_looks_again_when_another_pool_wants_more_or_less_of_the_room_it_leaves() {
        let mut stock = on_demand(2);
        stock.size = 2;
        let mut spec = spec([("a", on_demand(2)), ("b", stock), ("c", on_demand(2))]);
        spec.providers.values_mut().for_each(|config| config.quota = [("vms".to_owned(), 1)].into());
        let mut engine = engine(spec, Vec::new());
        let looks_again = |engine: &mut Engine, name: &str| {
            engine.growing.clear();
            engine.settle(&pool(name));
            engine.growing.contains(&pool("b"))
        };
        want(&mut engine, "r1", "ann", "a", 1);
        want(&mut engine, "r2", "bob", "c", 1);
        assert_eq!(engine.pools.get(&pool("c")).map(|pool| pool.left_room), Some(1));
        assert!(!looks_again(&mut engine, "c"), "it wants as much as before");
        for wanted in [0, 2] {
            engine.pools.values_mut().for_each(|pool| pool.left_room = wanted);
            assert!(looks_again(&mut engine, "c"), "{wanted}");
        }
    }
}
