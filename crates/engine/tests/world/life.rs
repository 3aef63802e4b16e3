//! Random rules for the life of a VM, and what they promise.

use proptest::prelude::*;
use vmpool_model::{
    Lease, Timestamp, VmRecord,
    config::{CheckConfig, CheckMode, OnRelease, PoolConfig},
};

use crate::{setup::seconds, world::World};

/// How the VMs of a pool live.
#[derive(Debug, Clone)]
pub(crate) struct LifeSetup {
    reuse: bool,
    check: bool,
    mode: CheckMode,
    check_interval: u64,
    max_check_fails: u32,
    start_timeout: Option<u64>,
    max_age: Option<u64>,
}

pub(crate) fn life() -> impl Strategy<Value = LifeSetup> {
    let modes = vec![CheckMode::Periodic, CheckMode::Lazy, CheckMode::Strict];
    let check = (any::<bool>(), proptest::sample::select(modes), 0..2_u64, 0..3_u32);
    let times = (proptest::option::of(Just(30_u64)), proptest::option::of(Just(200_u64)));
    (any::<bool>(), check, times).prop_map(|(reuse, check, times)| {
        let (check, mode, again, max_check_fails) = check;
        let (start_timeout, max_age) = times;
        LifeSetup { reuse, check, mode, check_interval: again * 30, max_check_fails, start_timeout, max_age }
    })
}

impl LifeSetup {
    pub(crate) fn apply(&self, config: &mut PoolConfig) {
        config.on_release = if self.reuse { OnRelease::Reuse } else { OnRelease::Destroy };
        config.check = if self.check { CheckConfig::Tcp { port: 22 } } else { CheckConfig::None };
        config.check_mode = self.mode;
        config.check_timeout = seconds(10);
        config.check_max_time = seconds(25);
        config.check_interval = seconds(self.check_interval);
        config.max_check_fails = self.max_check_fails;
        config.start_timeout = self.start_timeout.map(seconds);
        config.max_age = self.max_age.map(seconds);
    }
}

/// Checks that a VM that is leased was checked as lately as its pool promises.
pub(crate) fn leased(world: &World, lease: &Lease, vm: &VmRecord) -> Result<(), String> {
    is_checked(world, vm, lease.acquired_at)
}

/// Checks that a VM was checked as lately as its pool promises for those that are leased.
pub(crate) fn is_checked(world: &World, vm: &VmRecord, now: Timestamp) -> Result<(), String> {
    let config = world.pool(vm);
    if config.check == CheckConfig::None || config.check_mode == CheckMode::Periodic {
        return Ok(());
    }
    let Some(passed_at) = world.ledger.life.passed.get(&vm.name) else {
        return Err(format!("{} was not checked since the start: {vm:?}", vm.name));
    };
    let is_late = !config.check_interval.is_zero() && *passed_at + config.check_interval <= now;
    ensure!(
        config.check_mode == CheckMode::Strict || !is_late,
        "{} was last checked at {passed_at}",
        vm.name
    );
    Ok(())
}
