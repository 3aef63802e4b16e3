//! Records put right at a start: after a clock that jumped while nobody looked, and in a store edited by hand.
//!
//! What began in the future began now, nothing lasts longer than it was to, and a record that cannot be is the nearest one
//! that can. A record that is as it should be is not changed.

use std::time::Duration;

use vmpool_model::{
    Drain, Hold, Lease, PoolRecord, RecordState, RequestRecord, RequestStatus, Timestamp, VmRecord,
    config::PoolConfig,
};

use crate::backoff::LONGEST_ASKED;

/// How long a VM is held if its record does not say.
const HOLD_TIME: Duration = Duration::from_secs(86_400);

/// Puts the times of a lease right: it lasts at least `grace`, because holders could not renew while nobody listened, and
/// not much longer than a renewal would make it.
///
/// The time since the `newest` record does not count, and one that seems to have expired meanwhile gets all of its time
/// again: perhaps the clock was set forth, and a holder that is alive renews within that.
pub(crate) fn lease(lease: &mut Lease, now: Timestamp, newest: Timestamp, grace: Duration) {
    lease.acquired_at = lease.acquired_at.min(now);
    let longest = now + grace.max(lease.ttl);
    lease.expires_at = match lease.expires_at <= now {
        true => longest,
        false => (lease.expires_at + now.since(newest)).clamp(now + grace, longest),
    };
}

/// Puts the times of a request right: it waits no longer than it was to.
pub(crate) fn request(request: &mut RequestRecord, now: Timestamp) {
    let wait = request.deadline.since(request.submitted_at);
    let until = request.until.map(|until| until.min(now + until.since(request.submitted_at)));
    request.submitted_at = request.submitted_at.min(now);
    request.deadline = request.deadline.min(now + wait);
    request.until = until;
    match &mut request.status {
        RequestStatus::Waiting | RequestStatus::Granted { .. } => {}
        RequestStatus::Ended { at, .. }
        | RequestStatus::Cancelled { at, .. }
        | RequestStatus::TimedOut { at }
        | RequestStatus::TurnedAway { at, .. } => *at = (*at).min(now),
    }
    if let RequestStatus::Granted { ended, .. } | RequestStatus::Ended { before: ended, .. } =
        &mut request.status
    {
        ended.iter_mut().for_each(|ended| ended.at = ended.at.min(now));
    }
}

/// Puts the times of what is remembered of a pool right.
pub(crate) fn pool(record: &mut PoolRecord, now: Timestamp) {
    if let Some(Drain { since, .. }) = &mut record.drain {
        *since = (*since).min(now);
    }
    record.removed_at = record.removed_at.map(|at| at.min(now));
    record.forgotten_at = record.forgotten_at.map(|at| at.min(now));
}

/// Puts the times of a VM right; what keeps it for some time keeps it for at least `grace`.
pub(crate) fn times(record: &mut VmRecord, config: &PoolConfig, now: Timestamp, grace: Duration) {
    // A pause began after the state: if the state is yet to come, the pause says nothing.
    let has_jumped = now < record.since;
    let longest = config.retry_max.max(LONGEST_ASKED).mul_f64(1.5);
    record.retry_at = record.retry_at.map(|at| match has_jumped || now + longest < at {
        true => at.min(now),
        false => at,
    });
    for at in [&mut record.since, &mut record.created_at] {
        *at = (*at).min(now);
    }
    let times = [
        &mut record.last_check,
        &mut record.last_release,
        &mut record.dirty_since,
        &mut record.starting_since,
        &mut record.gone_at,
    ];
    for at in times.into_iter().flatten() {
        *at = (*at).min(now);
    }
    if let Some(hold) = &mut record.hold {
        let time = hold.until.since(hold.since);
        hold.since = hold.since.min(now);
        hold.until = hold.until.clamp(now + grace, now + grace.max(time));
    }
    // An expiry that the cloud was told by a clock that was ahead is told again.
    let longest = config.cloud_expiry.map(|time| now + time);
    record.cloud_expiry = record.cloud_expiry.filter(|at| longest.is_none_or(|longest| *at <= longest));
}

/// Makes a record that cannot be the nearest one that can; `lease` is the recorded lease that the VM names, if that is its.
pub(crate) fn fit(record: &mut VmRecord, lease: Option<&Lease>, now: Timestamp) {
    use RecordState as S;
    match lease {
        // Somebody may use it: nothing else counts.
        Some(lease) if record.state != S::Terminating && record.state != S::Spawning => {
            record.owner = Some(lease.owner.clone());
            record.sandbox.clone_from(&lease.sandbox);
            begin(record, S::InUse, now);
        }
        _ => {
            record.lease = None;
            if record.state == S::InUse {
                give_up(record, "its lease is not recorded", now);
            }
        }
    }
    let may_lack_it = matches!(record.state, S::Spawning | S::Terminating);
    let lacks_node = record.node.is_none() && !may_lack_it;
    match record.state {
        // A listing may show it yet.
        S::InUse | S::Held if lacks_node => {
            record.suspect.get_or_insert_with(|| "its record lacks its node".to_owned());
        }
        _ if lacks_node => give_up(record, "its record lacks its node", now),
        _ => {}
    }
    if record.state == S::Releasing && record.returned.is_none() {
        give_up(record, "its record does not say which lease ended", now);
    }
    let may_be_held = matches!(record.state, S::InUse | S::CheckHealth | S::Releasing | S::Held);
    record.hold = record.hold.take().filter(|_| may_be_held);
    let may_be_cleaned = matches!(record.state, S::Releasing | S::Held);
    record.returned = record.returned.take().filter(|_| may_be_cleaned);
    record.gone_at = record.gone_at.filter(|_| record.state == S::Terminating && record.node.is_some());
    if record.state == S::Held && record.hold.is_none() {
        let reason = "its record does not say why".to_owned();
        record.hold = Some(Hold { reason, by: None, since: now, until: now + HOLD_TIME });
    }
}

fn give_up(record: &mut VmRecord, why: &str, now: Timestamp) {
    begin(record, RecordState::Terminating, now);
    record.problem = Some(why.to_owned());
}

fn begin(record: &mut VmRecord, state: RecordState, now: Timestamp) {
    if record.state != state {
        (record.state, record.since, record.attempts, record.retry_at) = (state, now, 0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{on_demand, ready};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1000 * (1_000_000 + seconds))
    }

    /// When a VM is tried again, of which something failed once; its state began and its pause ends at these times.
    fn retry_at(since: Timestamp, retry_at: Timestamp) -> Option<Timestamp> {
        let mut record = VmRecord { since, retry_at: Some(retry_at), ..ready("a-1") };
        times(&mut record, &on_demand(1), at(0), Duration::ZERO);
        record.retry_at
    }

    #[test]
    fn a_pause_lasts_over_a_restart_unless_it_is_longer_than_any_can_be() {
        let longest = on_demand(1).retry_max.max(LONGEST_ASKED).mul_f64(1.5);
        for pause in [Duration::from_secs(5), longest] {
            assert_eq!(retry_at(at(-9), at(0) + pause), Some(at(0) + pause));
        }
        assert_eq!(retry_at(at(-9), at(1) + longest), Some(at(0)));
    }

    #[test]
    fn a_pause_of_a_state_that_is_yet_to_come_is_over() {
        assert_eq!(retry_at(at(9), at(12)), Some(at(0)));
    }

    #[test]
    fn only_what_is_destroyed_and_had_a_node_is_gone() {
        let gone_at = |state, has_node: bool| {
            let mut record = VmRecord { state, gone_at: Some(at(-1)), ..ready("a-1") };
            record.node = record.node.filter(|_| has_node);
            fit(&mut record, None, at(0));
            record.gone_at
        };
        assert_eq!(gone_at(RecordState::Terminating, true), Some(at(-1)));
        assert_eq!(gone_at(RecordState::Terminating, false), None);
        assert_eq!(gone_at(RecordState::Ready, true), None);
    }
}
