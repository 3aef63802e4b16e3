//! The circuit breaker of a provider: after too many failures in a row nothing is created for a while, then one VM is
//! tried.

use vmpool_model::{FailureKind, Timestamp, config::ProviderConfig};

use crate::{EffectId, backoff, moment::Moment};

/// The circuit breaker of a provider, for all pools together.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: State,
    /// How many creates in a row failed.
    failures: u32,
    /// When the last failure was counted.
    counted_at: Option<Moment>,
    /// How often the breaker opened without closing.
    opened: u32,
    /// What went wrong last.
    why: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Creates are free.
    #[default]
    Closed,
    /// Nothing is created; after `until`, the next create is a try.
    Open { since: Timestamp, until: Timestamp },
    /// One VM is tried; the others wait for its outcome.
    Trying { since: Timestamp, probe: EffectId },
}

/// What a breaker that is not closed lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    Open { since: Timestamp, until: Timestamp, why: String },
    Trying { since: Timestamp },
}

/// A create that failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failed<'a> {
    pub(crate) kind: FailureKind,
    pub(crate) why: &'a str,
    pub(crate) now: Moment,
    pub(crate) jitter: f64,
}

impl Breaker {
    /// Returns what keeps a create from being asked for, if anything does.
    pub(crate) fn stop(&self, now: Timestamp) -> Option<Stop> {
        match self.state {
            State::Open { since, until } if now < until => {
                Some(Stop::Open { since, until, why: self.why.clone() })
            }
            State::Trying { since, .. } => Some(Stop::Trying { since }),
            State::Closed | State::Open { .. } => None,
        }
    }

    /// Notes that a create is asked for: after a pause it is the one that is tried.
    pub(crate) fn ask(&mut self, create: EffectId) {
        if let State::Open { since, .. } = self.state {
            self.state = State::Trying { since, probe: create };
        }
    }

    /// Notes a success; returns whether the breaker closes.
    pub(crate) fn succeed(&mut self, create: EffectId) -> bool {
        match self.state {
            State::Closed => {
                self.failures = 0;
                false
            }
            State::Trying { probe, .. } if probe == create => {
                *self = Self::default();
                true
            }
            // Whoever was asked before the breaker opened tells nothing of how it is now.
            State::Open { .. } | State::Trying { .. } => false,
        }
    }

    /// Notes a failure that tells of the provider; returns until when the breaker is open, if it opens.
    pub(crate) fn fail(
        &mut self,
        create: EffectId,
        failed: Failed<'_>,
        config: &ProviderConfig,
    ) -> Option<Timestamp> {
        match self.state {
            // Creates that were under way together and failed together are one failure, not many in a row.
            State::Closed if self.counted_at.is_none_or(|counted_at| counted_at.is_before(create)) => {
                self.failures += 1;
                self.counted_at = Some(failed.now);
                let is_enough = config.breaker_failures <= self.failures;
                (is_enough || is_login(failed.kind)).then(|| self.open(failed, config))
            }
            State::Closed => is_login(failed.kind).then(|| self.open(failed, config)),
            State::Trying { probe, .. } if probe == create => Some(self.open(failed, config)),
            State::Open { .. } | State::Trying { .. } => None,
        }
    }

    /// Opens the breaker, unless it is open: something else than a create was refused.
    pub(crate) fn trip(&mut self, failed: Failed<'_>, config: &ProviderConfig) -> Option<Timestamp> {
        match self.state {
            State::Open { until, .. } if failed.now.at < until => None,
            State::Trying { .. } => None,
            State::Closed | State::Open { .. } => Some(self.open(failed, config)),
        }
    }

    /// Notes that a create tells nothing of the provider: if it was the one that is tried, another one is.
    pub(crate) fn pass(&mut self, create: EffectId, now: Timestamp) {
        if let State::Trying { since, probe } = self.state
            && probe == create
        {
            self.state = State::Open { since, until: now };
        }
    }

    fn open(&mut self, failed: Failed<'_>, config: &ProviderConfig) -> Timestamp {
        let now = failed.now.at;
        let since = match self.state {
            State::Closed => now,
            State::Open { since, .. } | State::Trying { since, .. } => since,
        };
        self.opened += 1;
        failed.why.clone_into(&mut self.why);
        let (min, max) = (config.breaker_pause, config.breaker_max_pause);
        let until = now + backoff::pause(min, max, self.opened, None, failed.jitter);
        self.state = State::Open { since, until };
        until
    }
}

fn is_login(kind: FailureKind) -> bool {
    kind == FailureKind::Authentication
}
