//! A leased VM: checked where it is, doubted at most, and never ended by what is found.

use vmpool_model::{
    Timestamp, VmName,
    config::{CheckConfig, CheckMode},
};

use crate::{
    CheckReport, Engine,
    vm::{Doing, Vm},
};

/// How a suspicion begins that comes from checks; a check that passes ends it.
const CHECKS_FAIL: &str = "its health checks fail";

/// Returns whether a suspicion comes from checks.
pub(crate) fn is_of_checks(suspect: &str) -> bool {
    suspect.starts_with(CHECKS_FAIL)
}

impl Engine {
    pub(crate) fn advance_in_use(&mut self, name: &VmName) -> Option<Timestamp> {
        let lease = self.vms.get(name)?.record.lease.as_ref().and_then(|lease| self.leases.get(lease));
        // An atomic store never shows a VM whose lease is not recorded.
        if lease.is_none_or(|lease| lease.vm != *name) {
            self.edit(name, |record| record.lease = None);
            self.terminate(name, "its lease is not recorded");
            return None;
        }
        let vm = self.vms.get(name)?;
        let Vm { record, config, started_at, .. } = vm;
        let overdue_at = *started_at + config.check_max_time;
        match vm.is_doing(Doing::Check) {
            true if self.now < overdue_at => return Some(overdue_at),
            false if vm.effect.is_some() => return None,
            _ => {}
        }
        let is_checked = config.check != CheckConfig::None
            && config.check_mode != CheckMode::Lazy
            && !config.check_interval.is_zero();
        let check_at = record.last_check.map_or(self.now, |at| at + config.check_interval);
        // A check without an outcome says nothing of the VM; the next one comes in its time.
        self.forget_check(name);
        match check_at <= self.now {
            _ if !is_checked => None,
            false => Some(check_at),
            true => {
                let now = self.now;
                self.edit(name, |record| record.last_check = Some(now));
                self.ask_for_check(name)
            }
        }
    }

    pub(crate) fn check_passed_in_use(&mut self, name: &VmName, report: &CheckReport) {
        let now = self.now;
        let Some(vm) = self.vms.get_mut(name) else { return };
        vm.passed_at = Some(now);
        let is_new_key = vm.record.host_key.is_none() && report.host_key.is_some();
        // Who is doubted because of its checks has failed one.
        if vm.record.check_fails != 0 || is_new_key {
            self.edit(name, |record| {
                record.check_fails = 0;
                record.problem = None;
                record.host_key = record.host_key.take().or_else(|| report.host_key.clone());
                record.suspect = record.suspect.take().filter(|suspect| !is_of_checks(suspect));
            });
        }
        self.advance(name);
    }

    /// Counts a failure; the VM stays its holder's, who is told once there were too many in a row.
    pub(crate) fn check_failed_in_use(&mut self, name: &VmName, why: &str) {
        let Some(vm) = self.vms.get(name) else { return };
        let fails = vm.record.check_fails.saturating_add(1);
        let is_ill = vm.config.max_check_fails < fails && vm.record.suspect.is_none();
        self.edit(name, |record| {
            record.check_fails = fails;
            record.problem = Some(why.to_owned());
        });
        self.check_failed_event(name, why);
        if is_ill {
            self.suspect(name, &format!("{CHECKS_FAIL}: {why}"));
        }
        self.advance(name);
    }
}
