//! Copr's errors.

use vmpool_api::code;

use crate::ClientError;

/// Copr's `VmError` and what is derived from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VmError {
    /// There is no VM that could be given at once; Copr's callers ask again later.
    #[error("{message}")]
    NoVmAvailable {
        /// Why, in the daemon's words.
        message: String,
    },
    /// There is no VM of this name in the groups.
    #[error("VM {vm_name} is not found in any group")]
    VmDescriptorNotFound {
        /// The name.
        vm_name: String,
    },
    /// A group may have no more VMs. Nothing returns it: the daemon spawns, and `vmpool explain` says what is in the way.
    #[error("group {group} may have no more VMs: {message}")]
    VmSpawnLimitReached {
        /// The group.
        group: u32,
        /// Which limit it is.
        message: String,
    },
    /// The state of the VM forbids it: Copr's plain `VmError`.
    #[error("VM {vm_name} is {state}: {message}")]
    WrongState {
        /// The VM.
        vm_name: String,
        /// Its state.
        state: String,
        /// Why that forbids it.
        message: String,
    },
    /// No pool has this number.
    #[error("there is no group {group}; the groups are {known:?}")]
    UnknownGroup {
        /// The number.
        group: u32,
        /// The numbers there are.
        known: Vec<u32>,
    },
    /// The daemon did not do it for another reason, or could not be reached.
    #[error(transparent)]
    Client(ClientError),
}

impl VmError {
    /// Sorts out why nothing was given: whatever may be otherwise later is [`NoVmAvailable`](Self::NoVmAvailable).
    pub(super) fn of_acquire(err: ClientError) -> Self {
        let later =
            [code::NO_VM, code::WAIT_TIMED_OUT, code::QUEUE_FULL, code::POOL_DRAINED, code::OWNER_LIMIT];
        match err.problem() {
            Some(problem) if later.iter().any(|code| problem.is(*code)) => {
                Self::NoVmAvailable { message: problem.detail.clone() }
            }
            _ => Self::Client(err),
        }
    }

    /// Says that there is no such VM, if that is why.
    pub(super) fn of_vm(vm_name: &str) -> impl FnOnce(ClientError) -> Self {
        move |err| match err.problem().is_some_and(|problem| problem.is(code::UNKNOWN_VM)) {
            true => Self::VmDescriptorNotFound { vm_name: vm_name.to_owned() },
            false => Self::Client(err),
        }
    }
}

impl From<ClientError> for VmError {
    fn from(err: ClientError) -> Self {
        Self::Client(err)
    }
}
