//! How much more quotas have room for, while what is wanted is spread over the pools.

use std::collections::BTreeMap;

use vmpool_model::ProviderName;

use crate::{Engine, pool::Pool, quota::Usage};

/// What is taken of quotas, together with what is wanted by now of pools that are still to make it.
#[derive(Debug, Default)]
pub(crate) struct Headroom {
    taken: BTreeMap<ProviderName, Usage>,
}

impl Engine {
    /// Returns how many more VMs of a pool the quotas of its providers have room for: what only its pace keeps the pool from at
    /// present, it may never have.
    pub(crate) fn headroom(&self, headroom: &Headroom, pool: &Pool) -> usize {
        self.headrooms(headroom, pool).into_iter().fold(0, usize::saturating_add)
    }

    /// Notes that so many VMs are wanted of a pool: no other one that shares a quota with it has their room.
    pub(crate) fn take_headroom(&self, headroom: &mut Headroom, pool: &Pool, vms: usize) {
        let mut rest = vms;
        for (offer, room) in pool.offers.iter().zip(self.headrooms(headroom, pool)) {
            let Some(provider) = self.providers.get(&offer.config.provider) else { continue };
            // What has no end is not counted.
            if provider.config.quota.is_empty() {
                return;
            }
            let placed = room.min(rest);
            rest -= placed;
            if placed != 0 {
                let taken = headroom.taken.entry(offer.config.provider.clone());
                let taken = taken.or_insert_with(|| provider.gate.taken().into_owned());
                taken.add_vms(&offer.config.needs, placed);
            }
        }
    }

    /// Returns for how many more VMs of each offer there is room, each as if all of it were for that one.
    fn headrooms(&self, headroom: &Headroom, pool: &Pool) -> Vec<usize> {
        let rooms = pool.offers.iter().map(|offer| {
            let Some(provider) = self.providers.get(&offer.config.provider) else { return 0 };
            let (quota, needs) = (&provider.config.quota, &offer.config.needs);
            match headroom.taken.get(&offer.config.provider) {
                _ if !self.can_make(offer) => 0,
                Some(taken) => taken.room(quota, needs),
                None => provider.gate.taken().room(quota, needs),
            }
        });
        rooms.collect()
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::config::{OfferConfig, PoolConfig, ProviderConfig};

    use super::*;
    use crate::sample::{engine, on_demand, pool, provider, ready, refuse, spec, want};

    fn far() -> ProviderName {
        ProviderName::new("far").unwrap()
    }

    /// A pool with an offer at each of two providers, and what they have as `vms`.
    fn of_two(lab: Option<u64>, far_away: Option<u64>) -> Engine {
        let mut both = on_demand(9);
        (both.provider, both.template) = (None, None);
        both.offers = [provider(), far()].map(|at| OfferConfig::new(at, "template")).into();
        let mut spec = spec([("a", both), ("b", on_demand(9))]);
        let with = |vms: Option<u64>| {
            let mut config = ProviderConfig::new("dummy");
            config.quota.extend(vms.map(|vms| ("vms".to_owned(), vms)));
            config
        };
        spec.providers = [(provider(), with(lab)), (far(), with(far_away))].into();
        engine(spec, vec![ready("b-1")])
    }

    fn room(engine: &Engine, headroom: &Headroom, name: &str) -> usize {
        engine.headroom(headroom, engine.pools.get(&pool(name)).unwrap())
    }

    #[test]
    fn a_pool_has_the_room_of_all_its_offers_and_what_one_pool_is_to_have_no_other_one_has() {
        let engine = of_two(Some(4), Some(2));
        let mut headroom = Headroom::default();
        let rooms = |headroom: &Headroom| ["a", "b"].map(|name| room(&engine, headroom, name));
        assert_eq!(rooms(&headroom), [5, 3]);
        engine.take_headroom(&mut headroom, engine.pools.get(&pool("b")).unwrap(), 1);
        assert_eq!(rooms(&headroom), [4, 2]);
        engine.take_headroom(&mut headroom, engine.pools.get(&pool("a")).unwrap(), 3);
        assert_eq!(rooms(&headroom), [1, 0]);
    }

    #[test]
    fn where_nothing_ends_there_is_room_for_all() {
        let engine = of_two(None, Some(2));
        let mut headroom = Headroom::default();
        engine.take_headroom(&mut headroom, engine.pools.get(&pool("a")).unwrap(), 3);
        assert_eq!(room(&engine, &headroom, "a"), usize::MAX);
    }

    #[test]
    fn where_nothing_can_be_made_there_is_no_room() {
        let mut config: PoolConfig = on_demand(9);
        config.max_starting = 1;
        let mut engine = engine(spec([("a", config)]), Vec::new());
        let creates = want(&mut engine, "r1", "ann", "a", 3);
        assert_eq!(room(&engine, &Headroom::default(), "a"), usize::MAX, "it makes one after the other");
        refuse(&mut engine, &creates);
        assert_eq!(room(&engine, &Headroom::default(), "a"), 0);
    }

    /// Two pools that make one VM after the other: the first at an account with room for two, the other one there, too, or at
    /// another one.
    fn paced(is_far: bool) -> Engine {
        let [mut slow, mut other] = [on_demand(9), on_demand(9)];
        (slow.max_starting, other.max_starting) = (1, 1);
        if is_far {
            other.provider = Some(far());
        }
        let mut spec = spec([("a", slow), ("b", other)]);
        spec.providers.values_mut().for_each(|lab| lab.quota.extend([("vms".to_owned(), 2)]));
        spec.providers.insert(far(), ProviderConfig::new("dummy"));
        engine(spec, Vec::new())
    }

    fn demand(engine: &Engine) -> [usize; 2] {
        assert_eq!(engine.check(), Ok(()));
        ["a", "b"].map(|name| engine.pools.get(&pool(name)).unwrap().demand())
    }

    #[test]
    fn what_a_quota_has_no_room_for_is_wanted_elsewhere_although_only_its_pace_keeps_a_pool_from_more_now() {
        let mut engine = paced(true);
        let creates = want(&mut engine, "r1", "ann", "a b", 3);
        assert_eq!((demand(&engine), creates.len()), ([2, 1], 2));
    }

    #[test]
    fn what_a_quota_has_no_room_for_is_not_wanted_of_another_pool_that_has_the_same() {
        let mut engine = paced(false);
        for request in ["r1", "r2", "r3"] {
            want(&mut engine, request, request, "a b", 1);
        }
        assert_eq!(demand(&engine), [3, 0]);
    }

    #[test]
    fn what_was_wanted_elsewhere_for_the_sake_of_a_quota_is_wanted_here_again_once_that_has_room() {
        let mut engine = paced(true);
        engine
            .pools
            .values_mut()
            .for_each(|pool| std::sync::Arc::make_mut(&mut pool.config).max_starting = 0);
        let mut others = Usage::default();
        others.add_vms(&BTreeMap::new(), 1);
        let lab = |engine: &mut Engine, taken: &Usage| {
            engine.providers.get_mut(&provider()).unwrap().gate.unreadable.clone_from(taken);
            engine.room_changed(&provider());
            let _ = engine.step(engine.now, crate::Input::Tick);
        };
        want(&mut engine, "r1", "ann", "a b", 3);
        assert_eq!(demand(&engine), [2, 1]);
        lab(&mut engine, &others);
        assert_eq!(demand(&engine), [1, 2]);
        lab(&mut engine, &Usage::default());
        assert_eq!(demand(&engine), [2, 1]);
    }
}
