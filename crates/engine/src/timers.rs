//! What is due when: one time for each thing that waits for its time.

use std::collections::BTreeSet;

use vmpool_model::{LeaseId, PoolName, ProviderName, RequestId, Timestamp, VmName};

use crate::table::Table;

/// A thing that waits for its time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Timer {
    /// A lease expires.
    Lease(LeaseId),
    /// A VM's next step is due.
    Vm(VmName),
    /// The cloud is to be told when a VM's node ends.
    Expiry(VmName),
    /// A request's time is over, or it is forgotten.
    Request(RequestId),
    /// A provider is to be listed.
    Provider(ProviderName),
    /// A pool may spawn again, or shrink.
    Pool(PoolName),
    /// A pool may make VMs again that another one stands in for.
    Queue,
}

/// All timers; setting one again replaces its time.
#[derive(Debug)]
pub(crate) struct Timers {
    times: Table<Timer, Time>,
    /// Every timer, at its time or before: one that is put off is queued again only when it comes first.
    queue: BTreeSet<(Timestamp, Timer)>,
}

/// When a timer is due, and where it is queued.
#[derive(Debug, Clone, Copy)]
struct Time {
    at: Timestamp,
    queued: Timestamp,
}

/// How many timers that were put off are queued again whenever one is set: a few, so that they hold nobody up.
const REQUEUED: usize = 4;

impl Timers {
    pub(crate) fn new(seed: u64) -> Self {
        Self { times: Table::new(seed), queue: BTreeSet::new() }
    }

    /// Sets when `timer` is due; `None` unsets it.
    pub(crate) fn set(&mut self, timer: Timer, at: Option<Timestamp>) {
        match (at, self.times.get_mut(&timer)) {
            (Some(at), Some(time)) if time.queued <= at => time.at = at,
            (Some(at), Some(time)) => {
                let before = std::mem::replace(time, Time { at, queued: at });
                let mut queued = (before.queued, timer);
                self.queue.remove(&queued);
                queued.0 = at;
                self.queue.insert(queued);
            }
            (Some(at), None) => {
                self.times.insert(timer.clone(), Time { at, queued: at });
                self.queue.insert((at, timer));
            }
            (None, None) => return,
            (None, Some(_)) => {
                if let Some(time) = self.times.remove(&timer) {
                    self.queue.remove(&(time.queued, timer));
                }
            }
        }
        let mut requeued = 0;
        while requeued < REQUEUED && self.requeue_first() {
            requeued += 1;
        }
    }

    /// Returns when `timer` is due.
    pub(crate) fn get(&self, timer: &Timer) -> Option<Timestamp> {
        self.times.get(timer).map(|time| time.at)
    }

    /// Takes the first timer that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        while self.queue.first()?.0 <= now {
            if self.requeue_first() {
                continue;
            }
            let (_, timer) = self.queue.pop_first()?;
            self.times.remove(&timer);
            return Some(timer);
        }
        None
    }

    /// Returns when the first timer is due, or a time before that.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Queues the first timer again if it was put off; returns whether it was.
    fn requeue_first(&mut self) -> bool {
        let Some((queued, timer)) = self.queue.first() else { return false };
        let Some(time) = self.times.get_mut(timer).filter(|time| time.at != *queued) else { return false };
        time.queued = time.at;
        let at = time.at;
        if let Some((_, timer)) = self.queue.pop_first() {
            self.queue.insert((at, timer));
        }
        true
    }

    /// Returns whether every timer is queued once, and not after its time.
    pub(crate) fn is_complete(&self) -> bool {
        let is_queued = |(timer, time): (&Timer, &Time)| {
            time.queued <= time.at && self.queue.contains(&(time.queued, timer.clone()))
        };
        self.queue.len() == self.times.len() && self.times.iter().all(is_queued)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm(name: &str) -> Timer {
        Timer::Vm(VmName::new(name).unwrap())
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn setting_a_timer_again_replaces_its_time() {
        let mut timers = Timers::new(7);
        timers.set(vm("a"), Some(at(5)));
        timers.set(vm("a"), Some(at(9)));
        assert_eq!(timers.pop_due(at(8)), None);
        assert_eq!(timers.pop_due(at(9)), Some(vm("a")));
        assert_eq!(timers.pop_due(at(99)), None);
    }

    #[test]
    fn unsetting_a_timer_removes_it() {
        let mut timers = Timers::new(7);
        timers.set(vm("a"), Some(at(5)));
        timers.set(vm("a"), None);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_timer_that_is_put_off_again_and_again_is_due_at_its_last_time() {
        let mut timers = Timers::new(7);
        timers.set(vm("b"), Some(at(100)));
        for name in ["a", "c", "d", "e", "f", "g"] {
            timers.set(vm(name), Some(at(1)));
            (2..=9).for_each(|millis| timers.set(vm(name), Some(at(millis))));
        }
        timers.set(vm("b"), Some(at(9)));
        assert!(timers.is_complete(), "{timers:?}");
        assert_eq!(timers.pop_due(at(8)), None);
        let due = std::iter::from_fn(|| timers.pop_due(at(9)));
        assert_eq!(due.collect::<Vec<_>>(), ["a", "b", "c", "d", "e", "f", "g"].map(vm), "in order");
        assert!(timers.is_complete(), "{timers:?}");
    }

    #[test]
    fn a_timer_that_is_not_queued_is_told() {
        let mut timers = Timers::new(7);
        timers.set(vm("a"), Some(at(5)));
        timers.queue.clear();
        assert!(!timers.is_complete());
        timers.queue.insert((at(6), vm("a")));
        assert!(!timers.is_complete(), "it is queued after its time");
    }

    #[test]
    fn a_timer_that_is_put_off_is_queued_again_only_when_it_comes_first() {
        let mut timers = Timers::new(7);
        timers.set(vm("a"), Some(at(1)));
        timers.set(vm("b"), Some(at(5)));
        timers.set(vm("b"), Some(at(9)));
        assert_eq!(timers.queue, BTreeSet::from([(at(1), vm("a")), (at(5), vm("b"))]));
        timers.set(vm("a"), Some(at(7)));
        assert_eq!(timers.queue, BTreeSet::from([(at(7), vm("a")), (at(9), vm("b"))]));
        assert_eq!(timers.next(), Some(at(7)));
    }

    #[test]
    fn no_more_than_a_few_are_queued_again_at_once() {
        let mut timers = Timers::new(7);
        timers.set(vm("z"), Some(at(1)));
        for name in ["a", "b", "c", "d", "e", "f"] {
            timers.set(vm(name), Some(at(2)));
            timers.set(vm(name), Some(at(9)));
        }
        timers.set(vm("z"), Some(at(9)));
        let late = timers.queue.iter().filter(|(queued, _)| *queued == at(9)).count();
        assert_eq!((late, timers.next()), (REQUEUED, Some(at(2))), "those that are left are looked at later");
    }
}
