//! Having the server end a VM by itself, which it does whatever becomes of vmpool.

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{FailureKind, NodeId, Timestamp, states::opennebula::VmState};

use super::on_node;
use crate::{
    api::VirtualMachine,
    client::CallError,
    vm::{ScheduledAction, Vm},
};

/// The last second that the server is asked for: later ones may not fit its numbers, and would then have passed long ago.
const LAST: i64 = i32::MAX as i64;

/// Sets when the server ends a VM; the time that was set before does not count any more.
pub(super) async fn set(vm: &VirtualMachine, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
    let operation = Operation::SetExpiry;
    let now = vm.info().await.map_err(on_node(operation, id))?;
    if now.state == VmState::Done {
        return Err(
            DriverError::new(operation, FailureKind::InvalidState).with_context(format!("node {id} is gone"))
        );
    }
    // Whole seconds, and never before the time.
    let seconds = at.as_millis().div_euclid(1000) + i64::from(at.as_millis().rem_euclid(1000) != 0);
    let seconds = seconds.clamp(1, LAST).to_string();
    end_at(vm, &now, &seconds).await.map_err(on_node(operation, id))
}

/// Has the server end a VM at a time: seconds since the epoch, or `+` and seconds after it was made.
pub(super) async fn end_at(vm: &VirtualMachine, now: &Vm, time: &str) -> Result<(), CallError> {
    match now.scheduled.iter().find(|action| ends(action)) {
        Some(action) => vm.reschedule(action.id, format!("SCHED_ACTION=[TIME=\"{time}\"]")).await,
        None => {
            let action = format!("SCHED_ACTION=[ACTION=\"terminate-hard\",TIME=\"{time}\"]");
            vm.schedule(action).await.map(drop)
        }
    }
}

/// Returns whether an action ends the VM and has not been done.
fn ends(action: &ScheduledAction) -> bool {
    action.action == "terminate-hard" && action.done <= 0
}
