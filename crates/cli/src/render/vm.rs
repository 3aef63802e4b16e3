//! VMs.

use comfy_table::Table;
use vmpool_api::{Hold, Pool, Vm};

use super::time;
use crate::output::{facts, or_dash, table};

/// Makes the table of VMs.
pub(crate) fn vms(vms: &[Vm]) -> Table {
    let mut table = table(&["vm", "pool", "state", "since", "address", "owner", "lease", "note"]);
    for vm in vms {
        let problem =
            vm.hold.as_ref().map(held).or_else(|| vm.suspect.clone()).or_else(|| vm.problem.clone());
        table.add_row([
            vm.name.clone(),
            vm.pool.clone(),
            vm.state.clone(),
            time(Some(vm.since)),
            or_dash(vm.addresses.first()),
            or_dash(vm.owner.as_ref()),
            or_dash(vm.lease.as_ref()),
            or_dash(problem),
        ]);
    }
    table
}

/// Makes the table of one VM.
pub(crate) fn vm(vm: &Vm) -> Table {
    facts([
        ("VM", vm.name.clone()),
        ("pool", vm.pool.clone()),
        ("provider", vm.provider.clone()),
        ("state", format!("{} since {}", vm.state, time(Some(vm.since)))),
        ("created", time(Some(vm.created_at))),
        ("template", vm.template.clone()),
        ("node", or_dash(vm.node_id.as_ref())),
        ("node state", format!("{} ({})", or_dash(vm.node_state.as_ref()), or_dash(vm.raw_state.as_ref()))),
        ("addresses", vm.addresses.join(", ")),
        ("lease", or_dash(vm.lease.as_ref())),
        ("task", or_dash(vm.task.as_ref())),
        ("owner", or_dash(vm.owner.as_ref())),
        ("sandbox", or_dash(vm.sandbox.as_ref())),
        ("uses", vm.uses.to_string()),
        ("last check", format!("{}, {} failed in a row", time(vm.last_check), vm.check_fails)),
        ("last release", time(vm.last_release)),
        ("attempts", vm.attempts.to_string()),
        ("tries again", time(vm.retry_at)),
        ("doubted", or_dash(vm.suspect.as_ref())),
        ("held", or_dash(vm.hold.as_ref().map(held))),
        ("cloud ends it", time(vm.cloud_expiry)),
        ("problem", or_dash(vm.problem.as_ref())),
    ])
}

/// Says why and until when a VM is held.
fn held(hold: &Hold) -> String {
    let by = hold.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{}{by}, until {:.0}", hold.reason, hold.until)
}

/// Makes the table of every pool with its VMs.
pub(crate) fn info(pools: &[Pool], vms: &[Vm]) -> Table {
    let mut table = table(&[
        "pool",
        "vm",
        "address",
        "state",
        "since",
        "owner",
        "sandbox",
        "task",
        "uses",
        "last check",
        "fails",
        "last release",
    ]);
    for pool in pools {
        table.add_row([format!("{} ({} of {})", pool.name, pool.total(), pool.max_total)]);
        for vm in vms.iter().filter(|vm| vm.pool == pool.name) {
            table.add_row([
                String::new(),
                vm.name.clone(),
                or_dash(vm.addresses.first()),
                vm.state.clone(),
                time(Some(vm.since)),
                or_dash(vm.owner.as_ref()),
                or_dash(vm.sandbox.as_ref()),
                or_dash(vm.task.as_ref()),
                vm.uses.to_string(),
                time(vm.last_check),
                vm.check_fails.to_string(),
                time(vm.last_release),
            ]);
        }
    }
    table
}
