//! The order in which a provider lists its nodes: mostly it is that of the listing before, so that nobody has to be looked for.

use crate::table::Place;

/// How far ahead a node is looked for that is not the next one: those between went away.
const AHEAD: usize = 64;

/// The nodes that a listing shows, by their places in a table, and those of the listing before.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    before: Vec<Place>,
    /// How many of those before came so far, or went away.
    passed: usize,
    now: Vec<Place>,
}

impl Sequence {
    /// Begins another listing.
    pub(crate) fn begin(&mut self) {
        std::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
        self.passed = 0;
    }

    /// Returns where the next node is if the order is that of the listing before.
    pub(crate) fn next(&self) -> Option<Place> {
        self.before.get(self.passed).copied()
    }

    /// Notes where the next node is.
    pub(crate) fn push(&mut self, place: Place) {
        self.now.push(place);
        let ahead = self.before.iter().skip(self.passed).take(AHEAD).position(|before| *before == place);
        // One that was not there before is followed by those that were.
        self.passed += ahead.map_or(0, |ahead| ahead + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    /// Lists nodes, and returns for each of them whether it was guessed right.
    fn list(
        sequence: &mut Sequence,
        table: &Table<u32, ()>,
        nodes: impl IntoIterator<Item = u32>,
    ) -> Vec<bool> {
        sequence.begin();
        let guess = |node| {
            let place = table.place(&node).unwrap();
            let is_right = sequence.next() == Some(place);
            sequence.push(place);
            is_right
        };
        nodes.into_iter().map(guess).collect()
    }

    #[test]
    fn what_comes_and_goes_is_all_that_is_not_guessed() {
        let (mut sequence, mut table) = (Sequence::default(), Table::default());
        for node in 0..300 {
            table.insert(node, ());
        }
        assert!(!list(&mut sequence, &table, 0..200).contains(&true));
        assert!(!list(&mut sequence, &table, 0..200).contains(&false));
        let changed = (0..50).chain([250]).chain(60..200);
        let guessed = list(&mut sequence, &table, changed.clone());
        let wrong = guessed.iter().enumerate().filter(|(_, is_right)| !**is_right);
        assert_eq!(wrong.map(|(at, _)| at).collect::<Vec<_>>(), [50, 51]);
        assert!(!list(&mut sequence, &table, changed).contains(&false));
    }

    #[test]
    fn an_order_that_is_another_one_is_known_the_next_time() {
        let (mut sequence, mut table) = (Sequence::default(), Table::default());
        for node in 0..200 {
            table.insert(node, ());
        }
        list(&mut sequence, &table, 0..200);
        list(&mut sequence, &table, (0..200).rev());
        assert!(!list(&mut sequence, &table, (0..200).rev()).contains(&false));
    }
}
