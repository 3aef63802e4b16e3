//! The manager's words as the API's.

use vmpool::{
    manager::{Grant, PoolStatus, ProviderStatus, View},
    model::{self, NodeView, RecordState, RequestRecord, RequestStatus, VmRecord},
    store::StoredEvent,
};
use vmpool_api as api;

pub(super) fn pool(status: &PoolStatus) -> api::Pool {
    let view = &status.pool;
    let counts = RecordState::ALL.iter().zip(view.counts).filter(|(_, count)| *count != 0);
    let config = status.config.as_ref();
    let offer = config.and_then(|config| config.offers().into_iter().next());
    api::Pool {
        name: view.name.to_string(),
        provider: offer.as_ref().map(|offer| offer.provider.to_string()).unwrap_or_default(),
        template: offer.map(|offer| offer.template).unwrap_or_default(),
        counts: counts.map(|(state, count)| (state.to_string(), number(count))).collect(),
        size: config.map_or(0, |config| config.size),
        max_total: config.map_or(0, |config| config.max_total()),
        min_ready: config.map_or(0, |config| config.min_ready),
        retired: view.retired,
        waiting: number(view.waiting),
        problem: view.problem.clone(),
        retry_at: view.paused_until.map(time),
    }
}

pub(super) fn provider(status: &ProviderStatus) -> api::Provider {
    api::Provider {
        name: status.name.to_string(),
        driver: status.config.driver.clone(),
        endpoint: status.endpoint.clone(),
        listed_at: status.listed_at.map(time),
        nodes: u64::try_from(status.nodes).unwrap_or(u64::MAX),
        problem: status.problem.clone(),
    }
}

pub(super) fn vm(record: &VmRecord) -> api::Vm {
    let node = record.node.as_ref();
    api::Vm {
        name: record.name.to_string(),
        pool: record.pool.to_string(),
        provider: record.provider.to_string(),
        state: record.state.to_string(),
        since: time(record.since),
        created_at: time(record.created_at),
        node_id: node.map(|node| node.id.to_string()),
        node_state: node.map(|node| node.state.to_string()),
        raw_state: node.map(|node| node.raw_state.to_string()),
        addresses: node.map(addresses).unwrap_or_default(),
        lease: record.lease.as_ref().map(ToString::to_string),
        owner: record.owner.as_ref().map(ToString::to_string),
        sandbox: record.sandbox.as_ref().map(ToString::to_string),
        uses: record.uses,
        check_fails: record.check_fails,
        last_check: record.last_check.map(time),
        last_release: record.last_release.map(time),
        attempts: record.attempts,
        retry_at: record.retry_at.map(time),
        suspect: record.suspect.clone(),
        problem: record.problem.clone(),
    }
}

pub(super) fn grant(grant: &Grant) -> api::Lease {
    lease_at(&grant.lease, Some(&grant.node), None)
}

pub(super) fn lease(lease: &model::Lease, view: &View) -> api::Lease {
    // The records are sorted by name.
    let found = view.vms.binary_search_by(|vm| vm.name.cmp(&lease.vm)).ok();
    let vm = found.and_then(|index| view.vms.get(index));
    lease_at(lease, vm.and_then(|vm| vm.node.as_ref()), vm.and_then(|vm| vm.suspect.clone()))
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

pub(super) fn request(record: &RequestRecord) -> api::Request {
    let (status, lease, vm, ended_at) = match &record.status {
        RequestStatus::Waiting => (api::RequestStatus::Waiting, None, None, None),
        RequestStatus::Granted { leases } => (api::RequestStatus::Granted, leases.first(), None, None),
        RequestStatus::Ended { lease, vm, at, .. } => {
            (api::RequestStatus::Ended, Some(lease), Some(vm), Some(time(*at)))
        }
    };
    api::Request {
        id: record.id.to_string(),
        pool: record.pools.first().map(ToString::to_string).unwrap_or_default(),
        owner: record.owner.to_string(),
        sandbox: record.sandbox.as_ref().map(ToString::to_string),
        task: record.task.as_ref().map(ToString::to_string),
        ttl: record.ttl,
        submitted_at: time(record.submitted_at),
        deadline: time(record.deadline),
        status,
        lease: lease.map(ToString::to_string),
        vm: vm.map(ToString::to_string),
        ended_at,
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

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
