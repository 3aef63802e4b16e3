//! `vmpool renew`, `vmpool release`, `vmpool request` and `vmpool explain`.

use vmpool_api::Requests;
use vmpool_client::Client;

use crate::{
    args::{ReleaseArgs, RenewArgs, RequestCommand},
    failure::Failure,
    output::Output,
    render,
};

/// Extends a lease and prints it.
pub(crate) async fn renew(client: &Client, args: RenewArgs, output: Output) -> Result<(), Failure> {
    output.result(&client.renew_if(&args.lease, args.fence, args.ttl).await?, render::lease)
}

/// Gives a VM back.
pub(crate) async fn release(client: &Client, args: ReleaseArgs, output: Output) -> Result<(), Failure> {
    let by = args.who.name();
    let client = client.clone().with_by(Some(by.clone()));
    match args.fence {
        Some(fence) => client.release_if(&args.lease, fence).await?,
        None => client.release(&args.lease).await?,
    }
    let told = [("lease", &args.lease), ("by", &by)];
    output.done("release", told, &format!("released lease {}", args.lease))
}

/// Runs `vmpool request …`.
pub(crate) async fn request(client: &Client, command: RequestCommand, output: Output) -> Result<(), Failure> {
    match command {
        RequestCommand::Ls => {
            let found = Requests { requests: client.requests().await?, next: None };
            output.result(&found, |found| render::requests(&found.requests))
        }
        RequestCommand::Show { id } => output.result(&client.request(&id).await?, render::request),
        RequestCommand::Cancel { id, who } => {
            let by = who.name();
            client.clone().with_by(Some(by.clone())).cancel(&id).await?;
            output.done("cancel", [("request", &id), ("by", &by)], &format!("cancelled request {id}"))
        }
    }
}

/// Says why a request waits.
pub(crate) async fn explain(client: &Client, request: &str, output: Output) -> Result<(), Failure> {
    output.result(&client.explain(request).await?, render::explanation)
}
