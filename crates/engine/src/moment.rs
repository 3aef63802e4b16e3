//! Moments: points in time that can be told apart within one millisecond.

use vmpool_model::Timestamp;

use crate::{EffectId, Engine};

/// A point in time, and the last effect that was asked for by then: what happens within one millisecond is told
/// apart by effects alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    last_effect: EffectId,
}

impl Moment {
    /// Returns whether an effect was asked for after this moment.
    pub(crate) fn is_before(self, effect: EffectId) -> bool {
        self.last_effect < effect
    }
}

impl Engine {
    /// Returns the present moment.
    pub(crate) fn moment(&self) -> Moment {
        Moment { at: self.now, last_effect: EffectId(self.next_effect) }
    }
}
