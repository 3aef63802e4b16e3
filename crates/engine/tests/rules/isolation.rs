//! One broken pool, or records that no version ever wrote, change no decision about another pool (F14, W4).

use std::time::Duration;

use proptest::prelude::*;
use vmpool_engine::{Effect, Outcome};
use vmpool_model::{
    EventKind, Hold, Lease, LeaseId, NodeId, NodeView, Owner, PoolName, ProviderName, RecordState, Timestamp,
    VmName, VmRecord,
    config::OnRelease,
    states::{NodeState, RawState},
};

use crate::lab::{Lab, config, pool, seconds, spec, wish};

/// Something that no version ever wrote.
#[derive(Debug, Clone)]
struct Poison {
    index: usize,
    state: usize,
    place: u8,
    node: u8,
    lease: u8,
    times: [i64; 8],
    count: u32,
    flags: u8,
}

fn poison() -> impl Strategy<Value = Poison> {
    let times = proptest::array::uniform8(any::<i64>());
    let count = prop_oneof![Just(u32::MAX), 0..3_u32];
    (0..RecordState::ALL.len(), 0..4_u8, 0..4_u8, 0..4_u8, times, count, any::<u8>()).prop_map(
        |(state, place, node, lease, times, count, flags)| Poison {
            index: 0,
            state,
            place,
            node,
            lease,
            times,
            count,
            flags,
        },
    )
}

impl Poison {
    fn record(&self, sound: &Lease) -> (VmRecord, Option<Lease>) {
        let at = |index: usize| Timestamp::from_millis(self.times[index]);
        let is = |bit: u8| self.flags >> bit & 1 == 1;
        let pools = ["broken", "gone", "broken", "broken"];
        let providers = ["other", "nowhere", "lab", "other"];
        let name = VmName::new(format!("broken-{}", self.index)).unwrap();
        let pool = PoolName::new(pools[usize::from(self.place)]).unwrap();
        let provider = ProviderName::new(providers[usize::from(self.place)]).unwrap();
        let mut vm = VmRecord::intended(name.clone(), pool.clone(), provider, at(0));
        (vm.state, vm.since) = (RecordState::ALL[self.state], at(1));
        let states = [NodeState::Running, NodeState::Terminated, NodeState::Unknown];
        vm.node = states.get(usize::from(self.node)).map(|state| NodeView {
            id: NodeId::new(format!("poison-{}", self.index)).unwrap(),
            state: *state,
            raw_state: RawState::Text(String::new()),
            addresses: Vec::new(),
        });
        let own = LeaseId::new(format!("lease-{}", self.index)).unwrap();
        vm.lease = match self.lease {
            0 => None,
            1 => Some(sound.id.clone()),
            _ => Some(own.clone()),
        };
        let lease = (self.lease == 3).then(|| Lease {
            id: own,
            vm: name,
            pool,
            owner: Owner::new("poison").unwrap(),
            acquired_at: at(2),
            expires_at: at(3),
            ..sound.clone()
        });
        vm.owner = is(0).then(|| Owner::new("poison").unwrap());
        (vm.uses, vm.check_fails, vm.attempts) = (self.count, self.count, self.count);
        vm.retry_at = is(1).then(|| at(4));
        vm.last_check = is(2).then(|| at(5));
        vm.dirty_since = is(3).then(|| at(6));
        vm.starting_since = is(4).then(|| at(6));
        vm.suspect = is(5).then(String::new);
        vm.hold = is(6).then(|| Hold { reason: String::new(), by: None, since: at(6), until: at(7) });
        vm.gone_at = is(7).then(|| at(7));
        (vm, lease)
    }
}

/// What can happen to the pool that nothing is wrong with.
#[derive(Debug, Clone)]
enum Act {
    Pass(u64),
    Boot,
    Fail,
    Acquire(u8),
    Release,
    List,
    Destroy,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1..9_u64).prop_map(|tens| Act::Pass(tens * 10)),
        Just(Act::Boot),
        Just(Act::Fail),
        (0..3_u8).prop_map(Act::Acquire),
        Just(Act::Release),
        Just(Act::List),
        Just(Act::Destroy),
    ]
}

/// A farm of one sound pool, and of broken records if there are any.
struct Farm {
    lab: Lab,
    told: usize,
}

impl Farm {
    fn new(poisons: &[Poison]) -> Self {
        let mut config = config(3);
        (config.max_total, config.on_release) = (Some(4), OnRelease::Reuse);
        // Pauses are stretched at random, too: whatever they are, they are over within a second.
        (config.retry_min, config.retry_max) = (Duration::from_millis(100), Duration::from_millis(100));
        let mut lab = Lab::of(spec(crate::lab::with_check(config)));
        // Names are random: no two VMs are to be of one age, or the names decide who is taken first.
        while lab.creates() + lab.checks() != 0 {
            match lab.creates() {
                0 => lab.checked(Ok(())),
                _ => drop(lab.created(NodeState::Running)),
            }
            lab.pass(seconds(1));
        }
        let sound = lab.granted(wish("r0", "ann")).lease;
        let mut spec = lab.engine.spec().clone();
        spec.epoch += 1;
        if !poisons.is_empty() {
            let other = ProviderName::new("other").unwrap();
            let mut broken = crate::lab::config(2);
            broken.provider = Some(other.clone());
            spec.pools.insert(PoolName::new("broken").unwrap(), broken);
            spec.providers.insert(other, vmpool_model::config::ProviderConfig::new("dummy"));
        }
        lab.damage(|vms, leases| {
            for poison in poisons {
                let (vm, lease) = poison.record(&sound);
                vms.insert(vm.name.clone(), vm);
                leases.extend(lease.map(|lease| (lease.id.clone(), lease)));
            }
        });
        let told = lab.events.len();
        lab.restart_as(spec);
        Self { lab, told }
    }

    fn act(&mut self, act: &Act, index: usize) {
        self.lab.pass(seconds(1));
        // Nobody answers for what is broken, not even for what was asked for just now.
        self.lab.effects.retain(|_, effect| match effect {
            Effect::Create { vm, .. } | Effect::Check { vm, .. } | Effect::Find { vm, .. } => is_sound(vm),
            Effect::Destroy { vm, .. } => vm.as_ref().is_some_and(is_sound),
            Effect::Get { vm, .. } => is_sound(vm),
            Effect::List { provider } => *provider == crate::lab::provider(),
            _ => false,
        });
        let lab = &mut self.lab;
        match act {
            Act::Pass(time) => lab.pass(seconds(*time)),
            Act::Boot if lab.creates() != 0 => drop(lab.created(NodeState::Running)),
            Act::Boot => check_oldest(lab, true),
            Act::Fail => check_oldest(lab, false),
            Act::Acquire(owner) => {
                let wish = wish(&format!("a{index}"), &format!("owner{owner}")).with_wait(seconds(100));
                let _ = lab.acquire(wish);
            }
            Act::Release => {
                let leases = lab.engine.leases().filter(|lease| is_sound(&lease.vm));
                if let Some(lease) = leases.min_by_key(|lease| lease.fence).cloned() {
                    lab.release(&lease);
                }
            }
            Act::List if lab.count(|effect| matches!(effect, Effect::List { .. })) != 0 => {
                let nodes: Vec<_> = lab
                    .vms()
                    .filter(|vm| is_sound(&vm.name))
                    .filter_map(|vm| {
                        let node = vm.node.clone()?;
                        let mut listed = vmpool_model::Node::new(node.id, vm.name.as_str(), node.state);
                        (listed.raw_state, listed.public_ips) = (node.raw_state, node.addresses);
                        let installation = lab.engine.spec().installation.clone();
                        listed.token =
                            (vm.state != RecordState::Terminating).then(|| vm.token(&installation));
                        (vm.state != RecordState::Terminating).then_some(listed)
                    })
                    .collect();
                lab.list(&nodes);
            }
            Act::Destroy if lab.destroys() != 0 => drop(lab.destroyed(Ok(()))),
            _ => {}
        }
    }

    /// What there is and was of the sound pool, without names and numbers.
    fn sound(&mut self) -> String {
        let lab = &self.lab;
        let mut vms: Vec<_> = lab
            .vms()
            .filter(|vm| is_sound(&vm.name))
            .map(|vm| {
                format!("{} {:?} {:?} {} {}", vm.state, vm.owner, vm.node.is_some(), vm.uses, vm.check_fails)
            })
            .collect();
        let mut effects: Vec<_> = lab
            .effects
            .values()
            .filter_map(|effect| match effect {
                Effect::Create { vm, .. } if is_sound(vm) => Some("create"),
                Effect::Check { vm, .. } if is_sound(vm) => Some("check"),
                Effect::Destroy { vm: Some(vm), .. } if is_sound(vm) => Some("destroy"),
                Effect::Get { vm, .. } | Effect::Find { vm, .. } if is_sound(vm) => Some("look"),
                _ => None,
            })
            .collect();
        let events = lab.events[self.told..].iter().filter(|event| event.pool == Some(pool()));
        let mut events: Vec<_> = events
            .filter(|event| event.kind != EventKind::OrphanFound)
            .map(|event| event.kind.as_str())
            .collect();
        let view = lab.engine.pools().into_iter().find(|view| view.name == pool()).unwrap();
        vms.sort_unstable();
        effects.sort_unstable();
        events.sort_unstable();
        let decided: Vec<_> = lab.decided.iter().map(|(id, result)| (id.as_str(), result.is_ok())).collect();
        format!("{vms:?}\n{effects:?}\n{events:?}\n{:?} {}\n{decided:?}", view.counts, view.waiting)
    }
}

/// Answers the check of the oldest VM that is checked.
fn check_oldest(lab: &mut Lab, passes: bool) {
    let checks = lab.effects.iter().filter_map(|(id, effect)| match effect {
        Effect::Check { vm, .. } => Some((lab.vm(vm).map(|vm| vm.created_at), *id)),
        _ => None,
    });
    if let Some((_, id)) = checks.min() {
        let report = vmpool_engine::CheckReport::default();
        lab.answer(id, Outcome::Checked(if passes { Ok(report) } else { Err("refused".to_owned()) }));
    }
}

fn is_sound(vm: &VmName) -> bool {
    vm.as_str().starts_with("small-")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f14_w4_broken_records_change_no_decision_about_another_pool(
        poisons in proptest::collection::vec(poison(), 1..4),
        acts in proptest::collection::vec(act(), 1..40),
    ) {
        let poisons: Vec<_> =
            poisons.into_iter().enumerate().map(|(index, poison)| Poison { index, ..poison }).collect();
        let (mut sound, mut poisoned) = (Farm::new(&[]), Farm::new(&poisons));
        prop_assert_eq!(sound.sound(), poisoned.sound());
        for (index, act) in acts.iter().enumerate() {
            sound.act(act, index);
            poisoned.act(act, index);
            prop_assert_eq!(sound.sound(), poisoned.sound(), "after {:?}", act);
        }
    }
}
