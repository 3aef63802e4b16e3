//! What Copr tells of a VM.

use vmpool_api::{Lease, Vm};

use super::Job;

/// The names of Copr's states; [`VmDescriptor::state`] may also be one that only vmpool has.
pub mod states {
    /// It has an address and was not checked yet.
    pub const GOT_IP: &str = "got_ip";
    /// It is being checked.
    pub const CHECK_HEALTH: &str = "check_health";
    /// Its last check failed.
    pub const CHECK_HEALTH_FAILED: &str = "check_health_failed";
    /// It can be acquired.
    pub const READY: &str = "ready";
    /// It is acquired.
    pub const IN_USE: &str = "in_use";
    /// It is being destroyed.
    pub const TERMINATING: &str = "terminating";
}

/// Copr's `VmDescriptor`: what is known of a VM, under the names that it has there; times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VmDescriptor {
    /// Its address, once it has one.
    pub vm_ip: Option<String>,
    /// Its name.
    pub vm_name: String,
    /// Its group.
    pub group: u32,
    /// Its state, one of [`states`], or `spawning`, `releasing` or `held`.
    pub state: String,
    /// When its last check began.
    pub last_health_check: Option<i64>,
    /// How many checks failed in a row.
    pub check_fails: u32,
    /// Since when it is in use, if it is.
    pub in_use_since: Option<i64>,
    /// When its last use ended.
    pub last_release: Option<i64>,
    /// Since when it is being destroyed, if it is.
    pub terminating_since: Option<i64>,
    /// Who uses it or used it last.
    pub bound_to_user: Option<String>,
    /// The sandbox that it is or was used in.
    pub sandbox: Option<String>,
    /// The process that acquired it, while it is in use; the first generation calls it `used_by_pid`.
    pub used_by_worker: Option<u32>,
    /// The task that it is used for.
    pub task_id: Option<String>,
    /// The build that it is used for.
    pub build_id: Option<String>,
    /// The chroot that it is used for.
    pub chroot: Option<String>,
    /// How many uses of it have ended.
    pub builds_count: u32,
}

impl VmDescriptor {
    pub(super) fn new(vm: &Vm, group: u32, lease: Option<&Lease>) -> Self {
        let since = |state: &str| (vm.state == state).then(|| vm.since.as_second());
        let Job { task_id, build_id, chroot } = Job::of_task(vm.task.as_deref());
        Self {
            vm_ip: vm.addresses.first().cloned(),
            vm_name: vm.name.clone(),
            group,
            state: vm.state.clone(),
            last_health_check: vm.last_check.map(|at| at.as_second()),
            check_fails: vm.check_fails,
            in_use_since: since(states::IN_USE),
            last_release: vm.last_release.map(|at| at.as_second()),
            terminating_since: since(states::TERMINATING),
            bound_to_user: vm.owner.clone(),
            sandbox: vm.sandbox.clone(),
            used_by_worker: lease.and_then(|lease| worker(&lease.request)),
            task_id,
            build_id,
            chroot,
            builds_count: vm.uses.saturating_sub(u32::from(vm.lease.is_some())),
        }
    }

    /// Returns each field that has a value, under its name, as Copr keeps it: as text.
    #[must_use]
    pub fn to_dict(&self) -> Vec<(&'static str, String)> {
        let number = |number: Option<i64>| number.map(|number| number.to_string());
        let fields = [
            ("vm_ip", self.vm_ip.clone()),
            ("vm_name", Some(self.vm_name.clone())),
            ("group", Some(self.group.to_string())),
            ("state", Some(self.state.clone())),
            ("last_health_check", number(self.last_health_check)),
            ("check_fails", Some(self.check_fails.to_string())),
            ("in_use_since", number(self.in_use_since)),
            ("last_release", number(self.last_release)),
            ("terminating_since", number(self.terminating_since)),
            ("bound_to_user", self.bound_to_user.clone()),
            ("sandbox", self.sandbox.clone()),
            ("used_by_worker", self.used_by_worker.map(|pid| pid.to_string())),
            ("task_id", self.task_id.clone()),
            ("build_id", self.build_id.clone()),
            ("chroot", self.chroot.clone()),
            ("builds_count", Some(self.builds_count.to_string())),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Returns the value of a field by its name, if there is one.
    #[must_use]
    pub fn get_field(&self, name: &str) -> Option<String> {
        self.to_dict().into_iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }
}

/// What the ids of requests begin with that are made here; the number of the process follows.
const REQUEST: &str = "copr.";

/// Makes the id of a request of a process.
pub(super) fn request_of(pid: u32) -> String {
    format!("{REQUEST}{pid}.{}", crate::new_request_id())
}

/// Returns the process that made a request.
fn worker(request: &str) -> Option<u32> {
    request.strip_prefix(REQUEST)?.split('.').next()?.parse().ok()
}
