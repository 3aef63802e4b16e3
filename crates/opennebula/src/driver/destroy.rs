//! Ending a VM, in whatever state it is.

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{
    NodeId,
    states::opennebula::{LcmState, VmState, node_state},
};

use super::{OpenNebulaDriver, expiry, on_node};
use crate::{client::RefusalKind, vm::Vm};

const OPERATION: Operation = Operation::Destroy;

/// Ends a VM at once, by the mildest call that its state allows.
///
/// 1. `terminate-hard`, which is allowed in every state in which nothing is under way.
/// 2. If it is refused: nothing, if the VM is gone, or going and not for too long; else `recover` with *delete*, which works
///    in every state and needs the right to administer the VM.
/// 3. If that is not granted: the server is told to end the VM by itself, which it tries every 15 s until it works.
pub(super) async fn destroy(driver: &OpenNebulaDriver, id: &NodeId) -> Result<(), DriverError> {
    let vm = driver.vm(OPERATION, id)?;
    let failed = on_node(OPERATION, id);
    let refused = match vm.terminate_hard().await {
        Err(err) if err.refusal() == Some(RefusalKind::WrongState) => err,
        answer => return answer.map_err(failed),
    };
    let now = vm.info().await.map_err(&failed)?;
    if now.state == VmState::Done {
        driver.going.forget(vm.id());
        return Ok(());
    }
    let is_going =
        now.state == VmState::Active && matches!(now.lcm_state, LcmState::Epilog | LcmState::CleanupDelete);
    if is_going && driver.going.since(vm.id()) < driver.options.stuck_after {
        return Ok(());
    }
    match vm.delete().await {
        Err(err) if err.refusal() == Some(RefusalKind::Permission) => {}
        answer => return answer.map_err(failed),
    }
    // Where the VM is going, what the server does by itself would be refused for ever.
    if is_going || !driver.version.has_scheduled_actions() {
        return Err(refused.into_driver_error(OPERATION, lacks_rights(id, &now)));
    }
    // A time that has passed: as many seconds after it was made as it took at least to get here.
    expiry::end_at(&vm, &now, "+1").await.map_err(failed)
}

fn lacks_rights(id: &NodeId, now: &Vm) -> String {
    let state = match now.state {
        VmState::Active => now.str_lcm_state(),
        state => state.str_state(),
    };
    format!(
        "node {id} is in {state} ({}), where only an account that may administer it can end it: \
         run \"onevm recover --delete {id}\" as an administrator, or give the account the right",
        node_state(now.state, now.lcm_state)
    )
}
