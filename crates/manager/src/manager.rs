//! A running manager: its loop's owner.

use std::sync::Arc;

use tokio::task::JoinHandle;
use vmpool_store::Store;

use crate::{ManagerBuilder, ManagerHandle, Notice, StopError};

/// Owns the loop of one domain.
///
/// Dropping it ends the loop at once, like a crash: nothing is lost, because everything that was
/// answered is durable, and the next start goes on from the records.
/// [`ManagerHandle::shutdown`] ends it in good order.
#[derive(Debug)]
pub struct Manager {
    handle: ManagerHandle,
    notices: Vec<Notice>,
    task: JoinHandle<Result<(), StopError>>,
    end: Option<Result<(), StopError>>,
}

impl Manager {
    /// Says what to manage, beginning with where the records are.
    pub fn builder(store: Arc<dyn Store>) -> ManagerBuilder {
        ManagerBuilder::new(store)
    }

    /// Returns a handle to speak to the manager with.
    #[must_use]
    pub fn handle(&self) -> ManagerHandle {
        self.handle.clone()
    }

    /// Returns what an operator should know about the records that were found at the start; it is logged, too.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Waits until the manager has stopped.
    ///
    /// # Errors
    ///
    /// [`StopError`] if it stopped although nobody shut it down.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing; wait again at any time.
    pub async fn wait(&mut self) -> Result<(), StopError> {
        if self.end.is_none() {
            self.end = Some(match (&mut self.task).await {
                Ok(end) => end,
                Err(err) => Err(StopError::Broken { reason: err.to_string() }),
            });
        }
        self.end.clone().unwrap_or(Ok(()))
    }

    pub(crate) fn new(
        handle: ManagerHandle,
        notices: Vec<Notice>,
        task: JoinHandle<Result<(), StopError>>,
    ) -> Self {
        Self { handle, notices, task, end: None }
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.task.abort();
    }
}
