//! What needs an administrator: putting VMs on hosts, moving them, and getting them out of where they are stuck.

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{
    api::{DeployOptions, MigrateKind, MigrateOptions, RecoverOperation, VirtualMachine, cloud},
    client::RefusalKind,
    vm::Vm,
};

use crate::{
    Failure,
    account::{Live, live},
    wait::{allowed, is_running, reaches, runs, shows},
};

/// Returns the account and the hosts that are up, if the account is an administrator.
async fn administrator() -> Result<Option<(Live, Vec<i32>)>, Failure> {
    let Some(live) = live().await? else { return Ok(None) };
    if !live.is_admin() {
        eprintln!("passed over: the account is no administrator");
        return Ok(None);
    }
    let hosts = cloud::hosts(&live.client).await?;
    // 1 and 2: monitored for the first time, or again.
    let up = hosts.iter().filter(|host| matches!(host.document.number("STATE"), Some(1 | 2)));
    let hosts: Vec<i32> = up.map(|host| host.id).collect();
    assert!(!hosts.is_empty(), "there is no host");
    Ok(Some((live, hosts)))
}

#[tokio::test]
async fn a_vm_is_deployed_and_moved_from_host_to_host_in_every_way() -> Result<(), Failure> {
    let Some((live, hosts)) = administrator().await? else { return Ok(()) };
    let vm = live.held("moves", "").await?;
    let enforced = DeployOptions { enforce: true, ..DeployOptions::default() };
    vm.deploy(hosts[0], &enforced).await?;
    assert_eq!(runs(&vm).await?.history.last().map(|stay| stay.host_id), Some(hosts[0]));

    allowed(async || vm.resched().await).await?;
    allowed(async || vm.unresched().await).await?;
    shows(&vm, "no better host is wanted", |vm| is_running(vm) && vm.document.number("RESCHED") == Some(0))
        .await?;

    if hosts.len() < 2 {
        eprintln!("passed over: there is one host, so nothing can be moved");
        return Ok(());
    }
    let ways = [
        MigrateOptions { live: true, ..MigrateOptions::default() },
        MigrateOptions::default(),
        MigrateOptions { kind: MigrateKind::Poweroff, ..MigrateOptions::default() },
        MigrateOptions { kind: MigrateKind::PoweroffHard, enforce: true, ..MigrateOptions::default() },
    ];
    for way in ways {
        moves(&vm, &hosts, &way, is_running).await?;
    }
    allowed(async || vm.poweroff_hard().await).await?;
    reaches(&vm, VmState::Poweroff).await?;
    moves(&vm, &hosts, &MigrateOptions::default(), |vm| vm.state == VmState::Poweroff).await?;
    vm.live_migrate(i32::MAX).await.unwrap_err();
    vm.delete().await?;
    reaches(&vm, VmState::Done).await.map(drop)
}

/// Moves a VM to a host on which it is not, and waits until it is there in the state in which it was.
async fn moves(
    vm: &VirtualMachine,
    hosts: &[i32],
    way: &MigrateOptions,
    is_back: impl Fn(&Vm) -> bool,
) -> Result<(), Failure> {
    let here = vm.info().await?.history.last().map(|stay| stay.host_id);
    let there = hosts.iter().copied().find(|host| Some(*host) != here).ok_or("there is no other host")?;
    allowed(async || vm.migrate(there, way).await).await?;
    let is_there = |vm: &Vm| is_back(vm) && vm.history.last().map(|stay| stay.host_id) == Some(there);
    shows(vm, &format!("it is on host {there} ({way:?})"), is_there).await.map(drop)
}

#[tokio::test]
async fn every_operation_of_recovery_is_taken_where_it_should() -> Result<(), Failure> {
    let Some((live, hosts)) = administrator().await? else { return Ok(()) };
    let vm = live.held("recovers", "").await?;
    for operation in [RecoverOperation::Failure, RecoverOperation::Success, RecoverOperation::Retry] {
        let err = vm.recover(operation).await.unwrap_err();
        assert_eq!(err.refusal(), Some(RefusalKind::WrongState), "{err}");
    }
    vm.deploy(hosts[0], &DeployOptions::default()).await?;
    runs(&vm).await?;
    // On a VM that runs they do nothing.
    for operation in [RecoverOperation::Failure, RecoverOperation::Success, RecoverOperation::Retry] {
        allowed(async || vm.recover(operation).await).await?;
        runs(&vm).await?;
    }
    allowed(async || vm.resubmit().await).await?;
    placed_again(&vm, hosts[0]).await?;
    vm.delete().await?;
    reaches(&vm, VmState::Done).await?;
    // Once more is no harm, and there is nothing to make anew.
    vm.delete().await?;
    let err = vm.resubmit().await.unwrap_err();
    assert_eq!(err.refusal(), Some(RefusalKind::WrongState), "{err}");

    // Of the database alone: nothing is on a host yet.
    let held = live.held("record", "").await?;
    held.recover(RecoverOperation::DeleteRecord).await?;
    reaches(&held, VmState::Done).await.map(drop)
}

/// Waits until a VM that was made anew runs, and puts it on a host if nobody else does.
async fn placed_again(vm: &VirtualMachine, host: i32) -> Result<(), Failure> {
    let made_anew = |vm: &Vm| vm.state == VmState::Pending || is_running(vm);
    let now = shows(vm, "it was made anew", made_anew).await?;
    if now.state == VmState::Pending {
        // Refused if the scheduler was faster.
        let _ = vm.deploy(host, &DeployOptions::default()).await;
    }
    runs(vm).await.map(drop)
}

#[tokio::test]
async fn what_needs_an_administrator_is_refused_to_others() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    if live.is_admin() {
        eprintln!("passed over: the account is an administrator");
        return Ok(());
    }
    let vm = live.held("plain", "").await?;
    let refused = [vm.recover(RecoverOperation::Retry).await, vm.delete().await, vm.resched().await];
    for answer in refused {
        let err = answer.unwrap_err();
        assert_eq!(err.refusal(), Some(RefusalKind::Permission), "{err}");
    }
    vm.terminate().await?;
    reaches(&vm, VmState::Done).await.map(drop)
}
