//! A laboratory: an engine, a store that keeps what is committed, and effects that the test answers by hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use vmpool_engine::{
    Answer, CheckReport, Effect, EffectId, Engine, Grant, HookRun, Input, ListedNodes, Outcome, Records,
    Refusal, Spec, Step,
};
use vmpool_model::{
    Acquire, Change, Event, EventKind, Failure, FailureKind, InstallationId, Lease, LeaseId, Node, NodeId,
    Owner, PoolName, PoolRecord, ProviderName, RecordState, RequestId, RequestRecord, Sandbox, Timestamp,
    Token, VmName, VmRecord,
    config::{CheckConfig, HookConfig, PoolConfig, ProviderConfig},
    states::NodeState,
};

use crate::patience::Patience;

/// An engine whose effects the test answers by hand; what it commits is kept, and checked, at every step.
pub(crate) struct Lab {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    /// The effects that nobody answered yet.
    pub(crate) effects: BTreeMap<EffectId, Effect>,
    pub(crate) events: Vec<Event>,
    pub(crate) decided: Vec<(RequestId, Result<Vec<Grant>, Refusal>)>,
    vms: BTreeMap<VmName, VmRecord>,
    leases: BTreeMap<LeaseId, Lease>,
    requests: BTreeMap<RequestId, RequestRecord>,
    pub(crate) pools: BTreeMap<PoolName, PoolRecord>,
    /// VMs whose records the store cannot read from the next restart on.
    pub(crate) unreadable: BTreeSet<VmName>,
    /// Pools whose records the store cannot read.
    pub(crate) unreadable_pools: BTreeSet<PoolName>,
    nodes: u32,
    patience: Patience,
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn provider() -> ProviderName {
    ProviderName::new("lab").unwrap()
}

pub(crate) fn pool() -> PoolName {
    PoolName::new("small").unwrap()
}

pub(crate) fn config(size: u32) -> PoolConfig {
    PoolConfig::new(provider(), "template", size)
}

pub(crate) fn spec(config: PoolConfig) -> Spec {
    let mut spec = Spec::new(InstallationId::new("test").unwrap(), 1, 7);
    let mut prompt = ProviderConfig::new("dummy");
    // Most rules are about clouds that answer at once; those about slow ones set the time themselves.
    prompt.create_settle = Some(Duration::ZERO);
    spec.providers.insert(provider(), prompt);
    spec.pools.insert(pool(), config);
    spec
}

pub(crate) fn wish(request: &str, owner: &str) -> Acquire {
    Acquire::new(RequestId::new(request).unwrap(), pool(), Owner::new(owner).unwrap())
}

pub(crate) fn sandbox(name: &str) -> Option<Sandbox> {
    Some(Sandbox::new(name).unwrap())
}

pub(crate) fn timeout() -> Failure {
    Failure::unknown(FailureKind::Timeout, "no answer in time")
}

pub(crate) fn quota() -> Failure {
    Failure::not_applied(FailureKind::Quota, "the quota is used up")
}

impl Lab {
    pub(crate) fn new(config: PoolConfig) -> Self {
        Self::of(spec(config))
    }

    /// Makes an engine without records, and lets it begin at clouds without nodes.
    pub(crate) fn of(spec: Spec) -> Self {
        let mut lab = Self::unlisted(spec);
        let limited = lab.engine.spec().providers.iter().filter(|(_, config)| !config.quota.is_empty());
        // What may be there is known only then, and where there is no quota nobody waits for it.
        for provider in limited.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            lab.listed_at(&provider, Ok(ListedNodes { nodes: Vec::new(), incomplete: None }));
        }
        lab
    }

    /// Makes an engine without records, and lets it begin; no provider was listed yet.
    pub(crate) fn unlisted(spec: Spec) -> Self {
        let now = Timestamp::from_millis(1_000_000_000);
        let mut lab = Self {
            engine: Engine::recover(spec, Records::default(), now),
            now,
            effects: BTreeMap::new(),
            events: Vec::new(),
            decided: Vec::new(),
            vms: BTreeMap::new(),
            leases: BTreeMap::new(),
            requests: BTreeMap::new(),
            pools: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            unreadable_pools: BTreeSet::new(),
            nodes: 0,
            patience: Patience::default(),
        };
        lab.tick();
        lab
    }

    /// Makes a pool of this size, all of it ready.
    pub(crate) fn ready(config: PoolConfig) -> Self {
        let mut lab = Self::new(config);
        lab.boot_all();
        lab
    }

    pub(crate) fn step(&mut self, input: Input) -> Answer {
        self.step_by(None, input)
    }

    /// Takes an input of somebody who said who they are.
    pub(crate) fn step_by(&mut self, by: Option<&str>, input: Input) -> Answer {
        let by = by.map(|by| Owner::new(by).unwrap());
        let Step { changes, events, effects, decided, answer } = self.engine.step_by(self.now, by, input);
        let is_vain = changes.is_empty() && events.is_empty() && decided.is_empty();
        self.patience.step(self.now, is_vain);
        changes.into_iter().for_each(|change| self.apply(change));
        self.events.extend(events);
        self.effects.extend(effects);
        self.decided.extend(decided);
        self.engine.check().unwrap();
        assert!(self.engine.vms().eq(self.vms.values()), "the changes are not all of the VMs' changes");
        assert!(self.engine.leases().eq(self.leases.values()), "the changes lack a lease's");
        assert!(self.engine.requests().eq(self.requests.values()), "the changes lack a request's");
        for view in self.engine.pools().into_iter().filter(|pool| !self.unreadable_pools.contains(&pool.name))
        {
            let written = self.pools.get(&view.name).and_then(|pool| pool.drain.clone());
            assert_eq!(view.drain, written, "the changes lack a pool's");
        }
        answer
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::PutVm(vm) => drop(self.vms.insert(vm.name.clone(), *vm)),
            Change::RemoveVm(vm) => drop(self.vms.remove(&vm).unwrap()),
            Change::PutLease(lease) => drop(self.leases.insert(lease.id.clone(), *lease)),
            Change::RemoveLease(lease) => drop(self.leases.remove(&lease).unwrap()),
            Change::PutRequest(request) => drop(self.requests.insert(request.id.clone(), *request)),
            Change::RemoveRequest(request) => drop(self.requests.remove(&request).unwrap()),
            Change::PutPool(pool) => drop(self.pools.insert(pool.name.clone(), *pool)),
            Change::RemovePool(pool) => drop(self.pools.remove(&pool).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn tick(&mut self) {
        assert_eq!(self.step(Input::Tick), Answer::Nothing);
    }

    /// Lets time pass, with a tick whenever the engine asked for one.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(due) = self.engine.wake_at().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.tick();
        }
        self.now = until;
        self.tick();
    }

    pub(crate) fn answer(&mut self, id: EffectId, outcome: Outcome) {
        self.effects.remove(&id).unwrap();
        assert_eq!(self.step(Input::Done { id, outcome }), Answer::Nothing);
    }

    fn find(&self, wanted: impl Fn(&Effect) -> bool) -> Option<EffectId> {
        self.effects.iter().find(|(_, effect)| wanted(effect)).map(|(id, _)| *id)
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Effect) -> bool) -> usize {
        self.effects.values().filter(|effect| wanted(effect)).count()
    }

    pub(crate) fn creates(&self) -> usize {
        self.count(|effect| matches!(effect, Effect::Create { .. }))
    }

    pub(crate) fn finds(&self) -> usize {
        self.count(|effect| matches!(effect, Effect::Find { .. }))
    }

    pub(crate) fn destroys(&self) -> usize {
        self.count(|effect| matches!(effect, Effect::Destroy { .. }))
    }

    pub(crate) fn checks(&self) -> usize {
        self.count(|effect| matches!(effect, Effect::Check { .. }))
    }

    pub(crate) fn gets(&self) -> usize {
        self.count(|effect| matches!(effect, Effect::Get { .. }))
    }

    /// The hooks under way, the one asked for first before the others.
    pub(crate) fn hooks(&self) -> Vec<HookRun> {
        let hooks = self.effects.values().filter_map(|effect| match effect {
            Effect::Hook(run) => Some((**run).clone()),
            _ => None,
        });
        hooks.collect()
    }

    /// Answers the hook that was asked for first.
    pub(crate) fn hooked(&mut self, result: Result<(), &str>) {
        let id = self.find(|effect| matches!(effect, Effect::Hook(_))).unwrap();
        self.answer(id, Outcome::Hooked(result.map_err(str::to_owned)));
    }

    /// The host keys that the checks under way expect.
    pub(crate) fn host_keys(&self) -> Vec<Option<String>> {
        let checks = self.effects.values().filter_map(|effect| match effect {
            Effect::Check { host_key, .. } => Some(host_key.clone()),
            _ => None,
        });
        checks.collect()
    }

    /// The first create that was not answered yet.
    pub(crate) fn create(&self) -> (EffectId, Token) {
        let id = self.find(|effect| matches!(effect, Effect::Create { .. })).unwrap();
        let Effect::Create { token, .. } = &self.effects[&id] else { panic!() };
        (id, token.clone())
    }

    /// Answers the first create with a node that is in `state`, and returns the node.
    pub(crate) fn created(&mut self, state: NodeState) -> Node {
        let (id, token) = self.create();
        let node = self.node(&token, state);
        self.answer(id, Outcome::Created(Ok(Box::new(node.clone()))));
        node
    }

    pub(crate) fn not_created(&mut self, failure: Failure) {
        let (id, _) = self.create();
        self.answer(id, Outcome::Created(Err(failure)));
    }

    pub(crate) fn found(&mut self, nodes: Vec<Node>) {
        let id = self.find(|effect| matches!(effect, Effect::Find { .. })).unwrap();
        self.answer(id, Outcome::Found(Ok(nodes)));
    }

    /// Answers the first look-up of a single node.
    pub(crate) fn got(&mut self, result: Result<Option<Node>, Failure>) -> VmName {
        let id = self.find(|effect| matches!(effect, Effect::Get { .. })).unwrap();
        let Effect::Get { vm, .. } = self.effects[&id].clone() else { panic!() };
        self.answer(id, Outcome::Got(result.map(|node| node.map(Box::new))));
        vm
    }

    /// Lists until a node that the listings lack is looked up.
    pub(crate) fn list_until_looked_up(&mut self, nodes: &[Node]) {
        while self.gets() == 0 {
            self.list(nodes);
        }
    }

    pub(crate) fn destroyed(&mut self, result: Result<(), Failure>) -> NodeId {
        let id = self.find(|effect| matches!(effect, Effect::Destroy { .. })).unwrap();
        let Effect::Destroy { node, .. } = self.effects[&id].clone() else { panic!() };
        self.answer(id, Outcome::Destroyed(result));
        node
    }

    pub(crate) fn checked(&mut self, result: Result<(), &str>) {
        let id = self.find(|effect| matches!(effect, Effect::Check { .. })).unwrap();
        self.answer(id, Outcome::Checked(result.map(|()| CheckReport::default()).map_err(str::to_owned)));
    }

    /// Answers the listing that was asked for, or waits for the next and answers it.
    pub(crate) fn list(&mut self, nodes: &[Node]) {
        self.listed(Ok(ListedNodes { nodes: nodes.to_vec(), incomplete: None }));
    }

    pub(crate) fn list_partially(&mut self, nodes: &[Node]) {
        self.listed(Ok(ListedNodes {
            nodes: nodes.to_vec(),
            incomplete: Some("some are left out".to_owned()),
        }));
    }

    pub(crate) fn listed(&mut self, result: Result<ListedNodes, Failure>) {
        self.listed_at(&provider(), result);
    }

    /// Answers the listing of a provider that was asked for, or waits for the next and answers it.
    pub(crate) fn listed_at(&mut self, provider: &ProviderName, result: Result<ListedNodes, Failure>) {
        let is_list = |effect: &Effect| matches!(effect, Effect::List { provider: at } if at == provider);
        while self.find(is_list).is_none() {
            self.now = self.engine.wake_at().unwrap().max(self.now);
            self.tick();
        }
        let id = self.find(is_list).unwrap();
        self.answer(id, Outcome::Listed { provider: provider.clone(), result });
    }

    /// Makes a node with a token, and an address of its own.
    pub(crate) fn node(&mut self, token: &Token, state: NodeState) -> Node {
        self.nodes += 1;
        let mut node = Node::new(NodeId::new(self.nodes.to_string()).unwrap(), token.vm.as_str(), state);
        node.token = Some(token.clone());
        node.public_ips.push(std::net::Ipv4Addr::from_bits(0x0a00_0000 + self.nodes).into());
        node
    }

    /// Brings everything up that was asked for, until nothing more is.
    pub(crate) fn boot_all(&mut self) -> Vec<Node> {
        let mut nodes = Vec::new();
        while self.creates() + self.checks() != 0 {
            if self.creates() != 0 {
                nodes.push(self.created(NodeState::Running));
            } else {
                self.checked(Ok(()));
            }
        }
        nodes
    }

    pub(crate) fn acquire(&mut self, acquire: Acquire) -> Answer {
        self.step(Input::Acquire(Box::new(acquire)))
    }

    pub(crate) fn granted(&mut self, acquire: Acquire) -> Grant {
        match self.acquire(acquire) {
            Answer::Granted(grants) => grants.into_iter().next().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn refused(&mut self, input: Input) -> Refusal {
        match self.step(input) {
            Answer::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn release(&mut self, lease: &Lease) {
        assert_eq!(self.step(Input::Release { lease: lease.id.clone(), fence: None }), Answer::Accepted);
    }

    /// Damages what is committed, as no store does; the next restart finds it.
    pub(crate) fn damage(
        &mut self,
        damage: impl FnOnce(&mut BTreeMap<VmName, VmRecord>, &mut BTreeMap<LeaseId, Lease>),
    ) {
        damage(&mut self.vms, &mut self.leases);
    }

    /// Kills the engine, and makes a new one of what is committed; what was under way is not answered.
    pub(crate) fn restart(&mut self) {
        let mut spec = self.engine.spec().clone();
        spec.epoch += 1;
        self.restart_as(spec);
    }

    /// Restarts, and returns what the first step of the new engine decides.
    pub(crate) fn reborn(&mut self) -> Step {
        let mut spec = self.engine.spec().clone();
        spec.epoch += 1;
        self.recover(spec);
        self.engine.step(self.now, Input::Tick)
    }

    pub(crate) fn restart_as(&mut self, spec: Spec) {
        self.recover(spec);
        self.tick();
    }

    fn recover(&mut self, spec: Spec) {
        for vm in &self.unreadable {
            self.vms.remove(vm);
        }
        let records = Records {
            pools: self.pools.values().cloned().collect(),
            unreadable: self.unreadable.clone(),
            vms: self.vms.values().cloned().collect(),
            leases: self.leases.values().cloned().collect(),
            requests: self.requests.values().cloned().collect(),
            unreadable_pools: self.unreadable_pools.clone(),
        };
        self.effects.clear();
        self.engine = Engine::recover(spec, records, self.now);
    }

    pub(crate) fn vm(&self, name: &VmName) -> Option<&VmRecord> {
        self.vms.get(name)
    }

    pub(crate) fn only_vm(&self) -> &VmRecord {
        assert_eq!(self.vms.len(), 1, "{:?}", self.vms);
        self.vms.values().next().unwrap()
    }

    pub(crate) fn vms(&self) -> impl Iterator<Item = &VmRecord> {
        self.vms.values()
    }

    /// How many records are in each of these states.
    pub(crate) fn counts<const N: usize>(&self, states: [RecordState; N]) -> [usize; N] {
        states.map(|state| self.vms.values().filter(|vm| vm.state == state).count())
    }

    pub(crate) fn happened(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }
}

pub(crate) fn with_check(config: PoolConfig) -> PoolConfig {
    let mut config = config;
    config.check = CheckConfig::Tcp { port: 22 };
    config
}

/// A hook that may take a minute.
pub(crate) fn hook() -> Option<HookConfig> {
    let mut hook = HookConfig::new(vec!["/usr/bin/hook".to_owned()]);
    hook.timeout = seconds(60);
    Some(hook)
}
