//! A VM whose lease ended: held, destroyed, cleaned, or kept for the same owner.

use vmpool_model::{
    Lease, Returned, Timestamp, Transition, VmName,
    config::{HookKind, OnExpiry, OnRelease},
};

use crate::{Engine, pool, retire::PROVIDER_RETIRED, vm::Vm};

impl Engine {
    /// Goes on with a VM whose holder gave it back.
    pub(crate) fn released(&mut self, lease: Lease) {
        let Some(vm) = self.vms.get(&lease.vm) else { return };
        let name = lease.vm.clone();
        match vm.config.on_release {
            _ if vm.record.hold.is_some() => self.keep_after(&name, Some(lease)),
            OnRelease::Destroy => self.terminate(&name, "its lease was released"),
            OnRelease::Reuse => self.use_again(lease, false, "its lease was released"),
            OnRelease::Clean => self.use_again(lease, true, "its lease was released"),
        }
    }

    /// Goes on with a VM whose holder is gone, and left behind nobody knows what.
    pub(crate) fn expired(&mut self, lease: Lease) {
        let Some(vm) = self.vms.get(&lease.vm) else { return };
        let name = lease.vm.clone();
        match vm.config.on_expiry {
            _ if vm.record.hold.is_some() => self.keep_after(&name, Some(lease)),
            OnExpiry::Hold if self.has_room_to_hold(&vm.record.pool) => {
                self.want_held(&name, "its lease expired", None);
                self.keep_after(&name, Some(lease));
            }
            OnExpiry::Hold => {
                let most = vm.config.max_held;
                let why = format!(
                    "its lease expired, and its pool holds as many VMs as it may (max_held = {most})"
                );
                self.terminate(&name, &why);
            }
            OnExpiry::Destroy => self.terminate(&name, "its lease expired"),
            OnExpiry::Clean => self.use_again(lease, true, "its lease expired"),
        }
    }

    /// Lets a VM be used again, after its hook `before_release` if there is one, unless something speaks against it.
    fn use_again(&mut self, lease: Lease, clean: bool, reason: &str) {
        let Some(vm) = self.vms.get(&lease.vm) else { return };
        let name = lease.vm.clone();
        let has_hook = vm.config.hooks.before_release.is_some();
        let against = match self.speaks_against(vm) {
            None if clean && !has_hook => Some("nothing cleans it"),
            against => against,
        };
        if let Some(against) = against {
            return self.terminate(&name, &format!("{reason}, and {against}"));
        }
        if !has_hook {
            return self.came_back(&name);
        }
        let returned = Some(Box::new(Returned { lease, clean, held: false }));
        self.transit(&name, Transition::StartRelease, |record| record.returned = returned);
        self.advance(&name);
    }

    /// Returns why a VM that comes back is not used again, if it is not.
    fn speaks_against(&self, vm: &Vm) -> Option<&'static str> {
        match () {
            () if vm.record.suspect.is_some() => Some("it is doubted"),
            () if !pool::is_running(&vm.record) => Some("its node does not run"),
            () => self.is_over(vm).or(self.used_up(vm)),
        }
    }

    /// Returns why nobody gets a VM any more, if its pool or its provider comes to its end.
    pub(crate) fn is_over(&self, vm: &Vm) -> Option<&'static str> {
        let is_open = self.pools.get(&vm.record.pool).is_some_and(|pool| pool.is_open());
        match () {
            () if !is_open => Some("its pool gives no more VMs"),
            () if self.is_at_retired(vm) => Some(PROVIDER_RETIRED),
            () => None,
        }
    }

    /// Returns why a VM is at its end that nobody uses, if it is.
    pub(crate) fn used_up(&self, vm: &Vm) -> Option<&'static str> {
        let Vm { record, config, .. } = vm;
        let is_worn = config.max_uses.is_some_and(|uses| uses <= record.uses);
        let old_at = config.max_age.map(|age| (record.created_at + age).max(vm.spared_until));
        match () {
            () if is_worn => Some("it was used max_uses times"),
            () if old_at.is_some_and(|at| at <= self.now) => Some("it is older than max_age"),
            () => None,
        }
    }

    pub(crate) fn advance_releasing(&mut self, name: &VmName) -> Option<Timestamp> {
        if self.vms.get(name)?.config.hooks.before_release.is_some() {
            return self.run_hook(name, HookKind::BeforeRelease);
        }
        // The hook left the configuration meanwhile.
        let is_to_be_clean = |vm: &Vm| vm.record.returned.as_ref().is_none_or(|returned| returned.clean);
        match self.vms.get(name).is_some_and(is_to_be_clean) {
            true => self.terminate(name, "nothing cleans it: its pool has no hook before_release any more"),
            false => self.came_back(name),
        }
        None
    }

    /// Makes a VM ready that came back, for anybody if it was cleaned; one that was held or whose checks failed is checked
    /// first.
    pub(crate) fn came_back(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        let returned = vm.record.returned.as_ref();
        let is_clean = returned.is_some_and(|returned| returned.clean);
        let was_held = returned.is_some_and(|returned| returned.held);
        let transition = match vm.record.check_fails {
            0 if !was_held => Transition::Release,
            _ => Transition::ReleaseUnwell,
        };
        let now = self.now;
        self.transit(name, transition, |record| {
            record.returned = None;
            record.dirty_since = (!is_clean).then_some(now);
            if is_clean {
                record.owner = None;
                record.sandbox = None;
            }
        });
        self.keep_or_advance(name);
    }
}
