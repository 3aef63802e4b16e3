//! A step goes on until nothing is left to decide, and the next one begins there: what changed nothing costs nothing.

use vmpool_model::Timestamp;

use crate::Engine;

impl Engine {
    /// Brings everything to rest: serves who waits, gives up what is too much, makes what is missing.
    pub(crate) fn rest(&mut self) {
        if self.is_at_rest() {
            return;
        }
        if self.rests_until.is_some_and(|until| until <= self.now) {
            self.look_for_room_again();
        }
        loop {
            // Where several VMs are wanted at once, time alone may change who comes first.
            if self.unserved || !self.touched.is_empty() || self.goes_by_time() {
                self.serve();
            }
            self.spread();
            if self.touched.is_empty() && self.growing.is_empty() {
                self.rests_until = self.changes_at();
                return;
            }
            while let Some(pool) = self.touched.pop_first() {
                self.settle(&pool);
            }
            self.grow();
            // A pool that is full now may be stood in for by another one.
            self.unserved = true;
        }
    }

    /// Lets pools look again that lack VMs for somebody: what is set aside makes room for who came before by now.
    fn look_for_room_again(&mut self) {
        let lacking = self.pools.iter().filter(|(_, pool)| pool.missing() != 0);
        self.touched.extend(lacking.map(|(name, _)| name.clone()));
    }

    /// Returns whether nothing changed since everything was brought to rest.
    pub(crate) fn is_at_rest(&self) -> bool {
        let is_unchanged = self.touched.is_empty() && self.growing.is_empty();
        is_unchanged
            && !self.unserved
            && !self.demand.has_stand_ins()
            && !self.demand.is_stale()
            && self.rests_until.is_none_or(|until| self.now < until)
    }

    /// Returns whether somebody waits for several VMs and keeps others from what it lacks.
    fn goes_by_time(&self) -> bool {
        self.set_aside.seen().next().is_some() || !self.demand.claims.is_empty()
    }

    /// Returns when time alone may change who is served and from where.
    fn changes_at(&self) -> Option<Timestamp> {
        if self.waiting.is_empty() {
            return None;
        }
        let ranked = match self.goes_by_time() {
            true => self.ranks_change_at(),
            false => None,
        };
        ranked.into_iter().chain(self.pauses_end_at()).min()
    }

    /// Returns when time alone may change the rank of somebody who waits and is looked at: who comes first among its like, has
    /// VMs set aside, or comes after such.
    fn ranks_change_at(&self) -> Option<Timestamp> {
        let firsts = self.pools.values().filter(|pool| pool.is_contested()).flat_map(|pool| {
            let lines = pool.expected.iter().filter_map(|tenant| Some((tenant, pool.queue.tenant(tenant)?)));
            lines.flat_map(|((owner, _), lines)| lines.values().map(move |places| (owner, places)))
        });
        let seen = || self.set_aside.seen().filter_map(|place| self.waiting.get(&place));
        let after = seen().filter_map(|waiter| {
            let mut pools = waiter.shape.candidates.iter().filter_map(|other| self.pools.get(&other.pool));
            let places = pools.find_map(|pool| pool.queue.owner(waiter.owner())?.get(&waiter.shape))?;
            Some((waiter.owner(), places))
        });
        let next = firsts.chain(after).filter_map(|(owner, places)| {
            let next = places.iter().find(|place| !self.set_aside.has(**place))?;
            Some((owner, *next))
        });
        let looked_at = next.chain(seen().map(|waiter| (waiter.owner(), waiter.place)));
        let aging = looked_at.filter_map(|(owner, place)| self.ages_at(&self.owners.top(owner), place));
        aging.chain(self.order_changes_at()).chain(self.claims_change_at()).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vmpool_model::{RecordState, VmName, VmRecord};

    use super::*;
    use crate::{
        EffectId, Input, Spec,
        sample::{engine, on_demand, pool, ready, refuse, spec, want},
    };

    const MINUTE: Duration = Duration::from_secs(60);

    fn vm(name: &str) -> VmName {
        VmName::new(name).unwrap()
    }

    /// Takes a step that is about nothing, at another time.
    fn tick(engine: &mut Engine, at: Timestamp) {
        let _ = engine.step(at, Input::Tick);
        assert!(engine.is_at_rest());
        assert_eq!(engine.check(), Ok(()));
    }

    #[test]
    fn whatever_is_left_to_decide_is_no_rest() {
        let changes: [fn(&mut Engine); 5] = [
            |engine| {
                engine.touched.insert(pool("a"));
            },
            |engine| {
                engine.growing.insert(pool("a"));
            },
            |engine| engine.unserved = true,
            |engine| engine.wants_change(&crate::sample::owner("ann")),
            |engine| engine.rests_until = Some(engine.now),
        ];
        for change in changes {
            let mut engine = engine(spec([("a", on_demand(1))]), Vec::new());
            assert!(engine.is_at_rest());
            change(&mut engine);
            assert!(!engine.is_at_rest());
        }
    }

    #[test]
    fn who_lacks_vms_looks_for_room_again_when_time_alone_changes_who_comes_first() {
        let mut spec = spec([("a", on_demand(9)), ("b", on_demand(9))]);
        spec.providers.values_mut().for_each(|config| config.quota = [("vms".to_owned(), 1)].into());
        let mut engine = engine(spec, vec![ready("b-1")]);
        want(&mut engine, "r1", "bob", "b", 1);
        want(&mut engine, "r2", "ann", "a", 1);
        engine.looks.set(0);
        let (_, now) = (engine.step(engine.now, Input::Tick), engine.now);
        assert_eq!(engine.looks.get(), 0, "nothing changed");
        engine.rests_until = Some(now);
        let _ = engine.step(now, Input::Tick);
        assert_eq!(engine.looks.get(), 1);
    }

    #[test]
    fn nothing_is_at_rest_while_somebody_waits_for_whom_a_pool_may_stand_in() {
        for (fallback, is_at_rest) in [(None, true), (Some(pool("b")), false)] {
            let mut first = on_demand(1);
            first.fallback = fallback;
            let mut engine = engine(spec([("a", first), ("b", on_demand(1))]), Vec::new());
            want(&mut engine, "r1", "ann", "a", 1);
            assert_eq!(engine.is_at_rest(), is_at_rest);
        }
    }

    #[test]
    fn what_a_provider_is_asked_for_and_answers_or_was_never_sent_is_no_rest() {
        let ends: [fn(&mut Engine, EffectId); 2] =
            [|engine, id| engine.create_answered(id, None), Engine::create_not_sent];
        for end in ends {
            let mut engine = engine(spec([("a", on_demand(1))]), Vec::new());
            let creates = want(&mut engine, "r1", "ann", "a", 1);
            let vm = engine.vms().next().unwrap().name.clone();
            engine.create_asked(&vm);
            assert!(!engine.is_at_rest());
            engine.rest();
            assert!(engine.is_at_rest());
            end(&mut engine, creates[0]);
            assert!(engine.unserved, "whose pool made nothing for want of creates was stood in for");
        }
    }

    #[test]
    fn a_record_that_changes_for_nobody_leaves_everything_at_rest() {
        let mut engine = engine(spec([("a", on_demand(2))]), vec![ready("a-1")]);
        let now = engine.now;
        engine.edit(&vm("a-1"), |record| {
            record.last_check = Some(now);
            record.problem = Some("slow".to_owned());
        });
        assert!(engine.is_at_rest());
        engine.edit(&vm("a-1"), |record| record.suspect = Some("slow".to_owned()));
        assert!(!engine.is_at_rest(), "it cannot be given any more");
        engine.rest();
        engine.edit(&vm("a-1"), |record| record.state = RecordState::CheckHealth);
        assert!(!engine.is_at_rest());
    }

    #[test]
    fn nobody_who_waits_for_one_vm_disturbs_the_rest_as_time_passes() {
        let mut engine = engine(spec([("a", on_demand(1))]), Vec::new());
        want(&mut engine, "r1", "ann", "a", 1);
        assert_eq!((engine.is_at_rest(), engine.rests_until), (true, None));
    }

    #[test]
    fn what_counts_otherwise_at_a_provider_is_seen_by_those_whose_pools_are_stood_in_for() {
        let mut engine = engine(spec([("a", on_demand(2))]), Vec::new());
        want(&mut engine, "r1", "ann", "a", 1);
        let name = engine.vms().next().unwrap().name.clone();
        assert!(!engine.unserved);
        engine.edit(&name, |record| record.problem = Some("slow".to_owned()));
        assert!(!engine.unserved);
        engine.edit(&name, |record| record.node = ready("a-1").node);
        assert!(engine.unserved, "one create less is under way, although no pool waits for that");
    }

    #[test]
    fn the_end_of_a_pause_ends_the_rest() {
        let mut engine = engine(spec([("a", on_demand(1)), ("b", on_demand(1))]), Vec::new());
        let creates = want(&mut engine, "r1", "ann", "a", 1);
        refuse(&mut engine, &creates);
        let until = engine.can_grow(&pool("a")).unwrap_err().until();
        assert!(until.is_some() && engine.rests_until == until);
    }

    /// Has an owner want two VMs, and half a minute later somebody some more; returns when the second request is as old as the
    /// first one was when its rank changed for the first time, and what is to be rested until by then.
    fn second(spec: Spec, vms: Vec<VmRecord>, of: &str, count: u32) -> (Timestamp, Option<Timestamp>) {
        let mut engine = engine(spec, vms);
        let begun = engine.now;
        want(&mut engine, "r1", "ann", "a", 2);
        tick(&mut engine, begun + MINUTE / 2);
        want(&mut engine, "r2", of, "a", count);
        tick(&mut engine, begun + MINUTE);
        (begun + MINUTE * 3 / 2, engine.rests_until)
    }

    #[test]
    fn a_rank_that_changes_ends_the_rest_where_vms_are_set_aside() {
        for (of, count) in [("ann", 2), ("bob", 1)] {
            let mut spec = spec([("a", on_demand(2))]);
            spec.limits.priority_aging = MINUTE;
            let (changes_at, rests_until) = second(spec, vec![ready("a-1")], of, count);
            assert_eq!(rests_until, Some(changes_at), "{of}");
        }
    }

    #[test]
    fn a_rank_that_changes_ends_the_rest_where_somebody_claims_what_limits_leave() {
        let mut spec = spec([("a", on_demand(4))]);
        (spec.limits.priority_aging, spec.limits.max_per_owner) = (MINUTE, Some(3));
        let (changes_at, rests_until) = second(spec, Vec::new(), "ann", 2);
        assert_eq!(rests_until, Some(changes_at));
    }

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1000 * seconds)
    }

    #[test]
    fn time_alone_counts_where_somebody_keeps_from_others_what_it_lacks() {
        let mut idle = engine(spec([("a", on_demand(9))]), vec![ready("a-1")]);
        assert!(!idle.goes_by_time());
        want(&mut idle, "r1", "ann", "a", 2);
        assert!(idle.goes_by_time(), "a VM is set aside");
        let mut limited = spec([("a", on_demand(9))]);
        limited.limits.max_per_owner = Some(2);
        let mut limited = engine(limited, Vec::new());
        want(&mut limited, "r1", "ann", "a", 1);
        assert!(!limited.goes_by_time());
        want(&mut limited, "r2", "ann", "a", 2);
        assert!(limited.set_aside.seen().next().is_none() && limited.goes_by_time(), "its limit is claimed");
    }

    #[test]
    fn who_is_served_may_change_when_a_pause_ends_and_when_ranks_do() {
        let mut aging = spec([("a", on_demand(9))]);
        aging.limits.priority_aging = Duration::from_secs(60);
        let mut aging = engine(aging, vec![ready("a-1"), ready("a-2")]);
        assert_eq!(aging.changes_at(), None, "nobody waits");
        let creates = want(&mut aging, "r1", "ann", "a", 3);
        assert_eq!(aging.ranks_change_at(), Some(seconds(60)));
        assert_eq!(aging.changes_at(), Some(seconds(60)));
        let _ = aging.step(seconds(10), Input::Tick);
        want(&mut aging, "r2", "ann", "a", 3);
        let _ = aging.step(seconds(65), Input::Tick);
        assert_eq!(
            aging.ranks_change_at(),
            Some(seconds(70)),
            "the one that comes after it is a class higher then"
        );
        refuse(&mut aging, &creates);
        let pause = aging.pauses_end_at().unwrap();
        assert!(pause < seconds(70) && aging.changes_at() == Some(pause));
    }
}
