//! How many requests the hints of a provider may cost.

use std::time::Duration;

use vmpool_model::{Timestamp, config::ProviderConfig};

/// How many requests hints may cost in the time from one listing to the next.
const PER_INTERVAL: u32 = 10;

/// How many requests hints may cost at once after a quiet time.
const BURST: u32 = 10;

/// What part of the account's rate hints may take.
const PART: u32 = 4;

/// The longest time between two requests: later points in time could not be told.
const LONGEST: Duration = Duration::from_secs(86_400);

/// How many requests hints may cost: a few at once after a quiet time, and from then on so many per listing.
///
/// However many hints come, the account's other calls keep most of its rate.
#[derive(Debug)]
pub(crate) struct Budget {
    /// In what time one more request is allowed.
    interval: Duration,
    burst: u32,
    /// When all that was spent is paid for.
    paid_at: Timestamp,
}

impl Budget {
    pub(crate) fn new(config: &ProviderConfig) -> Self {
        let mut budget = Self { interval: Duration::ZERO, burst: BURST, paid_at: Timestamp::default() };
        budget.set(config);
        budget
    }

    /// Goes by another configuration from now on.
    pub(crate) fn set(&mut self, config: &ProviderConfig) {
        let by_listing = config.list_interval / PER_INTERVAL;
        let by_rate = config.rate.map(|rate| Duration::try_from_secs_f64(f64::from(PART) / rate));
        let by_rate = by_rate.map_or(Duration::ZERO, |interval| interval.unwrap_or(LONGEST));
        self.interval = by_listing.max(by_rate).clamp(Duration::from_millis(1), LONGEST);
        self.burst = match config.rate {
            Some(_) => BURST.min(config.burst / 2).max(1),
            None => BURST,
        };
    }

    /// Returns how many requests are allowed now.
    pub(crate) fn room(&self, now: Timestamp) -> usize {
        let spent = self.paid_at.since(now).as_nanos().div_ceil(self.interval.as_nanos().max(1));
        usize::try_from(u128::from(self.burst).saturating_sub(spent)).unwrap_or(usize::MAX)
    }

    /// Returns when at least one request is allowed.
    pub(crate) fn due_at(&self) -> Timestamp {
        let ahead = self.interval.saturating_mul(self.burst.saturating_sub(1));
        Timestamp::from_millis(self.paid_at.as_millis().saturating_sub_unsigned(millis(ahead)))
    }

    pub(crate) fn spend(&mut self, now: Timestamp, requests: usize) {
        let requests = u32::try_from(requests).unwrap_or(u32::MAX);
        self.paid_at = self.paid_at.max(now) + self.interval.saturating_mul(requests);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
