//! What an operator does: terminating, holding, forgetting, draining, reloading.

use std::time::Duration;

use tokio::time::Instant;
use vmpool_api::{HoldRequest, Pool, TerminateRequest, exit};
use vmpool_client::Client;

use crate::{
    args::{DrainArgs, ForgetArgs, HoldArgs, ReloadArgs, TerminateArgs, UndrainArgs, UnholdArgs},
    failure::Failure,
    output::Output,
    progress::Progress,
    render,
};

/// Destroys a VM.
pub(crate) async fn terminate(client: &Client, args: TerminateArgs, output: Output) -> Result<(), Failure> {
    let TerminateArgs { vm, reason, only_if, who } = args;
    let by = who.name();
    let wish = TerminateRequest::new(Some(reason.clone())).with_only_if(only_if).with_by(Some(by.clone()));
    client.terminate_if(&vm, &wish).await?;
    let told = [("vm", &vm), ("reason", &reason), ("by", &by)];
    output.done("terminate", told, &format!("VM {vm} is being destroyed"))
}

/// Keeps a VM for debugging.
pub(crate) async fn hold(client: &Client, args: HoldArgs, output: Output) -> Result<(), Failure> {
    let HoldArgs { vm, reason, time, who } = args;
    let by = who.name();
    let wish = HoldRequest::new(reason.clone()).with_by(Some(by.clone())).with_time(time);
    client.hold(&vm, &wish).await?;
    let told = [("vm", &vm), ("by", &by)].into_iter().chain(reason.iter().map(|reason| ("reason", reason)));
    output.done("hold", told, &format!("VM {vm} is held, or will be when its lease ends"))
}

/// Gives a held VM up.
pub(crate) async fn unhold(client: &Client, args: UnholdArgs, output: Output) -> Result<(), Failure> {
    let UnholdArgs { vm, who } = args;
    let by = who.name();
    client.clone().with_by(Some(by.clone())).unhold(&vm).await?;
    output.done("unhold", [("vm", &vm), ("by", &by)], &format!("VM {vm} is not held any more"))
}

/// Removes the record of a VM.
pub(crate) async fn forget(client: &Client, args: ForgetArgs, output: Output) -> Result<(), Failure> {
    let ForgetArgs { vm, reason, who } = args;
    let by = who.name();
    client.clone().with_by(Some(by.clone())).forget(&vm, &reason).await?;
    let told = [("vm", &vm), ("reason", &reason), ("by", &by)];
    output.done("forget", told, &format!("VM {vm} is forgotten"))
}

/// Brings a pool to its end.
pub(crate) async fn drain(client: &Client, args: DrainArgs, output: Output) -> Result<(), Failure> {
    let DrainArgs { pool, reason, wait, who } = args;
    let by = who.name();
    client.clone().with_by(Some(by.clone())).drain(&pool, reason.as_deref()).await?;
    let told =
        [("pool", &pool), ("by", &by)].into_iter().chain(reason.iter().map(|reason| ("reason", reason)));
    output.done(
        "drain",
        told,
        &format!("pool {pool} is being drained; VMs in use stay until their leases end"),
    )?;
    match wait {
        Some(wait) => empty(client, &pool, wait, output).await,
        None => Ok(()),
    }
}

/// Waits until a pool has no VM any more.
async fn empty(client: &Client, pool: &str, wait: Duration, output: Output) -> Result<(), Failure> {
    let mut progress = Progress::begin(output.is_quiet());
    let mut ticks = progress.ticks();
    let deadline = Instant::now() + wait;
    loop {
        let left = left(&client.pool(pool).await?);
        let Some(left) = left else {
            progress.clear();
            output.notice(&format!("pool {pool} has no VM any more"));
            return Ok(());
        };
        if deadline <= Instant::now() {
            let message = format!("pool {pool} is being drained and still has {left}");
            return Err(Failure::new(exit::FAILURE, message).with_hint(format!(
                "`vmpool lease ls` says who uses them; `vmpool drain {pool} --wait TIME` waits on"
            )));
        }
        progress.show(&format!("waiting for the end of {left} of pool {pool}"));
        tokio::select! {
            _ = ticks.tick() => {}
            () = tokio::time::sleep_until(deadline) => {}
        }
    }
}

/// Says what a pool still has, if anything.
fn left(pool: &Pool) -> Option<String> {
    let counts: Vec<String> = pool
        .counts
        .iter()
        .filter(|(_, count)| 0 < **count)
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// Lets a drained pool work again.
pub(crate) async fn undrain(client: &Client, args: UndrainArgs, output: Output) -> Result<(), Failure> {
    let UndrainArgs { pool, who } = args;
    let by = who.name();
    client.clone().with_by(Some(by.clone())).undrain(&pool).await?;
    output.done("undrain", [("pool", &pool), ("by", &by)], &format!("pool {pool} works again"))
}

/// Has the daemon read its configuration again.
pub(crate) async fn reload(client: &Client, args: ReloadArgs, output: Output) -> Result<(), Failure> {
    let reloaded = client.clone().with_by(Some(args.who.name())).reload().await?;
    for warning in &reloaded.warnings {
        output.notice(&format!("warning: {warning}"));
    }
    output.result(&reloaded, render::reloaded)
}
