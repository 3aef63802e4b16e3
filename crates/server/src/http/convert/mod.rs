//! The manager's words as the API's.

mod pool;
mod provider;
mod request;
mod stock;
mod vm;

use vmpool::{
    manager::{Grant, VmStatus},
    model::{self, NodeView},
    store::StoredEvent,
};
use vmpool_api as api;

pub(super) use self::{
    pool::pool,
    provider::{obstacles, provider},
    request::request,
};

use self::vm::vm;

/// Shows a VM with what its lease is for.
pub(super) fn vm_of(VmStatus { vm: record, lease, has_provider, .. }: &VmStatus) -> api::Vm {
    let mut shown = vm(record, lease.as_ref());
    if !has_provider && record.gone_at.is_none() {
        let advice = format!(
            "its provider {} is not configured: configure it again, or forget the VM",
            record.provider
        );
        shown.problem = Some(match shown.problem {
            Some(problem) => format!("{advice} ({problem})"),
            None => advice,
        });
    }
    shown
}

pub(super) fn grant(grant: &Grant) -> api::Lease {
    lease_at(&grant.lease, Some(&grant.node), grant.lease.suspect.clone())
}

/// Shows a lease with its VM, if that is known.
pub(super) fn lease_of(lease: &model::Lease, vm: Option<&model::VmRecord>) -> api::Lease {
    let suspect = lease.suspect.clone().or_else(|| vm?.suspect.clone());
    lease_at(lease, vm.and_then(|vm| vm.node.as_ref()), suspect)
}

fn lease_at(lease: &model::Lease, node: Option<&NodeView>, suspect: Option<String>) -> api::Lease {
    api::Lease {
        id: lease.id.to_string(),
        vm: lease.vm.to_string(),
        pool: lease.pool.to_string(),
        owner: lease.owner.to_string(),
        sandbox: lease.sandbox.as_ref().map(ToString::to_string),
        task: lease.task.as_ref().map(ToString::to_string),
        request: lease.request.to_string(),
        acquired_at: time(lease.acquired_at),
        expires_at: time(lease.expires_at),
        ttl: lease.ttl,
        fence: lease.fence,
        addresses: node.map(addresses).unwrap_or_default(),
        node_id: node.map(|node| node.id.to_string()),
        suspect,
    }
}

pub(super) fn event(stored: &StoredEvent) -> api::Event {
    let event = &stored.event;
    api::Event {
        cursor: stored.cursor.0,
        at: time(event.at),
        kind: event.kind.to_string(),
        pool: event.pool.as_ref().map(ToString::to_string),
        provider: event.provider.as_ref().map(ToString::to_string),
        vm: event.vm.as_ref().map(ToString::to_string),
        lease: event.lease.as_ref().map(ToString::to_string),
        request: event.request.as_ref().map(ToString::to_string),
        owner: event.owner.as_ref().map(ToString::to_string),
        by: event.by.as_ref().map(ToString::to_string),
        detail: event.detail.clone(),
    }
}

fn addresses(node: &NodeView) -> Vec<String> {
    node.addresses.iter().map(ToString::to_string).collect()
}

/// A time beyond the calendar becomes the calendar's end.
pub(super) fn time(time: model::Timestamp) -> jiff::Timestamp {
    match jiff::Timestamp::from_millisecond(time.as_millis()) {
        Ok(time) => time,
        Err(_) if time.as_millis() < 0 => jiff::Timestamp::MIN,
        Err(_) => jiff::Timestamp::MAX,
    }
}

pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
