//! What the world remembers to judge the engine by, beside the records.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use vmpool_engine::{Effect, Outcome};
use vmpool_model::{
    Failure, Lease, LeaseId, NodeId, Owner, PoolName, ProviderName, RequestId, RequestStatus, Sandbox,
    Timestamp, VmName, VmRecord, config::PoolConfig,
};

use crate::{store::Store, world::Flight};

#[derive(Debug)]
pub(crate) struct Ledger {
    /// All names that records ever had.
    pub(crate) names: BTreeSet<VmName>,
    pub(crate) max_fence: u64,
    pub(crate) max_order: u64,
    pub(crate) past: Past,
    /// VMs whose token the history put on a second node.
    pub(crate) duplicated: BTreeSet<VmName>,
    /// VMs that were held and let go: the hook that was given up with that may still run, and the next waits for it.
    pub(crate) let_go: BTreeSet<VmName>,
    /// VMs as they were when they were last leased, before that.
    pub(crate) given: BTreeMap<VmName, VmRecord>,
    /// The priority of the wish that is being decided.
    pub(crate) wished: Option<i64>,
    pub(crate) life: Life,
}

/// An offer of a pool, by its provider and template.
pub(crate) type OfferOf = (PoolName, ProviderName, String);

/// What was written; a commit that fails takes it back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    /// Whom each VM was leased to first.
    pub(crate) tenants: BTreeMap<VmName, (Owner, Option<Sandbox>)>,
    /// The leases that each request was given, and when they ended.
    pub(crate) served: BTreeMap<RequestId, (LeaseId, Option<Timestamp>)>,
    /// Requests that were ever served, forgotten ones included.
    pub(crate) ever_served: BTreeSet<RequestId>,
}

/// What holds for the life of one engine.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) began: Timestamp,
    /// Creates that were asked for, and not yet disproved by a look-up.
    pub(crate) created: BTreeSet<VmName>,
    /// Until when each offer must not be used.
    pub(crate) pauses: BTreeMap<OfferOf, Timestamp>,
    /// Until when the provider of each offer asked for a pause.
    pub(crate) asked: BTreeMap<OfferOf, Timestamp>,
    /// When each breaker opened that is open, and the VMs that were tried since and are not answered.
    pub(crate) open: BTreeMap<ProviderName, (Timestamp, BTreeSet<VmName>)>,
    pub(crate) last_spawns: BTreeMap<PoolName, Timestamp>,
    pub(crate) listings: BTreeMap<ProviderName, Vec<Seen>>,
    /// When the provider was asked last for a VM's node and answered that there is none.
    pub(crate) denied: BTreeMap<VmName, Timestamp>,
    /// When the node of each VM became known.
    pub(crate) known: BTreeMap<VmName, Timestamp>,
    /// When each VM passed a check.
    pub(crate) passed: BTreeMap<VmName, Timestamp>,
    pub(crate) retry_after: Option<Duration>,
    /// The number of the latest lease of each owner that holds something or waits, those of its sub-owners included.
    pub(crate) served: BTreeMap<Owner, u64>,
    /// When that was.
    pub(crate) served_at: BTreeMap<Owner, Timestamp>,
}

/// A listing that was answered.
#[derive(Debug)]
pub(crate) struct Seen {
    asked_at: Timestamp,
    answered_at: Timestamp,
    complete: bool,
    nodes: BTreeSet<NodeId>,
}

impl Ledger {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            names: BTreeSet::new(),
            max_fence: 0,
            max_order: 0,
            past: Past::default(),
            duplicated: BTreeSet::new(),
            let_go: BTreeSet::new(),
            given: BTreeMap::new(),
            wished: None,
            life: Life::new(now),
        }
    }

    pub(crate) fn begin_life(&mut self, now: Timestamp, records: &Store) {
        self.life = Life::new(now);
        records.leases.values().for_each(|lease| self.life.serve(lease));
    }

    /// Notes an answer that is about to reach the engine.
    pub(crate) fn answered(&mut self, flight: &Flight, outcome: &Outcome, now: Timestamp) {
        self.life.retry_after = match outcome {
            Outcome::Created(Err(Failure { retry_after, .. })) => *retry_after,
            _ => None,
        };
        if let Effect::Create { provider, vm, .. } = &flight.effect
            && let Some((_, tries)) = self.life.open.get_mut(provider)
        {
            tries.remove(vm);
        }
        match (&flight.effect, outcome) {
            (Effect::Find { vm, .. }, Outcome::Found(Ok(nodes))) if nodes.is_empty() => {
                self.life.created.remove(vm);
            }
            (Effect::Check { vm, .. }, Outcome::Checked(Ok(_))) => {
                self.life.passed.insert(vm.clone(), now);
            }
            (Effect::List { provider }, Outcome::Listed { result: Ok(listed), .. }) => {
                let nodes = listed.nodes.iter().map(|node| node.id.clone()).collect();
                let (asked_at, complete) = (flight.asked_at, listed.incomplete.is_none());
                let seen = Seen { asked_at, answered_at: now, complete, nodes };
                self.life.listings.entry(provider.clone()).or_default().push(seen);
            }
            (Effect::Get { vm, .. }, Outcome::Got(Ok(None))) => {
                self.life.denied.insert(vm.clone(), flight.asked_at);
            }
            (Effect::Get { vm, .. }, Outcome::Got(_)) => drop(self.life.denied.remove(vm)),
            _ => {}
        }
    }
}

impl Life {
    fn new(began: Timestamp) -> Self {
        Self {
            began,
            created: BTreeSet::new(),
            pauses: BTreeMap::new(),
            asked: BTreeMap::new(),
            open: BTreeMap::new(),
            last_spawns: BTreeMap::new(),
            listings: BTreeMap::new(),
            denied: BTreeMap::new(),
            known: BTreeMap::new(),
            passed: BTreeMap::new(),
            retry_after: None,
            served: BTreeMap::new(),
            served_at: BTreeMap::new(),
        }
    }

    /// Forgets what a pool has to wait for.
    pub(crate) fn forget_pool(&mut self, pool: &PoolName) {
        self.pauses.retain(|(of, ..), _| of != pool);
        self.asked.retain(|(of, ..), _| of != pool);
        self.last_spawns.remove(pool);
    }

    /// Forgets what offers have to wait for that are configured no more.
    pub(crate) fn forget_offers(&mut self, pools: &BTreeMap<PoolName, PoolConfig>) {
        let is_offer = |(pool, provider, template): &OfferOf| {
            let offers = pools.get(pool).map(PoolConfig::offers).unwrap_or_default();
            offers.iter().any(|offer| offer.provider == *provider && offer.template == *template)
        };
        // One that is not in the configuration at all keeps its own until it is back.
        let stays = |of: &OfferOf| !pools.contains_key(&of.0) || is_offer(of);
        self.pauses.retain(|of, _| stays(of));
        self.asked.retain(|of, _| stays(of));
    }

    pub(crate) fn serve(&mut self, lease: &Lease) {
        for owner in [Some(lease.owner.clone()), lease.owner.parent()].into_iter().flatten() {
            let served_at = self.served_at.entry(owner.clone()).or_default();
            let served = self.served.entry(owner).or_default();
            if *served < lease.fence {
                (*served, *served_at) = (lease.fence, lease.acquired_at);
            }
        }
    }

    /// Forgets when those owners were served who neither hold anything nor wait.
    pub(crate) fn forget(&mut self, records: &Store) {
        let waiting = records.requests.values().filter(|request| request.status == RequestStatus::Waiting);
        let present =
            records.leases.values().map(|lease| &lease.owner).chain(waiting.map(|request| &request.owner));
        let present: BTreeSet<_> =
            present.flat_map(|owner| [Some(owner.clone()), owner.parent()]).flatten().collect();
        self.served.retain(|owner, _| present.contains(owner));
        self.served_at.retain(|owner, _| present.contains(owner));
    }

    /// Whether the last complete listings agree, at least two of them and for at least `grace`, on whether a
    /// node is there; those that were asked for before `since` do not count.
    pub(crate) fn agree(
        &self,
        provider: &ProviderName,
        node: &NodeId,
        is_there: bool,
        since: Timestamp,
        grace: Duration,
    ) -> bool {
        let listings = self.listings.get(provider).map(Vec::as_slice).unwrap_or_default();
        let mut agreeing = Vec::new();
        for seen in listings.iter().rev() {
            let shows = seen.nodes.contains(node);
            match seen.complete {
                true if shows != is_there => break,
                // A partial listing proves only that something is there.
                false if shows && !is_there => break,
                true if since <= seen.asked_at => agreeing.push(seen.answered_at),
                _ => {}
            }
        }
        match (agreeing.first(), agreeing.last()) {
            (Some(last), Some(first)) => 2 <= agreeing.len() && grace <= last.since(*first),
            _ => false,
        }
    }
}
