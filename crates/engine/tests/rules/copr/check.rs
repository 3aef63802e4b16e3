//! Checks whose outcome is missing, or that cannot be made.

use vmpool_model::{RecordState, states::NodeState};

use crate::lab::{Lab, config, seconds, wish, with_check};

#[test]
fn c58_a_check_that_cannot_be_started_is_one_that_failed() {
    let mut lab = Lab::new(with_check(config(1)));
    lab.created(NodeState::Running);
    lab.checked(Err("cannot run ssh: no such file"));
    assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::CheckHealthFailed, 1));
    lab.pass(seconds(2));
    lab.checked(Ok(()));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.pass(seconds(120));
    lab.checked(Err("cannot run ssh: no such file"));
    assert_eq!(lab.vm(&lease.vm).map(|vm| vm.state), Some(RecordState::InUse));
}

#[test]
fn c90_a_check_whose_outcome_is_lost_with_the_engine_is_made_again() {
    let mut lab = Lab::new(with_check(config(1)));
    lab.created(NodeState::Running);
    lab.restart();
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::CheckHealth, 1));
    lab.checked(Ok(()));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}
