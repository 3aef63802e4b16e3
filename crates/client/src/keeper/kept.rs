//! Which leases are kept, and when each is due.

use std::{collections::BTreeMap, sync::Arc};

use tokio::time::Instant;
use vmpool_api::{Lease, LeaseRef, code};

use super::Kept;
use crate::ClientError;

/// The leases that are kept, by id.
#[derive(Debug, Default)]
pub(super) struct Leases(BTreeMap<String, One>);

#[derive(Debug)]
struct One {
    lease: Lease,
    /// When it was certainly not yet renewed for the last time.
    renewed: Instant,
}

impl One {
    fn due(&self) -> Instant {
        self.renewed + self.lease.ttl / 3
    }

    /// Returns whether it is worth renewing when others are renewed: half of its pause is over.
    ///
    /// So leases that last alike come to be renewed together, whenever they were given.
    fn is_soon(&self, now: Instant) -> bool {
        self.renewed + self.lease.ttl / 6 <= now
    }

    fn is(&self, wanted: &LeaseRef) -> bool {
        wanted.fence.is_none_or(|fence| fence == self.lease.fence)
    }
}

impl Leases {
    /// Keeps a lease from now on.
    pub(super) fn add(&mut self, lease: &Lease, now: Instant) {
        self.0.insert(lease.id.clone(), One { lease: lease.clone(), renewed: now });
    }

    /// Keeps a lease no longer.
    pub(super) fn remove(&mut self, id: &str) -> Option<Lease> {
        self.0.remove(id).map(|one| one.lease)
    }

    /// Returns all leases.
    pub(super) fn all(&self) -> Vec<Lease> {
        self.0.values().map(|one| one.lease.clone()).collect()
    }

    /// Returns when the first lease is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().map(One::due).min()
    }

    /// Returns whether a lease is due.
    pub(super) fn is_due(&self, id: &str, now: Instant) -> bool {
        self.0.get(id).is_some_and(|one| one.due() <= now)
    }

    /// Returns the leases to renew together.
    pub(super) fn soon(&self, now: Instant) -> Vec<LeaseRef> {
        self.0.values().filter(|one| one.is_soon(now)).map(|one| LeaseRef::from(&one.lease)).collect()
    }

    /// Notes that a lease was renewed, unless it was taken out meanwhile; tells it if its VM came to be doubted, or is not any
    /// more.
    pub(super) fn renewed(&mut self, lease: Lease, asked: Instant) -> Option<Kept> {
        let one = self.0.get_mut(&lease.id)?;
        let is_changed = one.lease.suspect != lease.suspect;
        *one = One { lease, renewed: asked };
        is_changed.then(|| Kept::Changed(Box::new(one.lease.clone())))
    }

    /// Notes that a lease was not renewed; it is lost if it is gone, or must have expired, and was not taken out meanwhile.
    pub(super) fn failed(&mut self, wanted: &LeaseRef, why: Arc<ClientError>, now: Instant) -> Option<Kept> {
        let one = self.0.get(&wanted.id).filter(|one| one.is(wanted))?;
        let is_lost = is_gone(&why) || one.renewed + one.lease.ttl <= now;
        let lease = is_lost.then(|| self.remove(&wanted.id))??;
        Some(Kept::Lost { lease: Box::new(lease), why })
    }
}

/// Returns whether a lease has ended, or is somebody else's: anything else may be mended before it expires.
fn is_gone(err: &ClientError) -> bool {
    err.problem().is_some_and(|problem| problem.is(code::UNKNOWN_LEASE) || problem.is(code::STALE_FENCE))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn lease(id: &str, seconds: u64) -> Lease {
        let json = format!(
            r#"{{"id": "{id}", "vm": "small-1", "pool": "small", "owner": "ada", "request": "r", "ttl": "{seconds}s", "fence": 7,
                "acquired_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:10:00Z"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn ids(wanted: &[LeaseRef]) -> Vec<&str> {
        wanted.iter().map(|wanted| wanted.id.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn leases_that_last_alike_come_to_be_renewed_together() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut leases = Leases::default();
        leases.add(&lease("a", 30), start);
        leases.add(&lease("b", 30), start + 6 * second);
        let first = leases.due().unwrap();
        assert_eq!(first, start + 10 * second);
        // Too fresh to be worth it.
        assert_eq!(ids(&leases.soon(first)), ["a"]);
        leases.renewed(lease("a", 30), first);
        let second = leases.due().unwrap();
        assert_eq!(ids(&leases.soon(second)), ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_taken_out_is_neither_renewed_nor_lost() {
        let now = Instant::now();
        let mut leases = Leases::default();
        leases.add(&lease("a", 30), now);
        assert!(leases.remove("a").is_some());
        assert!(leases.renewed(lease("a", 30), now).is_none());
        let why = Arc::new(ClientError::InvalidUrl { url: String::new(), reason: String::new() });
        let later = now + Duration::from_secs(60);
        assert!(leases.failed(&LeaseRef::new("a"), why, later).is_none());
        assert_eq!(leases.due(), None);
    }
}
