//! A farm half of whose VMs are leased, and what is done there.

use std::time::Duration;

use fastrand::Rng;
use vmpool_engine::{Answer, CheckReport, Effect, EffectId, Input, ListedNodes, Outcome, Records, Step};
use vmpool_model::{Acquire, Lease, Node, Owner, PoolName, RequestId, config::OnRelease};

use super::{Clocked, LONG, Meter, Unmeasured, node, only, provider, quiet, recover, spec, stored};

/// How many pools there are, and owners of whom each uses one.
const POOLS: u64 = 10;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Acquire,
    Release,
    Renew,
    Forget,
    Created,
    Checked,
    Tick,
    Explain,
    Listing,
}

/// All that is measured, as it is told, and how often one round does it.
pub const WORKS: [(Work, &str); 9] = [
    (Work::Acquire, "acquire, granted at once"),
    (Work::Release, "release, kept for the owner"),
    (Work::Renew, "renew"),
    (Work::Forget, "VM forgotten, another begun"),
    (Work::Created, "a create's outcome"),
    (Work::Checked, "a check's outcome"),
    (Work::Tick, "tick, nothing due"),
    (Work::Explain, "explain, 100 wait"),
    (Work::Listing, "complete listing, per VM"),
];

/// A farm half of whose VMs are leased.
#[derive(Debug)]
pub struct Farm {
    clocked: Clocked,
    rng: Rng,
    size: u64,
    /// Numbers of requests and nodes.
    number: u64,
    held: Vec<Lease>,
    waits: RequestId,
    listing: Option<EffectId>,
    nodes: Vec<Node>,
}

fn pool(number: u64) -> PoolName {
    PoolName::new(format!("fedora-{number:02}-x86")).unwrap()
}

fn owner(number: u64) -> Owner {
    Owner::new(format!("group-{number:02}")).unwrap()
}

impl Farm {
    /// Makes a farm of ready VMs, of whom nobody uses one.
    pub fn ready(size: u64) -> Self {
        let mut spec = spec();
        let mut records = Records::default();
        for of in 0..POOLS {
            let mut config = quiet(u32::try_from(size / POOLS).unwrap());
            config.on_release = OnRelease::Reuse;
            spec.pools.insert(pool(of), config);
        }
        for number in 0..size {
            records.vms.push(stored(number, &pool(number % POOLS)));
        }
        // All of one more pool is leased, and some wait for it: they are told when these leases are likely to end.
        let full = PoolName::new("full").unwrap();
        let mut config = quiet(u32::try_from(size / POOLS).unwrap());
        config.on_release = OnRelease::Reuse;
        spec.pools.insert(full.clone(), config);
        for number in size..size + size / POOLS {
            records.vms.push(stored(number, &full));
        }
        let mut clocked = recover(spec, records);
        let ask = |clocked: &mut Clocked, name: String, owner| {
            let acquire = Acquire::new(RequestId::new(name).unwrap(), full.clone(), owner).with_wait(LONG);
            clocked.step(&mut Unmeasured, Input::Acquire(Box::new(acquire))).answer
        };
        let Answer::Granted(first) = ask(&mut clocked, "has-0".to_owned(), owner(0)) else { unreachable!() };
        // As long as that lease, all others are likely to last.
        clocked.now = clocked.now + Duration::from_secs(10_000);
        for number in 1..size / POOLS {
            let _ = ask(&mut clocked, format!("has-{number}"), owner(POOLS));
        }
        for number in 0..101 {
            let _ = ask(&mut clocked, format!("waits-{number:04}"), owner(number % POOLS));
        }
        let release = Input::Release { lease: first[0].lease.id.clone(), fence: None };
        let _ = clocked.step(&mut Unmeasured, release);
        let waits = RequestId::new("waits-0099").unwrap();
        Self {
            clocked,
            rng: Rng::with_seed(7),
            size,
            number: size + size / POOLS,
            held: Vec::new(),
            waits,
            listing: None,
            nodes: Vec::new(),
        }
    }

    /// Leases half of the VMs.
    pub fn use_half(&mut self) {
        for number in 0..self.size / 2 {
            self.acquire(number % POOLS, &mut Unmeasured);
        }
    }

    /// Does one thing; only the thing itself is measured.
    pub fn work(&mut self, work: Work, meter: &mut impl Meter) {
        match work {
            Work::Acquire => {
                let of = self.release(&mut Unmeasured);
                self.acquire(of, meter);
            }
            Work::Release => {
                let of = self.release(meter);
                self.acquire(of, &mut Unmeasured);
            }
            Work::Renew => {
                let at = self.rng.usize(..self.held.len());
                let (lease, fence) = (self.held[at].id.clone(), Some(self.held[at].fence));
                let step = self.clocked.step(meter, Input::Renew { lease, fence, ttl: None });
                assert!(matches!(step.answer, Answer::Renewed(_)));
            }
            Work::Forget => self.replace(meter, &mut Unmeasured, &mut Unmeasured),
            Work::Created => self.replace(&mut Unmeasured, meter, &mut Unmeasured),
            Work::Checked => self.replace(&mut Unmeasured, &mut Unmeasured, meter),
            Work::Tick => {
                let step = self.clocked.step(meter, Input::Tick);
                assert!(step.changes.is_empty() && step.effects.is_empty());
            }
            Work::Explain => {
                let explanation = meter.measure(|| self.clocked.engine.explain(&self.waits)).unwrap();
                assert!(explanation.likely_at.is_some());
            }
            Work::Listing => self.list(meter),
        }
    }

    fn acquire(&mut self, of: u64, meter: &mut impl Meter) {
        self.number += 1;
        let id = RequestId::new(format!("build-{:08}", self.number)).unwrap();
        let input = Input::Acquire(Box::new(Acquire::new(id, pool(of), owner(of))));
        match self.clocked.step(meter, input).answer {
            Answer::Granted(grants) => {
                self.held.push(only(grants.into_iter().map(|grant| grant.lease).collect()));
            }
            answer => unreachable!("{answer:?}"),
        }
    }

    /// Releases any lease; returns of which pool.
    fn release(&mut self, meter: &mut impl Meter) -> u64 {
        let lease = self.held.swap_remove(self.rng.usize(..self.held.len()));
        let of = (0..POOLS).find(|of| pool(*of) == lease.pool).unwrap();
        let step = self.clocked.step(meter, Input::Release { lease: lease.id, fence: Some(lease.fence) });
        assert_eq!(step.answer, Answer::Accepted);
        of
    }

    /// Forgets a leased VM, lets the pool make another one, and leases one again.
    fn replace(&mut self, forget: &mut impl Meter, create: &mut impl Meter, check: &mut impl Meter) {
        let lease = self.held.swap_remove(self.rng.usize(..self.held.len()));
        let of = (0..POOLS).find(|of| pool(*of) == lease.pool).unwrap();
        let step = self.clocked.step(forget, Input::Forget { vm: lease.vm, reason: String::new() });
        let (id, vm) = only_effect(step, |effect| match effect {
            Effect::Create { vm, .. } => Some(vm),
            _ => None,
        });
        self.number += 1;
        let created = Outcome::Created(Ok(Box::new(node(self.number, &vm, &pool(of)))));
        let step = self.clocked.step(create, Input::Done { id, outcome: created });
        let (id, _) = only_effect(step, |effect| matches!(effect, Effect::Check { .. }).then_some(()));
        let outcome = Outcome::Checked(Ok(CheckReport::default()));
        let step = self.clocked.step(check, Input::Done { id, outcome });
        assert_eq!(step.events.len(), 1);
        self.acquire(of, &mut Unmeasured);
    }

    /// Lists all nodes, none of which changed.
    fn list(&mut self, meter: &mut impl Meter) {
        let id = match self.listing {
            Some(_) => loop {
                let at = self.clocked.engine.wake_at().unwrap();
                self.clocked.now = self.clocked.now.max(at);
                let step = self.clocked.step(&mut Unmeasured, Input::Tick);
                if !step.effects.is_empty() {
                    break only_effect(step, is_list).0;
                }
            },
            // It was asked for by the very first step.
            None => {
                self.nodes = self.clocked.engine.vms().filter_map(as_listed).collect();
                EffectId((1 << 32) + 1)
            }
        };
        self.listing = Some(id);
        let listed = ListedNodes { nodes: self.nodes.clone(), incomplete: None };
        let outcome = Outcome::Listed { provider: provider(), result: Ok(listed) };
        self.clocked.now = self.clocked.now + Duration::from_millis(1);
        let step = self.clocked.step(meter, Input::Done { id, outcome });
        assert!(step.changes.is_empty() && step.events.is_empty());
        assert!(self.clocked.engine.wake_at().is_some());
    }
}

fn is_list(effect: Effect) -> Option<()> {
    matches!(effect, Effect::List { .. }).then_some(())
}

fn as_listed(record: &vmpool_model::VmRecord) -> Option<Node> {
    let known = record.node.as_ref()?;
    let mut node = Node::new(known.id.clone(), record.name.as_str(), known.state);
    node.raw_state = known.raw_state.clone();
    node.public_ips.clone_from(&known.addresses);
    let token = vmpool_model::Token::new(super::installation(), record.pool.clone(), record.name.clone());
    node.token = Some(token);
    // Nothing of a listing is shared with what the engine has.
    serde_json::from_str(&serde_json::to_string(&node).unwrap()).unwrap()
}

fn only_effect<T>(step: Step, what: impl Fn(Effect) -> Option<T>) -> (EffectId, T) {
    let mut found = step.effects.into_iter().filter_map(|(id, effect)| Some((id, what(effect)?)));
    found.next().unwrap()
}
