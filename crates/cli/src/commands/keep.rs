//! Keeping a lease while a command runs: renewals, signals, and the release at the end.

use std::{pin::pin, time::Duration};

use rustix::process::Signal;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use vmpool_api::{Lease, duration, exit};
use vmpool_client::{Client, ClientError};

use crate::{child::Running, failure::Failure, output::Output, signals::Signals};

/// How long a command may take to end after SIGTERM, once its lease is lost.
const GRACE: Duration = Duration::from_secs(10);
/// How often a release is tried again while the daemon cannot be reached.
const RELEASE_RETRY: Duration = Duration::from_secs(1);
/// How long a release is tried.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);

/// Renews the lease until the command ends, then releases it; returns the command's exit code.
///
/// A lease that is gone ends the command: somebody else may have the VM.
pub(crate) async fn keep(
    client: &Client,
    mut lease: Lease,
    mut running: Running,
    signals: &mut Signals,
    output: Output,
) -> Result<u8, Failure> {
    let period = (lease.ttl / 3).max(Duration::from_millis(100));
    let mut due = interval_at(Instant::now() + period, period);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let id = lease.id.clone();
    let code = 'running: loop {
        tokio::select! {
            code = running.wait() => break code,
            signal = signals.next() => {
                running.forward(signal);
                continue;
            }
            _ = due.tick() => {}
        }
        // The command may end, and signals may come, while the daemon is slow to answer.
        let mut renewal = pin!(client.renew(&id, None));
        let renewed = loop {
            tokio::select! {
                code = running.wait() => break 'running code,
                signal = signals.next() => running.forward(signal),
                renewed = &mut renewal => break renewed,
            }
        };
        match renewed {
            Ok(renewed) => lease = renewed,
            Err(err) if is_gone(&err) => return Err(end(&mut running, &lease).await),
            Err(err) => output.notice(&format!(
                "warning: failed to renew lease {}, which lasts until {:.0}; trying again: {err}",
                lease.id, lease.expires_at
            )),
        }
    };
    release(client, &lease, output).await;
    code.map_err(|err| Failure::new(exit::FAILURE, format!("failed to wait for the command: {err}")))
}

/// Releases a lease; if that fails, says until when the VM stays leased.
pub(crate) async fn release(client: &Client, lease: &Lease, output: Output) {
    let mut due = tokio::time::interval(RELEASE_RETRY);
    let released = timeout(RELEASE_TIMEOUT, async {
        loop {
            due.tick().await;
            match client.release(&lease.id).await {
                Err(err) if err.is_temporary() => {
                    output.notice(&format!(
                        "warning: failed to release lease {}, trying again: {err}",
                        lease.id
                    ));
                }
                result => break result,
            }
        }
    })
    .await;
    let why = match released {
        Ok(Ok(())) => return,
        // It ended by itself, or an earlier try arrived.
        Ok(Err(err)) if is_gone(&err) => return,
        Ok(Err(err)) => err.to_string(),
        Err(_) => format!("gave up after {}", duration::format(RELEASE_TIMEOUT)),
    };
    output.notice(&format!(
        "warning: lease {} was not released and lasts until {:.0}: {why}",
        lease.id, lease.expires_at
    ));
}

/// Ends a command whose lease is gone.
async fn end(running: &mut Running, lease: &Lease) -> Failure {
    running.signal(Signal::TERM);
    if timeout(GRACE, running.wait()).await.is_err() {
        running.signal(Signal::KILL);
        // Nothing survives this signal, and its exit code does not matter.
        let _ = running.wait().await;
    }
    let message = format!("lease {} of VM {} is gone, so the command was ended", lease.id, lease.vm);
    Failure::new(exit::LEASE_LOST, message).with_hint(
        "somebody released it, or it expired because it could not be renewed in time: see `vmpool events`",
    )
}

fn is_gone(err: &ClientError) -> bool {
    err.problem().is_some_and(|problem| problem.is(vmpool_api::code::UNKNOWN_LEASE))
}
