//! Waiting for the server, with an end.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use vmpool_model::states::opennebula::{LcmState, VmState};
use vmpool_opennebula::{
    api::VirtualMachine,
    client::{CallError, RefusalKind},
    vm::Vm,
};

use crate::Failure;

/// How many times a wait looks, twice a second.
const LOOKS: u32 = 600;

/// Returns a clock that ticks every second.
pub(crate) fn every_second() -> Interval {
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    seconds
}

/// Looks twice a second until something is so, for five minutes at most.
pub(crate) async fn until(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<bool, CallError>,
) -> Result<(), Failure> {
    let mut ticks = interval(Duration::from_millis(500));
    for _ in 0..LOOKS {
        ticks.tick().await;
        if look().await? {
            return Ok(());
        }
    }
    Err(format!("it did not come about within {} s that {what}", LOOKS / 2).into())
}

/// Waits until a VM is as it should be, and returns it.
pub(crate) async fn shows(
    vm: &VirtualMachine,
    what: &str,
    is_so: impl Fn(&Vm) -> bool,
) -> Result<Vm, Failure> {
    let mut found = None;
    let wait = until(what, async || {
        let now = vm.info().await?;
        let is_so = is_so(&now);
        found = Some(now);
        Ok(is_so)
    });
    let waited = wait.await;
    let last = found.ok_or("it was not looked at")?;
    match waited {
        Ok(()) => Ok(last),
        Err(err) => {
            let state = (last.str_state(), last.str_lcm_state());
            Err(format!("VM {} in {state:?}: {err}; {}", vm.id(), last.user_attribute("ERROR").unwrap_or(""))
                .into())
        }
    }
}

/// Waits for ten seconds at most until a VM is as it may become, and returns whether it is.
pub(crate) async fn soon(vm: &VirtualMachine, is_so: impl Fn(&Vm) -> bool) -> Result<bool, CallError> {
    let mut ticks = interval(Duration::from_millis(500));
    for _ in 0..20 {
        ticks.tick().await;
        if is_so(&vm.info().await?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Waits until a VM is in a state.
pub(crate) async fn reaches(vm: &VirtualMachine, state: VmState) -> Result<Vm, Failure> {
    shows(vm, &format!("its state is {}", state.str_state()), |vm| vm.state == state).await
}

/// Returns whether a VM runs and nothing is done with it.
pub(crate) fn is_running(vm: &Vm) -> bool {
    vm.state == VmState::Active && vm.lcm_state == LcmState::Running
}

/// Waits until a VM runs and nothing is done with it.
pub(crate) async fn runs(vm: &VirtualMachine) -> Result<Vm, Failure> {
    shows(vm, "it runs", is_running).await
}

/// Makes a call that its state may forbid for a moment, because the effect of the one before is not over.
pub(crate) async fn allowed<T>(mut call: impl AsyncFnMut() -> Result<T, CallError>) -> Result<T, Failure> {
    let mut ticks = interval(Duration::from_millis(500));
    for _ in 0..LOOKS {
        ticks.tick().await;
        match call().await {
            Err(err) if err.refusal() == Some(RefusalKind::WrongState) => {}
            answer => return Ok(answer?),
        }
    }
    Ok(call().await?)
}

/// Asks the guest first, and does it without the guest if that has not come to the state within a minute.
pub(crate) async fn comes_to(
    vm: &VirtualMachine,
    state: VmState,
    mildly: impl AsyncFnMut() -> Result<(), CallError>,
    hard: impl AsyncFnMut() -> Result<(), CallError>,
) -> Result<Vm, Failure> {
    allowed(mildly).await?;
    let mut ticks = interval(Duration::from_millis(500));
    for _ in 0..120 {
        ticks.tick().await;
        let now = vm.info().await?;
        if now.state == state {
            return Ok(now);
        }
    }
    eprintln!("VM {}: the guest does not end by itself", vm.id());
    allowed(hard).await?;
    reaches(vm, state).await
}
