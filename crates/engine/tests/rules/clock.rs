//! Clocks that jump while nobody looks end nothing, and nothing waits for a time that never comes (F10, W11).

use std::time::Duration;

use proptest::prelude::*;
use vmpool_engine::{Answer, Input};
use vmpool_model::{EventKind, Hold, RecordState, Timestamp, VmRecord, config::OnRelease, states::NodeState};

use crate::lab::{Lab, config, pool, seconds, timeout, wish, with_check};

const YEAR: i64 = 365 * 86_400_000;

fn jump(lab: &mut Lab, millis: i64) {
    lab.now = Timestamp::from_millis(lab.now.as_millis() + millis);
    lab.restart();
}

/// One VM that starts, one in a check, one that failed it, one ready, one leased and one kept for its last user.
fn busy() -> Lab {
    let mut config = with_check(config(6));
    (config.max_starting, config.on_release) = (6, OnRelease::Reuse);
    config.max_age = Some(seconds(7 * 86_400));
    let mut lab = Lab::new(config);
    for _ in 0..4 {
        lab.created(NodeState::Running);
    }
    lab.checked(Ok(()));
    let kept = lab.granted(wish("r1", "ann")).lease;
    lab.checked(Ok(()));
    lab.granted(wish("r2", "bob"));
    lab.release(&kept);
    lab.checked(Ok(()));
    lab.checked(Err("refused"));
    lab.created(NodeState::Pending);
    lab.created(NodeState::Running);
    assert_eq!(lab.counts(STATES), COUNTS);
    lab
}

const STATES: [RecordState; 5] = [
    RecordState::Spawning,
    RecordState::CheckHealth,
    RecordState::CheckHealthFailed,
    RecordState::Ready,
    RecordState::InUse,
];
const COUNTS: [usize; 5] = [1, 1, 1, 2, 1];

#[test]
fn f10_a_jump_of_a_year_to_either_side_ends_nothing_at_once() {
    for year in [-YEAR, YEAR] {
        let mut lab = busy();
        jump(&mut lab, year);
        lab.pass(seconds(29));
        let [spawning, checked, failed, ready, in_use] = lab.counts(STATES);
        // Some are checked again, which is no harm.
        assert_eq!((spawning, checked + failed + ready, in_use), (1, 4, 1), "{year}");
        assert_eq!((lab.happened(EventKind::VmTerminating), lab.happened(EventKind::LeaseExpired)), (0, 0));
    }
}

#[test]
fn w11_f10_after_a_jump_back_ready_vms_are_given_and_new_ones_made() {
    let mut lab = busy();
    jump(&mut lab, -YEAR);
    lab.granted(wish("r3", "eve"));
    let mut pool_config = config(2);
    pool_config.spawn_min_interval = seconds(7);
    let mut lab = Lab::ready(pool_config);
    lab.pass(seconds(7));
    lab.boot_all();
    jump(&mut lab, -YEAR);
    let vm = lab.vms().next().unwrap().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    assert!(lab.vm(&vm).is_none());
    lab.pass(seconds(7));
    assert_eq!(lab.creates(), 1, "the last spawn is not yet to come");
}

#[test]
fn f10_after_a_jump_back_no_lease_lasts_longer_than_a_renewal_would_make_it() {
    let mut lab = Lab::ready(config(2));
    let ten_minutes = lab.granted(wish("r1", "ann")).lease;
    let ten_seconds = lab.granted(wish("r2", "ann").with_ttl(Some(seconds(10)))).lease;
    jump(&mut lab, -YEAR);
    let left = |lab: &Lab, id| {
        let lease = lab.engine.leases().find(|lease| lease.id == id).unwrap();
        assert!(lease.acquired_at <= lab.now);
        lease.expires_at.since(lab.now)
    };
    assert_eq!(left(&lab, ten_minutes.id), seconds(600));
    assert_eq!(left(&lab, ten_seconds.id), seconds(30), "time to come back");
}

#[test]
fn f10_a_request_waits_no_longer_than_it_was_to_and_is_forgotten_in_its_time() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    let patient = wish("r2", "bob").with_wait(seconds(90)).with_repeat_within(Some(seconds(60)));
    assert_eq!(lab.acquire(patient), Answer::Waiting);
    lab.release(&lease);
    jump(&mut lab, -YEAR);
    let waiting = lab.engine.requests().find(|request| request.id.as_str() == "r2").unwrap();
    assert_eq!((waiting.submitted_at, waiting.deadline), (lab.now, lab.now + seconds(60)));
    assert_eq!(waiting.until, Some(lab.now + seconds(90)));
    lab.pass(seconds(60));
    assert_eq!(lab.happened(EventKind::RequestTimedOut), 1);
    lab.pass(seconds(600));
    assert_eq!(lab.engine.requests().count(), 0);
}

#[test]
fn f10_no_pause_outlasts_a_jump_back() {
    let mut lab = Lab::new(with_check(config(2)));
    lab.created(NodeState::Running);
    lab.checked(Err("refused"));
    lab.not_created(timeout());
    jump(&mut lab, -YEAR);
    assert_eq!((lab.checks(), lab.finds()), (1, 1));
    // The same without the proof of a state that is yet to come.
    let mut lab = Lab::new(config(1));
    lab.not_created(timeout());
    let far = lab.now + seconds(6000);
    lab.damage(|vms, _| vms.values_mut().for_each(|vm| vm.retry_at = Some(far)));
    lab.restart();
    assert_eq!(lab.finds(), 1, "no provider may ask for more than an hour");
}

#[test]
fn a_pause_that_a_provider_asked_for_outlasts_a_restart() {
    let mut patient = config(1);
    patient.boot_timeout = seconds(7200);
    let mut lab = Lab::new(patient);
    let mut failure = timeout();
    failure.retry_after = Some(seconds(1800));
    lab.not_created(failure);
    lab.restart();
    lab.pass(seconds(1700));
    assert_eq!(lab.finds(), 0);
}

#[test]
fn f10_what_is_kept_for_its_last_user_or_grows_old_is_kept_for_a_grace() {
    for old in [false, true] {
        let mut config = config(1);
        config.on_release = OnRelease::Reuse;
        config.max_age = old.then(|| seconds(86_400));
        let mut lab = Lab::ready(config);
        if !old {
            let lease = lab.granted(wish("r1", "ann")).lease;
            lab.release(&lease);
        }
        jump(&mut lab, YEAR);
        lab.pass(seconds(29));
        assert_eq!(lab.only_vm().state, RecordState::Ready, "old: {old}");
        lab.pass(seconds(1));
        assert_eq!(lab.only_vm().state, RecordState::Terminating, "old: {old}");
    }
}

#[test]
fn f10_a_vm_is_held_for_a_grace_at_least_and_no_longer_than_it_was_to() {
    let hold = |lab: &Lab| lab.only_vm().hold.clone().unwrap();
    for year in [-YEAR, YEAR] {
        let mut lab = Lab::ready(config(1));
        let since = lab.now;
        lab.damage(|vms, _| {
            for vm in vms.values_mut() {
                let reason = "look".to_owned();
                vm.state = RecordState::Held;
                vm.hold = Some(Hold { reason, by: None, since, until: since + seconds(7200) });
            }
        });
        jump(&mut lab, year);
        let left = hold(&lab).until.since(lab.now);
        assert_eq!(left, if year < 0 { seconds(7200) } else { seconds(30) });
        assert_eq!(hold(&lab).since, if year < 0 { lab.now } else { since });
    }
}

#[test]
fn f10_a_drain_did_not_begin_in_the_future() {
    let mut lab = Lab::ready(config(1));
    let _ = lab.step(Input::Drain { pool: pool(), reason: "upgrade".to_owned() });
    jump(&mut lab, -YEAR);
    assert_eq!(lab.pools[&pool()].drain.as_ref().unwrap().since, lab.now);
}

#[test]
fn a_restart_without_a_jump_changes_no_record() {
    let mut lab = busy();
    let before: Vec<VmRecord> = lab.vms().cloned().collect();
    let step = lab.reborn();
    assert_eq!(step.changes, vec![], "{before:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn f10_whatever_times_the_records_tell_nothing_is_ended_at_once_and_nothing_waits_for_ever(
        times in proptest::collection::vec(any::<i64>(), 1..60),
    ) {
        let mut lab = busy();
        let mut times = times.into_iter().cycle().map(Timestamp::from_millis);
        let mut set = |at: &mut Option<Timestamp>| *at = at.and(times.next());
        lab.damage(|vms, leases| {
            for vm in vms.values_mut() {
                let mut own = [Some(vm.since), Some(vm.created_at), vm.retry_at, vm.last_check, vm.last_release];
                own.iter_mut().for_each(&mut set);
                (vm.since, vm.created_at) = (own[0].unwrap(), own[1].unwrap());
                (vm.retry_at, vm.last_check, vm.last_release) = (own[2], own[3], own[4]);
                set(&mut vm.dirty_since);
                set(&mut vm.starting_since);
            }
            for lease in leases.values_mut() {
                let mut own = [Some(lease.acquired_at), Some(lease.expires_at)];
                own.iter_mut().for_each(&mut set);
                (lease.acquired_at, lease.expires_at) = (own[0].unwrap(), own[1].unwrap());
            }
        });
        lab.restart();
        lab.pass(seconds(29));
        prop_assert_eq!(lab.happened(EventKind::VmTerminating), 0);
        prop_assert_eq!(lab.happened(EventKind::LeaseExpired), 0);
        let longest = lab.now + Duration::from_secs(7 * 86_400);
        prop_assert!(lab.vms().all(|vm| vm.since <= lab.now && vm.retry_at.is_none_or(|at| at <= longest)));
        lab.pass(seconds(900));
        prop_assert_eq!(lab.counts([RecordState::Spawning, RecordState::InUse]), [0, 0], "boot_timeout, lease_ttl");
    }
}
