//! Pools and providers as people want to see them.

use std::{collections::BTreeMap, time::Duration};

use vmpool_model::{Drain, PoolName, ProviderName, RecordState, Timestamp};

use crate::{Engine, Limit, Stranger, offer::Offer, pool::Pool, provider::Provider};

/// A pool as people want to see it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PoolView {
    /// The pool.
    pub name: PoolName,
    /// How many VM records are in each state, in the order of `RecordState::ALL`.
    pub counts: [usize; RecordState::ALL.len()],
    /// How many VMs have a record that cannot be read: they take up room and are left alone.
    pub unreadable: usize,
    /// How many VMs nothing can be done about, because their providers are not configured: they take up room.
    pub stranded: usize,
    /// How many requests wait that would rather be served from this pool than from any other.
    pub waiting: usize,
    /// How many VMs those who wait are to get from this pool; each VM that somebody wants counts at one pool.
    pub wanted: usize,
    /// Whether the pool left the configuration: what there is of it is kept, nothing is added.
    pub retired: bool,
    /// When it left the configuration while the engine ran: what nobody uses of it is destroyed.
    pub removed_at: Option<Timestamp>,
    /// That the pool is being drained: nothing is given or added, and what is not in use is destroyed.
    pub drain: Option<Drain>,
    /// How many VMs it keeps ready, and what that follows from.
    pub stock: StockView,
    /// Where its VMs may come from, as configured.
    pub offers: Vec<OfferView>,
    /// What keeps it from growing, if it wants to.
    pub limits: Vec<Limit>,
    /// Until when spawning pauses after failures.
    pub paused_until: Option<Timestamp>,
    /// That nothing can be done about some of its VMs, or the last thing that went wrong with spawning; `None` once a VM
    /// became ready and no pause is left.
    pub problem: Option<String>,
}

/// How many VMs a pool keeps ready, and what that follows from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StockView {
    /// How many VMs are to be ready at present, beside those that are taken: the largest of `min_ready`, `scheduled` and
    /// `likely`, as far as `max_total` allows.
    pub target: usize,
    /// How many the schedule says at present; 0 if no entry holds.
    pub scheduled: u32,
    /// When an entry of the schedule begins or ends next.
    pub changes_at: Option<Timestamp>,
    /// How many VMs are likely to be asked for while one boots; `None` if the pool does not look at demand, or no VM became
    /// ready since the start.
    pub likely: Option<usize>,
    /// How many VMs are asked for per second: an average that forgets.
    pub arrivals: f64,
    /// How long VMs take from being asked for to being ready: an average that forgets. `None` until one became ready since
    /// the start.
    pub boot_time: Option<Duration>,
}

/// An offer of a pool as people want to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferView {
    /// The provider.
    pub provider: ProviderName,
    /// What the VMs are made from.
    pub template: String,
    /// How many VMs of this offer there are, those being destroyed included.
    pub total: usize,
    /// Until when it is not used after failures.
    pub paused_until: Option<Timestamp>,
}

/// A provider as people want to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderView {
    /// The provider.
    pub name: ProviderName,
    /// Since when it is not in the configuration any more: nothing is made there, and it goes with its last VM.
    pub retired_at: Option<Timestamp>,
    /// How many nodes of it are known.
    pub nodes: usize,
    /// When a complete listing was answered last.
    pub listed_at: Option<Timestamp>,
    /// How many listings in a row failed.
    pub failures: u32,
    /// What keeps VMs from being created there at present, if anything does.
    pub stop: Option<Limit>,
    /// How much is used of each part of its quota, VMs included that are starting or being destroyed.
    pub used: BTreeMap<String, u64>,
    /// That too many nodes are missing at once, so that none counts as lost.
    pub mass_loss: Option<MassLossView>,
    /// How many nodes are ours and belong to no record: they are destroyed unless a record claims them.
    pub orphans: usize,
    /// How many nodes are not ours to touch.
    pub strangers: usize,
    /// The first 100 of them.
    pub first_strangers: Vec<Stranger>,
}

/// That too many nodes of a provider are missing at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MassLossView {
    /// Since when.
    pub since: Timestamp,
    /// How many nodes were known then.
    pub known: usize,
    /// How many nodes are missing since then.
    pub missing: usize,
}

impl Engine {
    /// Returns the pools, by name; those of records whose pool left the configuration, too.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolView> {
        self.pools.iter().map(|(name, pool)| self.pool_view(name, pool)).collect()
    }

    /// Returns one pool.
    #[must_use]
    pub fn pool(&self, name: &PoolName) -> Option<PoolView> {
        self.pools.get(name).map(|pool| self.pool_view(name, pool))
    }

    /// Returns one provider.
    #[must_use]
    pub fn provider(&self, name: &ProviderName) -> Option<ProviderView> {
        self.providers.get(name).map(|provider| provider_view(name, provider, self.now))
    }

    /// Returns the providers, by name.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderView> {
        self.providers.iter().map(|(name, provider)| provider_view(name, provider, self.now)).collect()
    }

    fn pool_view(&self, name: &PoolName, pool: &Pool) -> PoolView {
        PoolView {
            name: name.clone(),
            counts: pool.counts(),
            unreadable: pool.unreadable,
            stranded: pool.stranded(),
            waiting: pool.queue.preferring(),
            wanted: pool.demand(),
            retired: pool.retired,
            removed_at: pool.removed_at,
            drain: pool.drain.clone(),
            stock: pool.stock_view(self.now),
            offers: pool.offers.iter().map(|offer| offer_view(offer, self.now)).collect(),
            limits: pool.limits.clone(),
            paused_until: self.stopped_until(pool),
            problem: pool.strandedness().or_else(|| pool.problem.clone()),
        }
    }
}

fn offer_view(offer: &Offer, now: Timestamp) -> OfferView {
    OfferView {
        provider: offer.config.provider.clone(),
        template: offer.config.template.clone(),
        total: offer.total,
        paused_until: offer.pause.until(now),
    }
}

fn provider_view(name: &ProviderName, provider: &Provider, now: Timestamp) -> ProviderView {
    let taken = provider.gate.taken();
    let retired = provider.retired_at.map(|since| Limit::ProviderRetired { provider: name.clone(), since });
    let used = |part: &String| u64::try_from(taken.of(part)).unwrap_or(u64::MAX);
    ProviderView {
        name: name.clone(),
        retired_at: provider.retired_at,
        nodes: provider.by_node.len(),
        listed_at: provider.listed_at,
        failures: provider.failures,
        stop: retired.or_else(|| provider.gate.stop(name, now)),
        used: provider.config.quota.keys().map(|part| (part.clone(), used(part))).collect(),
        mass_loss: provider.brake.as_ref().map(|brake| MassLossView {
            since: brake.since,
            known: brake.known,
            missing: brake.missing.len(),
        }),
        orphans: provider.orphans.len(),
        strangers: provider.strangers.count,
        first_strangers: provider.strangers.first.clone(),
    }
}
