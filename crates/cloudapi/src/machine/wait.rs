//! Waiting for the state of a machine, which always ends.

use std::time::Duration;

use tokio::time::Instant;
use vmpool_model::{FailureKind, format_duration, states::cloudapi::MachineState};

use super::Machine;
use crate::client::CloudApiError;

/// How often and how long to look.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitOptions {
    /// How long to wait between two looks; longer if the server asks for it. Default: 2 s.
    pub interval: Duration,
    /// How long to wait altogether. Default: 10 min.
    pub timeout: Duration,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self { interval: Duration::from_secs(2), timeout: Duration::from_secs(600) }
    }
}

impl WaitOptions {
    /// Chooses how long to wait between two looks.
    #[must_use]
    pub fn with_interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Chooses how long to wait altogether.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

/// Says why a wait ended without what was waited for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The server could not be asked, for a reason that waiting does not mend.
    #[error(transparent)]
    Call(#[from] CloudApiError),
    /// The state can no longer come.
    #[error("machine {id} is {state}, and from there it never becomes {awaited}")]
    Never {
        /// The machine.
        id: String,
        /// Its state.
        state: MachineState,
        /// The state that was waited for.
        awaited: MachineState,
    },
    /// The state did not come in time.
    #[error("machine {id} is still {state} after {}; its audit tells whether an action failed", format_duration(*.after))]
    TimedOut {
        /// The machine.
        id: String,
        /// Its state as last seen.
        state: MachineState,
        /// How long the wait was.
        after: Duration,
        /// Why the last look failed, if it did.
        source: Option<CloudApiError>,
    },
}

impl Machine {
    /// Waits until the machine is in a state; it then shows that state.
    ///
    /// A look that fails for a temporary reason is repeated. Unlike in the original, the wait ends: with an error when the state
    /// can no longer come, and when the time is over.
    ///
    /// # Errors
    ///
    /// [`WaitError`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is changed, so the future can be dropped at any time.
    pub async fn wait_until(
        &mut self,
        awaited: &MachineState,
        options: &WaitOptions,
    ) -> Result<(), WaitError> {
        let never = |state: &MachineState| never(state, awaited);
        self.wait(|state| state == awaited, never, awaited, options).await
    }

    /// Waits while the machine is in a state; it then shows the next one.
    ///
    /// # Errors
    ///
    /// [`WaitError`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is changed, so the future can be dropped at any time.
    pub async fn wait_while(&mut self, state: &MachineState, options: &WaitOptions) -> Result<(), WaitError> {
        let never = |seen: &MachineState| *seen == MachineState::Deleted;
        self.wait(|seen| seen != state, never, state, options).await
    }

    async fn wait(
        &mut self,
        done: impl Fn(&MachineState) -> bool,
        never: impl Fn(&MachineState) -> bool,
        awaited: &MachineState,
        options: &WaitOptions,
    ) -> Result<(), WaitError> {
        let end = Instant::now() + options.timeout;
        loop {
            let (failure, pause) = match self.refresh().await {
                Ok(machine) if done(&machine.state) => return Ok(()),
                Ok(machine) if never(&machine.state) => {
                    let (id, state) = (machine.id.clone(), machine.state.clone());
                    return Err(WaitError::Never { id, state, awaited: awaited.clone() });
                }
                Ok(_) => (None, options.interval),
                Err(err) if err.kind.is_temporary() || err.kind == FailureKind::Other => {
                    let pause = err.retry_after.unwrap_or_default().max(options.interval);
                    (Some(err), pause)
                }
                Err(err) => return Err(err.into()),
            };
            let now = Instant::now();
            if end <= now {
                let (id, state) = (self.data.id.clone(), self.data.state.clone());
                return Err(WaitError::TimedOut { id, state, after: options.timeout, source: failure });
            }
            rest(pause.max(Duration::from_millis(1)).min(end - now)).await;
        }
    }
}

/// Returns whether a state never comes after another one.
fn never(state: &MachineState, awaited: &MachineState) -> bool {
    match (state, awaited) {
        (MachineState::Deleted, _) => true,
        // Who could not be created can only be deleted.
        (MachineState::Failed, MachineState::Deleted) => false,
        (MachineState::Failed, _) => true,
        // Both are at the beginning of a life.
        (
            MachineState::Running | MachineState::Stopped | MachineState::Stopping | MachineState::Ready,
            awaited,
        ) => {
            matches!(awaited, MachineState::Provisioning | MachineState::Failed)
        }
        _ => false,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "waiting for a machine is the point, and tests pause the clock"
)]
async fn rest(time: Duration) {
    tokio::time::sleep(time).await;
}
