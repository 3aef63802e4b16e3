//! Whatever listings drop and answers get lost: nothing is destroyed, forgotten, leaked or made twice (F1, F2, F3, F4, F6, F16).

use std::collections::BTreeMap;

use fastrand::Rng;
use proptest::prelude::*;
use vmpool_engine::{Effect, EffectId, Input, ListedNodes, Outcome};
use vmpool_model::{
    EventKind, Failure, Node, NodeId, RecordState, Token, VmRecord, config::PoolConfig, states::NodeState,
};

use crate::lab::{Lab, config, provider, quota, seconds, timeout, wish};

/// A cloud that answers for itself, and what of it may go wrong.
struct Farm {
    lab: Lab,
    nodes: BTreeMap<NodeId, Node>,
    rng: Rng,
    /// How many of a hundred answers to creates get lost; half of these creates were carried out all the same.
    lost: u32,
    /// How many of a hundred destructions are refused, and how many are accepted and not done.
    stubborn: u32,
    /// Nodes get ids, names and addresses that others had before them, whenever that can be.
    recycles: bool,
    /// How many nodes there ever were.
    made: usize,
}

impl Farm {
    fn new(size: u32, seed: u64) -> Self {
        let mut config = config(size);
        config.max_starting = size;
        Self::of(config, seed)
    }

    fn of(config: PoolConfig, seed: u64) -> Self {
        let (lab, nodes) = (Lab::new(config), BTreeMap::new());
        Self { lab, nodes, rng: Rng::with_seed(seed), lost: 0, stubborn: 0, recycles: false, made: 0 }
    }

    fn make(&mut self, token: &Token, state: NodeState) -> Node {
        let mut node = self.lab.node(token, state);
        if self.recycles {
            let free = |id: &NodeId| !self.nodes.contains_key(id);
            let ids = (0..6).map(|id| NodeId::new(format!("again-{id}")).unwrap()).filter(free);
            node.id = self.rng.choice(ids.collect::<Vec<_>>()).unwrap_or(node.id);
            node.name = format!("web-{}", self.rng.u8(..3));
            node.public_ips = vec![[10, 0, 0, self.rng.u8(..3)].into()];
        }
        self.nodes.insert(node.id.clone(), node.clone());
        self.made += 1;
        node
    }

    fn next(&self, wanted: impl Fn(&Effect) -> bool) -> Option<(EffectId, Effect)> {
        let mut effects = self.lab.effects.iter();
        effects.find(|(_, effect)| wanted(effect)).map(|(id, effect)| (*id, effect.clone()))
    }

    /// Answers the first effect but listings; returns whether there was one.
    fn answer_one(&mut self) -> bool {
        let Some((id, effect)) = self.next(|effect| !matches!(effect, Effect::List { .. })) else {
            return false;
        };
        let outcome = match effect {
            Effect::Create { token, .. } => self.create(&token),
            Effect::Find { token, .. } => {
                let nodes = self.nodes.values().filter(|node| node.token.as_ref() == Some(&token));
                Outcome::Found(Ok(nodes.cloned().collect()))
            }
            Effect::Get { node, .. } => Outcome::Got(Ok(self.nodes.get(&node).cloned().map(Box::new))),
            Effect::Destroy { node, .. } => Outcome::Destroyed(self.destroy(&node)),
            Effect::Check { .. } => Outcome::Checked(Ok(vmpool_engine::CheckReport::default())),
            other => panic!("{other:?}"),
        };
        self.lab.answer(id, outcome);
        true
    }

    fn create(&mut self, token: &Token) -> Outcome {
        if self.lost <= self.rng.u32(..100) {
            return Outcome::Created(Ok(Box::new(self.make(token, NodeState::Running))));
        }
        if self.rng.bool() {
            self.make(token, NodeState::Running);
        }
        Outcome::Created(Err(timeout()))
    }

    fn destroy(&mut self, node: &NodeId) -> Result<(), Failure> {
        match self.rng.u32(..100) {
            luck if luck < self.stubborn / 2 => Err(quota()),
            luck if luck < self.stubborn => Ok(()),
            _ => {
                self.nodes.remove(node);
                Ok(())
            }
        }
    }

    fn answer_all(&mut self) {
        while self.answer_one() {}
    }

    /// Answers the next listing; each node is in it with a probability.
    fn list(&mut self, shown: f64) {
        let rng = &mut self.rng;
        let nodes: Vec<_> = self.nodes.values().filter(|_| rng.f64() < shown).cloned().collect();
        self.lab.list(&nodes);
    }

    /// Lets everything come to rest that can.
    fn rest(&mut self) {
        for _ in 0..20 {
            self.answer_all();
            self.list(1.0);
            self.lab.pass(seconds(5));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f6_whatever_part_of_each_listing_is_dropped_no_vm_is_destroyed_forgotten_or_doubted(
        seed in any::<u64>(),
        shown in proptest::collection::vec(0.0..1.0_f64, 1..60),
        restarts in proptest::collection::vec(prop::bool::weighted(0.05), 60),
        size in 1..14_u32,
    ) {
        let mut farm = Farm::new(size, seed);
        farm.answer_all();
        for index in 0..size / 2 {
            farm.lab.granted(wish(&format!("r{index}"), "ann").with_ttl(Some(seconds(80_000))));
        }
        let names: Vec<_> = farm.lab.vms().map(|vm| vm.name.clone()).collect();
        for (shown, restart) in shown.into_iter().zip(restarts) {
            if restart {
                farm.lab.restart();
            }
            farm.list(shown);
            farm.answer_all();
            let empty = Ok(ListedNodes { nodes: Vec::new(), incomplete: None });
            if shown < 0.1 {
                farm.lab.listed(empty);
            }
        }
        prop_assert!(farm.lab.vms().map(|vm| &vm.name).eq(&names));
        prop_assert!(farm.lab.vms().all(|vm| vm.suspect.is_none()));
        let leased = size as usize / 2;
        prop_assert_eq!(farm.lab.counts([RecordState::Ready, RecordState::InUse]), [size as usize - leased, leased]);
        prop_assert_eq!((farm.nodes.len(), farm.made), (size as usize, size as usize));
    }

    #[test]
    fn f1_a_kill_at_any_moment_of_a_start_leaks_nothing_makes_nothing_twice_and_adopts_what_came_up(
        seed in any::<u64>(),
        kill_at in 0..12_usize,
        applied in any::<u8>(),
        mode in 0..3_u8,
    ) {
        let mut farm = Farm::new(4, seed);
        farm.lost = 30;
        for _ in 0..kill_at {
            match mode {
                0 => drop(farm.answer_one()),
                1 => farm.list(1.0),
                _ => farm.lab.pass(seconds(1)),
            }
        }
        // What was asked for may still be carried out.
        let asked: Vec<_> = farm.lab.effects.values().filter_map(|effect| match effect {
            Effect::Create { token, .. } => Some(token.clone()),
            _ => None,
        }).collect();
        for (index, token) in asked.iter().enumerate() {
            if applied >> index & 1 == 1 && !farm.nodes.values().any(|node| node.token.as_ref() == Some(token)) {
                farm.make(token, NodeState::Running);
            }
        }
        let came_up: Vec<_> = farm.nodes.keys().cloned().collect();
        farm.lab.restart();
        farm.lost = 0;
        farm.rest();
        let used: Vec<_> = farm.lab.vms().filter_map(|vm| vm.node.as_ref()).map(|node| node.id.clone()).collect();
        prop_assert_eq!((used.len(), farm.nodes.len(), farm.made), (4, 4, 4));
        prop_assert!(came_up.iter().all(|node| used.contains(node)), "{:?} of {:?}", used, came_up);
        prop_assert_eq!(farm.lab.counts([RecordState::Ready]), [4]);
        prop_assert_eq!((farm.lab.happened(EventKind::VmTerminating), farm.lab.happened(EventKind::OrphanDestroyed)), (0, 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn f4_of_destructions_half_fail_or_are_not_done_and_every_node_is_gone_in_the_end_one_destruction_at_a_time(
        seed in any::<u64>(),
        size in 1..9_u32,
    ) {
        let mut farm = Farm::new(size, seed);
        farm.answer_all();
        farm.stubborn = 50;
        for vm in farm.lab.vms().map(|vm| vm.name.clone()).collect::<Vec<_>>() {
            let _ = farm.lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
        }
        let doomed: BTreeMap<_, _> = farm.nodes.keys().map(|node| (node.clone(), ())).collect();
        let names: BTreeMap<_, _> = farm.lab.vms().map(|vm| (vm.name.clone(), vm.node.as_ref().unwrap().id.clone())).collect();
        for _ in 0..150 {
            let mut asked = BTreeMap::<NodeId, usize>::new();
            for effect in farm.lab.effects.values() {
                if let Effect::Destroy { node, .. } = effect {
                    *asked.entry(node.clone()).or_default() += 1;
                }
            }
            prop_assert!(asked.values().all(|times| *times == 1), "{:?}", asked);
            match farm.rng.bool() {
                true => drop(farm.answer_one()),
                false => farm.list(1.0),
            }
            for (vm, node) in &names {
                prop_assert!(farm.lab.vm(vm).is_some() || !farm.nodes.contains_key(node), "{} is forgotten, and there", vm);
            }
            farm.lab.pass(seconds(5));
        }
        farm.stubborn = 0;
        // What was accepted and not done is asked for again after eight minutes at the latest.
        (0..4).for_each(|_| farm.rest());
        prop_assert!(doomed.keys().all(|node| !farm.nodes.contains_key(node)));
        prop_assert!(names.keys().all(|vm| farm.lab.vm(vm).is_none()));
        prop_assert_eq!(farm.nodes.len(), size as usize);
    }

    #[test]
    fn f16_whatever_ids_names_and_addresses_come_again_no_record_is_dropped_or_taken_for_another(
        seed in any::<u64>(),
        acts in proptest::collection::vec(0..6_u8, 1..80),
    ) {
        let mut farm = Farm::new(5, seed);
        farm.recycles = true;
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                0 => drop(farm.lab.acquire(wish(&format!("r{number}"), "ann").with_ttl(Some(seconds(80_000))))),
                1 => {
                    let lease = farm.lab.engine.leases().next().cloned();
                    lease.iter().for_each(|lease| farm.lab.release(lease));
                }
                2 => farm.lab.restart(),
                3 => farm.list(1.0),
                _ => drop(farm.answer_one()),
            }
            for vm in farm.lab.vms().filter(|vm| vm.state == RecordState::InUse) {
                let node = vm.node.as_ref().and_then(|node| farm.nodes.get(&node.id));
                let token = node.and_then(|node| node.token.as_ref()).map(|token| &token.vm);
                prop_assert_eq!(token, Some(&vm.name), "the node of a leased VM is its own");
                prop_assert_eq!(&vm.suspect, &None);
            }
        }
        farm.rest();
        // Whoever shares an address with another waits for it, so that not all need be ready; but each has its own node.
        let of = |vm: &VmRecord| (vm.node.as_ref().map(|node| node.id.clone()), Some(vm.name.clone()));
        let records: BTreeMap<_, _> = farm.lab.vms().map(of).collect();
        let nodes: BTreeMap<_, _> = farm.nodes.values().map(|node| (Some(node.id.clone()), node.token.as_ref().map(|token| token.vm.clone()))).collect();
        prop_assert_eq!(records, nodes);
        prop_assert_eq!(farm.nodes.len(), 5);
    }
}

#[test]
fn f2_of_a_thousand_creates_with_a_third_of_the_answers_lost_each_makes_one_node() {
    let (mut unknown, mut adopted) = (0, 0);
    for seed in 0..20 {
        let mut config = config(50);
        config.max_starting = 50;
        config.retry_max = seconds(2);
        let mut farm = Farm::of(config, seed);
        farm.lost = 30;
        let mut rounds = 0;
        while farm.lab.counts([RecordState::Ready]) != [50] {
            farm.answer_all();
            farm.lab.pass(seconds(1));
            rounds += 1;
            assert!(rounds < 500, "{:?}", farm.lab.counts(RecordState::ALL));
        }
        farm.rest();
        assert_eq!((farm.nodes.len(), farm.made, farm.lab.vms().count()), (50, 50, 50));
        unknown += farm.lab.happened(EventKind::CreateUnknown);
        adopted += farm.lab.happened(EventKind::VmAdopted);
    }
    assert!(200 < unknown && 100 < adopted, "{unknown} {adopted}");
}

#[test]
fn f3_what_a_create_that_failed_half_way_left_behind_is_destroyed() {
    for answered in [true, false] {
        let mut farm = Farm::new(1, 7);
        let (id, token) = farm.lab.create();
        let half = farm.make(&token, NodeState::Error);
        let outcome = if answered { Ok(Box::new(half.clone())) } else { Err(timeout()) };
        farm.lab.answer(id, Outcome::Created(outcome));
        farm.rest();
        assert!(!farm.nodes.contains_key(&half.id), "answered: {answered}");
        assert_eq!((farm.nodes.len(), farm.lab.counts([RecordState::Ready])), (1, [1]));
    }
    // A create that was refused for certain, and left a node all the same.
    let mut farm = Farm::new(1, 7);
    let (id, token) = farm.lab.create();
    let half = farm.make(&token, NodeState::Error);
    farm.lab.answer(id, Outcome::Created(Err(quota())));
    farm.rest();
    assert!(!farm.nodes.contains_key(&half.id));
    assert_eq!(farm.lab.happened(EventKind::OrphanDestroyed), 1);
}

#[test]
fn w1_a_vm_whose_coming_up_nobody_was_told_of_is_used_after_the_next_listing() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.created(NodeState::Pending);
    lab.restart();
    node.state = NodeState::Running;
    lab.list(std::slice::from_ref(&node));
    lab.granted(wish("r1", "ann"));
    let is_list =
        |effect: &Effect| matches!(effect, Effect::List { provider: listed } if *listed == provider());
    assert!(lab.count(is_list) <= 1);
}
