//! The invariants of what VMs are made from: every count is a recount, and no pool forgets that it wants VMs.

use std::collections::BTreeMap;

use vmpool_model::PoolName;

use crate::{Engine, check::ensure, gate::Gate, pool::Pool, provider::Orphan, timers::Timer};

impl Engine {
    pub(crate) fn check_supply(&self) -> Result<(), String> {
        let gates = self.providers.iter().map(|(name, provider)| (name, Gate::new(&provider.config)));
        let mut recounts: BTreeMap<_, _> = gates.collect();
        for vm in self.vms.unordered() {
            if let Some(recount) = recounts.get_mut(&vm.record.provider) {
                recount.count_in(&vm.record);
            }
        }
        for ((name, provider), recount) in self.providers.iter().zip(recounts.values()) {
            ensure(provider.gate.has_same_counts(recount), || {
                format!("{name}: a recount gives {recount:#?} instead of {:#?}", provider.gate)
            })?;
            let unrecorded = &provider.gate.unrecorded;
            ensure(unrecorded.is_counted_right(), || {
                format!("{name}: a recount gives something else than {unrecorded:#?}")
            })?;
            let recorded = unrecorded.nodes().find(|node| provider.by_node.contains_key(node));
            ensure(recorded.is_none(), || {
                format!("{name}: {recorded:?} has a record and counts as without")
            })?;
            let is_left_out =
                |(node, orphan): &(&_, &Orphan)| orphan.destroying.is_none() && !unrecorded.has(node);
            let left_out = provider.orphans.iter().find(is_left_out);
            ensure(left_out.is_none(), || format!("{name}: the orphan {left_out:?} takes no room"))?;
        }
        self.pools.iter().try_for_each(|(name, pool)| self.check_growth(name, pool))
    }

    /// Whoever wants VMs has what it may have, and looks again when it may have more.
    fn check_growth(&self, name: &PoolName, pool: &Pool) -> Result<(), String> {
        if !pool.is_open() || pool.desired() <= pool.live() {
            return Ok(());
        }
        let is_kept_back = self.next_offer_in_turn(name, pool).is_err() && !pool.limits.is_empty();
        ensure(is_kept_back, || format!("pool {name} wants more VMs, may have them, and has them not"))?;
        let way = self.in_the_way(name).filter(|_| pool.has_enough());
        ensure(way.is_none(), || {
            format!(
                "pool {name} has too few VMs, although it lacks the room of others that have too many: {way:?}"
            )
        })?;
        let wakes_at = self.timers.get(&Timer::Pool(name.clone()));
        // Another pool's turn may have put more in the way by now; who looks again will see.
        for limit in &pool.limits {
            let is_in_time = |until| wakes_at.is_some_and(|at| at <= until);
            ensure(limit.until().is_none_or(is_in_time), || {
                format!("pool {name} looks again at {wakes_at:?}, which is too late: {limit}")
            })?;
            let waits = |provider| {
                self.providers.get(provider).is_some_and(|provider| provider.gate.waiting.contains(name))
            };
            ensure(limit.ends_at().is_none_or(waits), || {
                format!("pool {name} is not told when this ends: {limit}")
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vmpool_model::{
        Failure, FailureKind, InstallationId, ProviderName, Timestamp,
        config::{PoolConfig, ProviderConfig},
    };

    use crate::{Effect, Engine, Input, Outcome, Records, Spec, sample, timers::Timer};

    use super::*;

    fn pool() -> PoolName {
        PoolName::new("small").unwrap()
    }

    /// An engine with a pool of two VMs at a provider that takes one create at once, and the answer to that one.
    fn engine(answer: Option<FailureKind>) -> Engine {
        let provider = ProviderName::new("lab").unwrap();
        let mut config = ProviderConfig::new("dummy");
        config.max_creating = Some(1);
        let mut spec = Spec::new(InstallationId::new("test").unwrap(), 1, 7);
        spec.providers.insert(provider.clone(), config);
        spec.pools.insert(pool(), PoolConfig::new(provider, "template", 2));
        let mut engine = Engine::recover(spec, Records::default(), Timestamp::default());
        let step = engine.step(Timestamp::default(), Input::Tick);
        let mut creates =
            step.effects.into_iter().filter(|(_, effect)| matches!(effect, Effect::Create { .. }));
        let (id, _) = creates.next().unwrap();
        if let Some(kind) = answer {
            let outcome = Outcome::Created(Err(Failure::not_applied(kind, "no")));
            let _ = engine.step(Timestamp::default(), Input::Done { id, outcome });
        }
        engine
    }

    /// Breaks one thing, and checks that it is found.
    fn finds(what: &str, mut engine: Engine, damage: impl FnOnce(&mut Engine)) {
        assert_eq!(engine.check(), Ok(()));
        damage(&mut engine);
        let found = engine.check();
        assert!(found.as_ref().is_err_and(|found| found.contains(what)), "{found:?}");
    }

    #[test]
    fn what_a_provider_lets_through_is_a_recount() {
        finds("lab: a recount gives", engine(None), |engine| {
            let record = engine.vms.values().next().map(|vm| vm.record.clone()).unwrap();
            engine.providers.values_mut().for_each(|provider| provider.gate.count_out(&record));
        });
    }

    #[test]
    fn no_stock_lacks_the_room_of_what_another_pool_has_too_much_of() {
        let pools = ["a", "b"].map(|pool| (pool, sample::on_demand(1)));
        let mut spec = sample::spec(pools);
        spec.providers.values_mut().for_each(|config| config.quota = [("vms".to_owned(), 1)].into());
        let engine = sample::engine(spec, vec![sample::ready("a-1")]);
        finds("the room of others that have too many", engine, |engine| {
            let mut pool = engine.pools.remove(&sample::pool("b")).unwrap();
            Arc::make_mut(&mut pool.config).size = 1;
            pool.limits = engine.next_offer(&pool).unwrap_err();
            engine.pools.insert(sample::pool("b"), pool);
        });
    }

    #[test]
    fn no_pool_forgets_that_it_wants_vms() {
        finds("and has them not", engine(None), |engine| {
            engine.providers.values_mut().for_each(|provider| provider.config.max_creating = Some(2));
            engine.providers.values_mut().for_each(|provider| provider.gate.window.succeed(2));
        });
        finds("and has them not", engine(None), |engine| {
            engine.pools.values_mut().for_each(|pool| pool.limits.clear());
        });
        finds("is not told when this ends", engine(None), |engine| {
            engine.providers.values_mut().for_each(|provider| provider.gate.waiting.clear());
        });
        finds("which is too late", engine(Some(FailureKind::Quota)), |engine| {
            engine.timers.set(Timer::Pool(pool()), None);
        });
    }
}
