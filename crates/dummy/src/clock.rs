//! Where the cloud gets the time from.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use vmpool_model::Timestamp;

/// Tells the time to a cloud; tests pass one that they move themselves.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns the system's wall clock: the cloud's nodes live on while no process runs.
#[expect(clippy::disallowed_methods, reason = "the default clock of a simulated cloud is the system's")]
pub(crate) fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}
