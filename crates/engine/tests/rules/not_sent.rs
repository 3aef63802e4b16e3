//! A create whose VM was given up while it waited for its turn, and that was never sent.

use vmpool_engine::{Answer, Input, Outcome};
use vmpool_model::{EventKind, VmName, config::PoolConfig};

use crate::lab::{Lab, config, pool, provider, seconds, spec, timeout};

fn two_at_once() -> PoolConfig {
    let mut two = config(2);
    two.max_starting = 2;
    two
}

fn not_sent(lab: &mut Lab) -> VmName {
    let (id, token) = lab.create();
    lab.answer(id, Outcome::NotSent);
    token.vm
}

#[test]
fn a_vm_whose_create_was_never_sent_is_gone_without_a_look() {
    let mut lab = Lab::new(two_at_once());
    let _ = lab.step(Input::Drain { pool: pool(), reason: "upgrade".to_owned() });
    assert_eq!(lab.vms().count(), 2);
    let vm = not_sent(&mut lab);
    assert!(lab.vm(&vm).is_none());
    assert_eq!((lab.vms().count(), lab.finds()), (1, 0));
    assert_eq!(lab.happened(EventKind::VmGone), 1);
    assert_eq!(lab.happened(EventKind::SpawnFailed) + lab.happened(EventKind::OfferPaused), 0);
}

#[test]
fn a_create_that_was_never_sent_says_nothing_of_its_provider() {
    let mut spec = spec(config(1));
    spec.providers.get_mut(&provider()).unwrap().breaker_failures = 1;
    let mut lab = Lab::of(spec);
    lab.not_created(timeout());
    lab.pass(seconds(2));
    lab.found(vec![]);
    assert_eq!(lab.happened(EventKind::BreakerOpened), 1);
    // After the pause one VM is tried; where it is never asked for, the next one is.
    while lab.creates() == 0 {
        lab.now = lab.engine.wake_at().unwrap().max(lab.now);
        lab.tick();
    }
    let tried = lab.create().1.vm;
    let terminate = Input::Terminate { vm: tried.clone(), only_if: None, reason: String::new() };
    assert_eq!(lab.step(terminate), Answer::Accepted);
    assert_eq!(not_sent(&mut lab), tried);
    lab.pass(seconds(1));
    assert_eq!((lab.creates(), lab.happened(EventKind::BreakerOpened)), (1, 1));
}

#[test]
fn a_create_of_a_forgotten_vm_that_was_never_sent_counts_no_more() {
    let mut spec = spec(two_at_once());
    spec.providers.get_mut(&provider()).unwrap().max_creating = Some(1);
    let mut lab = Lab::of(spec);
    let vm = lab.only_vm().name.clone();
    let forget = Input::Forget { vm: vm.clone(), reason: String::new() };
    assert_eq!(lab.step(forget), Answer::Accepted);
    assert_eq!((lab.creates(), lab.vms().count()), (1, 0), "it may be under way, and only one may");
    assert_eq!(not_sent(&mut lab), vm);
    assert_eq!((lab.creates(), lab.vms().count()), (1, 1));
}
