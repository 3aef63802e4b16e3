//! `vmpool pool`, `vmpool vm`, `vmpool lease`: what there is.

use vmpool_client::Client;

use crate::{
    args::{LeaseCommand, PoolCommand, VmCommand},
    failure::Failure,
    output::Output,
    render,
};

/// Runs `vmpool pool …`.
pub(crate) async fn pool(client: &Client, command: PoolCommand, output: Output) -> Result<(), Failure> {
    match command {
        PoolCommand::Ls => output.result(&client.pools().await?, |found| render::pools(found)),
        PoolCommand::Show { name } => output.result(&client.pool(&name).await?, render::pool),
    }
}

/// Runs `vmpool vm …`.
pub(crate) async fn vm(client: &Client, command: VmCommand, output: Output) -> Result<(), Failure> {
    match command {
        VmCommand::Ls(filter) => {
            let vms = client.vms(&filter.into()).await?;
            output.result(&vms, |found| render::vms(found))
        }
        VmCommand::Show { name } => output.result(&client.vm(&name).await?, render::vm),
    }
}

/// Runs `vmpool lease …`.
pub(crate) async fn lease(client: &Client, command: LeaseCommand, output: Output) -> Result<(), Failure> {
    match command {
        LeaseCommand::Ls => output.result(&client.leases().await?, |found| render::leases(found)),
    }
}
