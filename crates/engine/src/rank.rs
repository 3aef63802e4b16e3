//! Who of those that wait comes first.

use std::cmp::{Ordering, Reverse};

use vmpool_model::{Owner, Timestamp};

use crate::{
    Engine,
    owners::weight,
    queue::{Place, Shape, Waiter},
};

/// A request's rank among all that wait, whatever they wait for; the least is served first.
///
/// The higher class comes first: priority, and one more for every `priority_aging` of waiting, up to the highest priority
/// that waits. Beyond that, to go on aging would let the owner with the longest queue have everything; instead, of the
/// same class, first comes whose owner was served nothing for more times `priority_aging`, and then owners share: first comes
/// the one that holds the least for its weight, then the one that was served longest ago, and likewise among the sub-owners
/// of one owner. Requests of one owner that are of the same class are served in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) urgency: Urgency,
    pub(crate) top: Turn,
    pub(crate) sub: Turn,
    place: Place,
}

impl Rank {
    /// Returns whose rank it is.
    pub(crate) fn place(&self) -> Place {
        self.place
    }
}

/// What counts before shares do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Urgency {
    class: Reverse<i64>,
    /// For how many times `priority_aging` it waits and its owner was served nothing.
    unserved: Reverse<i64>,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turn {
    pub(crate) held: usize,
    pub(crate) weight: u32,
    /// The fence of the latest lease.
    served: u64,
}

impl Turn {
    /// Returns how many VMs more it may have until it has as much for its weight as the other one.
    pub(crate) fn behind(self, other: Self) -> usize {
        let share = other.held as u128 * u128::from(self.weight) / u128::from(other.weight.max(1));
        usize::try_from(share).unwrap_or(usize::MAX).saturating_sub(self.held)
    }
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
        let top = parent.map_or(account, |parent| self.owners.get(parent));
        let served_at = top.map(|top| top.served_at).unwrap_or_default();
        let top = Turn {
            held: top.map_or(0, |top| top.held),
            weight: weight(parent.unwrap_or(owner), limits),
            served: top.map_or(0, |top| top.served),
        };
        let sub = Turn {
            held: account.map_or(0, |account| account.own),
            // What an owner asks for itself is one more of its sub-owners, whose weight says nothing of its own.
            weight: if parent.is_some() { weight(owner, limits) } else { 1 },
            served: account.map_or(0, |account| account.served),
        };
        Rank { urgency: self.urgency(shape.priority, place.0, served_at), top, sub, place }
    }

    fn urgency(&self, priority: i32, submitted_at: Timestamp, served_at: Timestamp) -> Urgency {
        let highest = self.waiting.highest_priority().map_or(i64::MIN, i64::from);
        let aged = i64::from(priority).saturating_add(self.aged(submitted_at));
        let class = aged.min(highest).max(i64::from(priority));
        Urgency { class: Reverse(class), unserved: Reverse(self.aged(submitted_at.max(served_at))) }
    }

    /// Returns how many times `priority_aging` passed since then.
    pub(crate) fn aged(&self, since: Timestamp) -> i64 {
        match self.spec.limits.priority_aging.as_millis() {
            0 => 0,
            aging => i64::try_from(self.now.since(since).as_millis() / aging).unwrap_or(i64::MAX),
        }
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

    #[test]
    fn who_is_behind_may_have_more_until_it_is_not() {
        assert_eq!(turn(2, 1, 0).behind(turn(5, 1, 0)), 3);
        assert_eq!(turn(2, 2, 0).behind(turn(5, 1, 0)), 8, "10 of 2 are as much as 5 of 1");
        assert_eq!(turn(2, 1, 0).behind(turn(5, 2, 0)), 0, "3 of 1 would be more than 5 of 2");
        assert_eq!(turn(5, 1, 0).behind(turn(5, 1, 0)), 0);
    }
}
