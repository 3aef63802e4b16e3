//! A VM that can be leased, or is: when it is checked again, and when it is given up.

use vmpool_model::{Timestamp, VmName, config::CheckConfig};

use crate::{Engine, vm::Vm};

impl Engine {
    pub(crate) fn advance_ready(&mut self, name: &VmName) -> Option<Timestamp> {
        let Vm { record, config, .. } = self.vms.get(name)?;
        let leaves_at = (!record.is_clean()).then(|| record.since + config.dirty_timeout);
        if leaves_at.is_some_and(|at| at <= self.now) {
            self.terminate(name, "its last user did not come back");
            return None;
        }
        let checked =
            config.check != CheckConfig::None && !config.check_interval.is_zero() && record.is_clean();
        // From the end of the last check on: one that takes longer than the interval would never let the VM be ready.
        let check_at = checked.then(|| record.since + config.check_interval);
        if check_at.is_some_and(|at| at <= self.now) {
            return self.start_check(name);
        }
        leaves_at.into_iter().chain(check_at).min()
    }

    /// Gives up a VM whose lease is not recorded; an atomic store never shows one.
    pub(crate) fn advance_in_use(&mut self, name: &VmName) -> Option<Timestamp> {
        let lease = self.vms.get(name)?.record.lease.as_ref().and_then(|lease| self.leases.get(lease));
        if lease.is_none_or(|lease| lease.vm != *name) {
            self.edit(name, |record| record.lease = None);
            self.terminate(name, "its lease is not recorded");
        }
        None
    }
}
