//! Draining: a pool comes to its end, and may begin again.

use std::ops::Bound;

use vmpool_model::{Change, Drain, EventKind, PoolName, RecordState, VmName};

use crate::{
    Answer, Engine, Refusal, pool::Pool, retire::PROVIDER_RETIRED, timers::Timer, vm::Vm, words::NO_REASON,
};

impl Engine {
    /// Lets a pool come to its end: it gives and makes nothing any more, and what is neither leased nor held is destroyed.
    ///
    /// Draining it again changes the reason, if one is given.
    pub(crate) fn drain(&mut self, name: &PoolName, reason: &str) -> Answer {
        if self.unreadable_pools.contains(name) {
            return Answer::Refused(Refusal::PoolUnreadable { pool: name.clone() });
        }
        let (now, by) = (self.now, self.by.clone());
        let Some(pool) = self.pools.get_mut(name) else { return self.no_such_pool(name) };
        let reason = match (&pool.drain, reason) {
            (Some(_), "") => return Answer::Accepted,
            (Some(drain), reason) if drain.reason == reason && drain.by == by => return Answer::Accepted,
            (None, "") => NO_REASON,
            (_, reason) => reason,
        };
        let since = pool.drain.as_ref().map_or(now, |drain| drain.since);
        pool.drain = Some(Drain { reason: reason.to_owned(), since, by });
        self.put_pool(name);
        self.pool_event(EventKind::PoolDrained, name, reason);
        self.advance_all_of(name);
        self.requeue_all();
        Answer::Accepted
    }

    /// Lets a drained pool work again.
    pub(crate) fn undrain(&mut self, name: &PoolName) -> Answer {
        if self.unreadable_pools.contains(name) {
            return Answer::Refused(Refusal::PoolUnreadable { pool: name.clone() });
        }
        let Some(pool) = self.pools.get_mut(name) else { return self.no_such_pool(name) };
        if pool.drain.take().is_none() {
            return Answer::Accepted;
        }
        self.put_pool(name);
        self.pool_event(EventKind::PoolUndrained, name, "");
        self.advance_all_of(name);
        self.touched.insert(name.clone());
        self.requeue_all();
        Answer::Accepted
    }

    fn no_such_pool(&self, name: &PoolName) -> Answer {
        let known = self.pools.keys().cloned().collect();
        Answer::Refused(Refusal::UnknownPool { pool: name.clone(), known })
    }

    /// Writes what is remembered of a pool, if that changed; a record that cannot be read stays as it is.
    pub(crate) fn put_pool(&mut self, name: &PoolName) {
        if self.unreadable_pools.contains(name) {
            return;
        }
        let Some(pool) = self.pools.get_mut(name) else { return };
        let record = pool.to_record(name);
        if record == pool.record {
            return;
        }
        pool.record.clone_from(&record);
        self.out.changes.push(match record {
            None => Change::RemovePool(name.clone()),
            Some(record) => Change::PutPool(Box::new(record)),
        });
    }

    /// Forgets a pool that left the configuration and has no VM any more, nor one that was forgotten and is looked for.
    pub(crate) fn drop_pool(&mut self, name: &PoolName) {
        let is_over = |pool: &Pool| pool.retired && pool.records() == 0;
        let is_looked_for = || self.providers.values().any(|provider| provider.forgotten.contains_key(name));
        if self.pools.get(name).is_none_or(|pool| !is_over(pool)) || is_looked_for() {
            return;
        }
        self.timers.set(Timer::Pool(name.clone()), None);
        self.give_left_room_back(name);
        if self.pools.remove(name).is_some_and(|pool| pool.record.is_some()) {
            self.out.changes.push(Change::RemovePool(name.clone()));
        }
    }

    /// Destroys a VM that nobody uses if its pool or its provider comes to its end; returns whether it does.
    pub(crate) fn leave(&mut self, name: &VmName) -> bool {
        let Some(vm) = self.vms.get(name) else { return false };
        let stays =
            vm.is_kept() || matches!(vm.record.state, RecordState::Releasing | RecordState::Terminating);
        let Some(pool) = self.pools.get(&vm.record.pool).filter(|_| !stays) else { return false };
        let why = match (&pool.drain, pool.removed_at) {
            (Some(drain), _) => format!("its pool is drained: {}", drain.reason),
            (None, Some(_)) => "its pool was taken out of the configuration".to_owned(),
            (None, None) if self.is_at_retired(vm) => PROVIDER_RETIRED.to_owned(),
            (None, None) => return false,
        };
        self.terminate(name, &why);
        true
    }

    /// Lets every VM of a pool do what it needs now, and sets when to look again.
    pub(crate) fn advance_all_of(&mut self, name: &PoolName) {
        for vm in self.vms_of(name) {
            self.advance(&vm);
        }
    }

    /// Returns the VMs of a pool. Their names begin with the pool's, so that the VMs of most others need not be looked at.
    pub(crate) fn vms_of(&self, name: &PoolName) -> Vec<VmName> {
        let count = self.pools.get(name).map_or(0, |pool| pool.records() - pool.unreadable);
        let prefix = format!("{name}-");
        let is_its = |vm: &Vm| vm.record.pool == *name;
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let named = self.vms.range::<str, _>(from).take_while(|(vm, _)| vm.as_str().starts_with(&prefix));
        let named: Vec<_> = named.filter(|(_, vm)| is_its(vm)).map(|(vm, _)| vm.clone()).collect();
        match named.len() == count {
            true => named,
            // A record came from elsewhere, and is named otherwise.
            false => self.vms.iter().filter(|(_, vm)| is_its(vm)).map(|(vm, _)| vm.clone()).collect(),
        }
    }

    fn pool_event(&mut self, kind: EventKind, pool: &PoolName, detail: &str) {
        self.event(kind, |event| {
            event.pool = Some(pool.clone());
            event.detail = detail.to_owned();
        });
    }
}
