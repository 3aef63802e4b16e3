//! Whose turn it is: of those who wait, the best in rank that can be served is, and all that it wants at once.
//!
//! This says again, slowly and of the records alone, what the engine must decide.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_engine::Spec;
use vmpool_model::{
    Owner, PoolName, RecordState, RequestId, RequestRecord, RequestStatus, Sandbox, Timestamp, VmName,
    VmRecord, states::NodeState,
};

use crate::{life, store::Store, world::World};

/// Checks that a request may be given its leases, which are in the working records already.
pub(crate) fn granted(world: &World, request: &RequestRecord) -> Result<(), String> {
    let RequestStatus::Granted { leases, ended } = &request.status else { return Ok(()) };
    // It was given them before, and one has ended since.
    if !ended.is_empty() {
        return Ok(());
    }
    let id = &request.id;
    let given: Vec<_> = leases.iter().filter_map(|lease| world.working.leases.get(lease)).collect();
    let vms: BTreeSet<_> = given.iter().map(|lease| lease.vm.clone()).collect();
    ensure!(vms.len() == request.count as usize && leases.len() == vms.len(), "{id} was given {given:?}");
    // As it was before: its VMs were free, and it waited.
    let mut before = world.working.clone();
    for lease in &given {
        let has_labels = request.labels.is_subset(&world.spec().pools[&lease.pool].labels);
        ensure!(has_labels, "{} has not the labels of {id}", lease.pool);
        before.leases.remove(&lease.id);
        let Some(vm) = world.ledger.given.get(&lease.vm) else {
            return Err(format!("{} was not free when {id} was given it", lease.vm));
        };
        before.vms.insert(lease.vm.clone(), vm.clone());
    }
    before.requests.insert(id.clone(), RequestRecord { status: RequestStatus::Waiting, ..request.clone() });
    if depends_on_growth(world.spec(), &before) {
        return Ok(());
    }
    let given_vms = Some((id.clone(), vms));
    // Whoever could have a VM again may have to leave it to others, and whether a cloud is down is not in the records.
    let ways = [(false, false), (true, false), (false, true), (true, true)];
    let turn = |(yields, all_up)| Turns { yields, all_up, ..Turns::new(world, &before) }.next();
    ensure!(
        ways.into_iter().any(|way| turn(way) == given_vms),
        "{id} was given {given:?}, and it was the turn of {:?}",
        turn(ways[0])
    );
    Ok(())
}

/// Returns whether no pool can ever serve a request.
pub(crate) fn cannot_be_served(spec: &Spec, request: &RequestRecord) -> bool {
    let pools = candidates(spec, request);
    let most: u32 = pools.iter().map(|pool| spec.pools[pool].max_total()).sum();
    let most_of_owner: u32 = pools
        .iter()
        .map(|pool| match spec.pools[pool].max_per_owner {
            None | Some(0) => spec.pools[pool].max_total(),
            Some(max) => max.min(spec.pools[pool].max_total()),
        })
        .sum();
    most.min(most_of_owner) < request.count
}

/// Returns whether a request may be served from a pool, if only because that stands in for another.
pub(crate) fn may_use(spec: &Spec, request: &RequestRecord, pool: &PoolName) -> bool {
    let mut pools = candidates(spec, request);
    for _ in &spec.pools {
        let fallbacks = pools.iter().filter_map(|pool| spec.pools.get(pool)?.fallback.clone());
        let more: Vec<_> = fallbacks.collect();
        pools.extend(more);
    }
    pools.contains(pool)
}

/// Checks that nobody could be served.
pub(crate) fn nobody_can_be_served(world: &World) -> Result<(), String> {
    let turn = |all_up| Turns { yields: true, all_up, ..Turns::new(world, &world.working) }.next();
    let is_sure = !depends_on_growth(world.spec(), &world.working);
    let turn = turn(false).filter(|_| is_sure && turn(true).is_some());
    ensure!(turn.is_none(), "{turn:?} could be served, and is not");
    Ok(())
}

/// Checks that no owner holds more than it may.
pub(crate) fn nobody_holds_too_much(world: &World) -> Result<(), String> {
    let turns = Turns::new(world, &world.working);
    for lease in world.working.leases.values() {
        let (left, left_in) = (turns.left(&lease.owner), turns.left_in(&lease.owner, &lease.pool));
        ensure!(0 <= left && 0 <= left_in, "{} holds more than it may: {left}, {left_in}", lease.owner);
    }
    Ok(())
}

/// Whether somebody waits who may be served by a pool that stands in for another: whether it does depends on more than
/// records.
fn depends_on_growth(spec: &Spec, records: &Store) -> bool {
    let mut waiting = records.requests.values().filter(|request| request.status == RequestStatus::Waiting);
    waiting.any(|request| {
        request.pools.iter().any(|pool| spec.pools.get(pool).is_some_and(|pool| pool.fallback.is_some()))
    })
}

type Tenant = (Owner, Option<Sandbox>);

/// A walk down the ranks.
struct Turns<'a> {
    world: &'a World,
    /// What is configured and not drained.
    open: Spec,
    records: &'a Store,
    /// How many VMs are set aside, of each pool: for anybody, or of those that are kept for a tenant.
    set_aside: BTreeMap<(PoolName, Option<Tenant>), usize>,
    promised: BTreeMap<Owner, i64>,
    promised_in: BTreeMap<(Owner, PoolName), i64>,
    /// The highest priority of those that wait.
    highest: i64,
    /// Whether VMs that are kept for somebody are not given where others wait and there is no room.
    yields: bool,
    /// Whether those who want several VMs keep what their owners may have even if no pool of theirs makes any for a while.
    all_up: bool,
}

fn top(owner: &Owner) -> Owner {
    owner.parent().unwrap_or_else(|| owner.clone())
}

impl<'a> Turns<'a> {
    fn new(world: &'a World, records: &'a Store) -> Self {
        let waiting = records.requests.values().filter(|request| request.status == RequestStatus::Waiting);
        let highest = waiting.map(|request| i64::from(request.priority)).chain(world.ledger.wished).max();
        Self {
            world,
            open: world.open(),
            records,
            set_aside: BTreeMap::new(),
            promised: BTreeMap::new(),
            promised_in: BTreeMap::new(),
            highest: highest.unwrap_or(i64::MIN),
            yields: false,
            all_up: false,
        }
    }

    /// Whose turn it is, and which VMs are to be given.
    fn next(mut self) -> Option<(RequestId, BTreeSet<VmName>)> {
        let waiting =
            self.records.requests.values().filter(|request| request.status == RequestStatus::Waiting);
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_by_key(|request| self.rank(request));
        for request in waiting {
            let count = i64::from(request.count);
            let pools = candidates(&self.open, request);
            let in_pools: i64 = pools.iter().map(|pool| self.left_in(&request.owner, pool)).sum();
            let keeps = 1 < count && (self.all_up || !self.is_down(&pools));
            if self.left(&request.owner).min(in_pools) < count {
                if keeps {
                    self.keep_what_is_left(request, &pools, in_pools);
                }
                continue;
            }
            let tenant = Some((request.owner.clone(), request.sandbox.clone()));
            let mut given = BTreeSet::new();
            let mut parts = Vec::new();
            for pool in pools.clone() {
                let allowed = self.left_in(&request.owner, &pool);
                let mut taken = 0;
                for kept_for in [tenant.clone(), None] {
                    let key = (pool.clone(), kept_for);
                    let free = match key.1.is_some() && self.yields && self.is_wanted(&key.0, &request.owner)
                    {
                        true => Vec::new(),
                        false => self.free(&key),
                    };
                    let set_aside = self.set_aside.get(&key).copied().unwrap_or_default();
                    let wanted = (count as usize - given.len()).min((allowed - taken).max(0) as usize);
                    let part = (free.len() - set_aside).min(wanted);
                    taken += part as i64;
                    given.extend(free.into_iter().take(part));
                    parts.push((key, part));
                }
            }
            if given.len() == count as usize {
                return Some((request.id.clone(), given));
            }
            if keeps || !given.is_empty() {
                self.reserve(request, parts, &pools);
            }
        }
        None
    }

    /// Sets aside what a request could be given, and keeps what its owner may have for all of it.
    fn reserve(
        &mut self,
        request: &RequestRecord,
        parts: Vec<((PoolName, Option<Tenant>), usize)>,
        pools: &[PoolName],
    ) {
        let top = top(&request.owner);
        for owner in BTreeSet::from([request.owner.clone(), top.clone()]) {
            *self.promised.entry(owner).or_default() += i64::from(request.count);
        }
        let mut rest = i64::from(request.count);
        for (key, part) in parts {
            rest -= part as i64;
            *self.promised_in.entry((top.clone(), key.0.clone())).or_default() += part as i64;
            *self.set_aside.entry(key).or_default() += part;
        }
        for pool in pools {
            let more = self.left_in(&request.owner, pool).clamp(0, rest);
            rest -= more;
            *self.promised_in.entry((top.clone(), pool.clone())).or_default() += more;
        }
    }

    /// Keeps what an owner may have for a request that may not have all of it yet: what only the closest limit keeps it from.
    fn keep_what_is_left(&mut self, request: &RequestRecord, pools: &[PoolName], in_pools: i64) {
        let (owner, count) = (&request.owner, i64::from(request.count));
        let top = top(owner);
        if in_pools < count {
            for pool in pools {
                let left = self.left_in(owner, pool).max(0);
                *self.promised_in.entry((top.clone(), pool.clone())).or_default() += left;
            }
            return;
        }
        let of_top = self.left(&top).max(0);
        let of_sub = self.left_of_sub(owner).max(0);
        if of_sub < count {
            *self.promised.entry(owner.clone()).or_default() += of_sub;
            return;
        }
        *self.promised.entry(top.clone()).or_default() += of_top;
        let mut rest = count;
        for pool in pools {
            let more = self.left_in(owner, pool).clamp(0, rest);
            rest -= more;
            *self.promised_in.entry((top.clone(), pool.clone())).or_default() += more;
        }
    }

    /// Whether no pool has anything free, or makes anything for a while, as far as the engine tells.
    fn is_down(&self, pools: &[PoolName]) -> bool {
        pools.iter().all(|pool| {
            let vms = self.records.vms.values().filter(|vm| vm.pool == *pool);
            let has_some = vms.clone().any(|vm| vm.state.is_starting() || vm.state == RecordState::Ready);
            let limit = self.world.engine.can_grow(pool).err();
            let full = [
                "pool_full",
                "quota",
                "offer_full",
                "max_starting",
                "spawn_interval",
                "create_window",
                "unlisted",
            ];
            limit.is_some_and(|limit| !full.contains(&limit.kind())) && !has_some
        })
    }

    /// The free VMs of a pool that anybody may have, or that are kept for a tenant, the one that waits longest first.
    fn free(&self, (pool, kept_for): &(PoolName, Option<Tenant>)) -> Vec<VmName> {
        let is_free = |vm: &&VmRecord| {
            let runs = vm.node.as_ref().is_some_and(|node| node.state == NodeState::Running);
            let tenant = vm.owner.clone().map(|owner| (owner, vm.sandbox.clone()));
            let is_free = vm.state == RecordState::Ready && runs && vm.suspect.is_none();
            vm.pool == *pool
                && is_free
                && tenant == *kept_for
                && life::is_checked(self.world, vm, self.world.now).is_ok()
        };
        let mut free: Vec<_> = self.records.vms.values().filter(is_free).collect();
        free.sort_by_key(|vm| (vm.since, vm.name.clone()));
        free.into_iter().map(|vm| vm.name.clone()).collect()
    }

    /// Whether somebody else waits for a VM of a pool that is full.
    fn is_wanted(&self, pool: &PoolName, owner: &Owner) -> bool {
        let mut waiting = self.records.requests.values();
        let others = waiting.any(|request| {
            let waits = request.status == RequestStatus::Waiting && request.owner != *owner;
            waits && candidates(self.world.spec(), request).contains(pool)
        });
        let count = self.records.vms.values().filter(|vm| vm.pool == *pool).count();
        others && self.world.spec().pools[pool].max_total() as usize <= count
    }

    fn held(&self, of: impl Fn(&Owner) -> bool) -> i64 {
        self.records.leases.values().filter(|lease| of(&lease.owner)).count() as i64
    }

    /// How many more VMs an owner may have.
    fn left(&self, owner: &Owner) -> i64 {
        let (limits, top) = (&self.world.spec().limits, top(owner));
        let of = |owner: &Owner| limits.owners.get(owner).cloned().unwrap_or_default();
        let left = |max: Option<u32>, held: i64, owner: &Owner| match max {
            None | Some(0) => i64::from(u32::MAX),
            Some(max) => i64::from(max) - held - self.promised.get(owner).copied().unwrap_or_default(),
        };
        let held = self.held(|other| *other == top || other.parent().as_ref() == Some(&top));
        let of_top = left(of(&top).max.or(limits.max_per_owner), held, &top);
        if top == *owner { of_top } else { of_top.min(self.left_of_sub(owner)) }
    }

    /// How many more VMs a sub-owner may have by its own limit.
    fn left_of_sub(&self, owner: &Owner) -> i64 {
        let (limits, top) = (&self.world.spec().limits, top(owner));
        let of = |owner: &Owner| limits.owners.get(owner).cloned().unwrap_or_default();
        let max = of(owner).max.or(of(&top).max_per_sub_owner).or(limits.max_per_sub_owner);
        match max.filter(|max| *max != 0 && top != *owner) {
            None => i64::from(u32::MAX),
            Some(max) => {
                let promised = self.promised.get(owner).copied().unwrap_or_default();
                i64::from(max) - self.held(|other| other == owner) - promised
            }
        }
    }

    /// How many more VMs of a pool an owner may have.
    fn left_in(&self, owner: &Owner, pool: &PoolName) -> i64 {
        let config = self.world.spec().pools.get(pool);
        let Some(max) = config.and_then(|config| config.max_per_owner).filter(|max| *max != 0) else {
            return i64::from(u32::MAX);
        };
        let of = top(owner);
        let held =
            self.records.leases.values().filter(|lease| lease.pool == *pool && top(&lease.owner) == of);
        let promised = self.promised_in.get(&(of.clone(), pool.clone())).copied().unwrap_or_default();
        i64::from(max) - held.count() as i64 - promised
    }

    /// The least comes first.
    fn rank(&self, request: &RequestRecord) -> impl Ord + use<> {
        let spec = self.world.spec();
        let age = |since: Timestamp| {
            let waited = self.world.now.since(since).as_millis() as i64;
            waited.checked_div(spec.limits.priority_aging.as_millis() as i64).unwrap_or_default()
        };
        let aged = age(request.submitted_at);
        let (owner, top) = (&request.owner, top(&request.owner));
        // No weight is above 3.
        let share = |held: i64, owner: &Owner| {
            held * 6 / spec.limits.owners.get(owner).map_or(1, |limits| i64::from(limits.weight))
        };
        let served = |owner: &Owner| self.world.ledger.life.served.get(owner).copied().unwrap_or_default();
        let held = self.held(|other| *other == top || other.parent().as_ref() == Some(&top));
        let own = self.held(|other| other == owner);
        let sub = if top == *owner { own * 6 } else { share(own, owner) };
        let highest = self.highest.max(i64::from(request.priority));
        let class = (i64::from(request.priority) + aged).min(highest);
        let life = &self.world.ledger.life;
        let served_at = life.served_at.get(&top).copied().unwrap_or_default();
        let unserved = age(request.submitted_at.max(served_at));
        let turn = (share(held, &top), served(&top), sub, served(owner));
        (-class, -unserved, turn, request.submitted_at, request.order)
    }
}

/// The pools that a request may be served from, apart from those that stand in for others.
fn candidates(spec: &Spec, request: &RequestRecord) -> Vec<PoolName> {
    let named = match request.pools.is_empty() {
        true => spec.pools.keys().cloned().collect(),
        false => request.pools.clone(),
    };
    let mut pools = Vec::new();
    for pool in named {
        let fits = spec.pools.get(&pool).is_some_and(|config| request.labels.is_subset(&config.labels));
        if fits && !pools.contains(&pool) {
            pools.push(pool);
        }
    }
    pools
}
