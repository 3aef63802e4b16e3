//! After a start: an engine is made anew of the records.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fastrand::Rng;
use vmpool_model::{
    Change, EventKind, Lease, LeaseEnd, PoolName, PoolRecord, RecordState, RequestRecord, RequestStatus,
    Timestamp, VmName, VmRecord,
};

use crate::{
    Engine, Records, Spec, Step,
    begins::Begins,
    demand::Demand,
    lookup::Lookup,
    mend,
    order::Order,
    owners::Owners,
    pool::Pool,
    provider::Provider,
    queue::Waiting,
    quota::Usage,
    serve::Walk,
    table::{Ordered, Table},
    timers::{Timer, Timers},
    vm::Vm,
};

impl Engine {
    /// Makes an engine of the records, new or after a crash; the first tick then does what is due.
    #[must_use]
    pub fn recover(mut spec: Spec, records: Records, now: Timestamp) -> Self {
        let seed = spec.seed;
        let newest = records.newest();
        let retired = std::mem::take(&mut spec.retired);
        let pools = spec.pools.iter().map(|(name, config)| (name.clone(), Pool::new(config.clone(), false)));
        let mut providers = BTreeMap::new();
        for (name, config) in &spec.providers {
            providers.insert(name.clone(), Provider::new(config.clone(), seed, now));
        }
        for (name, config) in retired {
            let retired = || Provider { retired_at: Some(now), ..Provider::new(config, seed, now) };
            providers.entry(name).or_insert_with(retired);
        }
        let is_blank = records.is_blank();
        let unlisted = providers.values_mut().filter_map(|provider| provider.gate.unlisted.as_mut());
        let forgotten_at = records.pools.iter().filter_map(|pool| pool.forgotten_at).max();
        unlisted.for_each(|unlisted| {
            (unlisted.is_blank, unlisted.forgotten_at) = (is_blank, forgotten_at.map(|at| at.min(now)));
        });
        let mut engine = Self {
            // No engine repeats the names and effects of the one before it.
            rng: Rng::with_seed(spec.seed ^ spec.epoch.rotate_left(32)),
            now,
            next_effect: spec.epoch << 32,
            next_number: spec.epoch << 32,
            vms: Ordered::new(seed),
            leases: Table::new(seed),
            requests: Table::new(seed),
            owners: Owners::new(seed),
            lookup: Lookup::new(seed),
            begins: Begins::default(),
            waiting: Waiting::default(),
            demand: Demand::default(),
            order: Order::default(),
            set_aside: Walk::default(),
            short_since: None,
            unserved: true,
            rests_until: None,
            remembered: BTreeSet::new(),
            ended: Table::new(seed),
            pools: pools.collect(),
            providers,
            asleep: records.pools.into_iter().map(|pool| (pool.name.clone(), pool)).collect(),
            unreadable: records.unreadable,
            unreadable_pools: records.unreadable_pools,
            timers: Timers::new(seed),
            awaited: BTreeMap::new(),
            touched: spec.pools.keys().cloned().collect(),
            yielding: BTreeSet::new(),
            in_nobodys_way: None,
            #[cfg(test)]
            looks: std::cell::Cell::default(),
            growing: BTreeSet::new(),
            before: None,
            by: None,
            out: Step::default(),
            spec,
        };
        for pool in engine.spec.pools.keys().cloned().collect::<Vec<_>>() {
            engine.wake_pool(&pool);
            // What its VMs need is written while it is known.
            engine.put_pool(&pool);
        }
        records.leases.into_iter().for_each(|lease| engine.recover_lease(lease, newest));
        records.vms.into_iter().for_each(|vm| engine.recover_vm(vm));
        records.requests.into_iter().for_each(|request| engine.recover_request(request));
        engine.recover_removed();
        engine.recover_misfits();
        engine.recover_unreadable();
        engine.requeue_all();
        engine.forget_oldest();
        for provider in engine.providers.keys() {
            engine.timers.set(Timer::Provider(provider.clone()), Some(now));
        }
        for pool in engine.pools.keys() {
            engine.timers.set(Timer::Pool(pool.clone()), Some(now));
        }
        engine
    }

    /// Takes in what is remembered of a pool that there is now; one that is configured is not taken out any more.
    pub(crate) fn wake_pool(&mut self, name: &PoolName) {
        let Some(before) = self.asleep.remove(name) else { return };
        let Some(pool) = self.pools.get_mut(name) else { return };
        let mut record = before.clone();
        mend::pool(&mut record, self.now);
        pool.removed_at = record.removed_at.filter(|_| pool.retired);
        pool.drain.clone_from(&record.drain);
        let settles = self.providers.values().map(|provider| provider.config.settles()).max();
        let may_come = |at: &Timestamp| settles.is_some_and(|settles| self.now < *at + settles);
        pool.forgotten_at = record.forgotten_at.filter(may_come);
        if pool.retired {
            record.complete(Arc::make_mut(&mut pool.config));
        }
        pool.record = Some(before);
        self.put_pool(name);
    }

    /// Takes in what left the configuration and has no VM any more: providers are over, and pools are once no listing shows
    /// nodes of VMs that were forgotten.
    fn recover_removed(&mut self) {
        let is_removed = |(_, record): &(&PoolName, &PoolRecord)| record.removed_at.is_some();
        let removed: Vec<_> = self.asleep.iter().filter(is_removed).map(|(name, _)| name.clone()).collect();
        let provider = self.providers.keys().next().cloned();
        for (name, provider) in removed.iter().zip(std::iter::repeat(provider).flatten()) {
            self.pools.insert(name.clone(), Pool::retired(provider));
            self.wake_pool(name);
            self.look_for_forgotten(name, None);
        }
        for name in self.providers.keys().cloned().collect::<Vec<_>>() {
            self.drop_provider(&name);
        }
        self.forget_asleep();
    }

    /// Forgets pools that are not configured and have no VM, unless they are to stay drained; a VM whose record cannot be read
    /// may be one of theirs.
    fn forget_asleep(&mut self) {
        if !self.unreadable.is_empty() {
            return;
        }
        let is_of_use = |record: &PoolRecord| record.drain.is_some() || record.removed_at.is_some();
        let (kept, over): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.asleep).into_iter().partition(|(_, record)| is_of_use(record));
        self.asleep = kept;
        self.out.changes.extend(over.into_keys().map(Change::RemovePool));
    }

    fn recover_lease(&mut self, before: Lease, newest: Timestamp) {
        let mut lease = before.clone();
        share(&mut lease.pool, &self.spec.pools);
        mend::lease(&mut lease, self.now, newest, self.spec.restart_grace);
        if lease != before {
            self.out.changes.push(Change::PutLease(Box::new(lease.clone())));
        }
        self.timers.set(Timer::Lease(lease.id.clone()), Some(lease.expires_at));
        self.owners.count_in(&lease);
        self.begins.count_in(&lease);
        self.lookup.lease(&lease);
        self.leases.insert(lease.id.clone(), lease);
    }

    fn recover_vm(&mut self, before: VmRecord) {
        if !self.pools.contains_key(&before.pool) {
            self.pools.insert(before.pool.clone(), Pool::retired(before.provider.clone()));
            self.wake_pool(&before.pool);
        }
        let (now, grace) = (self.moment(), self.spec.restart_grace);
        let Some(pool) = self.pools.get_mut(&before.pool) else { return };
        let mut record = before.clone();
        share(&mut record.pool, &self.spec.pools);
        share(&mut record.provider, &self.spec.providers);
        let lease = record.lease.as_ref().and_then(|lease| self.leases.get(lease));
        mend::fit(&mut record, lease.filter(|lease| lease.vm == before.name), now.at);
        mend::times(&mut record, &pool.config, now.at, grace);
        if record != before {
            self.out.changes.push(Change::PutVm(Box::new(record.clone())));
        }
        match self.providers.get_mut(&record.provider) {
            Some(provider) => provider.gate.count_in(&record),
            None if record.is_gone() => {}
            None => drop(pool.missing.insert(record.provider.clone())),
        }
        let is_given_up = before.state != record.state && record.state == RecordState::Terminating;
        let vm = Vm::recovered(record.clone(), Arc::clone(&pool.config), now, grace);
        pool.count_in(&record, vm.stale);
        if is_given_up {
            self.event(EventKind::VmTerminating, |event| {
                event.pool = Some(record.pool.clone());
                event.vm = Some(record.name.clone());
                event.detail = record.problem.clone().unwrap_or_default();
            });
        }
        self.timers.set(Timer::Vm(record.name.clone()), Some(self.now));
        self.vms.insert(record.name.clone(), vm);
        self.address(&record.name, record.node.as_ref().map(|node| &*node.addresses).unwrap_or_default());
        self.bind_known(&record.name);
    }

    /// Binds a VM to the node that its record names; of two records with one id the younger has the node: the id came back.
    pub(crate) fn bind_known(&mut self, name: &VmName) {
        let record = self.vms.get(name).map(|vm| &vm.record).filter(|record| !record.is_gone());
        let Some(VmRecord { node: Some(node), created_at, provider, .. }) = record else {
            return;
        };
        let Some(provider) = self.providers.get_mut(provider) else { return };
        let holder = provider.holder(&node.id).and_then(|holder| self.vms.get(holder));
        if holder.is_none_or(|holder| holder.record.created_at <= *created_at) {
            provider.bind(&node.id, name);
        }
    }

    /// Lets VMs whose records cannot be read take up room in their pools, so that limits hold.
    fn recover_unreadable(&mut self) {
        for vm in std::mem::take(&mut self.unreadable) {
            let pool = self.pool_by_name_of(&vm);
            self.event(EventKind::RecordUnreadable, |event| {
                event.pool = pool;
                event.vm = Some(vm.clone());
                event.detail = "its record cannot be read: it takes up room, and is left alone".to_owned();
            });
            self.unreadable.insert(vm);
        }
        self.count_unreadable();
    }

    /// Counts the VMs whose records cannot be read with the pools that there are, and with the quota of every provider that
    /// they may be at, as what their pool needs most there.
    pub(crate) fn count_unreadable(&mut self) {
        self.pools.values_mut().for_each(|pool| pool.unreadable = 0);
        self.providers.values_mut().for_each(|provider| provider.gate.unreadable = Usage::default());
        for vm in &self.unreadable {
            let Some(pool) = self.pool_by_name_of(vm).and_then(|pool| self.pools.get_mut(&pool)) else {
                continue;
            };
            pool.unreadable += 1;
            for (provider, needs) in pool.most_needs() {
                if let Some(provider) = self.providers.get_mut(&provider) {
                    provider.gate.unreadable.add_vm(&needs);
                }
            }
        }
    }

    /// Returns the pool that a VM must be of by its name, `POOL-SUFFIX`: that with the longest name of those that fit.
    pub(crate) fn pool_by_name_of(&self, vm: &VmName) -> Option<PoolName> {
        let mut end = vm.as_str();
        while let Some((pool, _)) = end.rsplit_once('-') {
            if let Some((pool, _)) = self.pools.get_key_value(pool) {
                return Some(pool.clone());
            }
            end = pool;
        }
        None
    }

    fn recover_request(&mut self, before: RequestRecord) {
        let mut request = before.clone();
        mend::request(&mut request, self.now);
        if request != before {
            self.out.changes.push(Change::PutRequest(Box::new(request.clone())));
        }
        let due = match &request.status {
            RequestStatus::Waiting => Some(request.deadline),
            RequestStatus::Granted { .. } => None,
            over => over.over_at().map(|at| at + self.spec.request_memory),
        };
        self.timers.set(Timer::Request(request.id.clone()), due);
        self.remember_ended(&request);
        self.requests.insert(request.id.clone(), request);
    }

    /// Drops leases that their VM does not know, and forgets requests whose lease is not recorded; an atomic store never
    /// shows either, so this is for stores edited by hand.
    fn recover_misfits(&mut self) {
        let is_known = |lease: &&Lease| {
            let vm = self.vms.get(&lease.vm);
            // Who holds a VM whose record cannot be read goes on.
            vm.is_some_and(|vm| vm.record.lease.as_ref() == Some(&lease.id))
                || self.unreadable.contains(&lease.vm)
        };
        let unknown: Vec<_> = self.leases.sorted().filter(|lease| !is_known(lease)).cloned().collect();
        for lease in unknown {
            self.forget_lease(&lease, LeaseEnd::Unknown);
        }
        // A lease is of the pool of its VM, whatever it says.
        let pool_of = |lease: &Lease| Some(self.vms.get(&lease.vm)?.record.pool.clone());
        let moved = self.leases.sorted().filter_map(|lease| Some((lease.clone(), pool_of(lease)?)));
        let moved: Vec<_> = moved.filter(|(lease, pool)| lease.pool != *pool).collect();
        for (lease, pool) in moved {
            self.owners.count_out(&lease);
            self.begins.count_out(&lease);
            let lease = Lease { pool, ..lease };
            self.owners.count_in(&lease);
            self.begins.count_in(&lease);
            self.put_lease(lease);
        }
        // Holders learn what vmpool knew when it could no longer tell them.
        let leased =
            self.vms.values().filter_map(|vm| Some((vm.record.lease.clone()?, vm.record.suspect.clone())));
        for (lease, suspect) in leased.collect::<Vec<_>>() {
            self.tell_holder(&lease, suspect);
        }
        let is_unserved = |request: &&RequestRecord| matches!(&request.status, RequestStatus::Granted { leases, .. } if !leases.iter().any(|lease| self.leases.contains_key(lease)));
        let unserved: Vec<_> = self.requests.sorted().filter(is_unserved).cloned().collect();
        for request in unserved {
            self.drop_request(&request);
        }
    }
}

/// Lets a name be the one that the configuration has: what a store gives has names of its own in every record.
fn share<K: Ord + Clone, V>(name: &mut K, known: &BTreeMap<K, V>) {
    if let Some((known, _)) = known.get_key_value(name) {
        name.clone_from(known);
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{
        ProviderName,
        config::{CheckConfig, CheckMode},
    };

    use super::*;
    use crate::sample::{engine, on_demand, pool, provider, ready, spec};

    #[test]
    fn of_two_records_with_one_node_the_younger_has_it_whatever_their_names() {
        for (old, young) in [("a-1", "a-2"), ("a-2", "a-1")] {
            let record = |name, created| {
                let created_at = Timestamp::from_millis(created);
                VmRecord { created_at, node: ready("a-1").node, ..ready(name) }
            };
            let engine = engine(spec([("a", on_demand(2))]), vec![record(old, -2), record(young, -1)]);
            let node = ready("a-1").node.unwrap().id;
            let holder = engine.providers.get(&provider()).unwrap().holder(&node).cloned();
            assert_eq!(holder, Some(VmName::new(young).unwrap()));
        }
    }

    fn records(vms: Vec<VmRecord>) -> Records {
        Records { vms, ..Records::default() }
    }

    #[test]
    fn of_a_vm_that_is_proven_gone_nobody_need_be_asked() {
        let gone =
            VmRecord { state: RecordState::Terminating, gone_at: Some(Timestamp::default()), ..ready("a-1") };
        let far = VmRecord { provider: ProviderName::new("far").unwrap(), ..ready("a-2") };
        let mut spec = spec([("a", on_demand(2))]);
        spec.providers.clear();
        let engine = Engine::recover(spec, records(vec![gone, far]), Timestamp::default());
        assert_eq!(engine.pools.get(&pool("a")).unwrap().missing_providers(), "far");
    }

    #[test]
    fn what_must_be_checked_first_is_free_for_nobody_from_the_first_moment() {
        let mut strict = on_demand(1);
        (strict.check, strict.check_mode) = (CheckConfig::Tcp { port: 22 }, CheckMode::Strict);
        let engine =
            Engine::recover(spec([("a", strict)]), records(vec![ready("a-1")]), Timestamp::default());
        let pool = engine.pools.get(&pool("a")).unwrap();
        assert_eq!((pool.clean.len(), pool.stale_clean.len()), (0, 1));
    }
}
