//! `vmpool pool`, `vmpool vm`, `vmpool lease`, `vmpool provider`, `vmpool info`: what there is.

use serde::Serialize;
use vmpool_api::{Leases, Pool, Pools, Providers, Vm, VmFilter, Vms};
use vmpool_client::Client;

use super::events;
use crate::{
    args::{LeaseCommand, PoolCommand, ProviderCommand, VmCommand},
    failure::Failure,
    output::Output,
    render,
};

/// Runs `vmpool pool …`.
pub(crate) async fn pool(client: &Client, command: PoolCommand, output: Output) -> Result<(), Failure> {
    match command {
        PoolCommand::Ls => {
            let found = Pools { pools: client.pools().await? };
            output.result(&found, |found| match output.is_wide() {
                true => render::pools_wide(&found.pools),
                false => render::pools(&found.pools),
            })
        }
        PoolCommand::Show { name } => output.result(&client.pool(&name).await?, render::pool),
    }
}

/// Runs `vmpool vm …`.
pub(crate) async fn vm(client: &Client, command: VmCommand, output: Output) -> Result<(), Failure> {
    match command {
        VmCommand::Ls(which) => {
            let found = Vms { vms: client.vms(&which.into()).await?, next: None };
            output.result(&found, |found| render::vms(&found.vms))
        }
        VmCommand::Show { name } => output.result(&client.vm(&name).await?, render::vm),
        VmCommand::History { name } => events::history(client, &name, output).await,
    }
}

/// Runs `vmpool lease …`.
pub(crate) async fn lease(client: &Client, command: LeaseCommand, output: Output) -> Result<(), Failure> {
    match command {
        LeaseCommand::Ls => {
            let found = Leases { leases: client.leases().await?, next: None };
            output.result(&found, |found| render::leases(&found.leases))
        }
    }
}

/// Runs `vmpool provider …`.
pub(crate) async fn provider(
    client: &Client,
    command: ProviderCommand,
    output: Output,
) -> Result<(), Failure> {
    match command {
        ProviderCommand::Ls => {
            let found = Providers { providers: client.providers().await? };
            output.result(&found, |found| render::providers(&found.providers))
        }
        // It asks no daemon, and never gets here.
        #[cfg(feature = "serve")]
        ProviderCommand::Check(args) => super::provider_check::run(args, output).await.map(drop),
        ProviderCommand::Show { name } => output.result(&client.provider(&name).await?, render::provider),
        ProviderCommand::AcceptLoss { name, who } => {
            let by = who.name();
            client.clone().with_by(Some(by.clone())).accept_loss(&name).await?;
            let notice = format!("the missing nodes of provider {name} count as lost");
            output.done("accept-loss", [("provider", &name), ("by", &by)], &notice)
        }
    }
}

/// Every pool with its VMs.
#[derive(Debug, Serialize)]
struct Info {
    pools: Vec<Pool>,
    vms: Vec<Vm>,
}

/// Shows every pool with its VMs.
pub(crate) async fn info(client: &Client, output: Output) -> Result<(), Failure> {
    let pools = client.pools().await?;
    let vms = client.vms(&VmFilter::default()).await?;
    output.result(&Info { pools, vms }, |info| render::info(&info.pools, &info.vms))
}
