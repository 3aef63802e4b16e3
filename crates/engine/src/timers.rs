//! What is due when: one time for each thing that waits for its time.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_model::{LeaseId, PoolName, ProviderName, RequestId, Timestamp, VmName};

/// A thing that waits for its time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Debug, Default)]
pub(crate) struct Timers {
    times: BTreeMap<Timer, Timestamp>,
    queue: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    /// Sets when `timer` is due; `None` unsets it.
    pub(crate) fn set(&mut self, timer: Timer, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.times.insert(timer.clone(), at),
            None => self.times.remove(&timer),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.queue.remove(&(before, timer.clone()));
        }
        if let Some(at) = at {
            self.queue.insert((at, timer));
        }
    }

    /// Returns when `timer` is due.
    pub(crate) fn get(&self, timer: &Timer) -> Option<Timestamp> {
        self.times.get(timer).copied()
    }

    /// Takes the first timer that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        if now < self.queue.first()?.0 {
            return None;
        }
        let (_, timer) = self.queue.pop_first()?;
        self.times.remove(&timer);
        Some(timer)
    }

    /// Returns when the first timer is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
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
        let mut timers = Timers::default();
        timers.set(vm("a"), Some(at(5)));
        timers.set(vm("a"), Some(at(9)));
        assert_eq!(timers.pop_due(at(8)), None);
        assert_eq!(timers.pop_due(at(9)), Some(vm("a")));
        assert_eq!(timers.pop_due(at(99)), None);
    }

    #[test]
    fn unsetting_a_timer_removes_it() {
        let mut timers = Timers::default();
        timers.set(vm("a"), Some(at(5)));
        timers.set(vm("a"), None);
        assert_eq!(timers.next(), None);
    }
}
