//! VMs.

use vmpool::model::{Hold, Lease, VmRecord};
use vmpool_api as api;

use super::{addresses, time};

pub(in crate::http) fn vm(record: &VmRecord, lease: Option<&Lease>) -> api::Vm {
    let node = record.node.as_ref();
    api::Vm {
        name: record.name.to_string(),
        pool: record.pool.to_string(),
        provider: record.provider.to_string(),
        template: record.template.clone(),
        state: record.state.to_string(),
        since: time(record.since),
        created_at: time(record.created_at),
        node_id: node.map(|node| node.id.to_string()),
        node_state: node.map(|node| node.state.to_string()),
        raw_state: node.map(|node| node.raw_state.to_string()),
        addresses: node.map(addresses).unwrap_or_default(),
        lease: record.lease.as_ref().map(ToString::to_string),
        task: lease.and_then(|lease| Some(lease.task.as_ref()?.to_string())),
        owner: record.owner.as_ref().map(ToString::to_string),
        sandbox: record.sandbox.as_ref().map(ToString::to_string),
        uses: record.uses,
        check_fails: record.check_fails,
        last_check: record.last_check.map(time),
        last_release: record.last_release.map(time),
        attempts: record.attempts,
        retry_at: record.retry_at.map(time),
        suspect: record.suspect.clone(),
        hold: record.hold.as_ref().map(hold),
        cloud_expiry: record.cloud_expiry.map(time),
        problem: record.problem.clone(),
    }
}

fn hold(hold: &Hold) -> api::Hold {
    api::Hold {
        reason: hold.reason.clone(),
        by: hold.by.as_ref().map(ToString::to_string),
        since: time(hold.since),
        until: time(hold.until),
    }
}
