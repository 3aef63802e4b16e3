//! Leases.

use comfy_table::Table;
use vmpool_api::{Lease, Release, duration};

use super::time;
use crate::output::{facts, or_dash, table};

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

/// Makes the table of leases that were to be released.
pub(crate) fn releases(releases: &[Release]) -> Table {
    let mut table = table(&["lease", "released"]);
    for release in releases {
        let released = if release.problem.is_none() { "yes" } else { "no" };
        table.add_row([&release.id, released]);
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
