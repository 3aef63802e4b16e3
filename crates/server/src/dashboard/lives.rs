//! The states that a VM was in.

use std::collections::VecDeque;

use vmpool::model::{Event, EventKind, RecordState, Timestamp};

/// How many states are remembered of one VM; what is older is of no use on a screen.
const MOST: usize = 32;

/// The states that a VM was in, and when each began; the oldest are forgotten.
#[derive(Debug, Clone, Default)]
pub(super) struct Life(VecDeque<(RecordState, Timestamp)>);

impl Life {
    /// Notes the state that a VM is in.
    pub(super) fn enter(&mut self, state: RecordState, since: Timestamp) {
        if self.0.back() == Some(&(state, since)) {
            return;
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((state, since));
    }

    /// Notes a state of before what is known; what is told comes oldest last.
    pub(super) fn was(&mut self, state: RecordState, at: Timestamp) {
        let is_older = self.0.front().is_none_or(|(_, first)| at < *first);
        if is_older && self.0.len() < MOST {
            self.0.push_front((state, at));
        }
    }

    /// Returns the place of each state among all states, and when it began in milliseconds, one after the other.
    pub(super) fn told(&self) -> Vec<i64> {
        let place = |state: RecordState| RecordState::ALL.iter().position(|other| *other == state);
        let pair = |(state, at): &(RecordState, Timestamp)| {
            [place(*state).and_then(|place| i64::try_from(place).ok()).unwrap_or_default(), at.as_millis()]
        };
        self.0.iter().flat_map(pair).collect()
    }
}

/// Returns the state that a VM was in from an event on, if the event tells it.
pub(super) fn entered(event: &Event) -> Option<RecordState> {
    Some(match event.kind {
        EventKind::VmSpawning => RecordState::Spawning,
        EventKind::VmGotIp => RecordState::GotIp,
        EventKind::VmReady => RecordState::Ready,
        EventKind::CheckFailed => RecordState::CheckHealthFailed,
        EventKind::LeaseGranted => RecordState::InUse,
        EventKind::VmTerminating => RecordState::Terminating,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_states_are_remembered_the_newest() {
        let mut life = Life::default();
        for millis in 0..100 {
            life.enter(RecordState::Ready, Timestamp::from_millis(millis));
        }
        let told = life.told();
        assert_eq!((told.len(), told.get(1)), (2 * MOST, Some(&68)));
    }

    #[test]
    fn the_past_goes_before_what_is_known() {
        let mut life = Life::default();
        life.enter(RecordState::InUse, Timestamp::from_millis(9));
        life.was(RecordState::InUse, Timestamp::from_millis(9));
        life.was(RecordState::Ready, Timestamp::from_millis(5));
        life.was(RecordState::Spawning, Timestamp::from_millis(1));
        assert_eq!(life.told(), [0, 1, 4, 5, 5, 9]);
    }
}
