//! VMs at providers that the engine was not told at its start: they can neither be looked at nor destroyed.

use vmpool_model::{EventKind, ProviderName, RecordState, Timestamp, VmName};

use crate::{Engine, pool::Pool, words::list};

/// Says what is the matter with a VM at a provider that is not configured, and what to do.
fn why(provider: &ProviderName) -> String {
    format!("its provider {provider} is not configured: configure it again, or forget the VM")
}

impl Pool {
    /// Names the providers of its VMs that cannot be asked.
    pub(crate) fn missing_providers(&self) -> String {
        list(&self.missing)
    }

    /// Says that nothing can be done about some of its VMs, if that is so.
    pub(crate) fn strandedness(&self) -> Option<String> {
        let vms = match self.stranded() {
            0 => return None,
            1 => "1 VM is".to_owned(),
            many => format!("{many} VMs are"),
        };
        Some(format!(
            "{vms} at a provider that is not configured ({}): configure it again, or forget them",
            self.missing_providers()
        ))
    }
}

impl Engine {
    /// Returns whether there may be VMs at providers that cannot be asked; no VM is looked at for it.
    #[must_use]
    pub fn may_be_adrift(&self) -> bool {
        self.pools.values().any(|pool| !pool.missing.is_empty())
    }

    /// Returns whether the provider of a VM cannot be asked, although its node is not proven gone.
    pub(crate) fn is_adrift(&self, name: &VmName) -> bool {
        let Some(record) = self.vms.get(name).map(|vm| &vm.record) else { return false };
        !record.is_gone() && !self.providers.contains_key(&record.provider)
    }

    /// Doubts a VM whose provider cannot be asked: nobody knows how its node is.
    pub(crate) fn doubt_adrift(&mut self, name: &VmName) {
        let Some(record) = self.vms.get(name).map(|vm| &vm.record) else { return };
        if record.state != RecordState::Terminating {
            let why = why(&record.provider);
            self.suspect(name, &why);
        }
    }

    /// Reports a VM that nothing can be done about, and again whenever the time since the start has doubled; returns when to
    /// do so next.
    pub(crate) fn advance_stranded(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let (since, record) = (vm.asked_at.at, &vm.record);
        if let Some(at) = vm.stuck_at.filter(|at| self.now < *at) {
            return Some(at);
        }
        let next = since + self.now.since(since).saturating_mul(2).max(vm.config.terminating_timeout);
        let (pool, detail) =
            (record.pool.clone(), format!("it is {}, and {}", record.state, why(&record.provider)));
        self.event(EventKind::VmStuck, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.detail = detail;
        });
        self.vms.get_mut(name)?.stuck_at = Some(next);
        Some(next)
    }

    /// Lets the VMs of all pools that were at a provider which could not be asked count as others do.
    pub(crate) fn refloat(&mut self, provider: &ProviderName) {
        for (name, pool) in self.pools.iter_mut().filter(|(_, pool)| pool.missing.contains(provider)) {
            let its =
                || self.vms.values().filter(|vm| vm.record.pool == *name && vm.record.provider == *provider);
            its().for_each(|vm| pool.count_out(&vm.record, vm.stale));
            pool.missing.remove(provider);
            its().for_each(|vm| pool.count_in(&vm.record, vm.stale));
            self.touched.insert(name.clone());
        }
        for vm in self.vms_at(provider) {
            if let Some(vm) = self.vms.get_mut(&vm) {
                vm.stuck_at = None;
            }
        }
    }
}
