//! What a provider lets through: its quota, its breaker, and how many creates it takes at once; for all pools together.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use vmpool_model::{
    PoolName, ProviderName, RecordState, Timestamp, VmName, VmRecord, config::ProviderConfig,
};

use crate::{
    EffectId, Limit,
    backoff::Pause,
    breaker::{Breaker, Stop},
    first_listing::Unlisted,
    pool::{is_free, is_gone, tenant},
    quota::{Lack, Usage},
    unrecorded::Unrecorded,
    window::Window,
};

/// What a provider lets through, and what it has, for all pools together.
#[derive(Debug)]
pub(crate) struct Gate {
    /// What all VMs take that are not proven gone, but for those whose records cannot be read.
    pub(crate) usage: Usage,
    /// What those of them take that are being destroyed.
    leaving: Usage,
    /// What VMs take at most whose records cannot be read.
    pub(crate) unreadable: Usage,
    /// Nodes of ours that no record speaks of, and what they take.
    pub(crate) unrecorded: Unrecorded,
    /// That nobody knows yet what there is beside the records.
    pub(crate) unlisted: Option<Unlisted>,
    /// VMs whose node is not known: it is asked for, or looked for.
    nodeless: BTreeSet<VmName>,
    /// VMs that are kept for their last users, the one that waited longest first.
    dirty: BTreeSet<(Timestamp, VmName)>,
    /// Creates that are not answered.
    pub(crate) creates: BTreeMap<EffectId, VmName>,
    pub(crate) window: Window,
    pub(crate) breaker: Breaker,
    /// The pause that the provider asks for.
    pub(crate) pause: Pause,
    /// Pools that wait until something is let through.
    pub(crate) waiting: BTreeSet<PoolName>,
}

impl Gate {
    pub(crate) fn new(config: &ProviderConfig) -> Self {
        Self {
            usage: Usage::default(),
            unreadable: Usage::default(),
            leaving: Usage::default(),
            unrecorded: Unrecorded::default(),
            unlisted: None,
            nodeless: BTreeSet::new(),
            dirty: BTreeSet::new(),
            creates: BTreeMap::new(),
            window: Window::new(config.max_creating()),
            breaker: Breaker::default(),
            pause: Pause::default(),
            waiting: BTreeSet::new(),
        }
    }

    /// Counts a record in; the record must be counted out before it changes.
    pub(crate) fn count_in(&mut self, record: &VmRecord) {
        if is_gone(record) {
            return;
        }
        self.usage.add(record);
        if record.state == RecordState::Terminating {
            self.leaving.add(record);
        }
        if record.node.is_none() {
            self.nodeless.insert(record.name.clone());
        }
        if is_free(record) && tenant(record).is_some() {
            self.dirty.insert((record.since, record.name.clone()));
        }
    }

    /// Counts a record out, exactly as it was counted in.
    pub(crate) fn count_out(&mut self, record: &VmRecord) {
        if is_gone(record) {
            return;
        }
        self.usage.remove(record);
        if record.state == RecordState::Terminating {
            self.leaving.remove(record);
        }
        if record.node.is_none() {
            self.nodeless.remove(&record.name);
        }
        if is_free(record) && tenant(record).is_some() {
            self.dirty.remove(&(record.since, record.name.clone()));
        }
    }

    /// Returns whether there are VMs whose node is not known.
    pub(crate) fn has_nodeless(&self) -> bool {
        !self.nodeless.is_empty()
    }

    /// Returns how many VMs there are whose node is known and not proven gone.
    pub(crate) fn with_nodes(&self) -> usize {
        usize::try_from(self.usage.vms).unwrap_or(usize::MAX) - self.nodeless.len()
    }

    /// Returns what is taken of the quota, by VMs whose records cannot be read and by nodes without a record, too.
    pub(crate) fn taken(&self) -> Cow<'_, Usage> {
        match self.unreadable == Usage::default() && self.unrecorded.is_empty() {
            true => Cow::Borrowed(&self.usage),
            false => Cow::Owned(self.usage.with(&self.unreadable).with(self.unrecorded.usage())),
        }
    }

    /// Returns what of that is being destroyed.
    pub(crate) fn leaving(&self) -> Cow<'_, Usage> {
        match self.unrecorded.is_empty() {
            true => Cow::Borrowed(&self.leaving),
            false => Cow::Owned(self.leaving.with(self.unrecorded.leaving())),
        }
    }

    /// Returns how many creates are under way, those that are not answered and looked for included.
    pub(crate) fn creating(&self) -> usize {
        let seen = self.creates.values().filter(|vm| !self.nodeless.contains(*vm)).count();
        self.nodeless.len() + seen
    }

    /// Returns the VMs that are kept for their last users, the one that waited longest first.
    pub(crate) fn dirty(&self) -> impl Iterator<Item = &VmName> {
        self.dirty.iter().map(|(_, name)| name)
    }

    /// Returns whether two gates have counted the same records.
    pub(crate) fn has_same_counts(&self, other: &Self) -> bool {
        (&self.usage, &self.leaving, &self.nodeless, &self.dirty)
            == (&other.usage, &other.leaving, &other.nodeless, &other.dirty)
    }

    /// Returns what keeps a create from being asked for at present, whatever it needs, if anything does.
    pub(crate) fn stop(&self, provider: &ProviderName, now: Timestamp) -> Option<Limit> {
        let provider = provider.clone();
        if let Some(until) = self.pause.until(now) {
            return Some(Limit::ProviderPaused { provider, until, since: self.pause.since() });
        }
        match self.breaker.stop(now)? {
            Stop::Open { since, until, why } => Some(Limit::BreakerOpen { provider, why, until, since }),
            Stop::Trying { since } => Some(Limit::Probing { provider, since }),
        }
    }

    /// Returns when the first thing ends that stops creates for a time.
    pub(crate) fn stopped_until(&self, now: Timestamp) -> Option<Timestamp> {
        let opens = match self.breaker.stop(now) {
            Some(Stop::Open { until, .. }) => Some(until),
            _ => None,
        };
        self.pause.until(now).into_iter().chain(opens).min()
    }

    /// Returns the limit that a lack in the quota is.
    pub(crate) fn lacking(&self, provider: ProviderName, lack: Lack, since: Timestamp) -> Limit {
        let Lack { resource, needs, used, quota } = lack;
        let unrecorded = u64::try_from(self.unrecorded.usage().of(&resource)).unwrap_or(u64::MAX);
        Limit::Quota { provider, resource, needs, used, quota, unrecorded, since }
    }

    /// Returns whether all that is taken is within the quota, as far as a VM with these needs is concerned, and known.
    pub(crate) fn is_within(&self, config: &ProviderConfig, needs: &BTreeMap<String, u64>) -> bool {
        config.quota.is_empty()
            || (self.unlisted.is_none() && self.taken().lack(&config.quota, needs, 0).is_none())
    }

    /// Returns what there is no room for, if one more VM with these needs is to be made.
    pub(crate) fn room(
        &self,
        provider: &ProviderName,
        config: &ProviderConfig,
        needs: &BTreeMap<String, u64>,
        now: Timestamp,
    ) -> Option<Limit> {
        let (provider, since) = (provider.clone(), now);
        if let Some(unlisted) = self.unlisted.as_ref().filter(|_| !config.quota.is_empty()) {
            return Some(unlisted.limit(&provider));
        }
        if let Some(lack) = self.taken().lack(&config.quota, needs, 1) {
            return Some(self.lacking(provider, lack, now));
        }
        let (creating, window) = (self.creating(), self.window.size(config.max_creating()));
        (window <= creating).then_some(Limit::CreateWindow { provider, creating, window, since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::ready;

    #[test]
    fn those_with_nodes_are_all_but_those_whose_node_is_not_known_or_proven_gone() {
        let mut gate = Gate::new(&ProviderConfig::new("dummy"));
        let mut lacking = ready("a-1");
        lacking.node = None;
        let gone =
            VmRecord { state: RecordState::Terminating, gone_at: Some(Timestamp::default()), ..ready("a-2") };
        for record in [lacking, gone, ready("a-3"), ready("a-4"), ready("a-5")] {
            gate.count_in(&record);
        }
        assert_eq!(gate.with_nodes(), 3);
    }

    #[test]
    fn a_stop_ends_with_the_first_pause() {
        use crate::{backoff::Trouble, breaker::Failed};
        use std::time::Duration;
        use vmpool_model::FailureKind;
        let config = ProviderConfig::new("dummy");
        let moment = crate::sample::engine(crate::sample::spec([]), Vec::new()).moment();
        let (now, mut gate) = (moment.at, Gate::new(&config));
        assert_eq!(gate.stopped_until(now), None);
        let failed = Failed { kind: FailureKind::Authentication, why: "", now: moment, jitter: 0.0 };
        let opens = gate.breaker.trip(failed, &config);
        assert!(opens.is_some() && gate.stopped_until(now) == opens);
        let pause = Duration::from_millis(5);
        let _ = gate.pause.fail(now, Trouble { min: pause, max: pause, asked: None, jitter: 0.0, why: "" });
        assert_eq!(gate.stopped_until(now), Some(now + pause));
    }
}
