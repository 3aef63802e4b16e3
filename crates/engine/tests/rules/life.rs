//! The life of one VM, step by step, as documented.

use std::time::Duration;

use vmpool_engine::{
    Answer, CheckReport, Effect, EffectId, Engine, Input, ListedNodes, Outcome, Records, Spec, Step,
};
use vmpool_model::{
    Acquire, InstallationId, Node, NodeId, Owner, PoolName, ProviderName, RecordState, RequestId, Timestamp,
    Token,
    config::{CheckConfig, PoolConfig, ProviderConfig},
    states::NodeState,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(0) + Duration::from_secs(seconds)
}

fn lab() -> ProviderName {
    ProviderName::new("lab").unwrap()
}

fn small() -> PoolName {
    PoolName::new("small").unwrap()
}

fn spec() -> Spec {
    let mut spec = Spec::new(InstallationId::new("test").unwrap(), 1, 7);
    spec.providers.insert(lab(), ProviderConfig::new("dummy"));
    let mut pool = PoolConfig::new(lab(), "template", 1);
    pool.check = CheckConfig::Tcp { port: 22 };
    spec.pools.insert(small(), pool);
    spec
}

fn create_of(step: &Step) -> (EffectId, Token) {
    let mut found = step.effects.iter().filter_map(|(id, effect)| match effect {
        Effect::Create { token, .. } => Some((*id, token.clone())),
        _ => None,
    });
    found.next().unwrap()
}

fn list_of(step: &Step) -> EffectId {
    step.effects.iter().find(|(_, effect)| matches!(effect, Effect::List { .. })).unwrap().0
}

fn running(token: &Token) -> Node {
    let mut node = Node::new(NodeId::new("17").unwrap(), token.vm.as_str(), NodeState::Running);
    node.token = Some(token.clone());
    node.public_ips.push("127.0.0.9".parse().unwrap());
    node
}

fn listed(nodes: Vec<Node>) -> Outcome {
    Outcome::Listed { provider: lab(), result: Ok(ListedNodes { nodes, incomplete: None }) }
}

#[test]
fn a_vm_is_intended_created_checked_leased_released_destroyed_and_proven_gone() {
    let mut engine = Engine::recover(spec(), Records::default(), at(0));
    let step = engine.step(at(0), Input::Tick);
    let (create, token) = create_of(&step);
    let list = list_of(&step);
    assert_eq!(engine.vms().next().unwrap().state, RecordState::Spawning);
    let _ = engine.step(at(0), Input::Done { id: list, outcome: listed(vec![]) });

    let step = engine
        .step(at(1), Input::Done { id: create, outcome: Outcome::Created(Ok(Box::new(running(&token)))) });
    let check = step.effects.iter().find(|(_, effect)| matches!(effect, Effect::Check { .. })).unwrap().0;
    let _ =
        engine.step(at(2), Input::Done { id: check, outcome: Outcome::Checked(Ok(CheckReport::default())) });
    assert_eq!(engine.vms().next().unwrap().state, RecordState::Ready);

    let acquire = Acquire::new(RequestId::new("r1").unwrap(), small(), Owner::new("me").unwrap());
    let step = engine.step(at(3), Input::Acquire(Box::new(acquire)));
    let Answer::Granted(grants) = step.answer else { panic!("{step:?}") };
    let grant = &grants[0];
    assert_eq!(grant.node.addresses, ["127.0.0.9".parse::<std::net::IpAddr>().unwrap()]);

    let step = engine.step(at(4), Input::Release { lease: grant.lease.id.clone(), fence: None });
    assert_eq!(step.answer, Answer::Accepted);
    let destroy = step.effects.iter().find(|(_, effect)| matches!(effect, Effect::Destroy { .. })).unwrap().0;
    let _ = engine.step(at(5), Input::Done { id: destroy, outcome: Outcome::Destroyed(Ok(())) });
    assert_eq!(engine.vms().next().unwrap().state, RecordState::Terminating, "accepted is not gone");

    let step = engine.step(at(10), Input::Tick);
    let list = list_of(&step);
    let step = engine.step(at(11), Input::Done { id: list, outcome: listed(vec![]) });
    let names: Vec<_> = engine.vms().map(|vm| vm.name.clone()).collect();
    assert!(!names.contains(&token.vm), "{names:?}");
    assert_ne!(create_of(&step).1, token, "the next VM has a name of its own");
}
