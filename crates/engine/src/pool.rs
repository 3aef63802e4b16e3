//! What the engine keeps of one pool: its indexes, its queue and its pauses.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vmpool_model::{
    Drain, PoolName, PoolRecord, ProviderName, RecordState, Timestamp, VmName, VmRecord, config::PoolConfig,
    states::NodeState,
};

use crate::{
    Limit,
    average::Mean,
    offer::Offer,
    queue::{Queue, Tenant},
    shrink::Surplus,
    stock::Stock,
};

/// VMs by age of their present condition: the one that waited longest comes first.
type ByAge = BTreeSet<(Timestamp, VmName)>;

/// One pool.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) config: Arc<PoolConfig>,
    /// Where its VMs may come from.
    pub(crate) offers: Vec<Offer>,
    /// The pool left the configuration: what there is of it is kept, nothing is added.
    pub(crate) retired: bool,
    /// It is being drained: nothing is given or made, and what is not in use is destroyed.
    pub(crate) drain: Option<Drain>,
    /// When it was taken out of the configuration of a running engine: what is not in use is destroyed.
    pub(crate) removed_at: Option<Timestamp>,
    /// When a VM of it was forgotten last whose create could still take effect.
    pub(crate) forgotten_at: Option<Timestamp>,
    /// How many VMs' records cannot be read: they take room, and nothing else is known of them.
    pub(crate) unreadable: usize,
    /// How many VMs are proven gone, although their records are still there.
    pub(crate) gone: usize,
    /// How many VMs are held, or are to be.
    held: usize,
    /// How many records are in each state.
    counts: [usize; RecordState::ALL.len()],
    /// The providers of its VMs that cannot be asked.
    pub(crate) missing: BTreeSet<ProviderName>,
    /// How many of the records in each state nothing can be done about, because of that.
    stranded: [usize; RecordState::ALL.len()],
    /// Ready VMs that anybody may get.
    pub(crate) clean: ByAge,
    /// Ready VMs that only the tenant who used them may get.
    pub(crate) dirty: BTreeMap<Tenant, ByAge>,
    /// Those of both that must pass a check before somebody gets them; they are in neither.
    pub(crate) stale_clean: ByAge,
    pub(crate) stale_dirty: BTreeMap<Tenant, ByAge>,
    dirty_by_age: ByAge,
    /// The ready VMs that nobody used yet, by the rank of their offers' prices and by age.
    pub(crate) by_price: BTreeSet<(usize, Timestamp, VmName)>,
    /// How many of these are at each provider, so that who only asks whether there are any need not look at all.
    priced_at: BTreeMap<ProviderName, usize>,
    /// What is written of it.
    pub(crate) record: Option<PoolRecord>,
    /// Requests that wait, and may be served from here.
    pub(crate) queue: Queue,
    /// Who waits here and has ready VMs here that are kept for them.
    pub(crate) expected: BTreeSet<Tenant>,
    /// The same, with VMs that must be checked before.
    pub(crate) stale_expected: BTreeSet<Tenant>,
    /// How many VMs those who wait want of this pool, ready ones that are set aside for them included.
    pub(crate) demand: usize,
    /// How many seconds leases last.
    pub(crate) lease_time: Mean,
    pub(crate) last_spawn: Option<Timestamp>,
    /// The number of the last spawn.
    pub(crate) spawned: u64,
    /// How many VMs others left room for in a quota when it was last at rest.
    pub(crate) left_room: usize,
    /// What kept the pool from growing when it last wanted to.
    pub(crate) limits: Vec<Limit>,
    pub(crate) problem: Option<String>,
    /// What it measures, and how many VMs it keeps ready.
    pub(crate) stock: Stock,
    /// Since when it has more VMs than it wants.
    pub(crate) surplus: Surplus,
    /// When it wants more or fewer VMs by time alone.
    pub(crate) look_at: Option<Timestamp>,
}

impl Pool {
    pub(crate) fn new(config: PoolConfig, retired: bool) -> Self {
        Self {
            record: None,
            offers: config.offers().into_iter().map(Offer::new).collect(),
            config: Arc::new(config),
            retired,
            drain: None,
            removed_at: None,
            forgotten_at: None,
            unreadable: 0,
            gone: 0,
            held: 0,
            counts: [0; RecordState::ALL.len()],
            missing: BTreeSet::new(),
            stranded: [0; RecordState::ALL.len()],
            clean: ByAge::new(),
            dirty: BTreeMap::new(),
            stale_clean: ByAge::new(),
            stale_dirty: BTreeMap::new(),
            dirty_by_age: ByAge::new(),
            by_price: BTreeSet::new(),
            priced_at: BTreeMap::new(),
            queue: Queue::default(),
            expected: BTreeSet::new(),
            stale_expected: BTreeSet::new(),
            demand: 0,
            lease_time: Mean::default(),
            last_spawn: None,
            spawned: 0,
            left_room: 0,
            limits: Vec::new(),
            problem: None,
            stock: Stock::default(),
            surplus: Surplus::default(),
            look_at: None,
        }
    }

    /// Makes the pool of records whose pool left the configuration.
    pub(crate) fn retired(provider: ProviderName) -> Self {
        Self::new(PoolConfig::new(provider, "", 0), true)
    }

    /// Returns what is to be remembered of the pool, if there is anything.
    pub(crate) fn to_record(&self, name: &PoolName) -> Option<PoolRecord> {
        let (drain, removed_at, forgotten_at) = (self.drain.clone(), self.removed_at, self.forgotten_at);
        let known = PoolRecord::of(name.clone(), &self.config);
        let record = PoolRecord { drain, removed_at, forgotten_at, ..known };
        (!record.is_empty()).then_some(record)
    }

    /// Gives the pool another configuration; its VMs must be counted out before, and in again after.
    ///
    /// An offer that stays goes on with its pause.
    pub(crate) fn change(&mut self, config: PoolConfig) {
        let mut before = std::mem::take(&mut self.offers);
        let offers = config.offers().into_iter().map(|config| {
            let is_same = |offer: &&mut Offer| {
                offer.config.provider == config.provider && offer.config.template == config.template
            };
            let same = before.iter_mut().find(is_same);
            let pause = same.map(|offer| std::mem::take(&mut offer.pause)).unwrap_or_default();
            Offer { pause, ..Offer::new(config) }
        });
        self.offers = offers.collect();
        self.config = Arc::new(config);
        self.retired = false;
    }

    /// Returns whether the pool gives VMs and makes new ones.
    pub(crate) fn is_open(&self) -> bool {
        !self.retired && self.drain.is_none()
    }

    /// Counts a VM in; it must be counted out before it changes. One that is `stale` must pass a check before somebody
    /// gets it.
    pub(crate) fn count_in(&mut self, record: &VmRecord, stale: bool) {
        self.counts[record.state as usize] += 1;
        self.gone += usize::from(is_gone(record));
        self.held += usize::from(record.hold.is_some());
        if let Some(offer) = self.offers.iter_mut().find(|offer| offer.made(record)) {
            offer.count_in(record);
        }
        self.last_spawn = self.last_spawn.max(Some(record.created_at));
        if self.is_stranded(record) {
            self.stranded[record.state as usize] += 1;
            return;
        }
        if !is_free(record) {
            return;
        }
        let entry = (record.since, record.name.clone());
        match tenant(record) {
            None => {
                self.ready(stale).0.insert(entry);
                self.by_price.insert(self.price_of(record));
                *self.priced_at.entry(record.provider.clone()).or_default() += 1;
            }
            Some(tenant) => {
                if self.queue.tenant(&tenant).is_some() {
                    self.expected(stale).insert(tenant.clone());
                }
                self.dirty_by_age.insert(entry.clone());
                self.ready(stale).1.entry(tenant).or_default().insert(entry);
            }
        }
    }

    /// Counts a VM out, exactly as it was counted in.
    pub(crate) fn count_out(&mut self, record: &VmRecord, stale: bool) {
        self.counts[record.state as usize] -= 1;
        self.gone -= usize::from(is_gone(record));
        self.held -= usize::from(record.hold.is_some());
        if let Some(offer) = self.offers.iter_mut().find(|offer| offer.made(record)) {
            offer.count_out(record);
        }
        if self.is_stranded(record) {
            self.stranded[record.state as usize] -= 1;
            return;
        }
        if !is_free(record) {
            return;
        }
        let entry = (record.since, record.name.clone());
        let (clean, dirty) = self.ready(stale);
        match tenant(record) {
            None => {
                clean.remove(&entry);
                self.by_price.remove(&self.price_of(record));
                if let Some(count) = self.priced_at.get_mut(&record.provider) {
                    *count -= 1;
                    if *count == 0 {
                        self.priced_at.remove(&record.provider);
                    }
                }
            }
            Some(tenant) => {
                if let Some(vms) = dirty.get_mut(&tenant) {
                    vms.remove(&entry);
                    if vms.is_empty() {
                        dirty.remove(&tenant);
                        self.expected(stale).remove(&tenant);
                    }
                }
                self.dirty_by_age.remove(&entry);
            }
        }
    }

    /// Returns the place of a VM among those that are given up: what no offer makes any more is the dearest.
    fn price_of(&self, record: &VmRecord) -> (usize, Timestamp, VmName) {
        let price = self.offers.iter().find(|offer| offer.made(record)).map(|offer| offer.config.price);
        let dearer = |other: &&Offer| price.is_some_and(|price| price < other.config.price);
        let rank = self.offers.iter().filter(dearer).count() + usize::from(price.is_some());
        (rank, record.created_at, record.name.clone())
    }

    /// Returns the indexes of ready VMs: of those that may be given, or of those that must be checked before.
    fn ready(&mut self, stale: bool) -> (&mut ByAge, &mut BTreeMap<Tenant, ByAge>) {
        match stale {
            true => (&mut self.stale_clean, &mut self.stale_dirty),
            false => (&mut self.clean, &mut self.dirty),
        }
    }

    /// Returns who waits and has ready VMs that are kept for them: such that may be given, or such that must be checked before.
    pub(crate) fn expected(&mut self, stale: bool) -> &mut BTreeSet<Tenant> {
        match stale {
            true => &mut self.stale_expected,
            false => &mut self.expected,
        }
    }

    /// Returns whether two pools have the same records and the same queue in their indexes.
    pub(crate) fn has_same_indexes(&self, other: &Self) -> bool {
        self.indexes() == other.indexes()
    }

    fn indexes(&self) -> impl PartialEq {
        let offers: Vec<_> = self.offers.iter().map(|offer| (offer.total, offer.live)).collect();
        let given = (&self.clean, &self.dirty, &self.stale_clean, &self.stale_dirty);
        let ordered = (&self.dirty_by_age, &self.by_price, &self.priced_at);
        let waiting = (&self.queue, &self.expected, &self.stale_expected);
        (self.counts, self.stranded, self.gone, self.held, offers, given, ordered, waiting)
    }

    /// Returns whether a ready VM that nobody used yet is at a provider.
    pub(crate) fn has_clean_at(&self, provider: &ProviderName) -> bool {
        self.priced_at.contains_key(provider)
    }

    /// Returns whether nothing can be done about a VM because its provider cannot be asked; whoever uses one goes on.
    pub(crate) fn is_stranded(&self, record: &VmRecord) -> bool {
        use RecordState as S;
        let goes_on = matches!(record.state, S::InUse | S::Held | S::Releasing) || is_gone(record);
        !goes_on && self.missing.contains(&record.provider)
    }

    /// Returns how many VMs there are that nothing can be done about because their providers cannot be asked.
    pub(crate) fn stranded(&self) -> usize {
        self.stranded.iter().sum()
    }

    /// Returns how many VMs are in a state, without those that nothing can be done about.
    pub(crate) fn count(&self, state: RecordState) -> usize {
        self.counts[state as usize] - self.stranded[state as usize]
    }

    /// Returns how many records are in each state.
    pub(crate) fn counts(&self) -> [usize; RecordState::ALL.len()] {
        self.counts
    }

    /// Returns how many records there are, those that cannot be read included.
    pub(crate) fn records(&self) -> usize {
        self.counts.iter().sum::<usize>() + self.unreadable
    }

    /// Returns how many VMs are held, or are to be when what is under way with them ends.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Returns how many VMs are kept for a tenant who may come again.
    pub(crate) fn dirty(&self) -> usize {
        self.dirty_by_age.len()
    }

    /// Returns how many VMs those who wait want of this pool.
    pub(crate) fn demand(&self) -> usize {
        self.demand
    }

    /// Returns the VMs that are kept for their last users, the one that waited longest first.
    pub(crate) fn dirty_vms(&self) -> impl Iterator<Item = &VmName> {
        self.dirty_by_age.iter().map(|(_, name)| name)
    }

    /// Returns how many ready VMs nobody used yet.
    pub(crate) fn clean_count(&self) -> usize {
        self.clean.len() + self.stale_clean.len()
    }
}

/// What a pool decides by, of a record: as long as that stays the same, its stock is the same.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    state: RecordState,
    is_gone: bool,
    is_held: bool,
    /// Since when the VM can be given, and to whom.
    free: Option<(Timestamp, Option<Tenant>)>,
}

impl Counted {
    pub(crate) fn of(record: &VmRecord) -> Self {
        Self {
            state: record.state,
            is_gone: is_gone(record),
            is_held: record.hold.is_some(),
            free: is_free(record).then(|| (record.since, tenant(record))),
        }
    }
}

pub(crate) fn tenant(record: &VmRecord) -> Option<Tenant> {
    record.owner.as_ref().map(|owner| (owner.clone(), record.sandbox.clone()))
}

/// Returns whether the VM can be leased now, or once it is checked: a node in any state but running is busy.
pub(crate) fn is_free(record: &VmRecord) -> bool {
    record.state == RecordState::Ready && is_running(record) && record.suspect.is_none()
}

/// Returns whether the VM's node runs, as last seen.
pub(crate) fn is_running(record: &VmRecord) -> bool {
    record.node.as_ref().is_some_and(|node| node.state == NodeState::Running)
}

/// Returns whether the VM's node is proven gone: the record stays until the hook `after_destroy` has run, and takes no room.
pub(crate) fn is_gone(record: &VmRecord) -> bool {
    record.gone_at.is_some() && record.state == RecordState::Terminating
}

#[cfg(test)]
mod tests {
    use vmpool_model::config::OfferConfig;

    use super::*;
    use crate::sample::{on_demand, provider, ready};

    #[test]
    fn what_no_offer_makes_any_more_is_the_dearest_and_of_those_that_cost_the_same_the_oldest_is_first() {
        let offer = |template: &str, price: f64| {
            let mut offer = OfferConfig::new(provider(), template);
            offer.price = price;
            offer
        };
        let mut config = on_demand(9);
        config.offers = vec![offer("cheap", 1.0), offer("dear", 2.0), offer("too", 2.0)];
        let mut pool = Pool::new(config, false);
        let made = [("a-1", "dear", 3), ("a-2", "cheap", 1), ("a-3", "too", 2), ("a-4", "lost", 4)];
        for (name, template, created) in made {
            let created_at = Timestamp::from_millis(created);
            pool.count_in(&VmRecord { template: template.to_owned(), created_at, ..ready(name) }, false);
        }
        let dearest: Vec<_> = pool.dearest().map(VmName::as_str).collect();
        assert_eq!(dearest, ["a-4", "a-3", "a-1", "a-2"]);
    }
}
