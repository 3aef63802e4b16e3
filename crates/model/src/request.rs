//! Asking for a VM: what a client sends, and what is remembered of it.

use std::{collections::BTreeSet, marker::PhantomData, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor, value::StrDeserializer},
};

use crate::{Label, LeaseEnd, LeaseId, Owner, PoolName, RequestId, Sandbox, TaskId, Timestamp, VmName};

/// What a client asks for when it wants a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acquire {
    /// The client's own id: the same id again is the same request, and yields the same lease.
    pub request: RequestId,
    /// The pools that it may be served from, the one liked best first; if empty, any that has all `labels`.
    pub pools: Vec<PoolName>,
    /// What the VMs' pool must be good for.
    pub labels: BTreeSet<Label>,
    /// How many VMs, all at once or none.
    pub count: u32,
    /// Who is served first: the higher number.
    pub priority: i32,
    /// Who will hold the lease.
    pub owner: Owner,
    /// The sandbox of the use.
    pub sandbox: Option<Sandbox>,
    /// What the lease is for.
    pub task: Option<TaskId>,
    /// How long the lease lasts without renewal; the pool's `lease_ttl` if `None`.
    pub ttl: Option<Duration>,
    /// How long to wait for a VM; zero fails at once if there is none.
    pub wait: Duration,
    /// Within which time the request must be sent again, or it stops waiting before: its client is gone then. `None` if it
    /// need not be.
    pub repeat_within: Option<Duration>,
}

impl Acquire {
    /// Makes a request that fails at once if no VM is ready.
    #[must_use]
    pub fn new(request: RequestId, pool: PoolName, owner: Owner) -> Self {
        Self::in_pools(request, vec![pool], owner)
    }

    /// Makes a request that fails at once if no VM of these pools is ready; of any pool with the right labels if there are
    /// none.
    #[must_use]
    pub fn in_pools(request: RequestId, pools: Vec<PoolName>, owner: Owner) -> Self {
        Self {
            request,
            pools,
            labels: BTreeSet::new(),
            count: 1,
            priority: 0,
            owner,
            sandbox: None,
            task: None,
            ttl: None,
            wait: Duration::ZERO,
            repeat_within: None,
        }
    }

    /// Takes VMs of any of several pools, the one liked best first; of any pool with the right labels if empty.
    #[must_use]
    pub fn with_pools(self, pools: Vec<PoolName>) -> Self {
        Self { pools, ..self }
    }

    /// Takes VMs only of pools that have all of these labels.
    #[must_use]
    pub fn with_labels(self, labels: BTreeSet<Label>) -> Self {
        Self { labels, ..self }
    }

    /// Wants several VMs, all at once or none.
    #[must_use]
    pub fn with_count(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// Is served before requests with a lower number; waiting makes up for priority.
    #[must_use]
    pub fn with_priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// Waits for a VM, at most this long.
    #[must_use]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// Stops waiting before its time if it is not sent again within this one.
    #[must_use]
    pub fn with_repeat_within(self, repeat_within: Option<Duration>) -> Self {
        Self { repeat_within, ..self }
    }

    /// Uses the VM in a sandbox.
    #[must_use]
    pub fn with_sandbox(self, sandbox: Option<Sandbox>) -> Self {
        Self { sandbox, ..self }
    }

    /// Says what the lease is for.
    #[must_use]
    pub fn with_task(self, task: Option<TaskId>) -> Self {
        Self { task, ..self }
    }

    /// Sets how long the lease lasts without renewal.
    #[must_use]
    pub fn with_ttl(self, ttl: Option<Duration>) -> Self {
        Self { ttl, ..self }
    }
}

/// What is remembered of a request: while it waits, and for a while after it ended, so that a client
/// that lost the connection can repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The client's id of the request.
    pub id: RequestId,
    /// The pools that it may be served from, the one liked best first; if empty, any that has all `labels`.
    #[serde(alias = "pool", deserialize_with = "one_or_many")]
    pub pools: Vec<PoolName>,
    /// What the VMs' pool must be good for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<Label>,
    /// How many VMs, all at once or none.
    #[serde(default = "one")]
    pub count: u32,
    /// Who is served first: the higher number.
    #[serde(default)]
    pub priority: i32,
    /// Who will hold the lease.
    pub owner: Owner,
    /// The sandbox of the use.
    pub sandbox: Option<Sandbox>,
    /// What the lease is for.
    pub task: Option<TaskId>,
    /// How long the lease lasts without renewal.
    #[serde(with = "crate::time::duration_text")]
    pub ttl: Duration,
    /// When the request came.
    pub submitted_at: Timestamp,
    /// Its place in the queue: a number that grows with every request of the domain.
    pub order: u64,
    /// When it stops waiting, unless it is sent again if it must be.
    pub deadline: Timestamp,
    /// When it stops waiting however often it is sent again, if that is later than `deadline`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// It waits only until the VMs that are ready are checked: whoever sent it wanted to wait for no other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_once: bool,
    /// How it stands.
    pub status: RequestStatus,
}

/// How a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RequestStatus {
    /// It waits for a VM.
    Waiting,
    /// It was given leases, of which at least one lasts.
    Granted {
        /// All leases that it was given, those that ended included.
        #[serde(alias = "lease", deserialize_with = "one_or_many")]
        leases: Vec<LeaseId>,
        /// Those of them that ended, in that order; earlier versions did not write them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ended: Vec<EndedLease>,
    },
    /// It was given leases, which ended.
    Ended {
        /// The lease that ended last.
        lease: LeaseId,
        /// All leases that it was given, if they were several.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        leases: Vec<LeaseId>,
        /// The VM that was leased.
        vm: VmName,
        /// When the lease ended.
        at: Timestamp,
        /// How it ended.
        #[serde(default)]
        how: LeaseEnd,
        /// Those that ended before, in that order; earlier versions did not write them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        before: Vec<EndedLease>,
    },
    /// Somebody withdrew it before it was given a lease.
    Cancelled {
        /// When it was withdrawn.
        at: Timestamp,
        /// Who withdrew it, if they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Owner>,
    },
    /// Its time was over before it was given a lease.
    TimedOut {
        /// When its time was over.
        at: Timestamp,
    },
    /// It came to be one that nobody can ever serve, because a pool was drained or the configuration changed.
    TurnedAway {
        /// When it did.
        at: Timestamp,
        /// Why, for people.
        why: String,
    },
}

/// A lease of a request that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedLease {
    /// The lease.
    pub lease: LeaseId,
    /// The VM that was leased.
    pub vm: VmName,
    /// When it ended.
    pub at: Timestamp,
    /// How it ended.
    #[serde(default)]
    pub how: LeaseEnd,
}

impl RequestStatus {
    /// Returns the leases that it was given and that ended, the one that ended last coming last; earlier versions of vmpool
    /// wrote only that one.
    pub fn ended(&self) -> impl Iterator<Item = EndedLease> {
        let (before, last) = match self {
            Self::Granted { ended, .. } => (ended.as_slice(), None),
            Self::Ended { lease, vm, at, how, before, .. } => {
                let (lease, vm) = (lease.clone(), vm.clone());
                (before.as_slice(), Some(EndedLease { lease, vm, at: *at, how: *how }))
            }
            _ => (&[][..], None),
        };
        before.iter().cloned().chain(last)
    }

    /// Returns when the request was over, if it is: then it is only remembered.
    #[must_use]
    pub const fn over_at(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting | Self::Granted { .. } => None,
            Self::Ended { at, .. }
            | Self::Cancelled { at, .. }
            | Self::TimedOut { at }
            | Self::TurnedAway { at, .. } => Some(*at),
        }
    }
}

const fn one() -> u32 {
    1
}

/// Reads a list of names, or the one name that earlier versions wrote.
fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(OneOrMany(PhantomData))
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name or a list of names")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(vec![T::deserialize(StrDeserializer::new(text))?])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = seq.next_element()? {
            all.push(one);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_an_earlier_version_wrote_is_read() {
        let json = r#"{"id":"r1","pool":"small","owner":"ann","sandbox":null,"task":null,"ttl":"1m",
            "submitted_at":"2026-01-01T00:00:00Z","order":1,"deadline":"2026-01-01T00:00:00Z",
            "status":{"status":"granted","lease":"l1"}}"#;
        let request: RequestRecord = serde_json::from_str(json).unwrap();
        assert_eq!((request.pools, request.count), (vec![PoolName::new("small").unwrap()], 1));
        let leases = vec![LeaseId::new("l1").unwrap()];
        assert_eq!((request.status, request.until), (RequestStatus::Granted { leases, ended: vec![] }, None));
    }

    #[test]
    fn an_end_that_an_earlier_version_wrote_is_read() {
        let json = r#"{"status":"ended","lease":"l1","vm":"small-1","at":"2026-01-01T00:00:00Z"}"#;
        let status: RequestStatus = serde_json::from_str(json).unwrap();
        let ended: Vec<_> = status.ended().map(|ended| ended.lease.to_string()).collect();
        assert_eq!(ended, ["l1"]);
        assert!(matches!(status, RequestStatus::Ended { leases, .. } if leases.is_empty()));
    }

    #[test]
    fn a_request_that_nobody_knows_who_cancelled_is_read_as_it_was_written() {
        let json = r#"{"status":"cancelled","at":"1970-01-01T00:00:01Z"}"#;
        let status: RequestStatus = serde_json::from_str(json).unwrap();
        let at = Timestamp::from_millis(1000);
        assert_eq!((&status, status.over_at()), (&RequestStatus::Cancelled { at, by: None }, Some(at)));
        let written = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<RequestStatus>(&written).unwrap(), status);
    }
}
