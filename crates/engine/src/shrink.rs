//! What a pool has too much of is given up: after a while, the dearest first.

use std::{collections::VecDeque, time::Duration};

use vmpool_model::{PoolName, Timestamp, VmName};

use crate::{Engine, pool::Pool};

/// Since when a pool has how many VMs too many.
///
/// A VM more begins its own time; a VM less takes the youngest time away.
#[derive(Debug, Default)]
pub(crate) struct Surplus {
    /// Times, and for how many VMs more each one is the beginning; in order.
    runs: VecDeque<(Timestamp, usize)>,
    count: usize,
}

impl Surplus {
    pub(crate) fn set(&mut self, count: usize, now: Timestamp) {
        while count < self.count
            && let Some((_, run)) = self.runs.back_mut()
        {
            let less = (*run).min(self.count - count);
            *run -= less;
            self.count -= less;
            if *run == 0 {
                self.runs.pop_back();
            }
        }
        if self.count < count {
            self.runs.push_back((now, count - self.count));
            self.count = count;
        }
    }

    /// Returns how many VMs are too many for longer than `max_idle`, and when the next one will be.
    fn due(&self, max_idle: Duration, now: Timestamp) -> (usize, Option<Timestamp>) {
        let is_due = |run: &&(Timestamp, usize)| run.0 + max_idle <= now;
        let due = self.runs.iter().take_while(is_due).map(|(_, run)| run).sum();
        let next = self.runs.iter().find(|run| !is_due(run)).map(|(since, _)| *since + max_idle);
        (due, next)
    }

    /// Notes that the VMs were given up that were too many for the longest time.
    fn give_up(&mut self, mut count: usize) {
        self.count -= count.min(self.count);
        while count != 0
            && let Some((_, run)) = self.runs.front_mut()
        {
            let less = (*run).min(count);
            *run -= less;
            count -= less;
            if *run == 0 {
                self.runs.pop_front();
            }
        }
    }
}

impl Engine {
    /// Gives up clean VMs that were too many for longer than `max_idle`; returns when to look again.
    pub(crate) fn shrink(&mut self, name: &PoolName) -> Option<Timestamp> {
        let now = self.now;
        let pool = self.pools.get_mut(name)?;
        pool.surplus.set(pool.excess(), now);
        let (due, next) = pool.surplus.due(pool.config.max_idle, now);
        let given_up: Vec<_> = pool.dearest().take(due.min(pool.unneeded())).cloned().collect();
        pool.surplus.give_up(given_up.len());
        for vm in given_up {
            self.terminate(&vm, "the pool no longer needs it");
        }
        next
    }
}

impl Pool {
    /// Returns how many VMs the pool has too many, those included that start.
    fn excess(&self) -> usize {
        match self.retired {
            true => 0,
            false => self.live().saturating_sub(self.desired()),
        }
    }

    /// Returns how many ready VMs the pool does not need: those that start are no stock yet.
    pub(crate) fn unneeded(&self) -> usize {
        self.excess().min(self.by_price.len().saturating_sub(self.spare()))
    }

    /// Returns the ready VMs that nobody used yet: of the dearest offer first, and of one offer the oldest first.
    pub(crate) fn dearest(&self) -> impl Iterator<Item = &VmName> {
        self.by_price.iter().map(|(_, _, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(10);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn every_vm_more_has_its_own_time() {
        let mut surplus = Surplus::default();
        surplus.set(2, at(0));
        surplus.set(5, at(4));
        assert_eq!(surplus.due(IDLE, at(9)), (0, Some(at(10))));
        assert_eq!(surplus.due(IDLE, at(10)), (2, Some(at(14))));
        assert_eq!(surplus.due(IDLE, at(14)), (5, None));
    }

    #[test]
    fn a_vm_less_takes_the_youngest_time_away() {
        let mut surplus = Surplus::default();
        surplus.set(2, at(0));
        surplus.set(5, at(4));
        surplus.set(1, at(5));
        surplus.set(2, at(6));
        assert_eq!(surplus.due(IDLE, at(15)), (1, Some(at(16))));
        surplus.set(0, at(15));
        assert_eq!(surplus.due(IDLE, at(99)), (0, None));
    }

    #[test]
    fn what_was_too_much_before_keeps_its_time_when_it_gets_less() {
        let mut surplus = Surplus::default();
        surplus.set(3, at(0));
        surplus.set(2, at(5));
        assert_eq!(surplus.due(IDLE, at(10)), (2, None));
    }

    #[test]
    fn what_is_given_up_takes_the_oldest_time_with_it() {
        let mut surplus = Surplus::default();
        surplus.set(2, at(0));
        surplus.set(4, at(4));
        surplus.give_up(3);
        surplus.set(1, at(11));
        assert_eq!(surplus.due(IDLE, at(13)), (0, Some(at(14))));
        surplus.set(2, at(13));
        assert_eq!(surplus.due(IDLE, at(14)), (1, Some(at(23))));
    }
}
