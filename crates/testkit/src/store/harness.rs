//! What the suite needs to know about a store.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use vmpool_store::{Store, StoreError};

/// How a rule ends; an error or a panic breaks it.
pub type RuleResult = Result<(), Box<dyn Error + Send + Sync>>;

/// A place where one store keeps its records; empty when the harness is made.
#[async_trait]
pub trait StoreHarness: Send {
    /// Opens the store in the harness' place, or opens it again.
    ///
    /// The suite drops every store that it got before it opens it again.
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError>;
}

/// Runs a rule to its end on a runtime of its own.
///
/// # Errors
///
/// The rule's, or that of starting the runtime.
pub fn run(rule: impl Future<Output = RuleResult>) -> RuleResult {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(rule)
}
