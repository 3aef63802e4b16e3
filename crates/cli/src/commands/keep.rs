//! Keeping leases while a command runs: renewals, signals, and the releases at the end.

use std::{pin::pin, time::Duration};

use rustix::process::Signal;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use vmpool_api::{Lease, LeaseRef, code, duration, exit};
use vmpool_client::{Client, ClientError};

use crate::{child::Running, failure::Failure, output::Output, signals::Signals};

/// How long a command may take to end after SIGTERM, once a lease is lost.
const GRACE: Duration = Duration::from_secs(10);
/// How often a release is tried again while the daemon cannot be reached.
const RELEASE_RETRY: Duration = Duration::from_secs(1);
/// How long a release is tried.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);

/// Renews the leases until the command ends, then releases them; returns the command's exit code.
///
/// A lease that is gone ends the command: somebody else may have the VM.
pub(crate) async fn keep(
    client: &Client,
    mut leases: Vec<Lease>,
    mut running: Running,
    signals: &mut Signals,
    output: Output,
) -> Result<u8, Failure> {
    leases.iter().for_each(|lease| tell_of_doubts(None, lease, output));
    let shortest = leases.iter().map(|lease| lease.ttl).min().unwrap_or_default();
    let period = (shortest / 3).max(Duration::from_millis(100));
    let mut due = interval_at(Instant::now() + period, period);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
        let renewed = {
            let mut renewals = pin!(renew_all(client, &leases));
            loop {
                tokio::select! {
                    code = running.wait() => break 'running code,
                    signal = signals.next() => running.forward(signal),
                    renewed = &mut renewals => break renewed,
                }
            }
        };
        for (index, result) in renewed {
            match result {
                Ok(renewed) => {
                    tell_of_doubts(leases[index].suspect.as_deref(), &renewed, output);
                    leases[index] = renewed;
                }
                Err(err) if is_gone(&err) => {
                    let lost = leases.swap_remove(index);
                    let failure = end(&mut running, &lost, &err).await;
                    release_all(client, &leases, output).await;
                    return Err(failure);
                }
                Err(err) => output.notice(&format!(
                    "warning: failed to renew lease {}, which lasts until {:.0}; trying again: {err}",
                    leases[index].id, leases[index].expires_at
                )),
            }
        }
    };
    let lost = release_all(client, &leases, output).await;
    let code =
        code.map_err(|err| Failure::new(exit::FAILURE, format!("failed to wait for the command: {err}")))?;
    match lost {
        None => Ok(code),
        Some((lease, err)) => Err(was_lost(lease, &err, code)),
    }
}

/// Renews all leases at once; each result comes with the place of its lease, and a failure of all with that of the first.
async fn renew_all(client: &Client, leases: &[Lease]) -> Vec<(usize, Result<Lease, ClientError>)> {
    if let [Lease { id, fence, .. }] = leases {
        // An earlier daemon renews only one at a time.
        return vec![(0, client.renew_if(id, Some(*fence), None).await)];
    }
    let named: Vec<LeaseRef> = leases.iter().map(LeaseRef::from).collect();
    let renewals = match client.renew_all(&named, None).await {
        Ok(renewals) => renewals,
        Err(err) => return vec![(0, Err(err))],
    };
    let results = renewals.into_iter().enumerate().filter_map(|(index, renewal)| {
        let problem = |problem| Err(ClientError::Problem(Box::new(problem)));
        Some((index, renewal.lease.map(Ok).or_else(|| renewal.problem.map(problem))?))
    });
    results.collect()
}

/// Tells the holder when a VM comes to be doubted, or is not any more.
fn tell_of_doubts(before: Option<&str>, lease: &Lease, output: Output) {
    match (before, &lease.suspect) {
        (before, Some(why)) if before != Some(why) => output.notice(&format!(
            "warning: VM {} is doubted: {why}; its lease holds, so end the work if it is of no use any more",
            lease.vm
        )),
        (Some(_), None) => output.notice(&format!("VM {} is not doubted any more", lease.vm)),
        _ => {}
    }
}

/// Releases leases; returns the first one that had ended before, if one had.
pub(crate) async fn release_all<'a>(
    client: &Client,
    leases: &'a [Lease],
    output: Output,
) -> Option<(&'a Lease, ClientError)> {
    let mut lost = None;
    for lease in leases {
        if let Some(err) = release(client, lease, output).await {
            lost = lost.or(Some((lease, err)));
        }
    }
    lost
}

/// Releases a lease; if that fails, says until when the VM stays leased. Returns why it cannot be released if it had ended
/// before.
async fn release(client: &Client, lease: &Lease, output: Output) -> Option<ClientError> {
    let mut is_first = true;
    let mut due = tokio::time::interval(RELEASE_RETRY);
    let released = timeout(RELEASE_TIMEOUT, async {
        loop {
            due.tick().await;
            match client.release_if(&lease.id, lease.fence).await {
                Err(err) if err.is_temporary() || is_of_store(&err) => {
                    is_first = false;
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
        Ok(Ok(())) => return None,
        Ok(Err(err)) if is_gone(&err) && is_first => return Some(err),
        // It ended by itself, or an earlier try arrived.
        Ok(Err(err)) if is_gone(&err) => return None,
        Ok(Err(err)) => err.to_string(),
        Err(_) => format!("gave up after {}", duration::format(RELEASE_TIMEOUT)),
    };
    output.notice(&format!(
        "warning: lease {} was not released and lasts until {:.0}: {why}",
        lease.id, lease.expires_at
    ));
    None
}

/// Says that a command ended after one of its leases.
fn was_lost(lease: &Lease, err: &ClientError, code: u8) -> Failure {
    let Lease { id, vm, .. } = lease;
    let message = format!(
        "lease {id} of VM {vm} was gone before the command ended, which it did with exit code {code}: {err}"
    );
    Failure::new(exit::LEASE_LOST, message).with_hint(
        "somebody else may have used the VM at the same time, so do not trust what the command made: see `vmpool events`",
    )
}

/// Ends a command of which a lease is gone.
async fn end(running: &mut Running, lease: &Lease, err: &ClientError) -> Failure {
    running.signal(Signal::TERM);
    if timeout(GRACE, running.wait()).await.is_err() {
        running.signal(Signal::KILL);
        // Nothing survives this signal, and its exit code does not matter.
        let _ = running.wait().await;
    }
    let message = format!("lease {} of VM {} is gone, so the command was ended: {err}", lease.id, lease.vm);
    Failure::new(exit::LEASE_LOST, message).with_hint(
        "somebody released it, or it expired because it could not be renewed in time: see `vmpool events`",
    )
}

/// Returns whether the daemon could not write it down: it may soon be able to.
fn is_of_store(err: &ClientError) -> bool {
    err.problem().is_some_and(|problem| problem.is(code::STORE) || problem.is(code::STORE_FULL))
}

/// Returns whether a lease has ended, or is somebody else's.
fn is_gone(err: &ClientError) -> bool {
    err.problem().is_some_and(|problem| problem.is(code::UNKNOWN_LEASE) || problem.is(code::STALE_FENCE))
}
