//! `vmpool renew`, `vmpool release`, `vmpool request` and `vmpool explain`.

use vmpool_api::{LeaseRef, Problem, Releases, Renewals, Requests, exit};
use vmpool_client::Client;

use crate::{
    args::{ReleaseArgs, RenewArgs, RequestCommand},
    failure::Failure,
    output::Output,
    render,
};

/// Extends a lease, or several at once, and prints them.
pub(crate) async fn renew(client: &Client, args: RenewArgs, output: Output) -> Result<(), Failure> {
    if let [lease] = args.leases.as_slice() {
        return output.result(&client.renew_if(lease, args.fence, args.ttl).await?, render::lease);
    }
    let leases = named(&args.leases, args.fence)?;
    let result = Renewals { renewals: client.renew_all(&leases, args.ttl).await? };
    output.result(&result, |all| {
        let renewed: Vec<_> = all.renewals.iter().filter_map(|renewal| renewal.lease.clone()).collect();
        render::leases(&renewed)
    })?;
    all_done(
        "renew",
        leases.len(),
        result.renewals.into_iter().filter_map(|renewal| renewal.problem).collect(),
    )
}

/// Gives a VM back, or several at once.
pub(crate) async fn release(client: &Client, args: ReleaseArgs, output: Output) -> Result<(), Failure> {
    let by = args.who.name();
    let client = client.clone().with_by(Some(by.clone()));
    if let [lease] = args.leases.as_slice() {
        match args.fence {
            Some(fence) => client.release_if(lease, fence).await?,
            None => client.release(lease).await?,
        }
        let told = [("lease", lease), ("by", &by)];
        return output.done("release", told, &format!("released lease {lease}"));
    }
    let leases = named(&args.leases, args.fence)?;
    let result = Releases { releases: client.release_all(&leases).await? };
    output.result(&result, |all| render::releases(&all.releases))?;
    all_done(
        "release",
        leases.len(),
        result.releases.into_iter().filter_map(|release| release.problem).collect(),
    )
}

/// Names several leases, for which one fence cannot be meant.
fn named(leases: &[String], fence: Option<u64>) -> Result<Vec<LeaseRef>, Failure> {
    match fence {
        None => Ok(leases.iter().map(LeaseRef::new).collect()),
        Some(_) => {
            let message = "--fence is that of one lease, and several are named";
            Err(Failure::new(exit::USAGE, message).with_hint("run the command once for each lease"))
        }
    }
}

/// Fails if something was refused, in the way of the first refusal.
fn all_done(verb: &str, count: usize, problems: Vec<Problem>) -> Result<(), Failure> {
    let Some(code) = problems.first().map(Problem::exit_code) else { return Ok(()) };
    let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let message = format!("failed to {verb} {} of {count} leases: {}", why.len(), why.join("; "));
    Err(Failure::new(code, message))
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
