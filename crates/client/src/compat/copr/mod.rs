//! The calls of Copr's `VmManager`, over the daemon's HTTP API.
//!
//! A program that uses `VmManager` keeps its calls and their meaning: [`VmManager`] has them as they were last, and
//! [`VmManager::generation_a`] as its documentation describes them.
//! docs/compat-copr.md says what stands for what, and where vmpool does otherwise.
//!
//! ```
//! # use vmpool_client::{Client, ClientError, compat::copr::{Job, VmError, VmManager}};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = VmManager::new(Client::new("http://127.0.0.1:1")?, [(0, "x86"), (1, "ppc64le")]);
//! assert_eq!(manager.vm_groups(), [0, 1]);
//! let job = Job::new("17-fedora-30").with_build_id("17").with_chroot("fedora-30-x86_64");
//! let asked = manager.acquire_vm(&[0], "frostyx", "frostyx/copr--1", 4711, &job).await;
//! // Nobody listens at port 1; a daemon would have given a VM or said `NoVmAvailable`.
//! assert!(matches!(asked, Err(VmError::Client(ClientError::Unreachable { .. }))));
//! # Ok(())
//! # }
//! ```
//!
//! # What became of the rest
//!
//! | there | here |
//! |---|---|
//! | `pid`, and a worker that is gone | a lease that is not renewed ends: [`VmManager::renew_vm`], [`VmManager::with_ttl`] |
//! | `add_vm_to_pool` | the daemon makes the VMs of a pool, and each appears by itself |
//! | `mark_vm_check_failed` | the daemon checks VMs; to get rid of one, terminate it |
//! | `mark_server_start` | the daemon's start is its own: [`VmManager::server_start_timestamp`] |
//! | `write_vm_pool_info`, `read_vm_pool_info` | the daemon knows when it spawned last; the events tell |
//! | `set_logger`, `post_init` | nothing is to be done |
//! | `VmDescriptor.store`, `store_field` | the daemon alone writes records |

mod acquire;
mod descriptor;
mod error;
mod generation_a;
mod info;
mod job;
mod look;
mod terminate;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

pub use self::{
    descriptor::{VmDescriptor, states},
    error::VmError,
    generation_a::GenerationA,
    job::Job,
};
use crate::Client;

/// Copr's `VmManager` as a client of the daemon; groups are numbers there, and pools have names here.
///
/// A VM of a pool that has no number is not seen.
#[derive(Debug)]
pub struct VmManager {
    client: Client,
    groups: BTreeMap<u32, String>,
    ttl: Option<Duration>,
    /// The leases that were given to this client, by the names of their VMs.
    leases: Mutex<BTreeMap<String, Given>>,
}

/// A lease that was given to this client.
#[derive(Debug, Clone)]
struct Given {
    lease: String,
    fence: u64,
}

impl VmManager {
    /// Makes a client that calls pools by these numbers.
    pub fn new(client: Client, groups: impl IntoIterator<Item = (u32, impl Into<String>)>) -> Self {
        let groups = groups.into_iter().map(|(group, pool)| (group, pool.into())).collect();
        Self { client, groups, ttl: None, leases: Mutex::default() }
    }

    /// Sets how long a VM is given for without [`renew_vm`](Self::renew_vm); the pool's time if it is not set.
    ///
    /// Copr knows no such time: whoever cannot renew asks for as much as a build may take.
    #[must_use]
    pub fn with_ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// Returns the numbers of the groups.
    #[must_use]
    pub fn vm_groups(&self) -> Vec<u32> {
        self.groups.keys().copied().collect()
    }

    /// Returns the client of the daemon, for what Copr had no call for.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Calls as the first generation did, which the documentation of Copr describes.
    #[must_use]
    pub fn generation_a(&self) -> GenerationA<'_> {
        GenerationA::new(self)
    }

    fn pool(&self, group: u32) -> Result<&str, VmError> {
        let known = || self.vm_groups();
        self.groups
            .get(&group)
            .map(String::as_str)
            .ok_or_else(|| VmError::UnknownGroup { group, known: known() })
    }

    fn group(&self, pool: &str) -> Option<u32> {
        self.groups.iter().find(|(_, name)| name.as_str() == pool).map(|(group, _)| *group)
    }

    fn remember(&self, vm: &str, given: Given) {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).insert(vm.to_owned(), given);
    }

    fn remembered(&self, vm: &str) -> Option<Given> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).get(vm).cloned()
    }

    fn forget(&self, vm: &str) {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).remove(vm);
    }
}
