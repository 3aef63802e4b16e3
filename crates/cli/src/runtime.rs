//! The runtimes that commands run on.

use std::io;

use tokio::runtime::{Builder, Runtime};
use vmpool_api::exit;

use crate::failure::Failure;

/// Makes the runtime of a command that asks a daemon: one thread is enough.
pub(crate) fn small() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(failed)
}

/// Makes the runtime of a daemon: one thread per core.
#[cfg(feature = "serve")]
pub(crate) fn large() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn failed(err: io::Error) -> Failure {
    Failure::new(exit::FAILURE, format!("failed to start the runtime: {err}"))
}
