//! Tables that are read by key, too.

use std::{borrow::Borrow, collections::BTreeMap, hash::Hash, ops::RangeBounds};

use super::{Place, Table};

/// Entries by key, and the order of their keys: only what comes and what goes takes more time where there is more.
#[derive(Debug)]
pub(crate) struct Ordered<K, V> {
    table: Table<K, V>,
    order: BTreeMap<K, Place>,
}

impl<K: Hash + Ord + Clone, V> Ordered<K, V> {
    /// Makes an empty table.
    pub(crate) fn new(seed: u64) -> Self {
        Self { table: Table::new(seed), order: BTreeMap::new() }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.table.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.table.get_mut(key)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.table.contains_key(key)
    }

    /// Adds an entry, or changes the value of one; returns the value before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = self.table.insert(key.clone(), value);
        if before.is_none()
            && let Some(place) = self.table.place(&key)
        {
            self.order.insert(key, place);
        }
        before
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.table.remove(key)?;
        self.order.remove(key);
        Some(removed)
    }

    /// Returns the entries in the order of their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.range::<K, _>(..)
    }

    /// Returns the entries whose keys are in a range, in the order of their keys.
    pub(crate) fn range<Q: Ord + ?Sized, R: RangeBounds<Q>>(&self, range: R) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.order.range(range).filter_map(|(key, place)| Some((key, self.table.at(*place)?)))
    }

    /// Returns the values in the order of their keys.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Returns the values in the order of their places: this is the fastest way to look at all.
    pub(crate) fn unordered(&self) -> impl Iterator<Item = &V> {
        self.table.values()
    }

    /// Returns whether the order is that of the entries.
    pub(crate) fn is_in_order(&self) -> bool {
        let is_at = |(key, place): (&K, &Place)| self.table.place(key) == Some(*place);
        self.order.len() == self.table.len() && self.order.iter().all(is_at)
    }

    #[cfg(test)]
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.table.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_follows_what_comes_and_goes() {
        let mut entries = Ordered::new(7);
        for key in [5, 3, 9, 1] {
            entries.insert(key, key * 10);
        }
        entries.insert(3, 31);
        entries.remove(&5);
        entries.insert(4, 40);
        assert_eq!(entries.values().collect::<Vec<_>>(), [&10, &31, &40, &90]);
        assert_eq!(entries.range(3..9).map(|(key, _)| *key).collect::<Vec<_>>(), [3, 4]);
        assert!(entries.is_in_order());
        assert_eq!([4, 5].map(|key| entries.contains_key(&key)), [true, false]);
    }

    #[test]
    fn an_order_that_does_not_fit_is_told() {
        let mut entries = Ordered::new(7);
        for key in [5, 3] {
            entries.insert(key, ());
        }
        entries.table.remove(&3);
        assert!(!entries.is_in_order());
        entries.table.insert(2, ());
        assert!(!entries.is_in_order());
    }
}
