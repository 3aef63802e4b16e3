//! A pool all of whose VMs are leased, and those who wait for one, each of another owner.

use fastrand::Rng;
use vmpool_engine::{Answer, Effect, Input, Outcome, Records};
use vmpool_model::{
    Acquire, LeaseId, Owner, PoolName, RequestId,
    config::{HookConfig, OnRelease},
};

use super::{Clocked, LONG, Meter, Unmeasured, quiet, recover, spec, stored};

/// A pool all of whose VMs are leased, and those who wait.
#[derive(Debug)]
pub struct Queue {
    clocked: Clocked,
    rng: Rng,
    number: u64,
    held: Vec<LeaseId>,
}

impl Queue {
    /// Makes a pool of leased VMs, and lets some wait.
    pub fn new(size: u64, waiting: u64) -> Self {
        let pool = PoolName::new("fedora").unwrap();
        let mut spec = spec();
        let mut config = quiet(u32::try_from(size).unwrap());
        config.on_release = OnRelease::Clean;
        config.hooks.before_release = Some(HookConfig::new(vec!["clean".to_owned()]));
        spec.pools.insert(pool.clone(), config);
        let vms = (0..size).map(|number| stored(number, &pool)).collect();
        let clocked = recover(spec, Records { vms, ..Records::default() });
        let mut queue = Self { clocked, rng: Rng::with_seed(7), number: 0, held: Vec::new() };
        (0..size + waiting).for_each(|_| queue.come(&mut Unmeasured));
        queue
    }

    /// One more owner comes and waits.
    pub fn come(&mut self, meter: &mut impl Meter) {
        self.number += 1;
        let id = RequestId::new(format!("build-{:08}", self.number)).unwrap();
        let owner = Owner::new(format!("user-{:08}", self.number)).unwrap();
        let acquire = Acquire::new(id, PoolName::new("fedora").unwrap(), owner).with_wait(LONG);
        if let Answer::Granted(grants) = self.clocked.step(meter, Input::Acquire(Box::new(acquire))).answer {
            self.held.extend(grants.into_iter().map(|grant| grant.lease.id));
        }
    }

    /// A VM is given back and cleaned, and the one who waits for longest gets it.
    pub fn hand_over(&mut self, release: &mut impl Meter, cleaned: &mut impl Meter) {
        let lease = self.held.swap_remove(self.rng.usize(..self.held.len()));
        let step = self.clocked.step(release, Input::Release { lease, fence: None });
        let hook = step.effects.into_iter().find(|(_, effect)| matches!(effect, Effect::Hook(_)));
        let (id, _) = hook.unwrap();
        let step = self.clocked.step(cleaned, Input::Done { id, outcome: Outcome::Hooked(Ok(())) });
        let grants = step.decided.into_iter().flat_map(|(_, grants)| grants.unwrap());
        let before = self.held.len();
        self.held.extend(grants.map(|grant| grant.lease.id));
        assert_eq!(self.held.len(), before + 1);
    }
}
