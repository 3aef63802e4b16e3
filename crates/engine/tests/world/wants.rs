//! Who wants what: random wishes, and random limits of those who have them.

use proptest::prelude::*;
use vmpool_engine::Spec;
use vmpool_model::{Acquire, Label, Owner, RequestId, Sandbox, config::OwnerLimits};

use crate::setup::{pool_name, seconds};

/// What a client wants.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pools: Pools,
    owner: u8,
    sandbox: u8,
    wait: u8,
    ttl: u8,
    count: u8,
    priority: i8,
}

/// Which pools a client wants.
#[derive(Debug, Clone, Copy)]
enum Pools {
    One(u8),
    /// All, the last one first.
    All,
    Labelled,
    LabelledOf(u8),
}

/// Limits of owners, and what pools are called and stand in for.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    max_per_owner: Option<u32>,
    max_per_sub_owner: Option<u32>,
    /// The limit of `owner0`, and how much it weighs.
    special: Option<(u32, u32)>,
    in_pool: Option<u32>,
    aging: u64,
    max_waiting: u32,
    max_remembered: usize,
    /// Which pools have the label: one bit each.
    labelled: u8,
    /// Whether each pool is stood in for by the next.
    fallback: bool,
}

const OWNERS: [&str; 6] = ["owner0", "owner0/a", "owner0/b", "owner1", "owner1/a", "owner2"];

fn label() -> Label {
    Label::new("big").unwrap()
}

pub(crate) fn wish() -> impl Strategy<Value = Wish> {
    let pools = prop_oneof![
        6 => (0..3_u8).prop_map(Pools::One),
        1 => Just(Pools::All),
        1 => Just(Pools::Labelled),
        1 => (0..3_u8).prop_map(Pools::LabelledOf),
    ];
    let count = prop_oneof![6 => Just(1_u8), 2 => 2..4_u8];
    let numbers = (0..OWNERS.len() as u8, 0..2_u8, 0..4_u8, 0..3_u8);
    (pools, numbers, count, prop_oneof![4 => Just(0_i8), 1 => -1..3_i8]).prop_map(
        |(pools, (owner, sandbox, wait, ttl), count, priority)| Wish {
            pools,
            owner,
            sandbox,
            wait,
            ttl,
            count,
            priority,
        },
    )
}

impl Wish {
    pub(crate) fn acquire(&self, number: usize, spec: &Spec) -> Acquire {
        let pools = spec.pools.len();
        let request = RequestId::new(format!("request-{number}")).unwrap();
        let owner = Owner::new(OWNERS[usize::from(self.owner)]).unwrap();
        let one = |pool: u8| pool_name(usize::from(pool) % pools);
        let (named, labels) = match self.pools {
            Pools::One(pool) => (vec![one(pool)], None),
            Pools::All => (spec.pools.keys().rev().cloned().collect(), None),
            Pools::Labelled => (Vec::new(), Some(label())),
            Pools::LabelledOf(pool) => (vec![one(pool), one(pool.wrapping_add(1))], Some(label())),
        };
        Acquire::new(request, pool_name(0), owner)
            .with_pools(named)
            .with_labels(labels.into_iter().collect())
            .with_count(u32::from(self.count))
            .with_priority(i32::from(self.priority))
            .with_sandbox(
                (self.sandbox != 0).then(|| Sandbox::new(format!("sandbox{}", self.sandbox)).unwrap()),
            )
            .with_ttl((self.ttl != 0).then(|| seconds(u64::from(self.ttl) * 40)))
            .with_wait(seconds(u64::from(self.wait) * 30))
    }
}

pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    let max = || prop_oneof![3 => Just(None), 1 => (0..4_u32).prop_map(Some)];
    let special = prop_oneof![2 => Just(None), 1 => (0..4_u32, 1..3_u32).prop_map(Some)];
    let numbers =
        (prop_oneof![Just(0_u64), Just(20)], prop_oneof![4 => Just(100_u32), 1 => 1..3_u32], 1..9_usize);
    (max(), max(), special, max(), numbers, any::<u8>(), prop::bool::weighted(0.3)).prop_map(
        |(
            max_per_owner,
            max_per_sub_owner,
            special,
            in_pool,
            (aging, max_waiting, max_remembered),
            labelled,
            fallback,
        )| {
            Limits {
                max_per_owner,
                max_per_sub_owner,
                special,
                in_pool,
                aging,
                max_waiting,
                max_remembered,
                labelled,
                fallback,
            }
        },
    )
}

impl Limits {
    pub(crate) fn apply(&self, spec: &mut Spec) {
        spec.max_remembered = self.max_remembered;
        let limits = &mut spec.limits;
        (limits.max_per_owner, limits.max_per_sub_owner) = (self.max_per_owner, self.max_per_sub_owner);
        (limits.priority_aging, limits.max_waiting) = (seconds(self.aging), self.max_waiting);
        if let Some((max, weight)) = self.special {
            let mut special = OwnerLimits::default();
            (special.max, special.weight) = (Some(max), weight);
            limits.owners.insert(Owner::new(OWNERS[0]).unwrap(), special);
        }
        let count = spec.pools.len();
        for (index, pool) in spec.pools.values_mut().enumerate() {
            pool.max_per_owner = self.in_pool;
            if self.labelled >> (index % 8) & 1 == 1 {
                pool.labels.insert(label());
            }
            pool.fallback = (self.fallback && index + 1 < count).then(|| pool_name(index + 1));
        }
    }
}
