//! The invariants of an engine between two steps: every index says what a recount says, nothing is stuck.

use std::collections::BTreeMap;

use vmpool_model::{
    Lease, LeaseId, RecordState, RequestId, RequestRecord, RequestStatus, VmRecord,
    config::{CheckConfig, CheckMode},
};

use crate::{
    Engine,
    pool::Pool,
    provider::Bound,
    timers::Timer,
    vm::{Doing, Vm},
};

impl Engine {
    /// Checks everything that must hold between two steps; for tests and for those who hunt a bug.
    ///
    /// It looks at every record, so it is not for every day.
    ///
    /// # Errors
    ///
    /// What does not hold, in words.
    pub fn check(&self) -> Result<(), String> {
        self.vms.values().try_for_each(|vm| self.check_vm(vm))?;
        self.leases.values().try_for_each(|lease| self.check_lease(lease))?;
        self.requests.values().try_for_each(|request| self.check_request(request))?;
        self.check_ended()?;
        self.check_pools()?;
        self.check_queue()?;
        self.check_providers()?;
        self.check_supply()?;
        ensure(self.vms.is_in_order(), || "the VMs are not in the order of their names".to_owned())?;
        ensure(self.looks_up_right(), || format!("VMs are not found where they are: {:?}", self.lookup))?;
        ensure(self.timers.is_complete(), || format!("timers are not queued right: {:?}", self.timers))?;
        let awaited: usize = self.vms.values().map(|vm| vm.effects().count()).sum();
        ensure(awaited == self.awaited.len(), || {
            format!("VMs await {awaited} effects, {} are awaited", self.awaited.len())
        })
    }

    fn check_vm(&self, vm: &Vm) -> Result<(), String> {
        let VmRecord { name, state, pool, .. } = &vm.record;
        ensure(self.pools.contains_key(pool), || format!("{name} is of {pool}, which there is not"))?;
        for id in vm.effects() {
            ensure(self.awaited.get(&id) == Some(name), || format!("{name}: nobody awaits {id:?}"))?;
        }
        ensure((*state == RecordState::InUse) == vm.record.lease.is_some(), || {
            format!("{name} is {state} with lease {:?}", vm.record.lease)
        })?;
        if let Some(lease) = &vm.record.lease {
            let names_it = self.leases.get(lease).is_some_and(|lease| lease.vm == *name);
            ensure(names_it, || format!("{name} has {lease}, which is none or of another VM"))?;
        }
        let is_missed = self.pools.get(pool).is_some_and(|pool| pool.missing.contains(&vm.record.provider));
        ensure(vm.record.is_gone() || is_missed != self.providers.contains_key(&vm.record.provider), || {
            format!("{name} is at {}, which its pool takes for known or not, wrongly", vm.record.provider)
        })?;
        let has_node = vm.record.node.is_some();
        let may_lack_it = matches!(state, RecordState::Spawning | RecordState::Terminating);
        ensure(has_node || may_lack_it || vm.record.suspect.is_some(), || {
            format!("{name} is {state} without a node")
        })?;
        let leaves = self.is_at_retired(vm)
            || self.pools.get(pool).is_some_and(|pool| pool.drain.is_some() || pool.removed_at.is_some());
        let stays = vm.is_kept() || matches!(state, RecordState::Releasing | RecordState::Terminating);
        ensure(!leaves || stays, || {
            format!("{name} is {state} although its pool or its provider comes to its end")
        })?;
        self.check_life(vm)?;
        self.check_progress(vm)
    }

    /// What is noted for one part of a VM's life is noted in that part only, and so is what is under way.
    fn check_life(&self, vm: &Vm) -> Result<(), String> {
        use RecordState as S;
        let record = &vm.record;
        let state = record.state;
        let may_be_held = matches!(state, S::InUse | S::CheckHealth | S::Releasing | S::Held);
        ensure(record.hold.is_none() || may_be_held, || {
            format!("{} is {state} and to be held", record.name)
        })?;
        ensure(record.hold.is_some() || state != S::Held, || {
            format!("{} is held without a hold", record.name)
        })?;
        let fits = match state {
            S::Releasing => record.returned.is_some(),
            S::Held => true,
            _ => record.returned.is_none(),
        };
        ensure(fits, || format!("{} is {state} with the returned lease {:?}", record.name, record.returned))?;
        ensure(!record.is_gone() || state == S::Terminating, || {
            format!("{} is {state} and gone", record.name)
        })?;
        let has_hook = match state {
            S::GotIp => !record.prepared,
            S::Releasing => true,
            S::Terminating => record.is_gone(),
            _ => false,
        };
        ensure(!vm.is_doing(Doing::Hook) || has_hook, || {
            format!("{} is {state} and in a hook", record.name)
        })?;
        let is_checked = matches!(state, S::CheckHealth | S::InUse);
        ensure(!vm.is_doing(Doing::Check) || is_checked, || {
            format!("{} is {state} and in a check", record.name)
        })
    }

    /// Whoever is on the way has something under way, or a time at which something happens.
    fn check_progress(&self, vm: &Vm) -> Result<(), String> {
        let Vm { record, config, effect, .. } = vm;
        let ages = config.check != CheckConfig::None && !config.check_interval.is_zero();
        let is_lazy = config.check_mode == CheckMode::Lazy;
        let rests = match record.state {
            RecordState::InUse => !ages || is_lazy,
            RecordState::Ready => {
                let is_checked = ages && !(is_lazy && vm.stale);
                record.is_clean() && !is_checked && config.max_age.is_none()
            }
            _ => false,
        };
        let wakes = self.timers.get(&Timer::Vm(record.name.clone())).is_some();
        ensure(rests || effect.is_some() || wakes, || {
            format!("{} is {} for ever: nothing is under way and no time is set", record.name, record.state)
        })
    }

    fn check_lease(&self, lease: &Lease) -> Result<(), String> {
        let Lease { id, vm, .. } = lease;
        let record = self.vms.get(vm).map(|vm| &vm.record);
        let fits = record.is_some_and(|record| {
            record.lease.as_ref() == Some(id)
                && record.pool == lease.pool
                && record.owner.as_ref() == Some(&lease.owner)
                && record.sandbox == lease.sandbox
                && record.suspect == lease.suspect
        });
        let is_unreadable = self.unreadable.contains(vm);
        ensure(fits || is_unreadable, || format!("{id} is of {vm}, whose record is {record:?}"))?;
        let timer = self.timers.get(&Timer::Lease(id.clone()));
        ensure(timer == Some(lease.expires_at), || {
            format!("{id} expires at {}, not at {timer:?}", lease.expires_at)
        })
    }

    fn check_request(&self, request: &RequestRecord) -> Result<(), String> {
        let id = &request.id;
        let due = match &request.status {
            RequestStatus::Waiting => Some(request.deadline),
            RequestStatus::Granted { leases, .. } => {
                let is_of_it = |lease| self.leases.get(lease).is_some_and(|lease| lease.request == *id);
                let fits = leases.iter().any(is_of_it);
                ensure(fits, || {
                    format!("{id} was granted {leases:?}, which are none or of another request")
                })?;
                None
            }
            over => over.over_at().map(|at| at + self.spec.request_memory),
        };
        let timer = self.timers.get(&Timer::Request(id.clone()));
        ensure(timer == due, || format!("{id} is due at {due:?}, not at {timer:?}"))
    }

    fn check_ended(&self) -> Result<(), String> {
        let ended = self.requests.values().flat_map(|request| {
            let leases = request.status.ended().map(|ended| ended.lease);
            leases.map(|lease| (lease, &request.id))
        });
        let ended: Vec<_> = ended.collect();
        let is_known = |(lease, request): &(LeaseId, &RequestId)| self.ended.get(lease) == Some(*request);
        ensure(ended.len() == self.ended.len() && ended.iter().all(is_known), || {
            format!("the leases that ended are not {:?}", self.ended)
        })
    }

    fn check_pools(&self) -> Result<(), String> {
        let recounts = self.pools.iter().map(|(name, pool)| {
            let mut recount = Pool::new((*pool.config).clone(), pool.retired);
            recount.unreadable = pool.unreadable;
            recount.missing.clone_from(&pool.missing);
            (name, recount)
        });
        let mut recounts: BTreeMap<_, _> = recounts.collect();
        for vm in self.vms.unordered() {
            if let Some(recount) = recounts.get_mut(&vm.record.pool) {
                recount.count_in(&vm.record, vm.stale);
            }
        }
        for (name, pool) in self.pools.iter().filter(|(name, _)| !self.unreadable_pools.contains(*name)) {
            let record = pool.to_record(name);
            ensure(record == pool.record, || {
                format!("what is remembered of pool {name} is {:?}, not {record:?}", pool.record)
            })?;
        }
        self.recount_queues(&mut recounts);
        self.pools.iter().zip(recounts.values()).try_for_each(|((name, pool), recount)| {
            ensure(pool.has_same_indexes(recount), || {
                format!("pool {name}: a recount gives {recount:#?} instead of {pool:#?}")
            })
        })
    }

    fn check_providers(&self) -> Result<(), String> {
        for (name, provider) in &self.providers {
            let wakes = self.timers.get(&Timer::Provider(name.clone())).is_some();
            ensure(wakes || provider.listing.is_some(), || format!("{name} is never listed again"))?;
            for (node, Bound { vm, look, .. }) in provider.by_node.iter() {
                ensure(
                    look.is_none() || self.vms.get(vm).is_some_and(|vm| self.may_look(vm, *look)),
                    || format!("node {node} of {vm} may not look like {look:?} without anything to do"),
                )?;
                let known = self.vms.get(vm).and_then(|vm| vm.record.node.as_ref());
                let fits = known.is_some_and(|known| known.id == *node);
                ensure(fits, || format!("node {node} is bound to {vm}, which has {known:?}"))?;
                ensure(!provider.orphans.contains_key(node), || {
                    format!("node {node} of {vm} counts as an orphan")
                })?;
            }
        }
        let nodes = self.vms.values().filter(|vm| vm.record.node.is_some());
        let nodes = nodes.filter(|vm| self.providers.contains_key(&vm.record.provider)).count();
        let bound: usize = self.providers.values().map(|provider| provider.by_node.len()).sum();
        ensure(bound <= nodes, || format!("{bound} nodes are bound, {nodes} are known"))
    }
}

pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    match holds {
        true => Ok(()),
        false => Err(otherwise()),
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{
        Acquire, InstallationId, Node, NodeId, NodeView, Owner, PoolName, ProviderName, RequestId, Timestamp,
        VmName,
        config::{PoolConfig, ProviderConfig},
        states::NodeState,
    };

    use super::*;
    use crate::{Input, Records, Spec, provider::Orphan};

    fn provider() -> ProviderName {
        ProviderName::new("lab").unwrap()
    }

    fn pool() -> PoolName {
        PoolName::new("small").unwrap()
    }

    fn record(name: &str, state: RecordState) -> VmRecord {
        let name = VmName::new(name).unwrap();
        let mut record = VmRecord::intended(name, pool(), provider(), Timestamp::default());
        let node = Node::new(NodeId::new(record.name.as_str()).unwrap(), "node", NodeState::Running);
        record.node = Some(NodeView::from(&node));
        record.state = state;
        record
    }

    /// An engine with a VM that is leased, one that is ready, and a request that waits for a third.
    fn engine() -> Engine {
        let mut spec = Spec::new(InstallationId::new("test").unwrap(), 1, 7);
        spec.providers.insert(provider(), ProviderConfig::new("dummy"));
        spec.pools.insert(pool(), PoolConfig::new(provider(), "template", 2));
        let vms = vec![record("small-a", RecordState::Ready), record("small-b", RecordState::Ready)];
        let records = Records { vms, ..Records::default() };
        let mut engine = Engine::recover(spec, records, Timestamp::default());
        for request in ["r1", "r2", "r3"] {
            let acquire = Acquire::new(RequestId::new(request).unwrap(), pool(), Owner::new("ann").unwrap());
            let wait = std::time::Duration::from_secs(60);
            let _ = engine.step(Timestamp::default(), Input::Acquire(Box::new(acquire.with_wait(wait))));
        }
        let first = engine.leases().next().map(|lease| lease.id.clone()).unwrap();
        let _ = engine.step(Timestamp::default(), Input::Release { lease: first, fence: None });
        engine
    }

    /// Breaks one thing, and checks that it is found.
    fn finds(what: &str, damage: impl FnOnce(&mut Engine)) {
        let mut engine = engine();
        assert_eq!(engine.check(), Ok(()));
        damage(&mut engine);
        let found = engine.check();
        assert!(found.as_ref().is_err_and(|found| found.contains(what)), "{found:?}");
    }

    fn vm_in(engine: &mut Engine, state: RecordState) -> &mut Vm {
        engine.vms.values_mut().find(|vm| vm.record.state == state).unwrap()
    }

    #[test]
    fn a_lease_and_its_vm_name_each_other() {
        finds("with lease None", |engine| vm_in(engine, RecordState::InUse).record.lease = None);
        finds("which is none or of another VM", |engine| {
            engine.leases.clear();
        });
        finds("whose record is", |engine| {
            vm_in(engine, RecordState::InUse).record.owner = Some(Owner::new("bob").unwrap());
        });
        finds("was granted", |engine| {
            let bob = RequestId::new("r9").unwrap();
            engine.leases.values_mut().for_each(|lease| lease.request = bob.clone());
        });
    }

    #[test]
    fn every_index_says_what_a_recount_says() {
        finds("a recount gives", |engine| {
            let extra = record("small-c", RecordState::Ready);
            engine.pools.values_mut().for_each(|pool| pool.count_in(&extra, false));
        });
        finds("a recount gives", |engine| {
            engine.pools.values_mut().for_each(|pool| pool.queue = crate::queue::Queue::default());
        });
    }

    #[test]
    fn no_lease_is_of_a_vm_that_names_another() {
        finds("whose record is", |engine| {
            let mut other = engine.leases.values().next().cloned().unwrap();
            other.id = LeaseId::new("lease-x").unwrap();
            engine.leases.insert(other.id.clone(), other);
        });
    }

    #[test]
    fn what_is_noted_for_one_part_of_a_life_is_noted_in_that_part_only() {
        finds("and gone", |engine| {
            let vm = vm_in(engine, RecordState::InUse);
            vm.record.gone_at = Some(Timestamp::default());
        });
    }

    #[test]
    fn those_who_wait_are_counted_right_and_nobody_is_forgotten() {
        finds("is not what is wanted", Engine::forget_wants);
        finds("is not what is wanted", |engine| engine.wants_change(&Owner::new("ann").unwrap()));
        finds("is not what is wanted", |engine| {
            engine.pools.values_mut().for_each(|pool| pool.demand += 1);
        });
        finds("is to be set aside", |engine| engine.unserved = true);
        finds("what is remembered of pool", |engine| {
            engine.pools.values_mut().for_each(|pool| pool.removed_at = Some(Timestamp::default()));
        });
        finds("the leases that ended", |engine| engine.ended.clear());
        finds("the leases that ended", |engine| {
            let (lease, request) = (LeaseId::new("lease-x").unwrap(), RequestId::new("r9").unwrap());
            engine.ended.insert(lease, request);
        });
    }

    #[test]
    fn owners_hold_what_their_leases_say() {
        finds("a recount gives the owners", |engine| engine.owners = crate::owners::Owners::default());
        finds("a recount gives the begins", |engine| engine.begins = crate::begins::Begins::default());
    }

    #[test]
    fn every_node_is_bound_to_its_vm_and_is_no_orphan() {
        finds("without a node", |engine| drop(vm_in(engine, RecordState::InUse).record.node.take()));
        finds("which has None", |engine| drop(vm_in(engine, RecordState::Terminating).record.node.take()));
        finds("counts as an orphan", |engine| {
            for provider in engine.providers.values_mut() {
                let orphan = || Orphan { pool: None, since: Timestamp::default(), seen: 1, destroying: None };
                provider.orphans = provider.by_node.keys().map(|node| (node.clone(), orphan())).collect();
            }
        });
    }

    #[test]
    fn every_vm_has_its_pool() {
        finds("which there is not", |engine| engine.pools.clear());
    }

    #[test]
    fn nothing_waits_for_ever() {
        finds("for ever", |engine| {
            let vm = vm_in(engine, RecordState::Terminating);
            let (name, effect) = (vm.record.name.clone(), vm.effect.take());
            engine.timers.set(Timer::Vm(name), None);
            effect.map(|id| engine.awaited.remove(&id));
        });
        finds("expires at", |engine| {
            let leases: Vec<_> = engine.leases.keys().cloned().collect();
            leases.into_iter().for_each(|lease| engine.timers.set(Timer::Lease(lease), None));
        });
        finds("r3 is due", |engine| {
            engine.timers.set(Timer::Request(RequestId::new("r3").unwrap()), None);
        });
        finds("never listed again", |engine| {
            engine.providers.values_mut().for_each(|provider| provider.listing = None);
            engine.timers.set(Timer::Provider(provider()), None);
        });
        finds("are awaited", |engine| {
            let id = crate::EffectId(99);
            engine.awaited.insert(id, VmName::new("small-z").unwrap());
        });
        finds("nobody awaits", |engine| engine.awaited.clear());
    }

    #[test]
    fn what_a_pool_does_not_need_at_its_end_goes() {
        use crate::{pool::Pool, sample};
        let ends: [fn(&mut Pool); 2] = [
            |pool| {
                let (since, reason) = (Timestamp::default(), String::new());
                pool.drain = Some(vmpool_model::Drain { since, reason, by: None });
            },
            |pool| pool.removed_at = Some(Timestamp::default()),
        ];
        for end in ends {
            let config = PoolConfig::new(provider(), "template", 1);
            let mut engine = sample::engine(sample::spec([("a", config)]), vec![sample::ready("a-1")]);
            engine.pools.values_mut().for_each(end);
            let found = engine.check();
            assert!(found.as_ref().is_err_and(|found| found.contains("comes to its end")), "{found:?}");
        }
    }

    #[test]
    fn what_is_checked_again_or_kept_for_its_user_has_its_time() {
        use crate::sample;
        /// A ready VM whose pool checks it, and for which no time is set.
        fn is_told(mode: CheckMode, stale: bool, owner: Option<Owner>) -> bool {
            let mut config = sample::on_demand(1);
            (config.check, config.check_mode) = (CheckConfig::Tcp { port: 22 }, mode);
            config.check_interval = std::time::Duration::from_secs(60);
            let record = VmRecord { owner, ..sample::ready("a-1") };
            let mut engine = sample::engine(sample::spec([("a", config)]), vec![record]);
            let name = VmName::new("a-1").unwrap();
            engine.forget_effect(&name);
            engine.timers.set(Timer::Vm(name.clone()), None);
            let vm = engine.vms.get_mut(&name).unwrap();
            vm.stale = stale;
            let found = engine.check_progress(engine.vms.get(&name).unwrap());
            found.is_err_and(|found| found.contains("for ever"))
        }
        assert!(is_told(CheckMode::Periodic, false, None));
        assert!(is_told(CheckMode::Strict, true, None));
        assert!(is_told(CheckMode::Lazy, false, None));
        assert!(!is_told(CheckMode::Lazy, true, None), "it is checked once somebody wants it");
        assert!(is_told(CheckMode::Lazy, true, Some(Owner::new("ann").unwrap())), "it is not kept for ever");
    }

    #[test]
    fn a_node_that_looks_as_if_there_were_nothing_to_do_is_as_it_is_known() {
        finds("may not look like", |engine| {
            let node = Node::new(NodeId::new("other").unwrap(), "node", NodeState::Stopped);
            let look = Some(crate::look::Look::of(&node, engine.spec.seed));
            engine.providers.values_mut().for_each(|provider| {
                provider.by_node.values_mut().for_each(|bound| bound.look = look);
            });
        });
    }

    #[test]
    fn a_vm_whose_provider_is_not_configured_waits_for_it() {
        use crate::sample;
        let lost = VmRecord {
            provider: ProviderName::new("lost").unwrap(),
            state: RecordState::Terminating,
            ..sample::ready("a-1")
        };
        let engine = sample::engine(sample::spec([("a", sample::on_demand(1))]), vec![lost]);
        assert_eq!((engine.vms().count(), engine.check()), (1, Ok(())));
    }
}
