//! What keeps a pool from growing, or a request waiting.

use vmpool_model::{Owner, PoolName, ProviderName, Timestamp};

use crate::words::{of, without_record};

/// What keeps a pool from growing, or a request waiting, and since when.
///
/// The text is for people and tells what is in the way; [`kind`](Self::kind) is for programs.
///
/// ```
/// use vmpool_engine::Limit;
/// use vmpool_model::Timestamp;
/// let limit = Limit::PoolFull { total: 3, max_total: 3, since: Timestamp::default() };
/// assert_eq!(limit.to_string(), "the pool has 3 VMs, and max_total is 3");
/// assert_eq!(limit.kind(), "pool_full");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// The pool has as many VMs as it may have, those being destroyed included.
    #[error("the pool has {total} VMs, and max_total is {max_total}")]
    PoolFull {
        /// How many VMs there are.
        total: usize,
        /// How many there may be.
        max_total: u32,
        /// Since when.
        since: Timestamp,
    },
    /// The pool has as many VMs as it may have, and nothing can be done about some of them.
    #[error(
        "the pool has {total} VMs, and max_total is {max_total}; {stranded} of them are at a provider that is not \
         configured ({providers}): configure it again, or forget them"
    )]
    Stranded {
        /// How many VMs there are.
        total: usize,
        /// How many there may be.
        max_total: u32,
        /// How many of them are at providers that are not configured.
        stranded: usize,
        /// Which providers these are, for people.
        providers: String,
        /// Since when.
        since: Timestamp,
    },
    /// As many VMs start as may start at once.
    #[error("{starting} VMs are starting, and max_starting is {max_starting}")]
    MaxStarting {
        /// How many VMs start.
        starting: usize,
        /// How many may start at once.
        max_starting: u32,
        /// Since when.
        since: Timestamp,
    },
    /// The last spawn is too short a time ago.
    #[error("spawn_min_interval lets the next VM start at {until}")]
    SpawnInterval {
        /// When the next VM may start.
        until: Timestamp,
        /// Since when.
        since: Timestamp,
    },
    /// There are as many VMs of an offer as there may be.
    #[error(
        "{total} VMs of template {template:?} at provider {provider} exist, and the offer's max_total is {max_total}"
    )]
    OfferFull {
        /// The offer's provider.
        provider: ProviderName,
        /// The offer's template.
        template: String,
        /// How many VMs there are.
        total: usize,
        /// How many there may be.
        max_total: u32,
        /// Since when.
        since: Timestamp,
    },
    /// An offer is not used for a while, because it failed.
    #[error("template {template:?} at provider {provider} is not used until {until}: {why}")]
    OfferPaused {
        /// The offer's provider.
        provider: ProviderName,
        /// The offer's template.
        template: String,
        /// What went wrong.
        why: String,
        /// Until when.
        until: Timestamp,
        /// Since when.
        since: Timestamp,
    },
    /// Nothing is created at a provider for a while, because it failed too often.
    #[error("nothing is created at provider {provider} until {until}: {why}")]
    BreakerOpen {
        /// The provider.
        provider: ProviderName,
        /// What went wrong last.
        why: String,
        /// Until when.
        until: Timestamp,
        /// Since when.
        since: Timestamp,
    },
    /// After failures, a provider is tried with one VM, and its outcome is not known yet.
    #[error("provider {provider} failed, and is tried with one VM first")]
    Probing {
        /// The provider.
        provider: ProviderName,
        /// Since when.
        since: Timestamp,
    },
    /// The provider asked for fewer requests.
    #[error("provider {provider} asks for no creates until {until}")]
    ProviderPaused {
        /// The provider.
        provider: ProviderName,
        /// Until when.
        until: Timestamp,
        /// Since when.
        since: Timestamp,
    },
    /// As many creates are under way at a provider as it takes at present, all pools together.
    #[error(
        "{creating} creates are under way at provider {provider}, and it takes {window} at once at present"
    )]
    CreateWindow {
        /// The provider.
        provider: ProviderName,
        /// How many creates are under way, those included that are not answered.
        creating: usize,
        /// How many may be under way at once.
        window: usize,
        /// Since when.
        since: Timestamp,
    },
    /// The quota of a provider has no room for one more VM.
    #[error(
        "a VM needs {needs} {resource} at provider {provider}, where {used} of {quota} are taken{}",
        without_record(*.unrecorded)
    )]
    Quota {
        /// The provider.
        provider: ProviderName,
        /// What is used up, such as `vms` or `cores`.
        resource: String,
        /// How much of it one VM needs.
        needs: u64,
        /// How much of it is taken.
        used: u64,
        /// How much of it there is.
        quota: u64,
        /// How much of what is taken is taken by nodes of ours that no record speaks of, until these are destroyed.
        unrecorded: u64,
        /// Since when.
        since: Timestamp,
    },
    /// The provider has a quota and was not listed since the start: there may be nodes that no record speaks of.
    #[error("nobody knows yet how much of its quota is taken at provider {provider}: {why}")]
    Unlisted {
        /// The provider.
        provider: ProviderName,
        /// How many listings since then failed, or did not tell.
        listings: u32,
        /// Why it is not known yet.
        why: String,
        /// Since when.
        since: Timestamp,
    },
    /// The provider is not configured.
    #[error("provider {provider} is not configured")]
    ProviderUnknown {
        /// The provider.
        provider: ProviderName,
        /// Since when.
        since: Timestamp,
    },
    /// The provider left the configuration, and still has VMs.
    #[error("provider {provider} was taken out of the configuration, and goes with its last VM")]
    ProviderRetired {
        /// The provider.
        provider: ProviderName,
        /// Since when.
        since: Timestamp,
    },
    /// There is no room for more records: nothing is leased or made.
    #[error("the disk of the records is full, so nothing is leased or made until there is room")]
    StoreFull {
        /// Since when.
        since: Timestamp,
    },
    /// The pool is drained.
    #[error("the pool is drained")]
    Draining {
        /// Since when.
        since: Timestamp,
    },
    /// The pool left the configuration.
    #[error("the pool is not in the configuration any more")]
    Retired {
        /// Since when.
        since: Timestamp,
    },
    /// An owner may not have as many VMs more as it wants.
    #[error("{owner} holds {held} of the {max} VMs{} that it may have at once, and wants {wanted} more", of(.pool.as_slice()))]
    OwnerLimit {
        /// The owner or sub-owner whose limit it is.
        owner: Owner,
        /// The pool that the limit is about; `None` if it is about all.
        pool: Option<PoolName>,
        /// How many VMs it holds.
        held: usize,
        /// How many it may hold.
        max: u32,
        /// How many more it wants at once.
        wanted: u32,
        /// Since when.
        since: Timestamp,
    },
    /// The pool stands in for another one, and that one can make VMs.
    #[error("it stands in for pool {pool}, which can make VMs itself")]
    StandsBy {
        /// The other pool.
        pool: PoolName,
        /// Since when.
        since: Timestamp,
    },
    /// Fewer VMs are ready than are wanted at once, or they are checked first.
    #[error("{ready} of the {wanted} VMs that are wanted at once are ready")]
    TooFew {
        /// How many VMs are ready.
        ready: usize,
        /// How many are wanted.
        wanted: u32,
        /// Since when.
        since: Timestamp,
    },
    /// Other requests come first.
    #[error("requests that come before it: {requests}")]
    Behind {
        /// How many.
        requests: usize,
        /// Since when.
        since: Timestamp,
    },
    /// VMs are on their way, and none is ready yet.
    #[error("VMs on their way: {vms}")]
    Starting {
        /// How many.
        vms: usize,
        /// Since when.
        since: Timestamp,
    },
}

/// Refers to what every kind of limit has, as the limit itself is referred to.
macro_rules! since_of {
    ($limit:expr) => {
        match $limit {
            Limit::PoolFull { since, .. }
            | Limit::Stranded { since, .. }
            | Limit::MaxStarting { since, .. }
            | Limit::SpawnInterval { since, .. }
            | Limit::OfferFull { since, .. }
            | Limit::OfferPaused { since, .. }
            | Limit::BreakerOpen { since, .. }
            | Limit::Probing { since, .. }
            | Limit::ProviderPaused { since, .. }
            | Limit::CreateWindow { since, .. }
            | Limit::Quota { since, .. }
            | Limit::Unlisted { since, .. }
            | Limit::ProviderUnknown { since, .. }
            | Limit::ProviderRetired { since, .. }
            | Limit::StoreFull { since }
            | Limit::Draining { since }
            | Limit::Retired { since }
            | Limit::OwnerLimit { since, .. }
            | Limit::StandsBy { since, .. }
            | Limit::TooFew { since, .. }
            | Limit::Behind { since, .. }
            | Limit::Starting { since, .. } => since,
        }
    };
}

impl Limit {
    /// Returns since when the limit is in the way.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        *since_of!(self)
    }

    fn since_mut(&mut self) -> &mut Timestamp {
        since_of!(self)
    }

    /// Returns what the limit is about, beside its kind.
    fn place(&self) -> (Option<&ProviderName>, &str) {
        match self {
            Self::OfferFull { provider, template, .. } | Self::OfferPaused { provider, template, .. } => {
                (Some(provider), template)
            }
            Self::Quota { provider, resource, .. } => (Some(provider), resource),
            Self::BreakerOpen { provider, .. }
            | Self::Probing { provider, .. }
            | Self::ProviderPaused { provider, .. }
            | Self::CreateWindow { provider, .. }
            | Self::Unlisted { provider, .. }
            | Self::ProviderUnknown { provider, .. }
            | Self::ProviderRetired { provider, .. } => (Some(provider), ""),
            _ => (None, ""),
        }
    }

    /// Returns the limit with the time of an earlier one, if it is the same that is still in the way.
    pub(crate) fn lasting_since(mut self, before: &[Self]) -> Self {
        let is_same = |other: &&Self| other.kind() == self.kind() && other.place() == self.place();
        if let Some(other) = before.iter().find(is_same) {
            let since = other.since().min(self.since());
            *self.since_mut() = since;
        }
        self
    }

    /// Returns the limit as it concerns somebody who came at this time.
    pub(crate) fn since_at_least(mut self, since: Timestamp) -> Self {
        *self.since_mut() = self.since().max(since);
        self
    }

    /// Returns the provider that lets more through when this ends; nobody can tell when.
    pub(crate) fn ends_at(&self) -> Option<&ProviderName> {
        match self {
            Self::Probing { provider, .. }
            | Self::CreateWindow { provider, .. }
            | Self::Unlisted { provider, .. }
            | Self::Quota { provider, .. } => Some(provider),
            _ => None,
        }
    }

    /// Returns whether VMs are made all the same, one after the other.
    pub(crate) fn is_pace(&self) -> bool {
        matches!(
            self,
            Self::MaxStarting { .. }
                | Self::SpawnInterval { .. }
                | Self::CreateWindow { .. }
                | Self::Unlisted { listings: 0, .. }
        )
    }

    /// Returns until when the limit is in the way, if that is known.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::SpawnInterval { until, .. }
            | Self::OfferPaused { until, .. }
            | Self::BreakerOpen { until, .. }
            | Self::ProviderPaused { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Returns what kind of limit it is, such as `pool_full`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PoolFull { .. } => "pool_full",
            Self::Stranded { .. } => "stranded",
            Self::MaxStarting { .. } => "max_starting",
            Self::SpawnInterval { .. } => "spawn_interval",
            Self::OfferFull { .. } => "offer_full",
            Self::OfferPaused { .. } => "offer_paused",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::Probing { .. } => "probing",
            Self::ProviderPaused { .. } => "provider_paused",
            Self::CreateWindow { .. } => "create_window",
            Self::Quota { .. } => "quota",
            Self::Unlisted { .. } => "unlisted",
            Self::ProviderUnknown { .. } => "provider_unknown",
            Self::ProviderRetired { .. } => "provider_retired",
            Self::StoreFull { .. } => "store_full",
            Self::Draining { .. } => "draining",
            Self::Retired { .. } => "retired",
            Self::OwnerLimit { .. } => "owner_limit",
            Self::StandsBy { .. } => "stands_by",
            Self::TooFew { .. } => "too_few",
            Self::Behind { .. } => "behind",
            Self::Starting { .. } => "starting",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str) -> ProviderName {
        ProviderName::new(name).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn offer_full(at_provider: &str, template: &str, second: i64) -> Limit {
        let (provider, template) = (provider(at_provider), template.to_owned());
        Limit::OfferFull { provider, template, total: 1, max_total: 1, since: at(second) }
    }

    fn quota(resource: &str, second: i64) -> Limit {
        let (provider, resource) = (provider("lab"), resource.to_owned());
        Limit::Quota { provider, resource, needs: 1, used: 1, quota: 1, unrecorded: 0, since: at(second) }
    }

    fn probing(at_provider: &str, second: i64) -> Limit {
        Limit::Probing { provider: provider(at_provider), since: at(second) }
    }

    #[test]
    fn a_limit_lasts_since_it_began_if_it_is_about_the_same() {
        let pairs = [
            (offer_full("lab", "small", 1), offer_full("lab", "small", 9)),
            (quota("cores", 1), quota("cores", 9)),
            (probing("lab", 1), probing("lab", 9)),
        ];
        for (before, now) in pairs {
            assert_eq!(now.lasting_since(&[before]).since(), at(1));
        }
    }

    #[test]
    fn another_offer_resource_provider_or_kind_of_limit_has_begun_when_it_began() {
        let pairs = [
            (offer_full("lab", "small", 1), offer_full("lab", "large", 9)),
            (offer_full("lab", "small", 1), offer_full("far", "small", 9)),
            (quota("cores", 1), quota("memory", 9)),
            (probing("lab", 1), probing("far", 9)),
            (Limit::Draining { since: at(1) }, Limit::Retired { since: at(9) }),
        ];
        for (before, now) in pairs {
            assert_eq!(now.lasting_since(&[before]).since(), at(9));
        }
    }
}
