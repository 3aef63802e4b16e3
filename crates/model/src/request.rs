//! Asking for a VM: what a client sends, and what is remembered of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{LeaseId, Owner, PoolName, RequestId, Sandbox, TaskId, Timestamp, VmName};

/// What a client asks for when it wants a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acquire {
    /// The client's own id: the same id again is the same request, and yields the same lease.
    pub request: RequestId,
    /// The pool.
    pub pool: PoolName,
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
}

impl Acquire {
    /// Makes a request that fails at once if no VM is ready.
    #[must_use]
    pub fn new(request: RequestId, pool: PoolName, owner: Owner) -> Self {
        Self { request, pool, owner, sandbox: None, task: None, ttl: None, wait: Duration::ZERO }
    }

    /// Waits for a VM, at most this long.
    #[must_use]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
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
    /// The pool.
    pub pool: PoolName,
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
    /// When it stops waiting.
    pub deadline: Timestamp,
    /// How it stands.
    pub status: RequestStatus,
}

/// How a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RequestStatus {
    /// It waits for a VM.
    Waiting,
    /// It was given a lease, which lasts.
    Granted {
        /// The lease.
        lease: LeaseId,
    },
    /// It was given a lease, which ended.
    Ended {
        /// The lease.
        lease: LeaseId,
        /// The VM that was leased.
        vm: VmName,
        /// When the lease ended.
        at: Timestamp,
    },
}
