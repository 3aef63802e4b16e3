//! The store alone: it commits, in groups, what the engine makes of acquires and releases beforehand.

use std::time::Duration;

use tokio::runtime::Runtime;
use vmpool_engine::{Answer, Engine, Input, Records, Spec};
use vmpool_model::{
    Acquire, Change, DomainName, Event, InstallationId, LeaseId, Node, NodeId, NodeView, Owner, PoolName,
    ProviderName, RecordState, RequestId, Timestamp, VmName, VmRecord,
    config::{OnRelease, PoolConfig, ProviderConfig},
    states::NodeState,
};
use vmpool_store::{Batch, SledOptions, SledStore, Store};

use crate::quantile::{Quantiles, now};

const START: Timestamp = Timestamp::from_millis(1_760_000_000_000);

/// How many VMs there are.
const VMS: u32 = 1_000;

/// What the store did.
pub struct Committed {
    /// How many pairs of an acquire and a release were made durable in a second.
    pub rate: f64,
    /// How long one commit took.
    pub commits: Quantiles,
}

/// Commits groups of this many acquires and releases for a while.
pub fn commit(runtime: &Runtime, group: usize, time: Duration) -> Committed {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = SledStore::open(SledOptions::new(dir.path())).unwrap();
    let domain = DomainName::new("main").unwrap();
    let mut wishes = Wishes::new();
    runtime.block_on(async {
        let claim = store.claim(&domain, "bench").await.unwrap();
        let mut expected = store.load(&domain).await.unwrap().revision;
        let vms = wishes.engine.vms().cloned().map(|vm| Change::PutVm(Box::new(vm))).collect();
        let first = Batch { expected, changes: vms, events: Vec::new() };
        expected = store.commit(&claim, first).await.unwrap().revision;
        let (mut commits, mut spent, mut done) = (Quantiles::default(), Duration::ZERO, 0);
        while spent < time {
            let (changes, events) = wishes.next(group);
            // Only the store is measured, not what the engine takes to decide.
            let began = now();
            expected = store.commit(&claim, Batch { expected, changes, events }).await.unwrap().revision;
            let took = began.elapsed();
            commits.add(took);
            spent += took;
            done += group;
        }
        Committed { rate: done as f64 / 2.0 / spent.as_secs_f64(), commits }
    })
}

/// Wishes for an engine, half of them acquires, and what it makes of them.
struct Wishes {
    engine: Engine,
    held: Vec<LeaseId>,
    number: u64,
}

impl Wishes {
    fn new() -> Self {
        let provider = ProviderName::new("cloud").unwrap();
        let mut spec = Spec::new(InstallationId::new("bench").unwrap(), 1, 7);
        let mut pool = PoolConfig::new(provider.clone(), "small", VMS);
        pool.on_release = OnRelease::Reuse;
        pool.dirty_timeout = Duration::from_secs(12 * 3600);
        pool.check_interval = Duration::ZERO;
        let name = PoolName::new(crate::load::POOL).unwrap();
        let mut records = Records::default();
        for number in 0..VMS {
            let vm = VmName::new(format!("{name}-{number:06}")).unwrap();
            let mut vm = VmRecord::intended(vm, name.clone(), provider.clone(), START);
            let mut node =
                Node::new(NodeId::new(number.to_string()).unwrap(), vm.name.as_str(), NodeState::Running);
            node.token = Some(vm.token(&spec.installation));
            node.public_ips.push(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into());
            (vm.state, vm.node) = (RecordState::Ready, Some(NodeView::from(&node)));
            records.vms.push(vm);
        }
        spec.pools.insert(name, pool);
        spec.providers.insert(provider, ProviderConfig::new("none"));
        let mut engine = Engine::recover(spec, records, START);
        let _ = engine.step(START, Input::Tick);
        Self { engine, held: Vec::new(), number: 0 }
    }

    /// Returns what is to be recorded of so many wishes; what one group acquires, the next one releases.
    fn next(&mut self, group: usize) -> (Vec<Change>, Vec<Event>) {
        let (mut changes, mut events) = (Vec::new(), Vec::new());
        let before = std::mem::take(&mut self.held);
        let releases = before.len().min(group.div_ceil(2));
        let mut releases = before.into_iter().take(releases);
        for _ in 0..group {
            self.number += 1;
            let now = START + Duration::from_millis(self.number / 20);
            let input = match releases.next() {
                Some(lease) => Input::Release { lease, fence: None },
                None => Input::Acquire(Box::new(Acquire::new(
                    RequestId::new(format!("0-{}", self.number)).unwrap(),
                    PoolName::new(crate::load::POOL).unwrap(),
                    Owner::new("farm").unwrap(),
                ))),
            };
            let step = self.engine.step(now, input);
            match step.answer {
                Answer::Granted(grants) => self.held.extend(grants.into_iter().map(|grant| grant.lease.id)),
                Answer::Refused(refusal) => panic!("{refusal}"),
                _ => {}
            }
            changes.extend(step.changes);
            events.extend(step.events);
        }
        (changes, events)
    }
}
