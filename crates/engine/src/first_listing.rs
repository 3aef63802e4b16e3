//! After a start nobody knows what a provider has beside the records: where it has a quota, creates wait until it was listed.

use vmpool_model::{Failure, ProviderName, Timestamp};

use crate::{Engine, Limit, Records};

/// That a provider was not listed since it can be asked.
#[derive(Debug)]
pub(crate) struct Unlisted {
    since: Timestamp,
    /// There was no record at the start: what was asked for before may still come.
    pub(crate) is_blank: bool,
    /// When a VM was forgotten last whose create could still take effect.
    pub(crate) forgotten_at: Option<Timestamp>,
    /// How many listings failed, or did not tell.
    listings: u32,
    /// Why it lasts, as far as that is known.
    why: String,
}

impl Unlisted {
    pub(crate) fn new(since: Timestamp) -> Self {
        let why = "the first listing is awaited".to_owned();
        Self { since, is_blank: false, forgotten_at: None, listings: 0, why }
    }

    /// Returns the limit that this is where there is a quota.
    pub(crate) fn limit(&self, provider: &ProviderName) -> Limit {
        let (provider, listings, since) = (provider.clone(), self.listings, self.since);
        Limit::Unlisted { provider, listings, why: self.why.clone(), since }
    }
}

impl Records {
    /// Returns whether nothing is recorded, as at the first start and after a store was lost.
    pub(crate) fn is_blank(&self) -> bool {
        let Self { vms, leases, requests, pools, unreadable, unreadable_pools } = self;
        vms.is_empty()
            && leases.is_empty()
            && requests.is_empty()
            && pools.is_empty()
            && unreadable.is_empty()
            && unreadable_pools.is_empty()
    }
}

impl Engine {
    /// Ends the wait for the first listing of a provider with a complete one that shows what there is: one that was asked for when
    /// no node of before the start could be invisible any more, and, where the records were lost or a VM was forgotten, none could
    /// still be made.
    pub(crate) fn first_listed(
        &mut self,
        name: &ProviderName,
        asked_at: Timestamp,
        incomplete: Option<&str>,
    ) {
        let Some(provider) = self.providers.get_mut(name) else { return };
        let (config, gate) = (&provider.config, &mut provider.gate);
        let Some(unlisted) = &mut gate.unlisted else { return };
        unlisted.listings = unlisted.listings.saturating_add(1);
        let is_lost = unlisted.is_blank && !gate.unrecorded.is_empty();
        let settles = if is_lost { config.create_settle() } else { std::time::Duration::ZERO };
        let shown_from = unlisted.since + config.visibility_window + settles;
        let shown_from = shown_from.max(unlisted.forgotten_at.map_or(shown_from, |at| at + config.settles()));
        match incomplete {
            _ if asked_at < shown_from => {
                unlisted.why =
                    format!("what was asked for before the start may come to be until {shown_from}");
            }
            // Where none is ever complete, no VM is ever proven gone either: there is no use in making more.
            Some(why) => unlisted.why = format!("the last listing is not complete: {why}"),
            None => gate.unlisted = None,
        }
        self.room_changed(name);
    }

    /// The first listing of a provider failed: creates go on waiting, and whoever asks why is told.
    pub(crate) fn first_listing_failed(&mut self, name: &ProviderName, failure: &Failure) {
        let Some(unlisted) =
            self.providers.get_mut(name).and_then(|provider| provider.gate.unlisted.as_mut())
        else {
            return;
        };
        unlisted.listings = unlisted.listings.saturating_add(1);
        unlisted.why = format!("the last listing failed: {failure}");
        self.room_changed(name);
    }

    /// Lets everybody look again for whom a provider may have more room or less than before.
    pub(crate) fn room_changed(&mut self, name: &ProviderName) {
        self.wake_pools(name);
        // Pools that can make nothing are stood in for.
        self.unserved = true;
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{PoolRecord, VmName};

    use super::*;
    use crate::sample::{engine, on_demand, pool, ready, spec, want};

    #[test]
    fn whatever_is_recorded_is_no_blank_store() {
        let mut engine = engine(spec([("a", on_demand(2))]), vec![ready("a-1")]);
        want(&mut engine, "r1", "ann", "a", 1);
        let blank = Records::default;
        let all = [
            Records { vms: engine.vms().cloned().collect(), ..blank() },
            Records { leases: engine.leases().cloned().collect(), ..blank() },
            Records { requests: engine.requests().cloned().collect(), ..blank() },
            Records { pools: vec![PoolRecord::of(pool("a"), &on_demand(2))], ..blank() },
            Records { unreadable: [VmName::new("a-1").unwrap()].into(), ..blank() },
            Records { unreadable_pools: [pool("a")].into(), ..blank() },
        ];
        assert!(blank().is_blank());
        assert_eq!(all.map(|records| records.is_blank()), [false; 6]);
    }
}
