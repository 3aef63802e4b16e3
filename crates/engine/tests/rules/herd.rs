//! Many requests at once: bounded starts, order within an owner, fair shares between owners.

use std::collections::{BTreeMap, BinaryHeap};
use std::{cmp::Reverse, time::Duration};

use vmpool_engine::{Effect, EffectId, Engine, Input, ListedNodes, Outcome, Records, Step};
use vmpool_model::{
    Lease, LeaseId, Node, NodeId, RequestId, Timestamp,
    config::{OnRelease, PoolConfig},
    states::NodeState,
};

use crate::{
    farm::{spec, wish},
    lab::{config, seconds},
    patience::Patience,
};

/// A farm that runs in virtual time: VMs boot in 10 s, and jobs hold them for as long as their owner's jobs take.
struct Farm {
    engine: Engine,
    now: Timestamp,
    nodes: u64,
    alive: BTreeMap<NodeId, Node>,
    /// What happens next: effects that end, and jobs that end.
    next: BinaryHeap<Reverse<(Timestamp, u64)>>,
    effects: BTreeMap<u64, Effect>,
    jobs: BTreeMap<u64, LeaseId>,
    numbers: u64,
    creating: usize,
    most_creating: usize,
    /// Who was served, in order, and for how long each owner held VMs.
    served: Vec<RequestId>,
    held: BTreeMap<String, Duration>,
    lengths: BTreeMap<String, Duration>,
    patience: Patience,
}

impl Farm {
    fn new(pool: PoolConfig) -> Self {
        let now = Timestamp::from_millis(1_000_000_000);
        let engine = Engine::recover(spec([("a", pool)]), Records::default(), now);
        let mut farm = Self {
            engine,
            now,
            nodes: 0,
            alive: BTreeMap::new(),
            next: BinaryHeap::new(),
            effects: BTreeMap::new(),
            jobs: BTreeMap::new(),
            numbers: 0,
            creating: 0,
            most_creating: 0,
            served: Vec::new(),
            held: BTreeMap::new(),
            lengths: BTreeMap::new(),
            patience: Patience::default(),
        };
        farm.step(Input::Tick);
        farm
    }

    fn step(&mut self, input: Input) {
        let Step { changes, effects, decided, answer, .. } = self.engine.step(self.now, input);
        self.patience.step(self.now, changes.is_empty() && decided.is_empty());
        for (EffectId(id), effect) in effects {
            let takes = match &effect {
                Effect::Create { .. } => {
                    self.creating += 1;
                    seconds(10)
                }
                _ => seconds(1),
            };
            self.most_creating = self.most_creating.max(self.creating);
            self.next.push(Reverse((self.now + takes, id)));
            self.effects.insert(id, effect);
        }
        if let vmpool_engine::Answer::Granted(grants) = answer {
            grants.into_iter().for_each(|grant| self.begin(grant.lease));
        }
        for (_, decided) in decided {
            decided.unwrap().into_iter().for_each(|grant| self.begin(grant.lease));
        }
    }

    /// Begins the job of a lease.
    fn begin(&mut self, lease: Lease) {
        let owner = lease.owner.to_string();
        let length = self.lengths[&owner];
        *self.held.entry(owner).or_default() += length;
        self.served.push(lease.request);
        self.numbers += 1;
        // Numbers of jobs and of effects do not meet.
        let number = u64::MAX - self.numbers;
        self.next.push(Reverse((self.now + length, number)));
        self.jobs.insert(number, lease.id);
    }

    /// Lets the next thing happen; returns false if nothing is under way.
    fn go_on(&mut self) -> bool {
        let Some(Reverse((at, number))) = self.next.pop() else { return false };
        while let Some(due) = self.engine.wake_at().filter(|due| *due < at) {
            self.now = due.max(self.now);
            self.step(Input::Tick);
        }
        self.now = at;
        if let Some(lease) = self.jobs.remove(&number) {
            self.step(Input::Release { lease, fence: None });
            return true;
        }
        let Some(effect) = self.effects.remove(&number) else { return true };
        let outcome = self.outcome(effect);
        self.step(Input::Done { id: EffectId(number), outcome });
        true
    }

    fn outcome(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::Create { token, .. } => {
                self.creating -= 1;
                self.nodes += 1;
                let id = NodeId::new(self.nodes.to_string()).unwrap();
                let mut node = Node::new(id, token.vm.as_str(), NodeState::Running);
                node.token = Some(token);
                node.public_ips.push(std::net::Ipv4Addr::LOCALHOST.into());
                self.alive.insert(node.id.clone(), node.clone());
                Outcome::Created(Ok(Box::new(node)))
            }
            Effect::Destroy { node, .. } => {
                self.alive.remove(&node);
                Outcome::Destroyed(Ok(()))
            }
            Effect::Check { .. } => Outcome::Checked(Ok(vmpool_engine::CheckReport::default())),
            Effect::List { provider } => {
                let nodes = self.alive.values().cloned().collect();
                Outcome::Listed { provider, result: Ok(ListedNodes { nodes, incomplete: None }) }
            }
            other => panic!("{other:?}"),
        }
    }

    /// Asks for this many VMs for an owner whose jobs take this long.
    fn ask(&mut self, owner: &str, requests: usize, length: Duration) {
        self.lengths.insert(owner.to_owned(), length);
        for request in 0..requests {
            let acquire = wish(&format!("{owner}-{request}"), owner, ["a"]).with_wait(seconds(100_000));
            self.step(Input::Acquire(Box::new(acquire)));
        }
    }

    fn waits(&self, owner: &str) -> bool {
        self.engine.requests().any(|request| {
            request.owner.as_str() == owner && request.status == vmpool_model::RequestStatus::Waiting
        })
    }
}

/// How fair shares are: 1 if all are the same.
fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    sum * sum / (shares.len() as f64 * shares.iter().map(|share| share * share).sum::<f64>())
}

/// 20 VMs that are used again by whoever had them; there is one sandbox, so that is by their owner.
fn pool() -> PoolConfig {
    let mut pool = config(0);
    (pool.max_total, pool.max_starting, pool.on_release) = (Some(20), 5, OnRelease::Reuse);
    pool
}

#[test]
fn f18_a_herd_of_requests_starts_no_more_vms_at_once_than_may_start_and_is_served_fairly() {
    let owners = [("ann", 400, 10), ("bob", 300, 30), ("cat", 200, 70), ("dan", 100, 150)];
    let mut farm = Farm::new(pool());
    for (owner, requests, length) in owners {
        farm.ask(owner, requests, seconds(length));
    }
    assert_eq!(farm.engine.requests().count(), 1000);
    // As long as all of them wait, each is to have as much of the farm's time as any other.
    while owners.iter().all(|(owner, ..)| farm.waits(owner)) {
        assert!(farm.go_on());
    }
    let shares: Vec<_> = farm.held.values().map(Duration::as_secs_f64).collect();
    assert!(0.95 <= jain(&shares), "{:?}", farm.held);
    while farm.served.len() < 1000 {
        assert!(farm.go_on(), "{} were served", farm.served.len());
    }
    farm.engine.check().unwrap();
    assert!(farm.most_creating <= 5, "{} VMs were being created at once", farm.most_creating);
    for (owner, requests, _) in owners {
        let of_owner = farm.served.iter().filter(|request| request.as_str().starts_with(owner));
        let expected = (0..requests).map(|request| format!("{owner}-{request}"));
        assert!(of_owner.map(|request| request.to_string()).eq(expected), "{owner} was not served in order");
    }
}

#[test]
fn who_comes_later_gets_its_share_of_vms_that_others_would_use_again() {
    let mut farm = Farm::new(pool());
    farm.ask("ann", 2000, seconds(20));
    for _ in 0..300 {
        farm.go_on();
    }
    assert_eq!(farm.engine.leases().count(), 20, "all are ann's");
    farm.ask("bob", 500, seconds(20));
    let came = farm.now;
    while farm.now < came + seconds(120) {
        farm.go_on();
    }
    let of_bob = farm.engine.leases().filter(|lease| lease.owner.as_str() == "bob").count();
    assert!((9..=11).contains(&of_bob), "bob has {of_bob} of 20 after two minutes");
    let begun = farm.now;
    farm.held.clear();
    while farm.now < begun + seconds(600) {
        farm.go_on();
    }
    let shares: Vec<_> = farm.held.values().map(Duration::as_secs_f64).collect();
    assert!(0.99 <= jain(&shares), "{:?}", farm.held);
}

#[test]
fn equals_do_not_take_each_others_vms_again_and_again() {
    let mut farm = Farm::new(pool());
    for owner in ["ann", "bob", "cat"] {
        farm.ask(owner, 500, seconds(15));
    }
    for _ in 0..1000 {
        farm.go_on();
    }
    assert!(500 < farm.served.len(), "{}", farm.served.len());
    assert_eq!(farm.nodes, 20, "each VM is used again");
}
