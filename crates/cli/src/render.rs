//! How pools, VMs, leases and events look to people.

use comfy_table::Table;
use vmpool_api::{Event, Lease, Pool, Vm, duration};

use crate::output::{facts, or_dash, table};

/// A time as people read it: whole seconds are enough for them.
type Time = Option<jiff::Timestamp>;

fn time(time: Time) -> String {
    or_dash(time.map(|time| format!("{time:.0}")))
}

/// Makes the table of pools.
pub(crate) fn pools(pools: &[Pool]) -> Table {
    let mut table = table(&["pool", "ready", "in use", "total", "max", "waiting", "provider", "problem"]);
    for pool in pools {
        table.add_row([
            pool.name.clone(),
            pool.count("ready").to_string(),
            pool.count("in_use").to_string(),
            pool.total().to_string(),
            pool.max_total.to_string(),
            pool.waiting.to_string(),
            pool.provider.clone(),
            or_dash(pool.problem.as_ref()),
        ]);
    }
    table
}

/// Makes the table of one pool.
pub(crate) fn pool(pool: &Pool) -> Table {
    let counts: Vec<String> = pool.counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    facts([
        ("pool", pool.name.clone()),
        ("provider", pool.provider.clone()),
        ("template", pool.template.clone()),
        ("VMs", if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }),
        ("size", pool.size.to_string()),
        ("min ready", pool.min_ready.to_string()),
        ("max total", pool.max_total.to_string()),
        ("waiting", pool.waiting.to_string()),
        ("problem", or_dash(pool.problem.as_ref())),
        ("tries again", time(pool.retry_at)),
    ])
}

/// Makes the table of VMs.
pub(crate) fn vms(vms: &[Vm]) -> Table {
    let mut table = table(&["vm", "pool", "state", "since", "address", "owner", "lease", "note"]);
    for vm in vms {
        let problem = vm.suspect.as_ref().or(vm.problem.as_ref());
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
        ("node", or_dash(vm.node_id.as_ref())),
        ("node state", format!("{} ({})", or_dash(vm.node_state.as_ref()), or_dash(vm.raw_state.as_ref()))),
        ("addresses", vm.addresses.join(", ")),
        ("lease", or_dash(vm.lease.as_ref())),
        ("owner", or_dash(vm.owner.as_ref())),
        ("sandbox", or_dash(vm.sandbox.as_ref())),
        ("uses", vm.uses.to_string()),
        ("last check", format!("{}, {} failed in a row", time(vm.last_check), vm.check_fails)),
        ("last release", time(vm.last_release)),
        ("attempts", vm.attempts.to_string()),
        ("tries again", time(vm.retry_at)),
        ("doubted", or_dash(vm.suspect.as_ref())),
        ("problem", or_dash(vm.problem.as_ref())),
    ])
}

/// Makes the table of leases.
pub(crate) fn leases(leases: &[Lease]) -> Table {
    let mut table = table(&["lease", "vm", "pool", "owner", "task", "acquired", "expires"]);
    for lease in leases {
        table.add_row([
            lease.id.clone(),
            lease.vm.clone(),
            lease.pool.clone(),
            lease.owner.clone(),
            or_dash(lease.task.as_ref()),
            time(Some(lease.acquired_at)),
            time(Some(lease.expires_at)),
        ]);
    }
    table
}

/// Makes the table of one lease.
pub(crate) fn lease(lease: &Lease) -> Table {
    facts([
        ("lease", lease.id.clone()),
        ("VM", lease.vm.clone()),
        ("addresses", lease.addresses.join(", ")),
        ("pool", lease.pool.clone()),
        ("node", or_dash(lease.node_id.as_ref())),
        ("owner", lease.owner.clone()),
        ("sandbox", or_dash(lease.sandbox.as_ref())),
        ("task", or_dash(lease.task.as_ref())),
        (
            "expires",
            format!("{}, {} after each renewal", time(Some(lease.expires_at)), duration::format(lease.ttl)),
        ),
        ("fence", lease.fence.to_string()),
        ("request", lease.request.clone()),
        ("doubted", or_dash(lease.suspect.as_ref())),
    ])
}

/// Makes the line of one event.
pub(crate) fn event(event: &Event) -> String {
    let about = [
        ("pool", &event.pool),
        ("provider", &event.provider),
        ("vm", &event.vm),
        ("lease", &event.lease),
        ("request", &event.request),
        ("owner", &event.owner),
    ];
    let about =
        about.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={value}")));
    let detail = Some(event.detail.clone()).filter(|detail| !detail.is_empty());
    let words: Vec<String> = about.chain(detail).collect();
    format!("{:>6} {:.3} {:<18} {}", event.cursor, event.at, event.kind, words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Event {
        let json = r#"{"cursor": 7, "at": "2026-01-01T00:00:00.5Z", "kind": "vm_ready", "vm": "a-1", "detail": "first"}"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_event_is_one_line_with_what_it_is_about() {
        assert_eq!(event(&sample()), "     7 2026-01-01T00:00:00.500Z vm_ready           vm=a-1 first");
    }

    #[test]
    fn a_table_has_a_header_even_without_rows() {
        assert!(leases(&[]).to_string().contains("EXPIRES"));
    }
}
