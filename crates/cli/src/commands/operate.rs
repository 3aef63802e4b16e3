//! What an operator does: terminating, holding, forgetting, draining, reloading.

use vmpool_api::{HoldRequest, TerminateRequest};
use vmpool_client::Client;

use super::acquire::user;
use crate::{
    args::{DrainArgs, ForgetArgs, HoldArgs, TerminateArgs, UndrainArgs, UnholdArgs},
    failure::Failure,
    output::Output,
    render,
};

/// Destroys a VM.
pub(crate) async fn terminate(client: &Client, args: TerminateArgs, output: Output) -> Result<(), Failure> {
    let wish = TerminateRequest::new(Some(args.reason)).with_only_if(args.only_if);
    client.terminate_if(&args.vm, &wish).await?;
    output.notice(&format!("VM {} is being destroyed", args.vm));
    Ok(())
}

/// Keeps a VM for debugging.
pub(crate) async fn hold(client: &Client, args: HoldArgs, output: Output) -> Result<(), Failure> {
    let by = args.by.unwrap_or_else(user);
    client
        .hold(&args.vm, &HoldRequest::new(Some(args.reason)).with_by(Some(by)).with_time(args.time))
        .await?;
    output.notice(&format!("VM {} is held, or will be when its lease ends", args.vm));
    Ok(())
}

/// Gives a held VM up.
pub(crate) async fn unhold(client: &Client, args: UnholdArgs, output: Output) -> Result<(), Failure> {
    client.unhold(&args.vm).await?;
    output.notice(&format!("VM {} is not held any more", args.vm));
    Ok(())
}

/// Removes the record of a VM.
pub(crate) async fn forget(client: &Client, args: ForgetArgs, output: Output) -> Result<(), Failure> {
    client.forget(&args.vm, &args.reason).await?;
    output.notice(&format!("VM {} is forgotten", args.vm));
    Ok(())
}

/// Brings a pool to its end.
pub(crate) async fn drain(client: &Client, args: DrainArgs, output: Output) -> Result<(), Failure> {
    client.drain(&args.pool, Some(&args.reason)).await?;
    output.notice(&format!("pool {} is being drained; VMs in use stay until their leases end", args.pool));
    Ok(())
}

/// Lets a drained pool work again.
pub(crate) async fn undrain(client: &Client, args: UndrainArgs, output: Output) -> Result<(), Failure> {
    client.undrain(&args.pool).await?;
    output.notice(&format!("pool {} works again", args.pool));
    Ok(())
}

/// Has the daemon read its configuration again.
pub(crate) async fn reload(client: &Client, output: Output) -> Result<(), Failure> {
    let reloaded = client.reload().await?;
    for warning in &reloaded.warnings {
        output.notice(&format!("warning: {warning}"));
    }
    output.result(&reloaded, render::reloaded)
}
