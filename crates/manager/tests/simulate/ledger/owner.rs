//! Who owns the domain: only who has just proven it changes something in a cloud.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;
use vmpool_manager::store::Fence;

/// How old a proof may be: as long as the records are loaded after a claim.
const FRESH: Duration = Duration::from_secs(1);

/// What each manager was told by the store.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// The last claim of each manager.
    claims: BTreeMap<String, Fence>,
    /// When a manager was told last that a claim holds.
    proven: BTreeMap<Fence, Instant>,
}

impl Owners {
    /// A manager was told that it has the domain.
    pub(crate) fn claimed(&mut self, holder: &str, fence: Fence) {
        self.claims.insert(holder.to_owned(), fence);
        self.proven(fence);
    }

    /// A manager was told that its commit has happened.
    pub(crate) fn proven(&mut self, fence: Fence) {
        self.proven.insert(fence, Instant::now());
    }

    /// F7: who changes something in a cloud has just been told that it owns the domain.
    pub(crate) fn check_write(&self, manager: u64, what: &str) -> Result<(), String> {
        let fence = self.claims.get(&format!("manager {manager}"));
        let proven = fence.and_then(|fence| self.proven.get(fence));
        let age = proven.map(Instant::elapsed);
        match age.is_some_and(|age| age <= FRESH) {
            true => Ok(()),
            false => {
                Err(format!("F7: {what} by manager {manager}, which last proved its claim before {age:?}"))
            }
        }
    }
}
