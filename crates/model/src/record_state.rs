//! The states of a VM record and the one function that owns their legal transitions.

use serde::{Deserialize, Serialize};

/// The state of a VM in its pool; not the state of its node in its cloud.
///
/// Source of the names: Copr's `VmStates`; `spawning`, `releasing` and `held` are ours, because
/// there a VM had no record before it ran, was not cleaned, and could not be kept for debugging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// The VM was asked for, or is about to be; its node may or may not exist yet.
    Spawning,
    /// The node runs and has an address; it was not checked yet.
    GotIp,
    /// A health check runs.
    CheckHealth,
    /// The last health check failed.
    CheckHealthFailed,
    /// The VM can be leased.
    Ready,
    /// The VM is leased.
    InUse,
    /// The lease ended, and a hook cleans the VM.
    Releasing,
    /// The VM is kept for debugging, and neither leased nor destroyed.
    Held,
    /// The VM is being destroyed; the record stays until the node is proven gone.
    Terminating,
}

impl RecordState {
    /// All states, in the order of a VM's life.
    pub const ALL: [Self; 9] = [
        Self::Spawning,
        Self::GotIp,
        Self::CheckHealth,
        Self::CheckHealthFailed,
        Self::Ready,
        Self::InUse,
        Self::Releasing,
        Self::Held,
        Self::Terminating,
    ];

    /// Returns the state as text, such as `got_ip`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spawning => "spawning",
            Self::GotIp => "got_ip",
            Self::CheckHealth => "check_health",
            Self::CheckHealthFailed => "check_health_failed",
            Self::Ready => "ready",
            Self::InUse => "in_use",
            Self::Releasing => "releasing",
            Self::Held => "held",
            Self::Terminating => "terminating",
        }
    }

    /// Returns whether the VM is on its way to `ready` for the first time.
    #[must_use]
    pub fn is_starting(self) -> bool {
        matches!(self, Self::Spawning | Self::GotIp)
    }

    /// Returns the state after `transition` from `from`; `None` stands for "no record".
    ///
    /// This is the only place that says which transitions are legal: engine, recovery and tests ask here.
    ///
    /// # Errors
    ///
    /// [`IllegalTransition`] if the transition is not allowed from that state; nothing changes then.
    ///
    /// ```
    /// use vmpool_model::{RecordState, Transition};
    /// let ready = Some(RecordState::Ready);
    /// assert_eq!(RecordState::next(ready, Transition::Acquire), Ok(Some(RecordState::InUse)));
    /// assert!(RecordState::next(None, Transition::Acquire).is_err());
    /// ```
    pub fn next(from: Option<Self>, transition: Transition) -> Result<Option<Self>, IllegalTransition> {
        use Transition as T;
        let illegal = Err(IllegalTransition { from, transition });
        let Some(state) = from else {
            return match transition {
                T::Intend => Ok(Some(Self::Spawning)),
                _ => illegal,
            };
        };
        let to = match (state, transition) {
            (Self::Spawning, T::GetIp) | (Self::Held, T::Unhold) => Self::GotIp,
            // Nothing was made, so there is nothing to destroy.
            (Self::Spawning, T::NotCreated) | (Self::Terminating, T::Vanish) => return Ok(None),
            (Self::GotIp | Self::Ready | Self::CheckHealthFailed, T::StartCheck) => Self::CheckHealth,
            (Self::CheckHealth, T::PassCheck) | (Self::InUse | Self::Releasing, T::Release) => Self::Ready,
            (Self::CheckHealth, T::FailCheck) | (Self::InUse | Self::Releasing, T::ReleaseUnwell) => {
                Self::CheckHealthFailed
            }
            (Self::InUse | Self::Held, T::StartRelease) => Self::Releasing,
            (Self::Ready, T::Acquire) => Self::InUse,
            (Self::GotIp | Self::CheckHealthFailed | Self::Ready | Self::InUse, T::Hold) => Self::Held,
            (Self::Terminating, T::Terminate) => return illegal,
            (_, T::Terminate) => Self::Terminating,
            _ => return illegal,
        };
        Ok(Some(to))
    }
}

impl std::fmt::Display for RecordState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for RecordState {
    type Err = UnknownRecordState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Self::ALL.into_iter().find(|state| state.as_str() == text) {
            Some(state) => Ok(state),
            None => Err(UnknownRecordState(text.chars().take(80).collect())),
        }
    }
}

/// Says that a text names no state of a VM record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no VM state; the states are spawning, got_ip, check_health, check_health_failed, ready, in_use, \
     releasing, held and terminating"
)]
pub struct UnknownRecordState(String);

/// What can happen to a VM record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// The pool decides to make a VM.
    Intend,
    /// The node is known not to exist, and will not be made.
    NotCreated,
    /// The node runs and has an address.
    GetIp,
    /// A health check begins.
    StartCheck,
    /// The health check passed.
    PassCheck,
    /// The health check failed, or took too long.
    FailCheck,
    /// The VM is leased.
    Acquire,
    /// The lease ended, or the VM need not be kept after it any more, and a hook cleans the VM.
    StartRelease,
    /// The lease ended, and the VM is clean if it was to be cleaned: it may be used again.
    Release,
    /// The lease ended while checks of the VM failed, or the VM was held since: it is checked before it is used.
    ReleaseUnwell,
    /// The VM is to be kept for debugging.
    Hold,
    /// The VM need not be kept any more.
    Unhold,
    /// The VM is to be destroyed.
    Terminate,
    /// The node is proven gone.
    Vanish,
}

impl Transition {
    /// All transitions.
    pub const ALL: [Self; 14] = [
        Self::Intend,
        Self::NotCreated,
        Self::GetIp,
        Self::StartCheck,
        Self::PassCheck,
        Self::FailCheck,
        Self::Acquire,
        Self::StartRelease,
        Self::Release,
        Self::ReleaseUnwell,
        Self::Hold,
        Self::Unhold,
        Self::Terminate,
        Self::Vanish,
    ];
}

/// Says that a transition is not allowed from a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a VM that is {} cannot {transition:?}", .from.map_or("not recorded", RecordState::as_str))]
pub struct IllegalTransition {
    /// The state before; `None` stands for "no record".
    pub from: Option<RecordState>,
    /// What was tried.
    pub transition: Transition,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every legal transition, written out: anything else must be refused.
    const LEGAL: &[(&str, Transition, &str)] = &[
        ("-", Transition::Intend, "spawning"),
        ("spawning", Transition::NotCreated, "-"),
        ("spawning", Transition::GetIp, "got_ip"),
        ("spawning", Transition::Terminate, "terminating"),
        ("got_ip", Transition::StartCheck, "check_health"),
        ("got_ip", Transition::Hold, "held"),
        ("got_ip", Transition::Terminate, "terminating"),
        ("check_health", Transition::PassCheck, "ready"),
        ("check_health", Transition::FailCheck, "check_health_failed"),
        ("check_health", Transition::Terminate, "terminating"),
        ("check_health_failed", Transition::StartCheck, "check_health"),
        ("check_health_failed", Transition::Hold, "held"),
        ("check_health_failed", Transition::Terminate, "terminating"),
        ("ready", Transition::StartCheck, "check_health"),
        ("ready", Transition::Acquire, "in_use"),
        ("ready", Transition::Hold, "held"),
        ("ready", Transition::Terminate, "terminating"),
        ("in_use", Transition::StartRelease, "releasing"),
        ("in_use", Transition::Release, "ready"),
        ("in_use", Transition::ReleaseUnwell, "check_health_failed"),
        ("in_use", Transition::Hold, "held"),
        ("in_use", Transition::Terminate, "terminating"),
        ("releasing", Transition::Release, "ready"),
        ("releasing", Transition::ReleaseUnwell, "check_health_failed"),
        ("releasing", Transition::Terminate, "terminating"),
        ("held", Transition::Unhold, "got_ip"),
        ("held", Transition::StartRelease, "releasing"),
        ("held", Transition::Terminate, "terminating"),
        ("terminating", Transition::Vanish, "-"),
    ];

    #[test]
    fn exactly_the_listed_transitions_are_legal() {
        let states = std::iter::once(None).chain(RecordState::ALL.map(Some));
        for from in states {
            for transition in Transition::ALL {
                let name = |state: Option<RecordState>| state.map_or("-", RecordState::as_str);
                let listed = LEGAL.iter().find(|row| row.0 == name(from) && row.1 == transition);
                let found = RecordState::next(from, transition).ok().map(name);
                assert_eq!(found, listed.map(|row| row.2), "{from:?} {transition:?}");
            }
        }
    }

    #[test]
    fn the_states_that_copr_had_keep_its_names() {
        let copr = [
            (RecordState::GotIp, "got_ip"),
            (RecordState::CheckHealth, "check_health"),
            (RecordState::CheckHealthFailed, "check_health_failed"),
            (RecordState::Ready, "ready"),
            (RecordState::InUse, "in_use"),
            (RecordState::Terminating, "terminating"),
        ];
        for (state, name) in copr {
            assert_eq!(state.to_string(), name);
        }
    }

    #[test]
    fn an_illegal_transition_says_from_which_state_what_was_tried() {
        let err = RecordState::next(Some(RecordState::Spawning), Transition::Acquire).unwrap_err();
        assert_eq!(err.to_string(), "a VM that is spawning cannot Acquire");
    }

    #[test]
    fn every_state_survives_its_text() {
        for state in RecordState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    #[test]
    fn c4_and_c5_only_a_running_check_can_fail() {
        for state in RecordState::ALL {
            let failed = RecordState::next(Some(state), Transition::FailCheck);
            assert_eq!(failed.is_ok(), state == RecordState::CheckHealth, "{state}");
        }
    }

    #[test]
    fn c16_only_a_ready_vm_is_leased() {
        for state in RecordState::ALL {
            let leased = RecordState::next(Some(state), Transition::Acquire);
            assert_eq!(leased.is_ok(), state == RecordState::Ready, "{state}");
        }
    }

    #[test]
    fn c23_only_a_terminating_vm_is_removed_after_it_existed() {
        for state in RecordState::ALL {
            let removed = RecordState::next(Some(state), Transition::Vanish);
            assert_eq!(removed == Ok(None), state == RecordState::Terminating, "{state}");
        }
    }
}
