//! The rules: what every commit and every call to a cloud must keep.
//!
//! I1: a VM has one lease, a lease one VM. I2: nobody gets a VM that somebody else used, unless it was cleaned. I3: no limit is
//! exceeded. I4: each of our nodes has its record. I5, that nothing is stuck, is `Engine::check`, which the manager does.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use vmpool_dummy::DummyCloud;
use vmpool_manager::{
    model::{
        Change, EventKind, InstallationId, Lease, LeaseId, Node, NodeId, Owner, PoolName, ProviderName,
        RecordState, RequestId, Sandbox, Token, VmName, VmRecord, states::NodeState,
    },
    store::Batch,
};

use self::{known::Unknown, owner::Owners};
use crate::{
    reload::Config,
    rows::{Count, Rows},
    scenario::Scenario,
};

/// Returns an error unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}

mod budget;
mod config;
mod known;
mod owner;
mod reuse;
mod stand_in;

/// Who uses or used a VM.
type Tenant = (Owner, Option<Sandbox>);

/// Knows the records, and what everybody asked for.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) rows: Rows,
    pub(crate) installation: InstallationId,
    /// The configurations of which one holds, the newest one last.
    configs: Vec<Config>,
    /// How many VMs each pool ever might have.
    most: BTreeMap<PoolName, u32>,
    /// How many VMs there ever might be at each provider, where that is limited.
    most_at: BTreeMap<ProviderName, u64>,
    clouds: BTreeMap<ProviderName, DummyCloud>,
    /// Who used each VM last, until it is cleaned.
    tenants: BTreeMap<VmName, Tenant>,
    /// Who believes to hold which VM, and by which lease.
    held: BTreeMap<VmName, LeaseId>,
    /// Leases that their holders wanted to give back.
    given_back: BTreeSet<LeaseId>,
    /// Requests that their clients withdrew.
    withdrawn: BTreeSet<RequestId>,
    /// VMs that an operator wanted gone.
    condemned: BTreeSet<VmName>,
    /// VMs that an operator made the manager forget.
    forgotten: BTreeSet<VmName>,
    /// Nodes that ended by themselves: whatever they show after that, they are no more.
    dead: BTreeSet<(ProviderName, NodeId)>,
    /// Creates that may still have their effect.
    flights: BTreeMap<u64, Token>,
    last_flight: u64,
    /// Since when nothing goes wrong.
    calm_since: Option<Instant>,
    unknown: Unknown,
    /// The provider whose cloud never works again.
    down: Option<ProviderName>,
    pub(crate) owners: Owners,
    /// Which manager was started last.
    pub(crate) newest: u64,
    pub(crate) served: u64,
    pub(crate) commits: u64,
}

impl Ledger {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut ledger = Self {
            rows: Rows::default(),
            installation: InstallationId::new("sim").unwrap(),
            configs: Vec::new(),
            most: BTreeMap::new(),
            most_at: BTreeMap::new(),
            clouds: BTreeMap::new(),
            tenants: BTreeMap::new(),
            held: BTreeMap::new(),
            given_back: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            condemned: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            dead: BTreeSet::new(),
            flights: BTreeMap::new(),
            last_flight: 0,
            calm_since: None,
            unknown: Unknown::default(),
            down: scenario.stays_down.clone(),
            owners: Owners::default(),
            newest: 0,
            served: 0,
            commits: 0,
        };
        ledger.expect(Config::first(scenario));
        ledger
    }

    pub(crate) fn know(&mut self, name: ProviderName, cloud: DummyCloud) {
        self.clouds.insert(name, cloud);
    }

    /// Takes in a commit that has happened.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), String> {
        self.commits += 1;
        let before: BTreeMap<PoolName, Count> =
            self.most.keys().map(|pool| (pool.clone(), self.rows.count(pool))).collect();
        self.note_trouble(batch);
        let able = self.able();
        let mut vms = BTreeSet::new();
        let mut intended = BTreeSet::new();
        let (mut made, mut given) = (Vec::new(), Vec::new());
        let mut served = BTreeSet::new();
        for change in &batch.changes {
            match change {
                Change::PutLease(lease) => {
                    vms.insert(lease.vm.clone());
                    if !self.rows.leases.contains_key(&lease.id) {
                        self.granted(lease)?;
                        given.push(lease);
                        served.insert((lease.owner.clone(), lease.pool.clone()));
                    }
                }
                Change::RemoveLease(id) => {
                    if let Some(lease) = self.rows.leases.get(id) {
                        vms.insert(lease.vm.clone());
                        self.ended(lease, batch)?;
                    }
                }
                Change::PutVm(vm) => {
                    vms.insert(vm.name.clone());
                    if !self.rows.vms.contains_key(&vm.name) {
                        intended.insert(vm.pool.clone());
                        made.push(&vm.name);
                    }
                }
                Change::RemoveVm(name) => {
                    vms.insert(name.clone());
                    self.removed(name)?;
                }
                _ => {}
            }
        }
        batch.changes.iter().for_each(|change| self.rows.apply(change));
        vms.iter().try_for_each(|vm| self.check_leases(vm))?;
        given.iter().try_for_each(|lease| self.under_any(|config| self.check_place(config, lease)))?;
        given.iter().try_for_each(|lease| self.under_any(|config| self.check_address(config, lease)))?;
        given
            .iter()
            .try_for_each(|lease| self.under_any(|config| self.check_stand_in(config, &able, lease)))?;
        made.into_iter().try_for_each(|vm| self.under_any(|config| self.check_budget(config, vm)))?;
        self.check_missing(batch)?;
        served
            .iter()
            .try_for_each(|(owner, pool)| self.under_any(|config| self.check_owner(config, owner, pool)))?;
        intended
            .iter()
            .try_for_each(|pool| self.under_any(|config| self.check_room(config, pool, before.get(pool))))?;
        self.check_known()
    }

    /// I2: nobody gets what somebody else used.
    fn granted(&mut self, lease: &Lease) -> Result<(), String> {
        let tenant = (lease.owner.clone(), lease.sandbox.clone());
        if let Some(last) = self.tenants.get(&lease.vm) {
            ensure!(
                *last == tenant,
                "I2: {} is leased to {tenant:?} after {last:?} and was not cleaned",
                lease.vm
            );
        }
        self.tenants.insert(lease.vm.clone(), tenant);
        Ok(())
    }

    /// A lease is ended by its holder, by its expiry or by an explicit verb.
    fn ended(&self, lease: &Lease, batch: &Batch) -> Result<(), String> {
        let expired = batch.events.iter().any(|event| {
            event.kind == EventKind::LeaseExpired
                && event.lease.as_ref() == Some(&lease.id)
                && lease.expires_at <= event.at
        });
        let is_wanted = self.given_back.contains(&lease.id)
            || self.withdrawn.contains(&lease.request)
            || self.condemned.contains(&lease.vm);
        ensure!(expired || is_wanted, "nobody wanted {lease:?} to end, and it had not expired");
        Ok(())
    }

    /// I4: a record is removed only when its node is gone for good.
    fn removed(&self, name: &VmName) -> Result<(), String> {
        let Some(record) = self.rows.vms.get(name) else { return Ok(()) };
        if self.forgotten.contains(name) {
            return Ok(());
        }
        let token = record.token(&self.installation);
        let left = self.nodes().find(|node| node.token.as_ref() == Some(&token));
        ensure!(left.is_none(), "I4: {name} is forgotten, and its node is there: {left:?}");
        let flies = self.flights.values().any(|flight| *flight == token);
        ensure!(!flies, "I4: {name} is forgotten, and is being created");
        Ok(())
    }

    /// Returns all nodes that are not at their end.
    fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        self.clouds.keys().flat_map(|name| self.nodes_at(name))
    }

    /// Returns the nodes of one cloud that are not at their end.
    fn nodes_at<'a>(&'a self, name: &'a ProviderName) -> impl Iterator<Item = Node> + 'a {
        let is_alive = |node: &Node| {
            node.state != NodeState::Terminated && !self.dead.contains(&(name.clone(), node.id.clone()))
        };
        let nodes = self.clouds.get(name).map(DummyCloud::nodes).unwrap_or_default();
        nodes.into_iter().filter(is_alive)
    }

    /// A node ended by itself.
    pub(crate) fn bury(&mut self, provider: &ProviderName, node: &NodeId) {
        self.dead.insert((provider.clone(), node.clone()));
    }

    /// I1: leases and VMs name each other.
    fn check_leases(&self, name: &VmName) -> Result<(), String> {
        let leases: Vec<_> = self.rows.leases.values().filter(|lease| lease.vm == *name).collect();
        let vm = self.rows.vms.get(name);
        let known = vm.and_then(|vm| vm.lease.as_ref());
        match leases.as_slice() {
            [] => ensure!(known.is_none(), "I1: {name} has {known:?}, which there is not"),
            [lease] => {
                ensure!(known == Some(&lease.id), "I1: {name} has {known:?}, not {}", lease.id);
                let state = vm.map(|vm| vm.state);
                ensure!(state == Some(RecordState::InUse), "I1: {name} is leased and {state:?}");
            }
            _ => return Err(format!("I1: {name} is leased more than once: {leases:?}")),
        }
        Ok(())
    }

    /// I3: a VM is intended only where there is room.
    fn check_room(&self, config: &Config, pool: &PoolName, before: Option<&Count>) -> Result<(), String> {
        let (Some(config), Some(before)) = (config.pools.get(pool), before) else {
            return Err(format!("I3: a VM is intended for {pool}, which there is not"));
        };
        let Count { all, starting } = self.rows.count(pool);
        ensure!(
            all <= config.max_total() as usize,
            "I3: {pool} has {all} VMs after {}, {} at most",
            before.all,
            config.max_total()
        );
        ensure!(
            starting <= config.max_starting as usize,
            "I3: {starting} VMs of {pool} are starting after {}, {} at most",
            before.starting,
            config.max_starting
        );
        Ok(())
    }

    /// The hook that cleans a VM ended well; it says nothing while somebody holds the VM.
    pub(crate) fn clean(&mut self, vm: &VmName) {
        if !self.rows.leases.values().any(|lease| lease.vm == *vm) {
            self.tenants.remove(vm);
        }
    }

    /// I3: an owner is given no more than it may have, its sub-owners counted in.
    fn check_owner(&self, config: &Config, owner: &Owner, pool: &PoolName) -> Result<(), String> {
        let main = |owner: &Owner| owner.as_str().split('/').next().map(str::to_owned);
        let is_sub = owner.as_str().contains('/');
        let all = self.rows.leases.values().filter(|lease| main(&lease.owner) == main(owner)).count();
        let own = self.rows.leases.values().filter(|lease| lease.owner == *owner).count();
        let leases = self.rows.leases.values().filter(|lease| lease.pool == *pool);
        let here = leases.filter(|lease| main(&lease.owner) == main(owner)).count();
        let sub = config.limits.max_per_sub_owner.filter(|_| is_sub);
        let here_most = config.pools.get(pool).and_then(|config| config.max_per_owner);
        let limits = [(all, config.limits.max_per_owner), (own, sub), (here, here_most)];
        for (count, most) in limits {
            let fits = most.is_none_or(|most| count <= most as usize);
            ensure!(fits, "I3: {owner} has {count} leases after one of {pool}, {most:?} at most");
        }
        Ok(())
    }

    /// A client was told that it holds a VM.
    pub(crate) fn hold(&mut self, lease: &Lease) -> Result<(), String> {
        self.served += 1;
        let other = self.held.insert(lease.vm.clone(), lease.id.clone());
        ensure!(other.is_none(), "I1: {} is used by {} and by {other:?}", lease.vm, lease.id);
        Ok(())
    }

    /// A client uses a VM no more, whatever becomes of its lease.
    pub(crate) fn let_go(&mut self, lease: &Lease) {
        if self.held.get(&lease.vm) == Some(&lease.id) {
            self.held.remove(&lease.vm);
        }
    }

    pub(crate) fn give_back(&mut self, lease: &Lease) {
        self.let_go(lease);
        self.given_back.insert(lease.id.clone());
    }

    pub(crate) fn withdraw(&mut self, request: &RequestId) {
        self.withdrawn.insert(request.clone());
    }

    /// An operator is about to end whatever the VM is used for.
    pub(crate) fn condemn(&mut self, vm: &VmName) {
        self.condemned.insert(vm.clone());
        self.held.remove(vm);
    }

    /// An operator is about to make the manager forget a VM.
    pub(crate) fn forget(&mut self, vm: &VmName) {
        self.condemn(vm);
        self.forgotten.insert(vm.clone());
    }

    /// All records are lost: their nodes are nobody's.
    pub(crate) fn lose(&mut self) {
        let vms: Vec<_> = self.rows.vms.keys().cloned().collect();
        vms.iter().for_each(|vm| self.forget(vm));
        (self.rows, self.owners) = (Rows::default(), Owners::default());
    }

    /// Returns whether a create may still have its effect.
    pub(crate) fn is_making(&self) -> bool {
        !self.flights.is_empty()
    }

    pub(crate) fn is_forgotten(&self, vm: &VmName) -> bool {
        self.forgotten.contains(vm)
    }

    pub(crate) fn is_condemned(&self, vm: &VmName) -> bool {
        self.condemned.contains(vm)
    }

    /// Returns whether a pool is being drained.
    pub(crate) fn is_drained(&self, pool: &PoolName) -> bool {
        self.rows.pools.get(pool).is_some_and(|pool| pool.drain.is_some())
    }

    /// A manager asks a cloud for a node.
    pub(crate) fn create_begins(&self, manager: u64, token: Option<&Token>) -> Result<(), String> {
        let Some(token) = token else { return Err("a node without a token is asked for".to_owned()) };
        let record = self.rows.vms.get(&token.vm);
        let fits = record.is_some_and(|record| record.token(&self.installation) == *token);
        // What waited for its turn when the VM was forgotten makes an orphan, which the sweep finds.
        let fits = fits || self.forgotten.contains(&token.vm);
        // A manager that was superseded does not know it yet.
        ensure!(fits || manager < self.newest, "{token} is asked for and has the record {record:?}");
        Ok(())
    }

    /// A create is on its way.
    pub(crate) fn take_off(&mut self, token: &Token) -> u64 {
        self.last_flight += 1;
        self.flights.insert(self.last_flight, token.clone());
        self.last_flight
    }

    /// A create has had its effect, or never will.
    pub(crate) fn land(&mut self, number: u64) {
        self.flights.remove(&number);
    }

    /// Returns whether a node belongs to a VM that knows it and keeps it.
    pub(crate) fn is_settled(&self, node: &Node) -> bool {
        let vm = node.token.as_ref().and_then(|token| self.rows.vms.get(&token.vm));
        let knows = |vm: &VmRecord| vm.node.as_ref().is_some_and(|known| known.id == node.id);
        vm.is_some_and(|vm| vm.state != RecordState::Terminating && knows(vm))
    }

    /// A node was made, or not.
    pub(crate) fn create_happened(&mut self, provider: &ProviderName, token: &Token) -> Result<(), String> {
        self.unbury(provider, token);
        self.check_quota(provider)?;
        let Some(most) = self.most.get(&token.pool) else { return Ok(()) };
        let is_of_it = |known: &Token| {
            known.installation == self.installation
                && known.pool == token.pool
                && !self.forgotten.contains(&known.vm)
        };
        let nodes = self.nodes().filter(|node| node.token.as_ref().is_some_and(is_of_it));
        let nodes: Vec<_> = nodes.map(|node| format!("{} {} {}", node.id, node.name, node.state)).collect();
        ensure!(
            nodes.len() <= *most as usize,
            "I3: {} has {} nodes in the clouds, {} at most: {nodes:?}",
            token.pool,
            nodes.len(),
            most
        );
        Ok(())
    }

    /// A manager asks a cloud to destroy a node.
    pub(crate) fn destroy_begins(&self, provider: &ProviderName, id: &NodeId) -> Result<(), String> {
        let nodes = self.clouds.get(provider).map(DummyCloud::nodes).unwrap_or_default();
        let Some(node) = nodes.into_iter().find(|node| node.id == *id) else { return Ok(()) };
        let ours = node.token.filter(|token| token.installation == self.installation);
        let Some(token) = ours else { return Err(format!("{id} is destroyed and is not ours")) };
        let record = self.rows.vms.get(&token.vm);
        let fits = record.is_none_or(|record| {
            record.state == RecordState::Terminating
                || record.node.as_ref().is_some_and(|known| known.id != *id)
                || record.node.is_none() && self.was_of_another(provider, id)
        });
        ensure!(fits, "node {id} is destroyed and has the record {record:?}");
        Ok(())
    }
}
