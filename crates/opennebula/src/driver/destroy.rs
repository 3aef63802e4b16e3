//! Ending a VM, in whatever state it is.

use vmpool_model::states::opennebula::{LcmState, VmState};

use super::expiry;
use crate::{
    api::VirtualMachine,
    client::{CallError, RefusalKind, Version},
};

/// Ends a VM at once, by the mildest call that its state allows.
///
/// 1. `terminate-hard`, which is allowed in every state in which nothing is under way.
/// 2. If it is refused: nothing, if the VM is gone or going; else `recover` with *delete*, which works in every state and
///    needs the right to administer the VM.
/// 3. If that is not granted: the server is told to end the VM by itself, which it tries every 15 s until it works.
pub(super) async fn destroy(vm: &VirtualMachine, version: Version) -> Result<(), CallError> {
    let refused = match vm.terminate_hard().await {
        Err(err) if err.refusal() == Some(RefusalKind::WrongState) => err,
        answer => return answer,
    };
    let now = vm.info().await?;
    if is_going(now.state, now.lcm_state) {
        return Ok(());
    }
    match vm.delete().await {
        Err(err) if err.refusal() == Some(RefusalKind::Permission) => {}
        answer => return answer,
    }
    if !version.has_scheduled_actions() {
        return Err(refused);
    }
    // A time that has passed: as many seconds after it was made as it took at least to get here.
    expiry::end_at(vm, &now, "+1").await
}

fn is_going(state: VmState, lcm_state: LcmState) -> bool {
    match state {
        VmState::Done => true,
        VmState::Active => matches!(lcm_state, LcmState::Epilog | LcmState::CleanupDelete),
        _ => false,
    }
}
