//! SIGINT and SIGTERM, as things to wait for.

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use vmpool_api::exit;

use crate::failure::Failure;

/// The signals that ask vmpool to end.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Begins to catch the signals; from now on they no longer end the process by themselves.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let catch = |kind| signal(kind).map_err(not_caught);
        Ok(Self { interrupt: catch(SignalKind::interrupt())?, terminate: catch(SignalKind::terminate())? })
    }

    /// Waits for the next signal.
    ///
    /// Cancel safe: no signal is lost.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
        }
    }
}

/// The signal that asks a daemon to read its configuration again.
#[cfg(feature = "serve")]
#[derive(Debug)]
pub(crate) struct Hangup(tokio::signal::unix::Signal);

#[cfg(feature = "serve")]
impl Hangup {
    /// Begins to catch it; from now on it no longer ends the process.
    pub(crate) fn catch() -> Result<Self, Failure> {
        signal(SignalKind::hangup()).map(Self).map_err(not_caught)
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// Returns the exit code of a process that a signal ended, as shells count it: 128 + n.
pub(crate) fn exit_code(signal: i32) -> u8 {
    u8::try_from(signal.saturating_add(128)).unwrap_or(u8::MAX)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn not_caught(err: io::Error) -> Failure {
    Failure::new(exit::FAILURE, format!("failed to catch signals: {err}"))
}
