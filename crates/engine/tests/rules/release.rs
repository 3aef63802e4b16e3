//! What becomes of a VM whose lease ended: T7 of Copr, cleaning, and the ends of reuse.

use vmpool_model::{
    EventKind, Lease, RecordState, VmName,
    config::{OnExpiry, OnRelease, PoolConfig},
    states::NodeState,
};

use crate::lab::{Lab, config, hook, sandbox, seconds, wish, with_check};

fn reusing(edit: impl FnOnce(&mut PoolConfig)) -> PoolConfig {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    edit(&mut pool);
    pool
}

fn leased(pool: PoolConfig) -> (Lab, Lease) {
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann").with_sandbox(sandbox("s"))).lease;
    (lab, lease)
}

fn why_terminated(lab: &Lab, vm: &VmName) -> String {
    let mut ends = lab.events.iter().filter(|event| event.kind == EventKind::VmTerminating);
    ends.find(|event| event.vm.as_ref() == Some(vm)).map(|event| event.detail.clone()).unwrap()
}

#[test]
fn c17_a_released_vm_keeps_its_owner_and_sandbox_and_counts_its_uses() {
    let (mut lab, lease) = leased(reusing(|_| {}));
    lab.release(&lease);
    let vm = lab.only_vm();
    assert_eq!((vm.state, vm.uses), (RecordState::Ready, 1));
    assert_eq!((vm.owner.as_ref(), &vm.sandbox), (Some(&lease.owner), &lease.sandbox));
    assert_eq!((vm.last_release, vm.dirty_since), (Some(lab.now), Some(lab.now)));
    let again = lab.granted(wish("r2", "ann").with_sandbox(sandbox("s"))).lease;
    assert_eq!((again.vm, lab.only_vm().uses, lab.only_vm().dirty_since), (lease.vm, 2, None));
}

#[test]
fn c17_a_vm_whose_checks_failed_while_it_was_leased_is_checked_before_it_is_ready() {
    let (mut lab, lease) = leased(with_check(reusing(|_| {})));
    lab.pass(seconds(120));
    lab.checked(Err("refused"));
    lab.release(&lease);
    assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::CheckHealth, 1));
    lab.checked(Ok(()));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.granted(wish("r2", "ann").with_sandbox(sandbox("s")));
}

#[test]
fn a_vm_is_destroyed_after_max_uses_leases() {
    let (mut lab, lease) = leased(reusing(|pool| pool.max_uses = Some(2)));
    lab.release(&lease);
    let second = lab.granted(wish("r2", "ann").with_sandbox(sandbox("s"))).lease;
    assert_eq!(second.vm, lease.vm);
    lab.release(&second);
    assert_eq!(why_terminated(&lab, &lease.vm), "its lease was released, and it was used max_uses times");
}

#[test]
fn max_age_ends_no_lease_and_ends_a_vm_when_it_comes_back() {
    let (mut lab, lease) = leased(reusing(|pool| {
        pool.max_age = Some(seconds(700));
        pool.lease_ttl = seconds(10_000);
    }));
    lab.pass(seconds(5000));
    assert_eq!(lab.only_vm().state, RecordState::InUse);
    lab.release(&lease);
    assert_eq!(why_terminated(&lab, &lease.vm), "its lease was released, and it is older than max_age");
}

#[test]
fn max_age_ends_a_vm_that_nobody_uses_counted_from_when_it_was_asked_for() {
    let mut pool = config(1);
    pool.max_age = Some(seconds(700));
    let mut lab = Lab::new(pool);
    lab.pass(seconds(100));
    lab.created(NodeState::Running);
    let name = lab.only_vm().name.clone();
    lab.pass(seconds(599));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.pass(seconds(1));
    assert_eq!(why_terminated(&lab, &name), "it is older than max_age");
}

#[test]
fn max_age_ends_no_vm_while_it_is_cleaned() {
    let (mut lab, lease) = leased(reusing(|pool| {
        pool.max_age = Some(seconds(700));
        pool.hooks.before_release = hook();
        pool.lease_ttl = seconds(690);
    }));
    lab.pass(seconds(680));
    lab.release(&lease);
    lab.pass(seconds(50));
    assert_eq!(lab.only_vm().state, RecordState::Releasing);
    lab.hooked(Ok(()));
    assert_eq!(why_terminated(&lab, &lease.vm), "it is older than max_age");
}

#[test]
fn a_doubted_vm_is_not_used_again() {
    let mut lab = Lab::new(reusing(|_| {}));
    let mut node = lab.boot_all().remove(0);
    for (state, why) in [(NodeState::Stopped, "it is doubted"), (NodeState::Unknown, "its node does not run")]
    {
        let lease = lab.granted(wish(&format!("r-{state}"), "ann")).lease;
        node.state = state;
        lab.list(std::slice::from_ref(&node));
        lab.release(&lease);
        assert_eq!(why_terminated(&lab, &lease.vm), format!("its lease was released, and {why}"));
        lab.destroyed(Ok(()));
        lab.list(&[]);
        lab.list(&[]);
        node = lab.boot_all().remove(0);
    }
}

#[test]
fn a_vm_whose_pool_cleans_is_anybodys_once_its_hook_has_run() {
    let (mut lab, lease) = leased(reusing(|pool| {
        pool.on_release = OnRelease::Clean;
        pool.hooks.before_release = hook();
    }));
    lab.release(&lease);
    let runs = lab.hooks();
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!((lab.only_vm().state, run.lease.as_ref()), (RecordState::Releasing, Some(&lease)));
    assert_eq!(lab.engine.leases().count(), 0, "the lease ended when it was released");
    lab.hooked(Ok(()));
    let vm = lab.only_vm();
    assert_eq!((vm.state, vm.is_clean(), &vm.sandbox, vm.uses), (RecordState::Ready, true, &None, 1));
    assert_eq!(lab.granted(wish("r2", "bob")).lease.vm, lease.vm);
}

#[test]
fn a_vm_that_its_owner_may_have_again_stays_its_owners_after_the_hook() {
    let (mut lab, lease) = leased(reusing(|pool| pool.hooks.before_release = hook()));
    lab.release(&lease);
    lab.pass(seconds(50));
    lab.hooked(Ok(()));
    let vm = lab.only_vm();
    assert_eq!((vm.state, vm.owner.as_ref()), (RecordState::Ready, Some(&lease.owner)));
    assert_eq!(vm.dirty_since, Some(lab.now), "its time begins when it can be had");
    assert_eq!(vm.returned, None);
}

#[test]
fn a_vm_whose_checks_failed_is_cleaned_and_then_checked() {
    let (mut lab, lease) = leased(with_check(reusing(|pool| {
        pool.on_release = OnRelease::Clean;
        pool.hooks.before_release = hook();
    })));
    lab.pass(seconds(120));
    lab.checked(Err("refused"));
    lab.release(&lease);
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::Releasing, 0));
    lab.hooked(Ok(()));
    assert_eq!((lab.only_vm().state, lab.only_vm().is_clean()), (RecordState::CheckHealth, true));
}

#[test]
fn f8_an_expired_lease_ends_as_its_pool_says() {
    let expire = |on_expiry: OnExpiry| {
        let (mut lab, lease) = leased(reusing(|pool| {
            pool.on_expiry = on_expiry;
            pool.hooks.before_release = hook();
        }));
        lab.pass(seconds(600));
        assert_eq!(lab.happened(EventKind::LeaseExpired), 1);
        (lab, lease.vm)
    };
    let (lab, vm) = expire(OnExpiry::Destroy);
    assert_eq!(why_terminated(&lab, &vm), "its lease expired");
    let (mut lab, _) = expire(OnExpiry::Clean);
    assert_eq!(lab.only_vm().state, RecordState::Releasing);
    lab.hooked(Ok(()));
    assert!(lab.only_vm().is_clean(), "even where a holder that gives it back may have it again");
    let (lab, _) = expire(OnExpiry::Hold);
    let hold = lab.only_vm().hold.clone().unwrap();
    assert_eq!((lab.only_vm().state, hold.reason.as_str()), (RecordState::Held, "its lease expired"));
    assert_eq!(hold.until, lab.now + seconds(86_400));
}

#[test]
fn a_vm_beyond_max_held_is_destroyed_when_its_lease_expires() {
    let mut pool = config(3);
    pool.on_expiry = OnExpiry::Hold;
    pool.max_held = 2;
    let mut lab = Lab::ready(pool);
    for request in ["r1", "r2", "r3"] {
        lab.granted(wish(request, "ann"));
    }
    lab.pass(seconds(600));
    assert_eq!(lab.counts([RecordState::Held, RecordState::Terminating]), [2, 1]);
    let why = "its lease expired, and its pool holds as many VMs as it may (max_held = 2)";
    let gone = lab.vms().find(|vm| vm.state == RecordState::Terminating).unwrap();
    assert_eq!(gone.problem.as_deref(), Some(why));
    let told = lab.events.iter().find(|event| event.kind == EventKind::VmTerminating).unwrap();
    assert_eq!(told.detail, why);
}

#[test]
fn w7_the_vm_of_a_client_that_died_is_used_again_or_gone_after_its_lease() {
    let (mut lab, lease) = leased(reusing(|_| {}));
    lab.pass(seconds(600));
    assert_eq!(lab.vm(&lease.vm).unwrap().state, RecordState::Terminating);
}

#[test]
fn a_release_hook_that_left_the_configuration_is_no_longer_waited_for() {
    for (on_release, state) in
        [(OnRelease::Reuse, RecordState::Ready), (OnRelease::Clean, RecordState::Terminating)]
    {
        let (mut lab, lease) = leased(reusing(|pool| {
            pool.on_release = on_release;
            pool.hooks.before_release = hook();
        }));
        lab.release(&lease);
        let mut spec = lab.engine.spec().clone();
        spec.epoch += 1;
        spec.pools.values_mut().for_each(|pool| {
            pool.hooks.before_release = None;
            pool.on_release = OnRelease::Reuse;
        });
        lab.restart_as(spec);
        assert_eq!(lab.vm(&lease.vm).unwrap().state, state, "{on_release:?}");
    }
}

#[test]
fn a_vm_that_is_to_be_cleaned_and_that_nothing_cleans_is_given_to_nobody() {
    let (mut lab, lease) = leased(reusing(|pool| pool.on_release = OnRelease::Clean));
    lab.release(&lease);
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert_eq!(why_terminated(&lab, &lease.vm), "its lease was released, and nothing cleans it");
}
