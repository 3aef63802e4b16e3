//! The patience of a test, which ends where an engine goes round in circles.

use vmpool_model::Timestamp;

/// Sees that no test waits for ever for what an engine that is wrong never does.
#[derive(Default)]
pub(crate) struct Patience {
    at: Option<Timestamp>,
    at_once: u32,
    in_vain: u32,
}

impl Patience {
    /// Takes note of a step, and whether anything came of it.
    pub(crate) fn step(&mut self, now: Timestamp, is_vain: bool) {
        let is_same = self.at.replace(now) == Some(now);
        self.at_once = if is_same { self.at_once + 1 } else { 0 };
        self.in_vain = if is_vain { self.in_vain + 1 } else { 0 };
        assert!(self.at_once < 6_000, "after 6000 steps at one moment there is still something to do");
        assert!(self.in_vain < 2_000, "2000 steps in a row changed nothing, and something is still awaited");
    }
}
