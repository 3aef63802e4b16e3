//! When the leases of each pool began, so that who asks when they end need not look at all of them.

use std::{
    collections::{BTreeMap, btree_map::Range},
    time::Duration,
};

use vmpool_model::{Lease, PoolName, Timestamp};

/// How many leases of each pool began at each time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Begins(BTreeMap<PoolName, BTreeMap<Timestamp, usize>>);

impl Begins {
    /// Counts a lease in that begins.
    pub(crate) fn count_in(&mut self, lease: &Lease) {
        if let Some(begins) = self.0.get_mut(&lease.pool) {
            *begins.entry(lease.acquired_at).or_default() += 1;
            return;
        }
        self.0.insert(lease.pool.clone(), [(lease.acquired_at, 1)].into());
    }

    /// Counts a lease out that was counted in.
    pub(crate) fn count_out(&mut self, lease: &Lease) {
        let Some(begins) = self.0.get_mut(&lease.pool) else { return };
        if let Some(count) = begins.get_mut(&lease.acquired_at) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                begins.remove(&lease.acquired_at);
            }
        }
        if begins.is_empty() {
            self.0.remove(&lease.pool);
        }
    }

    /// Returns when the leases of a pool end that end now or later, if each lasts this long.
    pub(crate) fn ends(&self, pool: &PoolName, lasting: Duration, now: Timestamp) -> Ends<'_> {
        let lasted = i64::try_from(lasting.as_millis()).unwrap_or(i64::MAX);
        let from = Timestamp::from_millis(now.as_millis().saturating_sub(lasted));
        let begins = self.0.get(pool).map(|begins| begins.range(from..));
        Ends { seen: Vec::new(), begins, lasting }
    }
}

/// The ends of leases, the soonest first; as many are looked at as somebody asks for.
#[derive(Debug, Default)]
pub(crate) struct Ends<'a> {
    /// Those that were looked at, and how many leases end until then.
    seen: Vec<(usize, Timestamp)>,
    begins: Option<Range<'a, Timestamp, usize>>,
    lasting: Duration,
}

impl Ends<'_> {
    /// Returns the end that so many others come before.
    pub(crate) fn get(&mut self, index: usize) -> Option<Timestamp> {
        while self.known() <= index {
            let (begin, count) = self.begins.as_mut()?.next()?;
            self.seen.push((self.known() + count, *begin + self.lasting));
        }
        let at = self.seen.partition_point(|(until, _)| *until <= index);
        self.seen.get(at).map(|(_, end)| *end)
    }

    /// Returns how many different ends were looked at.
    #[cfg(test)]
    pub(crate) fn looked_at(&self) -> usize {
        self.seen.len()
    }

    /// Returns how many ends are known: all of them, once one was asked for that there is not.
    pub(crate) fn known(&self) -> usize {
        self.seen.last().map_or(0, |(until, _)| *until)
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{LeaseId, Owner, RequestId, VmName};

    use super::*;

    const LASTING: Duration = Duration::from_millis(100);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn pool() -> PoolName {
        PoolName::new("a").unwrap()
    }

    fn lease(began: i64) -> Lease {
        Lease {
            id: LeaseId::new("lease-1").unwrap(),
            vm: VmName::new("a-1").unwrap(),
            pool: pool(),
            owner: Owner::new("ann").unwrap(),
            sandbox: None,
            task: None,
            request: RequestId::new("r1").unwrap(),
            acquired_at: at(began),
            expires_at: at(began) + LASTING,
            ttl: LASTING,
            fence: 1,
            suspect: None,
        }
    }

    fn begins(times: impl IntoIterator<Item = i64>) -> Begins {
        let mut begins = Begins::default();
        times.into_iter().for_each(|began| begins.count_in(&lease(began)));
        begins
    }

    #[test]
    fn ends_come_in_their_order_and_those_that_are_over_do_not() {
        let begins = begins([30, 10, 20, 20, 9]);
        let mut ends = begins.ends(&pool(), LASTING, at(110));
        let told: Vec<_> = (0..5).map(|index| ends.get(index)).collect();
        assert_eq!(told, [Some(at(110)), Some(at(120)), Some(at(120)), Some(at(130)), None]);
        assert_eq!((ends.known(), ends.get(0)), (4, Some(at(110))));
    }

    #[test]
    fn who_asks_for_a_few_ends_looks_at_a_few_leases_however_many_there_are() {
        for leases in [1_000, 100_000] {
            let begins = begins((0..leases).chain([5; 500]));
            let mut ends = begins.ends(&pool(), LASTING, at(100));
            assert_eq!(ends.get(3), Some(at(103)));
            assert_eq!(ends.looked_at(), 4);
            assert_eq!((ends.get(505), ends.looked_at()), (Some(at(105)), 6), "what begins at once is one");
        }
    }

    #[test]
    fn what_was_counted_out_leaves_nothing() {
        let mut begins = begins([1, 1, 2]);
        for began in [1, 2, 2, 7] {
            begins.count_out(&lease(began));
        }
        assert_eq!(begins, self::begins([1]));
        begins.count_out(&lease(1));
        assert_eq!(begins, Begins::default());
    }
}
