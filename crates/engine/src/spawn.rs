//! How many VMs a pool has: what is spawned, what is given up.

use std::time::Duration;

use vmpool_model::{Change, EventKind, Failure, PoolName, RecordState, Timestamp, VmName, VmRecord};

use crate::{Engine, backoff, timers::Timer, vm::Vm};

impl Engine {
    /// Brings a pool to rest: serves who waits, spawns what is missing, gives up what is too much.
    pub(crate) fn settle(&mut self, name: &PoolName) {
        if !self.pools.contains_key(name) {
            return;
        }
        self.serve(name);
        self.evict(name);
        let spawn_at = self.fill(name);
        let shrink_at = self.shrink(name);
        let due = spawn_at.into_iter().chain(shrink_at).min();
        self.timers
            .set(Timer::Pool(name.clone()), due.map(|due| due.max(self.now + Duration::from_millis(1))));
        // What was just decided has touched the pool again; it is at rest all the same.
        self.touched.remove(name);
    }

    /// Spawns what is missing as far as the limits allow; returns when to look again.
    fn fill(&mut self, name: &PoolName) -> Option<Timestamp> {
        loop {
            let pool = self.pools.get(name)?;
            let starting = pool.count(RecordState::Spawning) + pool.count(RecordState::GotIp);
            let is_full = pool.desired() <= pool.live()
                || pool.config.max_total() as usize <= pool.total()
                || pool.config.max_starting as usize <= starting;
            if is_full
                || !pool.is_open()
                || pool.offers.first().is_none_or(|offer| !self.providers.contains_key(&offer.provider))
            {
                return None;
            }
            let interval_over = pool.last_spawn.map(|last| last + pool.config.spawn_min_interval);
            let allowed_at = pool.paused_until.into_iter().chain(interval_over).max();
            if let Some(at) = allowed_at.filter(|at| self.now < *at) {
                return Some(at);
            }
            self.spawn(name);
        }
    }

    /// Records the intent of a VM; its provider is asked once that is durable.
    fn spawn(&mut self, name: &PoolName) {
        let vm = loop {
            let text = format!("{name}-{}", self.suffix());
            match VmName::new(&text) {
                Ok(vm) if !self.vms.contains_key(&vm) => break vm,
                Ok(_) => {}
                // A pool's name leaves room for the suffix; if it ever did not, spawning nothing is right.
                Err(_) => return,
            }
        };
        let now = self.moment();
        let Some(pool) = self.pools.get_mut(name) else { return };
        let Some(offer) = pool.offers.first() else { return };
        let mut record = VmRecord::intended(vm.clone(), name.clone(), offer.provider.clone(), now.at);
        record.template.clone_from(&offer.template);
        record.needs.clone_from(&offer.needs);
        pool.count_in(&record);
        self.vms.insert(vm.clone(), Vm::intended(record.clone(), std::sync::Arc::clone(&pool.config), now));
        self.out.changes.push(Change::PutVm(Box::new(record)));
        self.event(EventKind::VmSpawning, |event| {
            event.pool = Some(name.clone());
            event.vm = Some(vm.clone());
        });
        self.advance(&vm);
    }

    /// Gives up clean VMs that were too many for longer than `max_idle`; returns when to look again.
    fn shrink(&mut self, name: &PoolName) -> Option<Timestamp> {
        let now = self.now;
        let pool = self.pools.get_mut(name)?;
        let surplus = pool.live().saturating_sub(pool.desired());
        if surplus == 0 || pool.retired {
            pool.surplus_since = None;
            return None;
        }
        let give_up_at = *pool.surplus_since.get_or_insert(now) + pool.config.max_idle;
        if now < give_up_at {
            return Some(give_up_at);
        }
        let idle: Vec<_> = pool.clean().take(surplus).cloned().collect();
        for vm in idle {
            self.terminate(&vm, "the pool no longer needs it");
        }
        None
    }

    /// Lets a pool pause before it spawns again.
    pub(crate) fn spawn_trouble(&mut self, vm: &VmName, why: &str, failure: Option<&Failure>) {
        let jitter = self.rng.f64();
        let Some(pool) = self.vms.get(vm).and_then(|vm| self.pools.get_mut(&vm.record.pool)) else { return };
        // Creates that were under way together and failed together are one failure, not many in a row.
        if pool.paused_until.is_none_or(|until| until <= self.now) {
            pool.failures += 1;
        }
        let asked = failure.and_then(|failure| failure.retry_after);
        let config = &pool.config;
        let pause = backoff::pause(config.retry_min, config.retry_max, pool.failures, asked, jitter);
        pool.asked_until = pool.asked_until.max(asked.map(|_| self.now + pause));
        // A failure never shortens the pause that an earlier one asked for.
        pool.paused_until = pool.paused_until.max(Some(self.now + pause));
        pool.problem = Some(why.to_owned());
    }

    /// Ends the pool's pause, as far as the provider did not ask for it: a VM is ready.
    pub(crate) fn spawn_success(&mut self, name: &PoolName) {
        let now = self.now;
        if let Some(pool) = self.pools.get_mut(name) {
            pool.failures = 0;
            pool.asked_until = pool.asked_until.filter(|until| now < *until);
            pool.paused_until = pool.asked_until;
            if pool.paused_until.is_none() {
                pool.problem = None;
            }
        }
        self.touched.insert(name.clone());
    }
}
