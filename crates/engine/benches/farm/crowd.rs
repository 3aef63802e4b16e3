//! A farm all of whose VMs are leased, and a crowd that waits for them: releases, creates, checks and renewals go on all the time.

use std::{array, collections::VecDeque};

use fastrand::Rng;
use vmpool_engine::{Answer, CheckReport, Effect, EffectId, Grant, Input, Outcome, Records, Step};
use vmpool_model::{
    Acquire, Lease, Owner, PoolName, ProviderName, RequestId, Sandbox,
    config::{HookConfig, OfferConfig, OnRelease, PoolConfig, ProviderConfig},
};

use super::{Clocked, LONG, Meter, Unmeasured, node, quiet, recover, spec, stored};

const POOLS: u64 = 50;
const ACCOUNTS: u64 = 20;
/// How many VMs there are for one owner.
const VMS_OF_OWNER: u64 = 20;
/// How many effects are under way all the time.
const UNDER_WAY: usize = 200;

/// What happens, as it is told.
pub const TURNS: [&str; 8] = [
    "renew",
    "acquire, one more waits",
    "release",
    "VM gone, another begun",
    "a create's outcome",
    "a check's outcome, hand-over",
    "a hook's outcome, hand-over",
    "tick, nothing due",
];

const RENEW: usize = 0;
const ACQUIRE: usize = 1;
const RELEASE: usize = 2;
const GONE: usize = 3;
const CREATED: usize = 4;
const CHECKED: usize = 5;
const HOOKED: usize = 6;
const TICK: usize = 7;

/// A farm all of whose VMs are leased, and those who wait.
#[derive(Debug)]
pub struct Crowd {
    clocked: Clocked,
    rng: Rng,
    /// How many VMs a pool has.
    of_pool: u32,
    owners: u64,
    /// The number of the last request and node.
    number: u64,
    /// How many requests are to wait, and how many do.
    wanted: u64,
    waiting: u64,
    held: Vec<Lease>,
    under_way: VecDeque<(usize, Input)>,
}

fn pool_name(number: u64) -> PoolName {
    PoolName::new(format!("pool-{number:02}")).unwrap()
}

fn account(number: u64) -> ProviderName {
    ProviderName::new(format!("account-{:02}", number % ACCOUNTS)).unwrap()
}

/// Makes a pool that is full, of one of all kinds.
fn pool(number: u64, size: u32) -> PoolConfig {
    let mut config = quiet(size);
    let template = config.template.take().unwrap();
    config.provider = None;
    let offers = (0..=number % 3).map(|step| OfferConfig::new(account(number + step * 7), template.clone()));
    config.offers = offers.collect();
    (config.max_total, config.max_starting) = (Some(size), size);
    config.max_per_owner = (number % 5 == 4).then_some((size / 5).max(30));
    config.on_release = match number % 4 {
        0 | 1 => OnRelease::Destroy,
        2 => OnRelease::Reuse,
        _ => OnRelease::Clean,
    };
    if config.on_release == OnRelease::Clean {
        config.hooks.before_release = Some(HookConfig::new(vec!["clean".to_owned()]));
    }
    config
}

impl Crowd {
    /// Makes a farm of leased VMs, and lets some wait.
    pub fn new(size: u64, waiting: u64) -> Self {
        let of_pool = u32::try_from(size / POOLS).unwrap();
        let mut spec = spec();
        for number in 0..ACCOUNTS {
            let mut config = ProviderConfig::new("none");
            config.max_creating = Some(of_pool as usize);
            config.quota.insert("vms".to_owned(), size);
            spec.providers.insert(account(number), config);
        }
        spec.pools = (0..POOLS).map(|number| (pool_name(number), pool(number, of_pool))).collect();
        let vms = (0..u64::from(of_pool) * POOLS).map(|number| {
            let mut record = stored(number, &pool_name(number % POOLS));
            record.provider = account(number % POOLS);
            record
        });
        let records = Records { vms: vms.collect(), ..Records::default() };
        let mut crowd = Self {
            clocked: recover(spec, records),
            rng: Rng::with_seed(7),
            of_pool,
            owners: (size / VMS_OF_OWNER).max(5),
            number: size,
            wanted: waiting,
            waiting: 0,
            held: Vec::new(),
            under_way: VecDeque::new(),
        };
        let mut unmeasured = array::from_fn(|_| Unmeasured);
        while crowd.waiting < waiting {
            crowd.come(&mut Unmeasured);
            while UNDER_WAY < crowd.under_way.len() {
                crowd.go_on(&mut unmeasured);
            }
        }
        (0..20 * UNDER_WAY).for_each(|_| crowd.go_on(&mut unmeasured));
        crowd
    }

    /// Lets the next thing happen; there is one meter for each kind.
    pub fn go_on(&mut self, meters: &mut [impl Meter; TURNS.len()]) {
        if self.waiting < self.wanted {
            return self.come(&mut meters[ACQUIRE]);
        }
        // In a small crowd it can be that nobody holds a VM for a moment.
        let is_due = UNDER_WAY < self.under_way.len() || self.held.is_empty();
        let due = if is_due { self.under_way.pop_front() } else { None };
        let (turn, input) = due.unwrap_or_else(|| self.wish());
        let step = self.clocked.step(&mut meters[turn], input);
        assert!(!matches!(step.answer, Answer::Refused(_)), "{:?}", step.answer);
        self.take_in(step);
    }

    /// Somebody who holds a VM does something, or nobody does.
    fn wish(&mut self) -> (usize, Input) {
        if self.held.is_empty() {
            return (TICK, Input::Tick);
        }
        let at = self.rng.usize(..self.held.len());
        match self.rng.u32(..10) {
            0 => (TICK, Input::Tick),
            1..6 => (RENEW, Input::Renew { lease: self.held[at].id.clone(), fence: None, ttl: None }),
            _ => (RELEASE, Input::Release { lease: self.held.swap_remove(at).id, fence: None }),
        }
    }

    /// One more request comes, and is served or waits.
    fn come(&mut self, meter: &mut impl Meter) {
        self.number += 1;
        let (rng, number) = (&mut self.rng, self.number);
        let id = RequestId::new(format!("build-{number:08}")).unwrap();
        let person = rng.u64(..self.owners);
        let owner = match person % 5 {
            0 => format!("team-{:04}", person / 5),
            project => format!("team-{:04}/project-{project}", person / 5),
        };
        let pool = pool_name((person * 31 + rng.u64(..3) * 17) % POOLS);
        let sandbox = rng.bool().then(|| Sandbox::new(format!("sandbox-{}", rng.u32(..2))).unwrap());
        let count = if rng.u32(..30) == 0 { rng.u32(2..=4).min(self.of_pool) } else { 1 };
        let acquire = Acquire::new(id, pool, Owner::new(owner).unwrap()).with_sandbox(sandbox);
        let acquire = acquire.with_count(count).with_wait(LONG).with_priority(i32::from(rng.u32(..10) == 0));
        let mut step = self.clocked.step(meter, Input::Acquire(Box::new(acquire)));
        match std::mem::take(&mut step.answer) {
            Answer::Granted(grants) => self.hold(grants),
            Answer::Waiting => self.waiting += 1,
            answer => unreachable!("{answer:?}"),
        }
        self.take_in(step);
    }

    fn hold(&mut self, grants: Vec<Grant>) {
        self.held.extend(grants.into_iter().map(|grant| grant.lease));
    }

    /// Notes what was decided: what was asked for ends well, after a while.
    fn take_in(&mut self, step: Step) {
        for (_, grants) in step.decided {
            self.waiting -= 1;
            self.hold(grants.unwrap());
        }
        for (id, effect) in step.effects {
            let due = self.end_of(id, effect);
            self.under_way.extend(due);
        }
    }

    fn end_of(&mut self, id: EffectId, effect: Effect) -> Option<(usize, Input)> {
        let (turn, outcome) = match effect {
            Effect::Create { vm, token, .. } => {
                self.number += 1;
                (CREATED, Outcome::Created(Ok(Box::new(node(self.number, &vm, &token.pool)))))
            }
            Effect::Check { .. } => (CHECKED, Outcome::Checked(Ok(CheckReport::default()))),
            Effect::Hook(_) => (HOOKED, Outcome::Hooked(Ok(()))),
            // No listing has to prove it.
            Effect::Destroy { vm, .. } => {
                return Some((GONE, Input::Forget { vm: vm?, reason: String::new() }));
            }
            _ => return None,
        };
        Some((turn, Input::Done { id, outcome }))
    }
}
