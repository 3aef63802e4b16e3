//! How many VMs a pool wants: for those who wait, for those who are likely to come, and for the times of the week.

use std::time::Duration;

use vmpool_model::{
    Acquire, PoolName, RecordState, RequestId, Timestamp, VmName,
    config::{DemandConfig, OnRelease},
};

use crate::{
    Answer, Engine,
    average::{Mean, Rate},
    poisson::poisson_quantile,
    pool::Pool,
    timetable,
    view::StockView,
};

/// How often, within a half-life, a pool looks at how far its demand has faded.
const LOOKS: u32 = 8;

/// What a pool measures, and how many ready VMs follow from that. Only memory knows it.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    /// How many VMs are asked for.
    arrivals: Rate,
    /// How many seconds VMs take from being asked for to being ready.
    boots: Mean,
    /// How many VMs are to be kept ready at present.
    target: usize,
}

impl Engine {
    /// Takes a wish for VMs, and measures what is wished; one that is refused or repeated does not count.
    pub(crate) fn acquire_measured(&mut self, acquire: Acquire) -> Answer {
        let (id, count) = (acquire.request.clone(), acquire.count);
        let is_new = !self.requests.contains_key(&id);
        let answer = self.acquire(acquire);
        match &answer {
            Answer::Granted(grants) if is_new => {
                grants.iter().for_each(|grant| self.arrived(&grant.lease.pool, 1));
            }
            Answer::Waiting if is_new => self.arrived_at_first(&id, count),
            _ => {}
        }
        answer
    }

    fn arrived_at_first(&mut self, request: &RequestId, count: u32) {
        let pools = self.requests.get(request).map(|request| self.pools_of(request)).unwrap_or_default();
        if let Some(pool) = pools.first() {
            self.arrived(pool, count);
        }
    }

    fn arrived(&mut self, name: &PoolName, count: u32) {
        let now = self.now;
        if let Some(pool) = self.pools.get_mut(name) {
            let half_life = pool.half_life();
            pool.stock.arrivals.add(count, now, half_life);
            self.touched.insert(name.clone());
        }
    }

    /// Measures how long a VM took that is ready for the first time.
    pub(crate) fn booted(&mut self, vm: &VmName) {
        let now = self.now;
        let Some(vm) = self.vms.get(vm) else { return };
        // Nobody knows how much of its time a VM lost to a restart.
        let is_whole = vm.spared_until == vm.record.created_at;
        if let Some(pool) = self.pools.get_mut(&vm.record.pool).filter(|_| is_whole) {
            let (seconds, half_life) = (now.since(vm.record.created_at).as_secs_f64(), pool.half_life());
            pool.stock.boots.add(seconds, now, half_life);
        }
    }

    /// Returns how long VMs of the pool take from being asked for to being ready: an average that forgets. `None` until
    /// one became ready since the start.
    #[must_use]
    pub fn boot_time(&self, pool: &PoolName) -> Option<Duration> {
        self.pools.get(pool)?.boot_time()
    }
}

impl Pool {
    fn boot_time(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.stock.boots.get()?).ok()
    }

    /// Shows what is kept ready, and what that follows from.
    pub(crate) fn stock_view(&self, now: Timestamp) -> StockView {
        let boot_time = self.boot_time();
        let looks = self.config.demand.is_some() && boot_time.is_some();
        StockView {
            target: self.stock.target,
            scheduled: timetable::scheduled(&self.config.schedule, now),
            changes_at: timetable::next_change(&self.config.schedule, now),
            likely: looks.then(|| self.likely(now)),
            arrivals: self.stock.arrivals.at(now, self.half_life()),
            boot_time,
        }
    }

    /// Decides how many VMs are to be kept ready; returns when to look again.
    pub(crate) fn plan(&mut self, now: Timestamp) -> Option<Timestamp> {
        let scheduled = timetable::scheduled(&self.config.schedule, now);
        let constant = self.config.min_ready.max(scheduled) as usize;
        let likely = self.likely(now);
        self.stock.target = constant.max(likely).min(self.config.max_total() as usize);
        let faded_at =
            (constant < likely).then(|| now + (self.half_life() / LOOKS).max(Duration::from_secs(1)));
        timetable::next_change(&self.config.schedule, now).into_iter().chain(faded_at).min()
    }

    /// Returns how many VMs are likely to be asked for while one boots.
    fn likely(&self, now: Timestamp) -> usize {
        let (Some(demand), Some(boot)) = (&self.config.demand, self.stock.boots.get()) else { return 0 };
        let arrivals = self.stock.arrivals.at(now, demand.half_life) * boot;
        let likely = usize::try_from(poisson_quantile(arrivals, demand.quantile)).unwrap_or(usize::MAX);
        likely.min(demand.max_ready.map_or(usize::MAX, |most| most as usize))
    }

    pub(crate) fn half_life(&self) -> Duration {
        let demand = self.config.demand.as_ref();
        demand.map_or_else(|| DemandConfig::default().half_life, |demand| demand.half_life)
    }

    /// Returns how many VMs the pool wants, leased ones included.
    pub(crate) fn desired(&self) -> usize {
        if self.retired {
            return 0;
        }
        // A VM that is cleaned for its own user is as good as kept; one that is cleaned for all is as good as ready.
        let cleaned = match self.config.on_release {
            OnRelease::Reuse => self.count(RecordState::Releasing),
            OnRelease::Clean | OnRelease::Destroy => 0,
        };
        let taken = self.count(RecordState::InUse) + self.count(RecordState::Held) + self.dirty() + cleaned;
        (self.config.size as usize).max(taken + self.spare())
    }

    /// Returns how many VMs are wanted beside those that are taken.
    pub(crate) fn spare(&self) -> usize {
        self.demand().max(self.stock.target)
    }

    /// Returns how many VMs are still to be made for those who wait.
    pub(crate) fn missing(&self) -> usize {
        match self.is_open() {
            true => self.demand().saturating_sub(self.clean_count() + self.coming()),
            false => 0,
        }
    }

    /// Returns how many VMs others leave room for, as they are still to be made for those who wait.
    pub(crate) fn wants_room(&self) -> usize {
        self.missing().min((self.config.max_total() as usize).saturating_sub(self.total()))
    }

    /// Returns whether there is a VM, or one on its way, for each that is waited for: any more would be kept ready.
    pub(crate) fn has_enough(&self) -> bool {
        self.demand() <= self.clean_count() + self.coming()
    }

    /// Returns how many VMs there are that are not being terminated, as far as their records can be read and something can
    /// be done about them.
    pub(crate) fn live(&self) -> usize {
        self.records() - self.unreadable - self.stranded() - self.count(RecordState::Terminating)
    }

    /// Returns how many VMs there may be: those being terminated and those whose records cannot be read are included, those
    /// that are proven gone are not.
    pub(crate) fn total(&self) -> usize {
        self.records() - self.gone
    }

    /// Returns how many VMs are on their way to somebody: starting, in a check, being cleaned, or making room.
    pub(crate) fn coming(&self) -> usize {
        use RecordState as S;
        let cleaned = match self.config.on_release {
            OnRelease::Clean => self.count(S::Releasing),
            OnRelease::Reuse | OnRelease::Destroy => 0,
        };
        let states = [S::Spawning, S::GotIp, S::CheckHealth, S::CheckHealthFailed, S::Terminating];
        let coming: usize = states.into_iter().map(|state| self.count(state)).sum();
        coming + cleaned - self.gone
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::VmRecord;

    use super::*;
    use crate::sample::{engine, on_demand, pool, ready, spec, want};

    #[test]
    fn a_request_that_is_repeated_is_no_demand_whether_it_was_served_or_waits() {
        for vms in [vec![ready("a-1")], Vec::new()] {
            let mut engine = engine(spec([("a", on_demand(1))]), vms);
            let arrivals = |engine: &Engine| {
                let pool = engine.pools.get(&pool("a")).unwrap();
                pool.stock.arrivals.at(engine.now, pool.half_life())
            };
            want(&mut engine, "r1", "ann", "a", 1);
            let once = arrivals(&engine);
            want(&mut engine, "r1", "ann", "a", 1);
            assert!(0.0 < once && arrivals(&engine).total_cmp(&once).is_eq());
        }
    }

    #[test]
    fn a_pool_looks_again_while_more_is_likely_to_be_wanted_than_is_kept_whatever_comes() {
        let now = Timestamp::default();
        let mut pool = Pool::new(on_demand(9), false);
        assert_eq!(pool.plan(now), None);
        let demand = DemandConfig::default();
        let half_life = demand.half_life;
        let mut config = on_demand(9);
        config.demand = Some(demand);
        pool.change(config);
        pool.stock.arrivals.add(9, now, half_life);
        pool.stock.boots.add(600.0, now, half_life);
        assert_eq!(pool.plan(now), Some(now + half_life / LOOKS));
    }

    #[test]
    fn what_is_proven_gone_is_not_on_its_way_to_anybody() {
        let mut pool = Pool::new(on_demand(9), false);
        let ending = VmRecord { state: RecordState::Terminating, ..ready("a-1") };
        pool.count_in(&ending, false);
        assert_eq!((pool.coming(), pool.total()), (1, 1), "its room is on its way");
        pool.count_in(&VmRecord { gone_at: Some(Timestamp::default()), ..ending }, false);
        assert_eq!((pool.coming(), pool.total()), (1, 1));
    }
}
