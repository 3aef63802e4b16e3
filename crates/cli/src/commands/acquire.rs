//! `vmpool acquire`: leases a VM, and keeps the lease while a command runs.

use std::{io, pin::pin};

use rustix::process::Signal;
use vmpool_api::{AcquireRequest, Lease, exit};
use vmpool_client::{Client, ClientError};

use crate::{
    args::AcquireArgs,
    child::Running,
    commands::keep,
    failure::Failure,
    output::Output,
    render,
    signals::{Signals, exit_code},
};

/// What a shell exits with if the command was found and cannot be started.
const NOT_STARTED: u8 = 126;
/// What a shell exits with if there is no such command.
const NO_COMMAND: u8 = 127;

/// Leases a VM, and either prints the lease or runs a command with it; returns the exit code.
pub(crate) async fn run(client: &Client, args: AcquireArgs, output: Output) -> Result<u8, Failure> {
    // Caught before the request is sent, so that no signal can leave a request behind.
    let mut signals = Signals::catch()?;
    let request = request(&args);
    let lease = tokio::select! {
        lease = acquire(client, &request, output) => lease?,
        signal = signals.next() => return Ok(cancel(client, &request, signal, output).await),
    };
    let Some((program, arguments)) = args.command.split_first() else {
        output.result(&lease, render::lease)?;
        return Ok(exit::OK);
    };
    let environment = environment(&lease, client);
    let running = match Running::start(program, arguments, &environment) {
        Ok(running) => running,
        Err(err) => {
            keep::release(client, &lease, output).await;
            return Err(not_started(&program.to_string_lossy(), &err));
        }
    };
    keep::keep(client, lease, running, &mut signals, output).await
}

/// Waits for a VM; if the daemon is away meanwhile, says what is waited for.
async fn acquire(client: &Client, request: &AcquireRequest, output: Output) -> Result<Lease, ClientError> {
    let mut lease = pin!(client.acquire(request));
    if request.wait.is_none_or(|wait| wait.is_zero()) {
        return lease.await;
    }
    tokio::select! {
        lease = &mut lease => return lease,
        health = client.health() => match health {
            Err(err) if err.is_temporary() => output.notice(&format!("warning: {err}; waiting for it")),
            _ => {}
        }
    }
    lease.await
}

fn request(args: &AcquireArgs) -> AcquireRequest {
    let owner = args.owner.clone().unwrap_or_else(user);
    let id = args.request.clone().unwrap_or_else(vmpool_client::new_request_id);
    AcquireRequest::new(id, &args.pool, owner)
        .with_sandbox(args.sandbox.clone())
        .with_task(args.task.clone())
        .with_ttl(args.ttl)
        .with_wait(args.wait)
}

/// Returns the name of the user, or where the environment has none, as in a container, the user's number.
fn user() -> String {
    let named = std::env::var("USER").ok().filter(|user| !user.is_empty());
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}

/// Withdraws the request, so that no VM is leased to somebody who left.
async fn cancel(client: &Client, request: &AcquireRequest, signal: Signal, output: Output) -> u8 {
    match client.cancel(&request.request).await {
        Ok(()) => output.notice("cancelled"),
        Err(err) => output.notice(&format!(
            "warning: failed to cancel request {}, a VM may be leased until its time to live is over: {err}",
            request.request
        )),
    }
    exit_code(signal.as_raw())
}

fn environment(lease: &Lease, client: &Client) -> Vec<(&'static str, String)> {
    vec![
        ("VMPOOL_VM", lease.vm.clone()),
        ("VMPOOL_ADDRESS", lease.addresses.first().cloned().unwrap_or_default()),
        ("VMPOOL_ADDRESSES", lease.addresses.join(",")),
        ("VMPOOL_LEASE", lease.id.clone()),
        ("VMPOOL_POOL", lease.pool.clone()),
        ("VMPOOL_NODE_ID", lease.node_id.clone().unwrap_or_default()),
        ("VMPOOL_EXPIRES_AT", lease.expires_at.to_string()),
        ("VMPOOL_URL", client.base_url().to_owned()),
    ]
}

fn not_started(program: &str, err: &io::Error) -> Failure {
    let message = format!("failed to start {program}: {err}; the VM was released");
    match err.kind() {
        io::ErrorKind::NotFound => {
            Failure::new(NO_COMMAND, message).with_hint("is it installed, and in PATH?")
        }
        _ => Failure::new(NOT_STARTED, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_missing_exits_as_in_a_shell() {
        let failure = not_started("make", &io::Error::from(io::ErrorKind::NotFound));
        assert!(matches!(failure, Failure::Told { code: NO_COMMAND, .. }));
        let failure = not_started("make", &io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(matches!(failure, Failure::Told { code: NOT_STARTED, .. }));
    }
}
