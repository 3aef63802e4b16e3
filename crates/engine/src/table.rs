//! Tables: what is found by its key in the same time, however much there is.

mod ordered;

use std::{
    fmt,
    hash::{BuildHasher, Hash},
};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

pub(crate) use self::ordered::Ordered;

/// How many entries are made room for at once. They never move: a table that grows holds nobody up.
const CHUNK: usize = 64;

/// Entries by key.
///
/// Its own order is that of the places that entries have: free places are taken again, the one that became free last
/// before all others. The same history yields the same order, whatever the seed is; it means nothing beyond that.
pub(crate) struct Table<K, V> {
    hasher: FixedState,
    index: HashTable<Found>,
    chunks: Vec<Vec<Option<(K, V)>>>,
    free: Vec<Place>,
}

impl<K: Hash + Eq, V> Default for Table<K, V> {
    /// Makes an empty table for keys that nobody chooses in order to do harm.
    fn default() -> Self {
        Self::new(0)
    }
}

/// Where an entry is, until it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(u32);

/// An entry of the index: what is compared first, and where the rest is.
#[derive(Clone, Copy)]
struct Found {
    hash: u32,
    place: Place,
}

impl Found {
    /// Returns a hash that the index can use as a whole.
    fn spread(hash: u32) -> u64 {
        u64::from(hash) << 32 | u64::from(hash)
    }
}

impl<K: Hash + Eq, V> Table<K, V> {
    /// Makes an empty table. The seed keeps those who choose keys from choosing such as are hard to tell apart.
    pub(crate) fn new(seed: u64) -> Self {
        let hasher = FixedState::with_seed(seed);
        Self { hasher, index: HashTable::new(), chunks: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.at(self.place(key)?)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.place(key)?;
        self.slot_mut(place)?.as_mut().map(|(_, value)| value)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.place(key).is_some()
    }

    /// Adds an entry, or changes the value of one; returns the value before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(before) = self.get_mut(&key) {
            return Some(std::mem::replace(before, value));
        }
        let hash = self.hash(&key);
        let place = self.put((key, value));
        let found = Found { hash, place };
        self.index.insert_unique(Found::spread(hash), found, |found| Found::spread(found.hash));
        None
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let (hash, place) = (self.hash(key), self.place(key)?);
        let found = self.index.find_entry(Found::spread(hash), |found| found.place == place).ok()?;
        found.remove();
        self.free.push(place);
        self.slot_mut(place)?.take().map(|(_, value)| value)
    }

    /// Returns where the entry of a key is.
    pub(crate) fn place(&self, key: &K) -> Option<Place> {
        let hash = self.hash(key);
        let is_it = |found: &Found| found.hash == hash && self.has(found.place, key);
        self.index.find(Found::spread(hash), is_it).map(|found| found.place)
    }

    /// Returns the value at a place.
    pub(crate) fn at(&self, place: Place) -> Option<&V> {
        self.slot(place)?.as_ref().map(|(_, value)| value)
    }

    /// Returns the value at a place, to be changed.
    pub(crate) fn at_mut(&mut self, place: Place) -> Option<&mut V> {
        self.slot_mut(place)?.as_mut().map(|(_, value)| value)
    }

    /// Returns all entries in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flatten().flatten().map(|(key, value)| (key, value))
    }

    /// Returns all keys in the order of their places.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// Returns all values in the order of their places.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    #[cfg(test)]
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.chunks.iter_mut().flatten().flatten().map(|(_, value)| value)
    }

    #[cfg(test)]
    pub(crate) fn clear(&mut self) {
        let Self { index, chunks, free, .. } = self;
        (*index, *chunks, *free) = (HashTable::new(), Vec::new(), Vec::new());
    }

    fn hash(&self, key: &K) -> u32 {
        let hash = self.hasher.hash_one(key);
        // Both halves count.
        u32::try_from((hash ^ (hash >> 32)) & u64::from(u32::MAX)).unwrap_or_default()
    }

    fn has(&self, place: Place, key: &K) -> bool {
        self.slot(place).is_some_and(|slot| slot.as_ref().is_some_and(|(known, _)| known == key))
    }

    fn slot(&self, Place(place): Place) -> Option<&Option<(K, V)>> {
        self.chunks.get(place as usize / CHUNK)?.get(place as usize % CHUNK)
    }

    fn slot_mut(&mut self, Place(place): Place) -> Option<&mut Option<(K, V)>> {
        self.chunks.get_mut(place as usize / CHUNK)?.get_mut(place as usize % CHUNK)
    }

    fn put(&mut self, entry: (K, V)) -> Place {
        if let Some(place) = self.free.pop() {
            if let Some(slot) = self.slot_mut(place) {
                *slot = Some(entry);
            }
            return place;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let Some(chunk) = self.chunks.last_mut() else { return Place(0) };
        chunk.push(Some(entry));
        Place(u32::try_from(before + chunk.len() - 1).unwrap_or(u32::MAX))
    }
}

impl<K: Hash + Eq + Ord, V> Table<K, V> {
    /// Returns all values in the order of their keys, which takes time to find out.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = &V> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries.into_iter().map(|(_, value)| value)
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.chunks.iter().flatten().flatten();
        f.debug_map().entries(entries.map(|(key, value)| (key, value))).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn table(entries: impl IntoIterator<Item = (u32, u32)>) -> Table<u32, u32> {
        let mut table = Table::new(7);
        for (key, value) in entries {
            table.insert(key, value);
        }
        table
    }

    #[test]
    fn what_is_removed_makes_room_for_what_comes() {
        let mut table = table((0..200).map(|key| (key, key)));
        assert_eq!((table.remove(&70), table.remove(&70), table.len()), (Some(70), None, 199));
        let place = table.place(&71);
        table.insert(500, 1);
        assert_eq!((table.get(&500), table.place(&71), table.chunks.len()), (Some(&1), place, 4));
        assert_eq!(table.iter().nth(70), Some((&500, &1)));
    }

    #[test]
    fn the_order_is_that_of_places_whatever_the_seed() {
        let orders = [1, 2].map(|seed| {
            let mut table = Table::new(seed);
            for key in 0..100_u32 {
                table.insert(key, ());
            }
            for key in 0..50 {
                table.remove(&(key * 2));
            }
            for key in 200..230 {
                table.insert(key, ());
            }
            table.keys().copied().collect::<Vec<_>>()
        });
        assert_eq!(orders[0], orders[1]);
        assert_eq!(orders[0][..3], [1, 3, 5]);
    }

    #[test]
    fn sorted_means_by_key() {
        let table = table([(3, 30), (1, 10), (2, 20)]);
        assert_eq!(table.sorted().collect::<Vec<_>>(), [&10, &20, &30]);
        assert_eq!(table.values().collect::<Vec<_>>(), [&30, &10, &20]);
    }

    #[test]
    fn the_index_is_given_hashes_that_tell_keys_apart_bit_by_bit() {
        assert_eq!(Found::spread(0x8000_0003), 0x8000_0003_8000_0003);
        let table = table([]);
        let hashes: Vec<_> = (0..1000).map(|key| table.hash(&key)).collect();
        for bit in 0..32 {
            let set = hashes.iter().filter(|hash| **hash >> bit & 1 == 1).count();
            assert!((400..600).contains(&set), "{set} of 1000 hashes have bit {bit}");
        }
    }

    #[test]
    fn keys_of_the_same_hash_are_told_apart() {
        #[derive(Debug, PartialEq, Eq)]
        struct Alike(u32);
        impl Hash for Alike {
            fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
        }
        let mut table = Table::new(7);
        for key in [1, 2, 3] {
            assert_eq!(table.insert(Alike(key), key), None);
        }
        assert_eq!(table.remove(&Alike(2)), Some(2));
        assert_eq!([1, 2, 3].map(|key| table.get(&Alike(key)).copied()), [Some(1), None, Some(3)]);
        assert_eq!(format!("{table:?}"), "{Alike(1): 1, Alike(3): 3}");
    }

    proptest! {
        #[test]
        fn a_table_has_what_a_map_has(acts in prop::collection::vec((0..40_u32, 0..3_u8), 0..300)) {
            let (mut table, mut map) = (table([]), BTreeMap::new());
            for (at, (key, act)) in (0..).zip(acts) {
                match act {
                    0 => prop_assert_eq!(table.remove(&key), map.remove(&key)),
                    _ => prop_assert_eq!(table.insert(key, at), map.insert(key, at)),
                }
                prop_assert_eq!(table.len(), map.len());
                prop_assert_eq!(table.get(&key), map.get(&key));
            }
            prop_assert!(table.sorted().eq(map.values()));
            prop_assert!((0..40).all(|key| table.contains_key(&key) == map.contains_key(&key)));
        }
    }
}
