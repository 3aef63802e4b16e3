//! Who of those that wait comes first.

use std::cmp::{Ordering, Reverse};

use vmpool_model::Owner;

use crate::{
    Engine,
    owners::weight,
    queue::{Place, Shape, Waiter},
};

/// A request's rank among all that wait, whatever they wait for; the least is served first.
///
/// The higher class comes first: priority, and one more for every `priority_aging` of waiting. Within a class, owners share:
/// first comes the one that holds the least for its weight, then the one that was served longest ago, and likewise among the
/// sub-owners of one owner. Requests of one owner are served in the order in which they came.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    class: Reverse<i64>,
    top: Turn,
    sub: Turn,
    place: Place,
}

/// Whose turn it is.
#[derive(Debug, Default)]
struct Turn {
    held: usize,
    weight: u32,
    /// The fence of the latest lease.
    served: u64,
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        let share = |of: &Self, weight: u32| of.held as u128 * u128::from(weight);
        share(self, other.weight).cmp(&share(other, self.weight)).then(self.served.cmp(&other.served))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Turn {}

impl Engine {
    pub(crate) fn rank_of(&self, waiter: &Waiter) -> Rank {
        self.rank(waiter.owner(), &waiter.shape, waiter.place)
    }

    /// Returns the rank of a request at present; it changes with time, and with every lease of its owner.
    pub(crate) fn rank(&self, owner: &Owner, shape: &Shape, place: Place) -> Rank {
        let (account, limits) = (self.owners.get(owner), &self.spec.limits);
        let parent = account.and_then(|account| account.parent.as_ref());
        let own = account.map_or((0, 0), |account| (account.own, account.served));
        let of_all = match parent {
            Some(parent) => self.owners.get(parent).map_or((0, 0), |parent| (parent.held, parent.served)),
            None => account.map_or((0, 0), |account| (account.held, account.served)),
        };
        let top = Turn { held: of_all.0, weight: weight(parent.unwrap_or(owner), limits), served: of_all.1 };
        // What an owner asks for itself is one more of its sub-owners, whose weight says nothing of its own.
        let sub_weight = if parent.is_some() { weight(owner, limits) } else { 1 };
        let sub = Turn { held: own.0, weight: sub_weight, served: own.1 };
        Rank { class: Reverse(self.class(shape.priority, place)), top, sub, place }
    }

    /// Returns a request's class: its priority, and one more for every `priority_aging` that it waited.
    fn class(&self, priority: i32, (submitted_at, _): Place) -> i64 {
        let waited = self.now.since(submitted_at).as_millis();
        let aged = match self.spec.limits.priority_aging.as_millis() {
            0 => 0,
            aging => i64::try_from(waited / aging).unwrap_or(i64::MAX),
        };
        i64::from(priority).saturating_add(aged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(held: usize, weight: u32, served: u64) -> Turn {
        Turn { held, weight, served }
    }

    #[test]
    fn who_holds_the_least_for_its_weight_is_next() {
        assert!(turn(1, 1, 9) < turn(2, 1, 1));
        assert!(turn(5, 3, 9) < turn(2, 1, 1), "5 of 3 is less than 2 of 1");
        assert!(turn(6, 3, 1) < turn(2, 1, 2), "6 of 3 is as much as 2 of 1, and was served longer ago");
        assert!(turn(0, 9, 0) == turn(0, 1, 0));
    }
}
