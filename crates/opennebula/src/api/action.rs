//! What can be done with a VM, by name and by number.

/// An action on a VM that needs nothing but the VM.
///
/// Which states allow it is the server's decision; the documentation says what was seen.
/// The names that older versions had are noted with what replaced them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Ends it; a running one is shut down by its guest first. `shutdown` before 5.0.
    Terminate,
    /// Ends it at once. `cancel` before 4.0, `shutdown-hard` before 5.0.
    TerminateHard,
    /// Shuts a running one down and moves its disks off the host.
    Undeploy,
    /// Switches a running one off and moves its disks off the host.
    UndeployHard,
    /// Shuts a running one down and keeps it on its host.
    Poweroff,
    /// Switches a running one off and keeps it on its host.
    PoweroffHard,
    /// Lets the guest reboot.
    Reboot,
    /// Resets it. `reset` before 4.0.
    RebootHard,
    /// Keeps a pending one from being placed.
    Hold,
    /// Lets a held one be placed.
    Release,
    /// Saves the memory of a running one and moves everything off the host.
    Stop,
    /// Saves the memory of a running one on its host.
    Suspend,
    /// Starts one that is stopped, suspended, powered off, undeployed or unknown. `restart` and `boot` before 4.14.
    Resume,
    /// Asks for a better host.
    Resched,
    /// Takes the wish for a better host back.
    Unresched,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 15] = [
        Self::Terminate,
        Self::TerminateHard,
        Self::Undeploy,
        Self::UndeployHard,
        Self::Poweroff,
        Self::PoweroffHard,
        Self::Reboot,
        Self::RebootHard,
        Self::Hold,
        Self::Release,
        Self::Stop,
        Self::Suspend,
        Self::Resume,
        Self::Resched,
        Self::Unresched,
    ];

    /// Returns the name by which the server knows the action.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terminate => "terminate",
            Self::TerminateHard => "terminate-hard",
            Self::Undeploy => "undeploy",
            Self::UndeployHard => "undeploy-hard",
            Self::Poweroff => "poweroff",
            Self::PoweroffHard => "poweroff-hard",
            Self::Reboot => "reboot",
            Self::RebootHard => "reboot-hard",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Stop => "stop",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Resched => "resched",
            Self::Unresched => "unresched",
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How to get a VM out of a state in which it is stuck; needs the right to administer the VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecoverOperation {
    /// Takes what is under way for failed.
    Failure,
    /// Takes what is under way for done.
    Success,
    /// Does what failed once more. `boot` before 4.14.
    Retry,
    /// Deletes the VM, in any state. `delete`, and `finalize` before 4.0.
    Delete,
    /// Deletes what there is of the VM and makes it anew, under the same id. `resubmit`, `delete-recreate`.
    Recreate,
    /// Deletes the VM in the database alone.
    DeleteRecord,
}

impl RecoverOperation {
    /// Returns the number by which the server knows the operation.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Failure => 0,
            Self::Success => 1,
            Self::Retry => 2,
            Self::Delete => 3,
            Self::Recreate => 4,
            Self::DeleteRecord => 5,
        }
    }
}

/// What becomes of the attributes that an update does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpdateMode {
    /// They are dropped, also those that the server and others put there.
    Replace,
    /// They are kept.
    Merge,
}

impl UpdateMode {
    /// Returns the number by which the server knows the mode.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Replace => 0,
            Self::Merge => 1,
        }
    }
}

/// What a lock keeps from being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockLevel {
    /// Everything that needs the right to use the VM, or more.
    Use,
    /// Everything that needs the right to manage the VM, or more.
    Manage,
    /// Everything that needs the right to administer the VM.
    Admin,
    /// Everything.
    All,
}

impl LockLevel {
    /// Returns the number by which the server knows the level.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Use => 1,
            Self::Manage => 2,
            Self::Admin => 3,
            Self::All => 4,
        }
    }
}
