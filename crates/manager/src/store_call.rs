//! Calls to the store, each in a task of its own and within its time.

use std::{future::Future, time::Duration};

use vmpool_store::StoreError;

/// How long a store may take; longer means that it hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// Makes a call to the store; a panic or a time-out is an error whose effect is unknown.
pub(crate) async fn call<T: Send + 'static>(
    operation: &'static str,
    call: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let source: Box<dyn std::error::Error + Send + Sync> =
        match tokio::time::timeout(LIMIT, tokio::spawn(call)).await {
            Ok(Ok(result)) => return result,
            Ok(Err(err)) => err.into(),
            Err(err) => err.into(),
        };
    Err(StoreError::Io { place: "the store".to_owned(), operation, unknown: true, source })
}
