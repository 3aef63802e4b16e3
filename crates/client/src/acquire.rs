//! Getting a VM and keeping it: waiting over lost connections, and renewing.

use std::time::Duration;

use tokio::time::Instant;
use vmpool_api::{AcquireAnswer, AcquireRequest, Lease, Problem, code, duration, routes};

use crate::{Client, ClientError, backoff::Backoff};

/// How long one poll may take: longer than a daemon holds it open.
const POLL_TIMEOUT: Duration = Duration::from_secs(90);

/// A daemon that answers "still waiting" faster than this is not asked again at once.
const SHORTEST_POLL: Duration = Duration::from_millis(100);

/// How long a daemon that was never reached may take to come up: longer than a restart, shorter than a person wonders
/// whether the address is wrong.
const FIRST_CONTACT: Duration = Duration::from_secs(5);

impl Client {
    /// Acquires a VM, and waits for one as long as the request says; of several that it wants, this returns the first.
    ///
    /// A lost connection or a daemon that restarts does not end the waiting: the same request, under the same id, is sent
    /// again with what is left of the time until it is over, and yields one lease however often it was sent.
    /// A daemon that was not reached at all is given up after 5 s.
    ///
    /// # Errors
    ///
    /// `no_vm` or `wait_timed_out` if there was no VM (exit code 4), `unknown_pool`, and what
    /// [`request_conflict`, `request_ended`, `request_cancelled` and `request_turned_away`](vmpool_api::code) say about an id
    /// that was used before.
    /// If the daemon stays away, the last error of the connection; then a VM may be leased to the request if
    /// [`ClientError::may_have_happened`] says so.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the request in the queue; [`cancel`](Self::cancel) withdraws it.
    pub async fn acquire(&self, request: &AcquireRequest) -> Result<Lease, ClientError> {
        let leases = self.acquire_all(request).await?;
        leases.into_iter().next().ok_or_else(|| no_lease(request))
    }

    /// Acquires as many VMs as the request wants, all at once or none; if the request was served before and some of its leases
    /// have ended, these are those that last, and [`acquire_answer`](Self::acquire_answer) tells of the others.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire).
    pub async fn acquire_all(&self, request: &AcquireRequest) -> Result<Vec<Lease>, ClientError> {
        match self.acquire_answer(request).await? {
            AcquireAnswer::Granted { leases, .. } => Ok(leases),
            _ => Err(no_lease(request)),
        }
    }

    /// Acquires as many VMs as the request wants, and returns the daemon's whole answer: it is
    /// [`AcquireAnswer::Granted`], with all leases in `leases`.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire).
    pub async fn acquire_answer(&self, request: &AcquireRequest) -> Result<AcquireAnswer, ClientError> {
        let wait = request.wait.unwrap_or_default();
        let start = Instant::now();
        let mut request = request.clone();
        let mut backoff = Backoff::default();
        let mut reached = false;
        loop {
            let asked = Instant::now();
            let answer = self.post(routes::LEASES, &request, POLL_TIMEOUT).await;
            let left = wait.saturating_sub(start.elapsed());
            match answer {
                Ok(AcquireAnswer::Granted { lease, leases, ended }) => {
                    // An earlier daemon gives one, and does not list it.
                    let leases = if leases.is_empty() { vec![(*lease).clone()] } else { leases };
                    return Ok(AcquireAnswer::Granted { lease, leases, ended });
                }
                Ok(_) => {
                    reached = true;
                    match asked.elapsed() < SHORTEST_POLL {
                        true => backoff.pause_at_most(left).await,
                        false => backoff.reset(),
                    }
                }
                Err(ClientError::Problem(problem)) if problem.is(code::NO_VM) && !wait.is_zero() => {
                    // The request ended between two polls, and there was no time left to wait anew.
                    return Err(timed_out(&request, wait));
                }
                Err(err) if err.is_temporary() && !left.is_zero() => {
                    reached |= !matches!(err, ClientError::Unreachable { .. });
                    if !reached && FIRST_CONTACT <= start.elapsed() {
                        return Err(err);
                    }
                    backoff.pause_at_most(left).await;
                }
                Err(err) => return Err(err),
            }
            // The daemon counts the time of each repetition from when it came.
            request.wait = request.wait.map(|_| wait.saturating_sub(start.elapsed()));
        }
    }

    /// Renews a lease as [`keep_watching`](Self::keep_watching) does, and tells nothing of the VM.
    ///
    /// # Cancel safety
    ///
    /// That of [`keep_watching`](Self::keep_watching).
    pub async fn keep(&self, lease: &Lease) -> ClientError {
        self.keep_watching(lease, |_| ()).await
    }

    /// Renews a lease three times per time to live, for ever; returns when that is no longer possible.
    ///
    /// Run it beside the work, and stop the work when it returns: the VM may be somebody else's.
    /// A daemon that is away is asked again until the lease must have expired.
    /// If the VM is doubted, because its node is gone or ill, or is not any more, `on_suspect` is told with what the lease
    /// says then; the lease holds all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the renewing; the lease then expires by itself unless it is released.
    pub async fn keep_watching(&self, lease: &Lease, mut on_suspect: impl FnMut(&Lease)) -> ClientError {
        let mut ttl = lease.ttl;
        let mut suspect = lease.suspect.clone();
        let mut renewed = Instant::now();
        let mut backoff = Backoff::default();
        loop {
            pause_until(renewed + ttl / 3).await;
            let asked = Instant::now();
            loop {
                match self.renew_if(&lease.id, Some(lease.fence), None).await {
                    Ok(lease) => {
                        (ttl, renewed) = (lease.ttl, asked);
                        if lease.suspect != suspect {
                            on_suspect(&lease);
                            suspect = lease.suspect;
                        }
                        backoff.reset();
                        break;
                    }
                    Err(err) if err.is_temporary() && renewed.elapsed() < ttl => backoff.pause().await,
                    Err(err) => return err,
                }
            }
        }
    }
}

fn timed_out(request: &AcquireRequest, wait: Duration) -> ClientError {
    let waited = duration::format(wait);
    let pools: Vec<&str> = request.pools().chain(request.labels.iter().map(String::as_str)).collect();
    let detail = format!("no VM of pool {} could be leased within {waited}", pools.join(", "));
    ClientError::Problem(Box::new(Problem::new(code::WAIT_TIMED_OUT, detail)))
}

/// Says that an answer lacks what it must have.
fn no_lease(request: &AcquireRequest) -> ClientError {
    let detail = format!("request {} was granted without a lease", request.request);
    ClientError::Problem(Box::new(Problem::new(code::INTERNAL, detail).with_may_have_happened(true)))
}

async fn pause_until(time: Instant) {
    tokio::time::sleep_until(time).await;
}
