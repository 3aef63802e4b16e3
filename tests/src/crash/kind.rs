//! The ways in which a round ends the daemon.

use vmpool_store::fail_point::POINTS;

use super::damage::Damage;

/// What happens to the daemon in one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is killed at a random moment, under load.
    Kill,
    /// It is killed before it serves.
    Recovery,
    /// It ends at a durable step, by its name.
    Point(&'static str),
    /// It is told to stop, and killed on the way.
    Stop,
    /// It is killed, and its files are torn or damaged.
    Files(Damage),
    /// Its disk is full, for a while or until its end.
    Full,
    /// It is frozen for longer than a lease lasts.
    Freeze,
    /// It is killed, and the next one finds another time.
    Clock,
    /// Three are started on one directory.
    Rivals,
}

impl Kind {
    /// Returns the kind in a few words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "killed at a random moment",
            Self::Recovery => "killed before it serves",
            Self::Point(_) => "ended at a durable step, by its name",
            Self::Stop => "told to stop, and killed on the way",
            Self::Files(damage) if damage.is_harmless() => "killed, with files torn as by a crash",
            Self::Files(_) => "killed, with files damaged beyond that",
            Self::Full => "on a full disk",
            Self::Freeze => "frozen for longer than a lease",
            Self::Clock => "killed, with the clock set elsewhere",
            Self::Rivals => "one of three on the same directory",
        }
    }
}

/// The steps that a round can end a daemon at; those of making a store come before the rounds.
pub(super) fn points() -> impl Iterator<Item = &'static str> {
    let elsewhere = ["store.make.", "manager.stop.", "manager.restore."];
    let points = POINTS.iter().copied();
    points.filter(move |point| !elsewhere.iter().any(|begin| point.starts_with(begin)))
}

/// Returns each kind once, and each step.
pub(super) fn each_once() -> Vec<Kind> {
    let others =
        [Kind::Kill, Kind::Recovery, Kind::Stop, Kind::Full, Kind::Freeze, Kind::Clock, Kind::Rivals];
    let files = Damage::ALL.map(Kind::Files);
    others.into_iter().chain(files).chain(points().map(Kind::Point)).collect()
}

/// Returns the kinds of so many rounds: kills most often, and each kind and each step again and again.
pub(super) fn deal(rounds: usize, rng: &mut fastrand::Rng) -> Vec<Kind> {
    let mut kinds = Vec::new();
    while kinds.len() < rounds {
        let mut deck = each_once();
        deck.extend([Kind::Kill; 14]);
        deck.extend([Kind::Recovery; 5]);
        deck.extend([Kind::Clock, Kind::Clock, Kind::Stop, Kind::Rivals, Kind::Full]);
        rng.shuffle(&mut deck);
        kinds.extend(deck);
    }
    kinds.truncate(rounds);
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rounds_have_each_kind_and_each_step() {
        let kinds = deal(100, &mut fastrand::Rng::with_seed(1));
        assert_eq!(kinds.len(), 100);
        assert!(each_once().iter().all(|kind| kinds.contains(kind)));
    }

    #[test]
    fn no_step_is_left_out() {
        let elsewhere = POINTS.len() - points().count();
        assert_eq!(elsewhere, 7, "three of making a store, two of stopping, two of going on after a failure");
    }
}
