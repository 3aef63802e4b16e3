//! A busy farm of some size, and what happens there all the time, one thing at a time.

mod crowd;
mod handover;
mod table;
mod works;

pub use self::{
    crowd::{Crowd, TURNS},
    handover::Queue,
    table::{print, sizes},
    works::{Farm, WORKS, Work},
};

use std::time::Duration;

use vmpool_engine::{Effect, Engine, Input, ListedNodes, Outcome, Records, Spec, Step};
use vmpool_model::{
    InstallationId, Lease, Node, NodeId, NodeView, PoolName, ProviderName, RecordState, Timestamp, VmName,
    VmRecord,
    config::{CheckConfig, PoolConfig, ProviderConfig},
    states::NodeState,
};

/// Longer than any bench runs.
pub const LONG: Duration = Duration::from_secs(1_000_000);

const START: Timestamp = Timestamp::from_millis(1_000_000_000_000);

/// Measures a piece of work, or just does it.
pub trait Meter {
    /// Does the work.
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T;
}

/// Measures nothing.
#[derive(Debug)]
pub struct Unmeasured;

impl Meter for Unmeasured {
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// An engine, and the time at which it is.
#[derive(Debug)]
pub struct Clocked {
    pub engine: Engine,
    pub now: Timestamp,
}

impl Clocked {
    /// Takes the next step, a millisecond after the last one.
    pub fn step(&mut self, meter: &mut impl Meter, input: Input) -> Step {
        self.now = self.now + Duration::from_millis(1);
        meter.measure(|| self.engine.step(self.now, input))
    }
}

fn provider() -> ProviderName {
    ProviderName::new("lab").unwrap()
}

fn installation() -> InstallationId {
    InstallationId::new("bench").unwrap()
}

fn spec() -> Spec {
    let mut spec = Spec::new(installation(), 1, 7);
    spec.request_memory = Duration::from_millis(1);
    spec.providers.insert(provider(), ProviderConfig::new("none"));
    spec
}

/// A pool of this size in which nothing is due while the bench runs.
fn quiet(size: u32) -> PoolConfig {
    let mut config = PoolConfig::new(provider(), "debian-13-standard", size);
    config.check = CheckConfig::Tcp { port: 22 };
    (config.check_interval, config.check_max_time, config.check_timeout) = (LONG, LONG, LONG);
    (config.lease_ttl, config.max_lease_ttl, config.dirty_timeout) = (LONG, LONG, LONG);
    (config.boot_timeout, config.max_idle) = (LONG, LONG);
    config
}

fn node(number: u64, name: &VmName, pool: &PoolName) -> Node {
    let id = NodeId::new(format!("4f1c2a9e-{number:012}")).unwrap();
    let mut node = Node::new(id, name.as_str(), NodeState::Running);
    node.token = Some(vmpool_model::Token::new(installation(), pool.clone(), name.clone()));
    node.public_ips.push(std::net::Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).unwrap()).into());
    node
}

/// The record of a ready VM as it comes out of a store: nothing of it is shared with another one.
fn stored(number: u64, pool: &PoolName) -> VmRecord {
    let name =
        VmName::new(format!("{pool}-{:010}", number.wrapping_mul(0x9e37_79b9) % 10_000_000_000)).unwrap();
    let mut record = VmRecord::intended(name, pool.clone(), provider(), START);
    record.template = "debian-13-standard".to_owned();
    record.state = RecordState::Ready;
    record.since = START + Duration::from_millis(number);
    record.prepared = true;
    record.last_check = Some(record.since);
    record.node = Some(NodeView::from(&node(number, &record.name, pool)));
    serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap()
}

fn recover(spec: Spec, records: Records) -> Clocked {
    let now = START + Duration::from_secs(1000);
    let is_limited =
        |name: &ProviderName| spec.providers.get(name).is_some_and(|config| !config.quota.is_empty());
    let limited: Vec<_> = records.vms.iter().filter(|vm| is_limited(&vm.provider)).cloned().collect();
    let mut clocked = Clocked { engine: Engine::recover(spec, records, now), now };
    // Its own first steps are not measured, nor are any listings due.
    let step = clocked.step(&mut Unmeasured, Input::Tick);
    // Where there is a quota, nothing is made before what is there was listed.
    for (id, effect) in step.effects {
        let Effect::List { provider } = effect else { continue };
        let nodes: Vec<_> = limited.iter().filter(|vm| vm.provider == provider).filter_map(shown).collect();
        if !nodes.is_empty() {
            let result = Ok(ListedNodes { nodes, incomplete: None });
            let outcome = Outcome::Listed { provider, result };
            let _ = clocked.step(&mut Unmeasured, Input::Done { id, outcome });
        }
    }
    clocked
}

/// The node of a stored VM as its provider shows it.
fn shown(record: &VmRecord) -> Option<Node> {
    let known = record.node.as_ref()?;
    let mut node = Node::new(known.id.clone(), record.name.as_str(), known.state);
    node.token = Some(record.token(&installation()));
    node.public_ips.extend(known.addresses.iter().copied());
    Some(node)
}

fn only(mut leases: Vec<Lease>) -> Lease {
    assert_eq!(leases.len(), 1);
    leases.remove(0)
}
