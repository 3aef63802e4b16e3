//! Faults by chance.

use vmpool_driver::Operation;
use vmpool_model::FailureKind;

use super::{Fault, ListingFault};

/// How often each fault happens: probabilities from 0 to 1, all 0 by default.
///
/// # Examples
///
/// ```
/// use vmpool_testkit::fault::FaultRates;
///
/// let rates = FaultRates { lose_answer: 0.3, ..FaultRates::default() };
/// assert_eq!(rates.refuse, 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FaultRates {
    /// That a call is refused as by a provider that cannot be reached; it has no effect.
    pub refuse: f64,
    /// That a call that changes something has no effect and seems to run out of time.
    pub lose_request: f64,
    /// That a call that changes something has its effect and seems to run out of time.
    pub lose_answer: f64,
    /// That a listing holds only some of the nodes, and says so.
    pub partial_listing: f64,
    /// That a listing is the one before, and does not say so.
    pub stale_listing: f64,
}

/// Rolls for each call.
#[derive(Debug)]
pub(super) struct Dice {
    pub(super) rates: FaultRates,
    pub(super) random: fastrand::Rng,
}

impl Dice {
    pub(super) fn fault(&mut self, operation: Operation) -> Option<Fault> {
        let changes = !operation.is_read();
        if self.hits(self.rates.refuse) {
            return Some(Fault::Refuse(FailureKind::Unavailable));
        }
        if changes && self.hits(self.rates.lose_request) {
            return Some(Fault::LoseRequest);
        }
        (changes && self.hits(self.rates.lose_answer)).then_some(Fault::LoseAnswer)
    }

    pub(super) fn listing_fault(&mut self, nodes: usize) -> Option<ListingFault> {
        if self.hits(self.rates.partial_listing) {
            return Some(ListingFault::Partial { keep: self.random.usize(..=nodes) });
        }
        self.hits(self.rates.stale_listing).then_some(ListingFault::Stale)
    }

    fn hits(&mut self, probability: f64) -> bool {
        self.random.f64() < probability
    }
}
