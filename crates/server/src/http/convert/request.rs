//! Requests.

use vmpool::model::{EndedLease, LeaseId, RequestRecord, RequestStatus};
use vmpool_api as api;

use super::time;

/// Tells of a lease that ended.
fn ended(lease: &EndedLease) -> api::EndedLease {
    api::EndedLease {
        id: lease.lease.to_string(),
        vm: lease.vm.to_string(),
        at: time(lease.at),
        end: lease.how.to_string(),
    }
}

pub(in crate::http) fn request(record: &RequestRecord) -> api::Request {
    let (status, leases, end): (_, &[LeaseId], _) = match &record.status {
        RequestStatus::Waiting => (api::RequestStatus::Waiting, &[], None),
        RequestStatus::Granted { leases, .. } => (api::RequestStatus::Granted, leases, None),
        RequestStatus::Ended { lease, leases, vm, at, how, .. } => {
            let leases = if leases.is_empty() { std::slice::from_ref(lease) } else { leases };
            (api::RequestStatus::Ended, leases, Some((Some(vm), *at, how.to_string())))
        }
        RequestStatus::Cancelled { at, by } => {
            let by = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            (api::RequestStatus::Cancelled, &[], Some((None, *at, format!("it was cancelled{by}"))))
        }
        RequestStatus::TimedOut { at } => {
            (api::RequestStatus::TimedOut, &[], Some((None, *at, "its time was over".to_owned())))
        }
        RequestStatus::TurnedAway { at, why } => {
            (api::RequestStatus::TurnedAway, &[], Some((None, *at, format!("it was turned away: {why}"))))
        }
    };
    let several = 1 < leases.len();
    api::Request {
        id: record.id.to_string(),
        pool: record.pools.first().map(ToString::to_string).unwrap_or_default(),
        pools: record.pools.iter().map(ToString::to_string).collect(),
        labels: record.labels.iter().map(ToString::to_string).collect(),
        count: record.count,
        priority: record.priority,
        owner: record.owner.to_string(),
        sandbox: record.sandbox.as_ref().map(ToString::to_string),
        task: record.task.as_ref().map(ToString::to_string),
        ttl: record.ttl,
        submitted_at: time(record.submitted_at),
        deadline: time(record.until.unwrap_or(record.deadline)),
        kept_until: record.until.map(|_| time(record.deadline)),
        status,
        lease: leases.first().map(ToString::to_string),
        leases: leases.iter().map(ToString::to_string).collect(),
        vm: end.as_ref().and_then(|(vm, ..)| vm.map(ToString::to_string)),
        ended_at: end.as_ref().map(|(_, at, _)| time(*at)),
        end: end.map(|(.., how)| how),
        ended: record.status.ended().filter(|_| several).map(|lease| ended(&lease)).collect(),
        limit: None,
    }
}
