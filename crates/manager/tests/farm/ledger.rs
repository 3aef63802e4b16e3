//! The rules, looked at only for what a commit or a call changes.
//!
//! I1: a VM has one lease, a lease one VM. I2: nobody gets a VM that somebody else used, unless it was cleaned. I3: no limit is
//! exceeded. I4: each of our nodes has its record. I5, that nothing is stuck, is `Engine::check`, which the manager does every
//! minute. [Every minute](crate::reckoning) the same holds of everything, recounted.

use std::collections::{BTreeMap, HashMap, HashSet};

use vmpool_dummy::DummyCloud;
use vmpool_manager::{
    model::{
        Change, EventKind, Lease, LeaseId, Node, NodeId, Owner, PoolName, ProviderName, RecordState,
        RequestId, RequestRecord, RequestStatus, Sandbox, Timestamp, Token, VmName, VmRecord,
        states::NodeState,
    },
    store::Batch,
};

use crate::plan::Plan;

/// Returns an error unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}
pub(crate) use ensure;

/// What the rules know of a VM.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) pool: PoolName,
    pub(crate) provider: ProviderName,
    pub(crate) state: RecordState,
    pub(crate) node: Option<NodeId>,
    lease: Option<LeaseId>,
    /// Who used it last, until it is cleaned.
    tenant: Option<(Owner, Option<Sandbox>)>,
}

/// What the rules know of a lease.
#[derive(Debug)]
struct Held {
    vm: VmName,
    pool: PoolName,
    owner: Owner,
    expires_at: Timestamp,
    is_given_back: bool,
}

/// A limit, and how much of it is used.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pub(crate) max: usize,
    pub(crate) all: usize,
    pub(crate) max_starting: usize,
    pub(crate) starting: usize,
    max_per_owner: Option<usize>,
    owners: HashMap<Owner, usize>,
}

/// Knows the records in brief, and what everybody asked for.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) vms: HashMap<VmName, Seen>,
    leases: HashMap<LeaseId, Held>,
    pub(crate) waiting: HashSet<RequestId>,
    pub(crate) pools: BTreeMap<PoolName, Room>,
    pub(crate) accounts: BTreeMap<ProviderName, Room>,
    pub(crate) clouds: BTreeMap<ProviderName, DummyCloud>,
    /// Which VM is used by whom, as its user sees it.
    used: HashMap<VmName, LeaseId>,
    /// Creates that may still have their effect.
    flights: HashSet<VmName>,
    /// Nodes that were made, by VM.
    made: HashMap<VmName, NodeId>,
    pub(crate) total: Total,
}

/// What was counted over the whole life of the farm.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Total {
    pub(crate) commits: u64,
    pub(crate) changes: u64,
    pub(crate) events: u64,
    pub(crate) vms: u64,
    pub(crate) leases: u64,
    pub(crate) renewals: u64,
    pub(crate) expired: u64,
}

impl Ledger {
    pub(crate) fn new(plan: &Plan) -> Self {
        let pools = plan.pools.iter().map(|(name, config)| {
            let max_per_owner = config.max_per_owner.map(|max| max as usize);
            let (max, max_starting) = (config.max_total() as usize, config.max_starting as usize);
            (name.clone(), Room { max, max_starting, max_per_owner, ..Room::default() })
        });
        let accounts = plan.accounts.iter().map(|(name, account)| {
            let max = account.config.quota["vms"] as usize;
            (name.clone(), Room { max, ..Room::default() })
        });
        Self {
            vms: HashMap::new(),
            leases: HashMap::new(),
            waiting: HashSet::new(),
            pools: pools.collect(),
            accounts: accounts.collect(),
            clouds: BTreeMap::new(),
            used: HashMap::new(),
            flights: HashSet::new(),
            made: HashMap::new(),
            total: Total::default(),
        }
    }

    pub(crate) fn leased(&self) -> usize {
        self.leases.len()
    }

    /// Takes in a commit that is about to happen.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), String> {
        self.total.commits += 1;
        self.total.changes += batch.changes.len() as u64;
        self.total.events += batch.events.len() as u64;
        for change in &batch.changes {
            match change {
                Change::PutLease(lease) => self.put_lease(lease)?,
                Change::RemoveLease(id) => self.remove_lease(id, batch)?,
                Change::PutVm(vm) => self.put_vm(vm)?,
                Change::RemoveVm(name) => self.remove_vm(name)?,
                Change::PutRequest(request) => self.put_request(request),
                Change::RemoveRequest(id) => drop(self.waiting.remove(id)),
                _ => {}
            }
        }
        batch.changes.iter().try_for_each(|change| match change {
            Change::PutVm(vm) => self.check_lease(&vm.name),
            Change::PutLease(lease) => self.check_lease(&lease.vm),
            _ => Ok(()),
        })
    }

    fn put_request(&mut self, request: &RequestRecord) {
        match request.status {
            RequestStatus::Waiting => drop(self.waiting.insert(request.id.clone())),
            _ => drop(self.waiting.remove(&request.id)),
        }
    }

    fn put_lease(&mut self, lease: &Lease) -> Result<(), String> {
        if let Some(held) = self.leases.get_mut(&lease.id) {
            ensure!(held.vm == lease.vm, "I1: {} is of {} and of {}", lease.id, held.vm, lease.vm);
            held.expires_at = lease.expires_at;
            self.total.renewals += 1;
            return Ok(());
        }
        self.total.leases += 1;
        let Some(vm) = self.vms.get_mut(&lease.vm) else {
            return Err(format!("I1: {} is of {}, which there is not", lease.id, lease.vm));
        };
        let tenant = (lease.owner.clone(), lease.sandbox.clone());
        ensure!(vm.lease.is_none(), "I1: {} is leased as {:?} and as {}", lease.vm, vm.lease, lease.id);
        let last = vm.tenant.replace(tenant.clone());
        ensure!(
            last.is_none() || last.as_ref() == Some(&tenant),
            "I2: {} is leased to {tenant:?} after {last:?} and was not cleaned",
            lease.vm
        );
        vm.lease = Some(lease.id.clone());
        let Lease { vm, pool, owner, expires_at, .. } = lease.clone();
        self.count_owner(&pool, &owner, 1)?;
        self.leases.insert(lease.id.clone(), Held { vm, pool, owner, expires_at, is_given_back: false });
        Ok(())
    }

    /// I3: counts a lease in or out, for its owner and for the one above it.
    fn count_owner(&mut self, pool: &PoolName, owner: &Owner, by: isize) -> Result<(), String> {
        let Some(room) = self.pools.get_mut(pool) else { return Ok(()) };
        let Some(max) = room.max_per_owner else { return Ok(()) };
        let top = owner.as_str().split('/').next().unwrap_or_default();
        let held = room.owners.entry(Owner::new(top).unwrap()).or_default();
        *held = held.saturating_add_signed(by);
        ensure!(*held <= max, "I3: {top} has {held} leases of {pool}, {max} at most");
        Ok(())
    }

    /// A lease is ended by its holder or by its expiry.
    fn remove_lease(&mut self, id: &LeaseId, batch: &Batch) -> Result<(), String> {
        let Some(held) = self.leases.remove(id) else { return Ok(()) };
        self.count_owner(&held.pool, &held.owner, -1)?;
        if let Some(vm) = self.vms.get_mut(&held.vm).filter(|vm| vm.lease.as_ref() == Some(id)) {
            vm.lease = None;
        }
        if held.is_given_back {
            return Ok(());
        }
        self.total.expired += 1;
        let expired = batch.events.iter().any(|event| {
            event.kind == EventKind::LeaseExpired
                && event.lease.as_ref() == Some(id)
                && held.expires_at <= event.at
        });
        ensure!(expired, "nobody wanted {id} to end, and it had not expired: {held:?}");
        Ok(())
    }

    fn put_vm(&mut self, record: &VmRecord) -> Result<(), String> {
        let node = record.node.as_ref().map(|node| &node.id);
        let was = self.vms.get_mut(&record.name).map(|seen| {
            let was = seen.state;
            seen.state = record.state;
            if seen.node.as_ref() != node {
                seen.node = node.cloned();
            }
            was
        });
        let room = self.pools.get_mut(&record.pool);
        let Some(room) = room else { return Err(format!("I3: {} is of no pool", record.name)) };
        room.starting += usize::from(is_starting(record.state));
        room.starting -= usize::from(was.is_some_and(is_starting));
        if was.is_some() {
            return Ok(());
        }
        self.total.vms += 1;
        room.all += 1;
        ensure!(room.all <= room.max, "I3: {} has {} VMs, {} at most", record.pool, room.all, room.max);
        ensure!(
            room.starting <= room.max_starting,
            "I3: {} VMs of {} are starting, {} at most",
            room.starting,
            record.pool,
            room.max_starting
        );
        let account = self.accounts.get_mut(&record.provider);
        let Some(account) = account else { return Err(format!("I3: {} is at no account", record.name)) };
        account.all += 1;
        let (all, max) = (account.all, account.max);
        ensure!(all <= max, "I3: {} has {all} VMs, {max} at most", record.provider);
        let seen = Seen {
            pool: record.pool.clone(),
            provider: record.provider.clone(),
            state: record.state,
            node: node.cloned(),
            lease: None,
            tenant: None,
        };
        self.vms.insert(record.name.clone(), seen);
        Ok(())
    }

    /// I4: a record is removed only when its node is gone for good.
    fn remove_vm(&mut self, name: &VmName) -> Result<(), String> {
        let Some(seen) = self.vms.remove(name) else { return Ok(()) };
        ensure!(seen.lease.is_none(), "I1: {name} is forgotten and leased: {seen:?}");
        if let Some(room) = self.pools.get_mut(&seen.pool) {
            room.all -= 1;
            room.starting -= usize::from(is_starting(seen.state));
        }
        if let Some(account) = self.accounts.get_mut(&seen.provider) {
            account.all -= 1;
        }
        ensure!(!self.flights.contains(name), "I4: {name} is forgotten, and is being created");
        let node = self.made.remove(name).and_then(|id| self.node(&seen.provider, &id));
        let left = node.filter(|node| node.state != NodeState::Terminated);
        ensure!(left.is_none(), "I4: {name} is forgotten, and its node is there: {left:?}");
        Ok(())
    }

    /// I1: the VM of a lease is in use, and no other.
    fn check_lease(&self, name: &VmName) -> Result<(), String> {
        let Some(vm) = self.vms.get(name) else { return Ok(()) };
        let is_used = vm.state == RecordState::InUse;
        ensure!(is_used == vm.lease.is_some(), "I1: {name} is {} with lease {:?}", vm.state, vm.lease);
        Ok(())
    }

    pub(crate) fn node(&self, provider: &ProviderName, id: &NodeId) -> Option<Node> {
        self.clouds.get(provider)?.node(id)
    }
}

/// Returns whether a VM counts for `max_starting`.
pub(crate) fn is_starting(state: RecordState) -> bool {
    matches!(state, RecordState::Spawning | RecordState::GotIp)
}

/// What everybody says.
impl Ledger {
    /// Somebody was told that they have a VM.
    pub(crate) fn hold(&mut self, lease: &Lease) -> Result<(), String> {
        let other = self.used.insert(lease.vm.clone(), lease.id.clone());
        ensure!(other.is_none(), "I1: {} is used by {} and by {other:?}", lease.vm, lease.id);
        Ok(())
    }

    /// Somebody uses a VM no more, and says so unless they died.
    pub(crate) fn let_go(&mut self, lease: &Lease, is_given_back: bool) {
        self.used.remove(&lease.vm);
        if let Some(held) = self.leases.get_mut(&lease.id) {
            held.is_given_back = is_given_back;
        }
    }

    /// A VM was cleaned after its use.
    pub(crate) fn cleaned(&mut self, vm: &VmName) {
        if let Some(seen) = self.vms.get_mut(vm) {
            seen.tenant = None;
        }
    }

    /// A node is about to be asked for.
    pub(crate) fn take_off(&mut self, token: &Token) -> Result<(), String> {
        // One that was given up while its create waited for its turn is made all the same, and then destroyed.
        ensure!(self.vms.contains_key(&token.vm), "{token} is asked for and has no record");
        let is_first = self.flights.insert(token.vm.clone()) && !self.made.contains_key(&token.vm);
        ensure!(is_first, "{token} is asked for twice");
        Ok(())
    }

    /// A create has had its effect, or never will.
    pub(crate) fn land(&mut self, vm: &VmName, made: Option<NodeId>) {
        self.flights.remove(vm);
        if let Some(node) = made {
            self.made.insert(vm.clone(), node);
        }
    }

    /// A node is about to be destroyed.
    pub(crate) fn destroy_begins(&self, provider: &ProviderName, id: &NodeId) -> Result<(), String> {
        let Some(node) = self.node(provider, id) else { return Ok(()) };
        let Some(token) = node.token else { return Err(format!("{id} is destroyed and is not ours")) };
        let seen = self.vms.get(&token.vm);
        let fits = seen.is_none_or(|seen| seen.state == RecordState::Terminating);
        ensure!(fits, "node {id} of {} is destroyed, which is {seen:?}", token.vm);
        Ok(())
    }
}

/// What is recounted.
impl Ledger {
    /// I1: whoever believes to have a VM has it.
    pub(crate) fn check_used(&self) -> Result<(), String> {
        for (vm, lease) in &self.used {
            let held = self.leases.get(lease).map(|held| &held.vm);
            ensure!(held == Some(vm), "I1: {vm} is used by {lease}, which is of {held:?}");
        }
        for (id, held) in &self.leases {
            let known = self.vms.get(&held.vm).and_then(|vm| vm.lease.as_ref());
            ensure!(known == Some(id), "I1: {id} is of {}, which has {known:?}", held.vm);
        }
        Ok(())
    }
}
