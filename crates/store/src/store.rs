//! The contract that every store keeps.

use async_trait::async_trait;
use vmpool_model::DomainName;

use crate::{Batch, Claim, Committed, Cursor, EventPage, Snapshot, StoreError};

/// Keeps the records and the history of domains.
///
/// # Contract
///
/// * [`commit`](Self::commit) is atomic (all of the batch or nothing), durable before it returns (it
///   survives `kill -9` and power loss), fenced (a claim that was superseded writes nothing), and a
///   compare-and-set on the domain's revision.
/// * A commit that fails with [`StoreError::is_unknown`] may have happened: load again before going on.
///   Any other failure changed nothing.
/// * [`load`](Self::load) shows everything committed and nothing else.
/// * Events get cursors that grow without end, in the order of their commits.
///
/// Every store must pass `vmpool_testkit::store_suite!`.
///
/// # Cancel safety
///
/// Dropping the future of a commit abandons the answer: the commit may still happen as a whole.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Takes the ownership of a domain; whoever owned it before cannot write to it any more.
    ///
    /// The claim's fence is greater than that of any claim before, across restarts. `holder` says
    /// for people who it is, such as a host and a process id.
    ///
    /// # Errors
    ///
    /// If the claim could not be made durable.
    async fn claim(&self, domain: &DomainName, holder: &str) -> Result<Claim, StoreError>;

    /// Loads all records of a domain.
    ///
    /// A record that is damaged, or that a newer version wrote, is told among [`Snapshot::unreadable`] and left as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] or [`StoreError::NewerVersion`] if what there is only once cannot be read: the installation
    /// and what the store keeps of the domain itself.
    async fn load(&self, domain: &DomainName) -> Result<Snapshot, StoreError>;

    /// Applies a batch, whole, durably and once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if the claim was superseded, [`StoreError::Conflict`] if the domain is
    /// not at the revision that the batch expects; others if the disk or the server fails.
    async fn commit(&self, claim: &Claim, batch: Batch) -> Result<Committed, StoreError>;

    /// Proves that a claim still holds, and changes nothing.
    ///
    /// The proof is about one moment between the call and the answer. At that moment nothing had been committed but under
    /// this claim or one before it, so whoever remembers all of these commits knows the records. It costs no sync.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if the claim was superseded or never made; others if that cannot be read.
    async fn prove(&self, claim: &Claim) -> Result<(), StoreError>;

    /// Returns whether there is little room left: what was set aside for this case is in use.
    ///
    /// Whoever can do without new records should: then what ends can still be written. A store that sets no room aside is
    /// never short; it fails with [`StoreError::Full`] at once. It may have changed after each commit.
    fn is_short(&self) -> bool {
        false
    }

    /// Reads at most `limit` events after a cursor, oldest first.
    ///
    /// An event that is damaged, or that a newer version wrote, is shown as one of an unknown kind that says why.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    async fn events(&self, domain: &DomainName, after: Cursor, limit: usize)
    -> Result<EventPage, StoreError>;
}

/// Shows that the trait can be used as an object.
const _: fn(&dyn Store) = |_| {};
