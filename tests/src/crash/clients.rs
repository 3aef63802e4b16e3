//! The clients of a crash run: each acquires, renews and releases until it is told to stop.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;
use vmpool_api::{AcquireRequest, Lease, code};
use vmpool_client::{Client, ClientError};

use super::history::{Broken, Held, History, Millis, Violation};
use crate::wait::millis;

/// How long a client waits for a VM.
const WAIT: Duration = Duration::from_secs(5);

/// What all clients share.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// The daemon's address; `None` while it is dead.
    pub(super) daemon: watch::Receiver<Option<String>>,
    /// Whether the clients are to stop.
    pub(super) stop: watch::Receiver<bool>,
    /// What they saw.
    pub(super) history: Arc<Mutex<History>>,
}

impl World {
    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn violated(&self, what: String) {
        self.history().violations.push(Violation::new(Broken::Lost, what));
    }

    /// Calls the daemon until it answers; a call that a crash cut off is repeated with the next daemon.
    ///
    /// So is one that a daemon could not record, as on a full disk. Beside the answer it is returned whether an earlier try
    /// may have had its effect, and when the last one was sent.
    async fn call<T, F: Future<Output = Result<T, ClientError>>>(
        &mut self,
        call: impl Fn(Client) -> F,
    ) -> (Result<T, ClientError>, bool, Millis) {
        let mut repeated = false;
        loop {
            let Ok(url) = self.daemon.wait_for(Option::is_some).await.map(|url| url.clone()) else {
                // The run has ended early, for a reason of its own.
                return std::future::pending().await;
            };
            self.daemon.mark_unchanged();
            let client = match Client::new(url.as_deref().unwrap_or_default()) {
                Ok(client) => client,
                Err(err) => return (Err(err), repeated, millis()),
            };
            let sent = millis();
            tokio::select! {
                result = call(client) => match result {
                    Err(err) if err.is_temporary() || has(&err, &[code::STORE, code::STORE_FULL]) => {
                        // The daemon is dead, or about to be: the next one will say more.
                        repeated |= err.may_have_happened() || has(&err, &[code::STORE]);
                        linger(Duration::from_millis(20)).await;
                    }
                    result => return (result, repeated, sent),
                },
                // The connection to a dead daemon may take long to fail.
                _ = self.daemon.changed() => repeated = true,
            }
        }
    }
}

/// Runs one client until it is told to stop.
pub(super) async fn run(mut world: World, name: usize, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut number = 0;
    while !*world.stop.borrow() {
        number += 1;
        let pool = if rng.bool() { "builders" } else { "shared" };
        let request =
            AcquireRequest::new(format!("client-{name}-{number}"), pool, format!("owner-{}", name % 3))
                .with_wait(WAIT);
        let Some(lease) = acquire(&mut world, &request).await else { continue };
        let uses = rng.usize(0..4);
        let mut lost = false;
        for _ in 0..uses {
            linger(Duration::from_millis(rng.u64(5..120))).await;
            lost = lost || !renew(&mut world, &lease).await;
        }
        // One of ten forgets to give its VM back: the lease ends by itself.
        if !lost && rng.u8(0..10) != 0 {
            release(&mut world, &lease).await;
        }
    }
}

async fn acquire(world: &mut World, request: &AcquireRequest) -> Option<Lease> {
    let asked = request.clone();
    let first_sent = millis();
    let (answer, ..) = world
        .call(move |client| {
            let request = asked.clone();
            async move { client.acquire(&request).await }
        })
        .await;
    match answer {
        Ok(lease) => {
            world.history().acquired(Held {
                lease: lease.id.clone(),
                vm: lease.vm.clone(),
                fence: lease.fence,
                acquired: millis(),
                // An earlier try may have been given the lease, so the last one says nothing of its beginning.
                expires: first_sent + life(&lease),
                ended: None,
                released: false,
            });
            Some(lease)
        }
        // There is no VM, or the lease ended before its answer arrived.
        Err(err) if has(&err, &[code::NO_VM, code::WAIT_TIMED_OUT, code::REQUEST_ENDED]) => None,
        Err(err) => {
            world.violated(format!("an acquire failed: {err}"));
            None
        }
    }
}

/// Renews a lease; returns whether it still holds.
async fn renew(world: &mut World, lease: &Lease) -> bool {
    let id = lease.id.clone();
    let (answer, _, sent) = world
        .call(move |client| {
            let id = id.clone();
            async move { client.renew(&id, None).await }
        })
        .await;
    match answer {
        Ok(renewed) => {
            world.history().renewed(&lease.id, sent + life(&renewed));
            true
        }
        Err(err) => {
            gone(world, lease, &err, "renewal");
            false
        }
    }
}

async fn release(world: &mut World, lease: &Lease) {
    world.history().releasing(&lease.id, millis());
    let id = lease.id.clone();
    let (answer, repeated, _) = world
        .call(move |client| {
            let id = id.clone();
            async move { client.release(&id).await }
        })
        .await;
    match answer {
        Ok(()) => world.history().released(&lease.id),
        // An earlier try arrived, and its answer was lost.
        Err(err) if repeated && has(&err, &[code::UNKNOWN_LEASE]) => world.history().released(&lease.id),
        Err(err) => gone(world, lease, &err, "release"),
    }
}

/// Judges a failed renewal or release: only a lease that has expired may be gone.
fn gone(world: &World, lease: &Lease, err: &ClientError, what: &str) {
    let now = millis();
    let mut history = world.history();
    let expired = history.held.get(&lease.id).is_none_or(|held| held.expires <= now);
    if !expired || !has(err, &[code::UNKNOWN_LEASE]) {
        let what = format!("the {what} of the acknowledged lease {} failed: {err}", lease.id);
        history.violations.push(Violation::new(Broken::Lost, what));
    }
}

/// Returns for how many milliseconds a lease is given.
fn life(lease: &Lease) -> Millis {
    Millis::try_from(lease.ttl.as_millis()).unwrap_or(Millis::MAX)
}

fn has(err: &ClientError, codes: &[code::Code]) -> bool {
    err.problem().is_some_and(|problem| codes.iter().any(|code| problem.is(*code)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client uses its VM for a while, in the real time of a real daemon"
)]
async fn linger(time: Duration) {
    tokio::time::sleep(time).await;
}
