//! What the suite needs to know about a store.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use vmpool_model::DomainName;
use vmpool_store::{RecordKind, Store, StoreError};

/// How a rule ends; an error or a panic breaks it.
pub type RuleResult = Result<(), Box<dyn Error + Send + Sync>>;

/// A place where one store keeps its records; empty when the harness is made.
#[async_trait]
pub trait StoreHarness: Send {
    /// Opens the store in the harness' place, or opens it again.
    ///
    /// The suite drops every store that it got before it opens it again.
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError>;

    /// Damages a record behind the back of the store, so that it cannot be read; returns whether that was possible.
    ///
    /// The suite drops every store that it got before. Default: it is not possible, and the rules about that say nothing.
    async fn damage(&mut self, domain: &DomainName, kind: RecordKind, id: &str) -> bool {
        let _ = (domain, kind, id);
        false
    }
}

/// Runs a rule to its end on a runtime of its own.
///
/// # Errors
///
/// The rule's, or that of starting the runtime.
pub fn run(rule: impl Future<Output = RuleResult>) -> RuleResult {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(rule)
}
