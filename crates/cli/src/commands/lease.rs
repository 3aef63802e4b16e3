//! `vmpool renew`, `vmpool release` and `vmpool terminate`.

use vmpool_client::Client;

use crate::{
    args::{RenewArgs, TerminateArgs},
    failure::Failure,
    output::Output,
    render,
};

/// Extends a lease and prints it.
pub(crate) async fn renew(client: &Client, args: RenewArgs, output: Output) -> Result<(), Failure> {
    output.result(&client.renew(&args.lease, args.ttl).await?, render::lease)
}

/// Gives a VM back.
pub(crate) async fn release(client: &Client, lease: &str, output: Output) -> Result<(), Failure> {
    client.release(lease).await?;
    output.notice(&format!("released lease {lease}"));
    Ok(())
}

/// Destroys a VM.
pub(crate) async fn terminate(client: &Client, args: TerminateArgs, output: Output) -> Result<(), Failure> {
    client.terminate(&args.vm, Some(&args.reason)).await?;
    output.notice(&format!("VM {} is being destroyed", args.vm));
    Ok(())
}
