//! Random rules for the life of a VM, and what they promise.

use proptest::prelude::*;
use vmpool_engine::{HookRun, Input, Outcome};
use vmpool_model::{
    Lease, RecordState, Timestamp, VmRecord,
    config::{CheckConfig, CheckMode, HookConfig, HookKind, OnExpiry, OnRelease, PoolConfig},
};

use crate::{setup::seconds, world::World};

/// How the VMs of a pool live.
#[derive(Debug, Clone)]
pub(crate) struct LifeSetup {
    on_release: OnRelease,
    on_expiry: OnExpiry,
    max_uses: Option<u32>,
    max_age: Option<u64>,
    max_held: u32,
    hooks: [bool; 3],
    cloud_expiry: bool,
    check: bool,
    mode: CheckMode,
    check_interval: u64,
    max_check_fails: u32,
    start_timeout: Option<u64>,
}

pub(crate) fn life() -> impl Strategy<Value = LifeSetup> {
    use proptest::{option::weighted, sample::select};
    let modes = vec![CheckMode::Periodic, CheckMode::Lazy, CheckMode::Strict];
    let check = (any::<bool>(), select(modes), 0..2_u64, 0..3_u32, weighted(0.3, Just(30_u64)));
    let on_release = select(vec![OnRelease::Destroy, OnRelease::Reuse, OnRelease::Clean]);
    let on_expiry = select(vec![OnExpiry::Destroy, OnExpiry::Clean, OnExpiry::Hold]);
    let reuse = (on_release, on_expiry, weighted(0.3, 1..4_u32), weighted(0.3, Just(200_u64)), 0..3_u32);
    let hooks = any::<[bool; 3]>();
    (check, reuse, hooks, prop::bool::weighted(0.3)).prop_map(|(check, reuse, mut hooks, cloud_expiry)| {
        let (check, mode, again, max_check_fails, start_timeout) = check;
        let (on_release, on_expiry, max_uses, max_age, max_held) = reuse;
        // Nothing is clean that no hook cleans.
        hooks[1] |= on_release == OnRelease::Clean || on_expiry == OnExpiry::Clean;
        let check_interval = again * 30;
        LifeSetup {
            on_release,
            on_expiry,
            max_uses,
            max_age,
            max_held,
            hooks,
            cloud_expiry,
            check,
            mode,
            check_interval,
            max_check_fails,
            start_timeout,
        }
    })
}

impl LifeSetup {
    pub(crate) fn apply(&self, config: &mut PoolConfig) {
        config.on_release = self.on_release;
        config.on_expiry = self.on_expiry;
        config.max_uses = self.max_uses;
        config.max_age = self.max_age.map(seconds);
        config.max_held = self.max_held;
        let hook = |index: usize| {
            let mut hook = HookConfig::new(vec!["hook".to_owned()]);
            hook.timeout = seconds(20);
            self.hooks[index].then_some(hook)
        };
        config.hooks.after_boot = hook(0);
        config.hooks.before_release = hook(1);
        config.hooks.after_destroy = hook(2);
        config.cloud_expiry = self.cloud_expiry.then(|| seconds(1800));
        config.check = if self.check { CheckConfig::Tcp { port: 22 } } else { CheckConfig::None };
        config.check_mode = self.mode;
        config.check_timeout = seconds(10);
        config.check_max_time = seconds(25);
        config.check_interval = seconds(self.check_interval);
        config.max_check_fails = self.max_check_fails;
        config.start_timeout = self.start_timeout.map(seconds);
    }
}

/// Checks that a VM that is leased was checked as lately as its pool promises.
pub(crate) fn leased(world: &World, lease: &Lease, vm: &VmRecord) -> Result<(), String> {
    is_checked(world, vm, lease.acquired_at)
}

/// Checks that a VM was checked as lately as its pool promises for those that are leased.
pub(crate) fn is_checked(world: &World, vm: &VmRecord, now: Timestamp) -> Result<(), String> {
    let config = world.pool(vm);
    let is_worn = config.max_uses.is_some_and(|uses| uses < vm.uses);
    ensure!(!is_worn, "{} is given for the {}th time", vm.name, vm.uses);
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

/// Checks what a change of a record says of the life of its VM.
pub(crate) fn changed(
    world: &mut World,
    input: &Input,
    old: &VmRecord,
    new: &VmRecord,
) -> Result<(), String> {
    let cleaned = old.owner.is_some() && new.owner.is_none();
    let hook_ended = matches!(input, Input::Done { outcome: Outcome::Hooked(Ok(())), .. });
    let was_to_be =
        old.state == RecordState::Releasing && old.returned.as_ref().is_some_and(|lease| lease.clean);
    ensure!(!cleaned || (hook_ended && was_to_be), "{} became clean by {input:?}: {old:?}", new.name);
    if cleaned {
        world.ledger.past.tenants.remove(&new.name);
    }
    if old.hold.is_none() && new.hold.is_some() {
        held(world, new)?;
    }
    if old.state == RecordState::Held && new.state == RecordState::GotIp {
        world.ledger.let_go.insert(new.name.clone());
    }
    let ended = old.state == RecordState::InUse && new.state != RecordState::InUse;
    ensure!(!ended || new.lease.is_none(), "{} is {} with its lease", new.name, new.state);
    Ok(())
}

/// Checks that a hook is run where it belongs; a VM may have been terminated in the same step.
pub(crate) fn hooked(world: &World, run: &HookRun) -> Result<(), String> {
    let record = world.working.vms.get(&run.vm.name);
    let fits = record.is_some_and(|record| match run.kind {
        HookKind::AfterBoot => record.state == RecordState::GotIp && !record.prepared,
        HookKind::BeforeRelease => {
            let lease = record.returned.as_ref().map(|returned| &returned.lease);
            record.state == RecordState::Releasing && lease == run.lease.as_ref()
        }
        HookKind::AfterDestroy => record.is_gone() && run.lease.is_none(),
    });
    let is_over = record.is_none_or(|record| record.state == RecordState::Terminating && !record.is_gone());
    ensure!(fits || is_over, "{} is run for {record:?}", run.kind);
    let is_twice = world.flights.values().any(
        |flight| matches!(&flight.effect, vmpool_engine::Effect::Hook(other) if other.vm.name == run.vm.name && other.kind == run.kind && world.now < flight.asked_at + other.hook.timeout),
    );
    let is_twice = is_twice && !world.ledger.let_go.contains(&run.vm.name);
    ensure!(!is_twice, "{} is run twice at once for {}", run.kind, run.vm.name);
    Ok(())
}

/// Checks that one more VM may be held.
fn held(world: &World, new: &VmRecord) -> Result<(), String> {
    let held = world.working.vms.values().filter(|vm| vm.pool == new.pool && vm.hold.is_some()).count();
    let max_held = world.pool(new).max_held as usize;
    ensure!(held < max_held, "{} is held although {held} VMs are, or are to be", new.name);
    Ok(())
}
