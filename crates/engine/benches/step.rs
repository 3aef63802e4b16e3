//! How long one step takes: leases at pools of growing size, and a listing in which nothing changed.
//!
//! `cargo bench -p vmpool-engine`; an acquire with its release must take the same time at any size.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use vmpool_engine::{Answer, Effect, Engine, Input, ListedNodes, Outcome, Records, Spec};
use vmpool_model::{
    Acquire, InstallationId, Node, NodeId, NodeView, Owner, PoolName, ProviderName, RecordState, RequestId,
    Timestamp, VmName, VmRecord,
    config::{OnRelease, PoolConfig, ProviderConfig},
    states::NodeState,
};

const START: Timestamp = Timestamp::from_millis(1_000_000_000);

fn provider() -> ProviderName {
    ProviderName::new("lab").unwrap()
}

fn pool() -> PoolName {
    PoolName::new("small").unwrap()
}

/// Makes an engine with this many VMs that are ready, and their nodes.
fn ready(size: u32) -> (Engine, Vec<Node>) {
    let mut spec = Spec::new(InstallationId::new("bench").unwrap(), 1, 7);
    let mut config = PoolConfig::new(provider(), "template", size);
    config.on_release = OnRelease::Reuse;
    config.dirty_timeout = Duration::from_secs(1_000_000);
    spec.request_memory = Duration::from_millis(1);
    spec.pools.insert(pool(), config);
    spec.providers.insert(provider(), ProviderConfig::new("none"));
    let mut nodes = Vec::new();
    let mut records = Records::default();
    for number in 0..size {
        let name = VmName::new(format!("small-{number:06}")).unwrap();
        let mut vm = VmRecord::intended(name, pool(), provider(), START);
        let mut node =
            Node::new(NodeId::new(number.to_string()).unwrap(), vm.name.as_str(), NodeState::Running);
        node.token = Some(vm.token(&spec.installation));
        node.public_ips.push(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into());
        vm.state = RecordState::Ready;
        vm.node = Some(NodeView::from(&node));
        records.vms.push(vm);
        nodes.push(node);
    }
    (Engine::recover(spec, records, START), nodes)
}

/// One client takes a VM and gives it back, time after time.
fn acquire_and_release(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("acquire+release");
    for size in [10, 1_000, 100_000] {
        let (mut engine, _) = ready(size);
        let mut now = START;
        let _ = engine.step(now, Input::Tick);
        let mut number = 0_u64;
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                number += 1;
                now = now + Duration::from_millis(1);
                let request = RequestId::new(format!("r{number}")).unwrap();
                let acquire = Acquire::new(request, pool(), Owner::new("ann").unwrap());
                let answer = engine.step(now, Input::Acquire(Box::new(acquire))).answer;
                let Answer::Granted(mut grants) = answer else { unreachable!("{answer:?}") };
                let lease = grants.remove(0).lease.id;
                black_box(engine.step(now, Input::Release { lease, fence: None }))
            });
        });
    }
    group.finish();
}

/// A complete listing of all nodes, none of which changed.
fn unchanged_listing(criterion: &mut Criterion) {
    let (mut engine, nodes) = ready(100_000);
    let mut now = START;
    let mut effects = engine.step(now, Input::Tick).effects;
    criterion.bench_function("listing of 100000 unchanged nodes", |bencher| {
        bencher.iter_batched(
            || nodes.clone(),
            |nodes| {
                while effects.is_empty() {
                    now = engine.wake_at().unwrap().max(now);
                    effects = engine.step(now, Input::Tick).effects;
                }
                let (id, effect) = effects.remove(0);
                let Effect::List { provider } = effect else { unreachable!("{effect:?}") };
                let outcome =
                    Outcome::Listed { provider, result: Ok(ListedNodes { nodes, incomplete: None }) };
                let step = engine.step(now, Input::Done { id, outcome });
                assert!(step.changes.is_empty());
                step
            },
            criterion::BatchSize::LargeInput,
        );
    });
}

criterion_group! {
    name = steps;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3));
    targets = acquire_and_release, unchanged_listing
}
criterion_main!(steps);
