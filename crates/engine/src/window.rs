//! How many creates a provider takes at once: one more with every success, half as many after a failure.

use crate::{EffectId, moment::Moment};

/// How many creates a provider takes at once, as far as its answers tell.
#[derive(Debug)]
pub(crate) struct Window {
    size: usize,
    /// When it was made smaller last.
    cut_at: Option<Moment>,
}

impl Window {
    /// Makes a window of the most that the configuration allows: only failures tell that this is too much.
    pub(crate) fn new(most: usize) -> Self {
        Self { size: most, cut_at: None }
    }

    /// Returns the size, which is never more than `most`, and never nothing.
    pub(crate) fn size(&self, most: usize) -> usize {
        self.size.min(most).max(1)
    }

    pub(crate) fn succeed(&mut self, most: usize) {
        self.size = (self.size(most) + 1).min(most);
    }

    /// Halves the window after the failure of a create; creates that were under way together and failed together are one
    /// failure.
    pub(crate) fn fail(&mut self, create: EffectId, now: Moment, most: usize) {
        if self.cut_at.is_none_or(|cut_at| cut_at.is_before(create)) {
            self.size = (self.size(most) / 2).max(1);
            self.cut_at = Some(now);
        }
    }

    /// Begins anew with one create at a time.
    pub(crate) fn restart(&mut self) {
        self.size = 1;
    }
}
