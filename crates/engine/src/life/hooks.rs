//! Hooks: commands that are run at turns of a VM's life, each until a deadline.

use std::time::Duration;

use vmpool_model::{
    EventKind, RecordState, Timestamp, Transition, VmName,
    config::{HookConfig, HookKind, HooksConfig},
};

use crate::{Effect, Engine, HookRun, vm::Doing};

/// How much longer than its time and its turn a hook may take before it counts as failed here: whoever runs it should
/// have ended it long before.
const PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    /// Has a hook run for a VM, unless it runs or something else is under way; returns when it must have ended.
    pub(crate) fn run_hook(&mut self, name: &VmName, kind: HookKind) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        if vm.is_doing(Doing::Hook) {
            if self.now < vm.hook_by {
                return Some(vm.hook_by);
            }
            self.forget_effect(name);
            self.hook_failed(name, kind, "it did not end in its time");
            return None;
        }
        if vm.effect.is_some() {
            return None;
        }
        let hook = of_kind(&vm.config.hooks, kind)?.clone();
        let by = self.now + self.longest(name, &hook);
        let run = HookRun {
            kind,
            hook,
            vm: vm.record.clone(),
            lease: vm.record.returned.as_ref().map(|returned| returned.lease.clone()),
            max_hooks: vm.config.max_hooks,
        };
        self.start(name, Effect::Hook(Box::new(run)));
        if let Some(vm) = self.vms.get_mut(name) {
            vm.hook_by = by;
        }
        Some(by)
    }

    /// Returns how long a hook may take, its turn included: no more others wait before it than there are VMs in states
    /// that have hooks.
    fn longest(&self, name: &VmName, hook: &HookConfig) -> Duration {
        use RecordState as S;
        let Some(vm) = self.vms.get(name) else { return Duration::ZERO };
        let states = [S::GotIp, S::Releasing, S::Terminating];
        let pool = self.pools.get(&vm.record.pool);
        let others: usize = pool.map_or(0, |pool| states.into_iter().map(|state| pool.count(state)).sum());
        let turns = 1 + others / vm.config.max_hooks.max(1) as usize;
        hook.timeout.saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX)).saturating_add(PATIENCE)
    }

    /// A hook ended, well or badly.
    pub(crate) fn hooked(&mut self, name: &VmName, result: Result<(), String>) {
        let Some(vm) = self.vms.get(name) else { return };
        let kind = match vm.record.state {
            RecordState::GotIp => HookKind::AfterBoot,
            RecordState::Releasing => HookKind::BeforeRelease,
            RecordState::Terminating => HookKind::AfterDestroy,
            _ => return,
        };
        if result.is_ok() {
            let pool = vm.record.pool.clone();
            self.event(EventKind::HookSucceeded, |event| {
                event.pool = Some(pool);
                event.vm = Some(name.clone());
                event.detail = kind.to_string();
            });
        }
        match (kind, result) {
            (_, Err(why)) => self.hook_failed(name, kind, &why),
            (HookKind::AfterBoot, Ok(())) => {
                self.edit(name, |record| record.prepared = true);
                self.advance(name);
            }
            (HookKind::BeforeRelease, Ok(())) => self.came_back(name),
            (HookKind::AfterDestroy, Ok(())) => drop(self.transit(name, Transition::Vanish, |_| {})),
        }
    }

    fn hook_failed(&mut self, name: &VmName, kind: HookKind, why: &str) {
        let Some(vm) = self.vms.get(name) else { return };
        let (pool, is_to_be_held) = (vm.record.pool.clone(), vm.record.hold.is_some());
        self.event(EventKind::HookFailed, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.detail = format!("{kind}: {why}");
        });
        let why = format!("its hook {kind} failed: {why}");
        match kind {
            HookKind::AfterBoot => self.start_failed(name, &why),
            HookKind::BeforeRelease if is_to_be_held => {
                // What was not cleaned is to be cleaned still when it is let go.
                let returned = self.vms.get(name).and_then(|vm| vm.record.returned.as_ref());
                let returned = returned.map(|returned| returned.lease.clone());
                self.transit(name, Transition::ReleaseUnwell, |record| {
                    record.returned = None;
                    record.problem = Some(why);
                });
                self.keep_after(name, returned);
            }
            HookKind::BeforeRelease => self.terminate(name, &why),
            // Nothing can be done any more, and nothing waits for it.
            HookKind::AfterDestroy => drop(self.transit(name, Transition::Vanish, |_| {})),
        }
    }
}

fn of_kind(hooks: &HooksConfig, kind: HookKind) -> Option<&HookConfig> {
    let hook = match kind {
        HookKind::AfterBoot => &hooks.after_boot,
        HookKind::BeforeRelease => &hooks.before_release,
        HookKind::AfterDestroy => &hooks.after_destroy,
    };
    hook.as_ref()
}
