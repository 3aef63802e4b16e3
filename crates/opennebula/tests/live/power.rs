//! Every action that takes a VM from one state to another, and back.

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{api::VirtualMachine, client::RefusalKind};

use crate::{
    Failure,
    account::{Live, live},
    wait::{allowed, comes_to, reaches, runs},
};

#[tokio::test]
async fn a_vm_goes_through_every_state_that_it_rests_in_and_ends() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let vm = live.held("life", "").await?;
    let held = vm.info().await?;
    assert_eq!((held.state, held.name.as_str()), (VmState::Hold, live.name("life").as_str()));
    assert_eq!((held.uid, held.template_id()), (live.uid, Some(live.template)));
    vm.release().await?;
    let running = runs(&vm).await?;
    assert!(!running.deploy_id.is_empty() && running.history.len() == 1);

    allowed(async || vm.reboot().await).await?;
    runs(&vm).await?;
    allowed(async || vm.reboot_hard().await).await?;
    runs(&vm).await?;

    allowed(async || vm.suspend().await).await?;
    reaches(&vm, VmState::Suspended).await?;
    resumes(&vm).await?;
    allowed(async || vm.stop().await).await?;
    reaches(&vm, VmState::Stopped).await?;
    resumes(&vm).await?;
    comes_to(&vm, VmState::Poweroff, async || vm.poweroff().await, async || vm.poweroff_hard().await).await?;
    resumes(&vm).await?;
    allowed(async || vm.poweroff_hard().await).await?;
    reaches(&vm, VmState::Poweroff).await?;
    resumes(&vm).await?;
    comes_to(&vm, VmState::Undeployed, async || vm.undeploy().await, async || vm.undeploy_hard().await)
        .await?;
    resumes(&vm).await?;
    allowed(async || vm.undeploy_hard().await).await?;
    reaches(&vm, VmState::Undeployed).await?;
    resumes(&vm).await?;

    let done =
        comes_to(&vm, VmState::Done, async || vm.terminate().await, async || vm.terminate_hard().await)
            .await?;
    assert!(done.stime <= done.etime);
    // What is done stays known, and can be ended once more.
    vm.terminate().await?;
    vm.terminate_hard().await?;
    let err = vm.suspend().await.unwrap_err();
    assert_eq!(err.refusal(), Some(RefusalKind::WrongState), "{err}");
    Ok(())
}

/// Resumes a VM, which from some states has to be placed on a host again.
async fn resumes(vm: &VirtualMachine) -> Result<(), Failure> {
    allowed(async || vm.resume().await).await?;
    runs(vm).await.map(drop)
}

#[tokio::test]
async fn a_vm_for_which_there_is_no_room_waits_is_held_and_let_go() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let vm = too_large(&live).await?;
    reaches(&vm, VmState::Pending).await?;
    vm.hold().await?;
    assert_eq!(vm.info().await?.state, VmState::Hold);
    vm.release().await?;
    assert_eq!(vm.info().await?.state, VmState::Pending);
    vm.terminate().await?;
    reaches(&vm, VmState::Done).await.map(drop)
}

/// Makes a VM that fits on no host, not on hold.
async fn too_large(live: &Live) -> Result<VirtualMachine, Failure> {
    let template = format!("NAME=\"{}\" CPU=30000 MEMORY=64", live.name("large"));
    Ok(VirtualMachine::allocate(&live.client, template, false).await?)
}
