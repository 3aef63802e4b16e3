//! Which call is taken in which state, and where it leads: the matrix that was measured on a real server.

use vmpool_model::states::opennebula::{LcmState as Lcm, VmState};

use super::place::{
    CLONING, CLONING_FAILURE, DONE, HOLD, PENDING, POWEROFF, Place, RUNNING, STOPPED, SUSPENDED, UNDEPLOYED,
    UNKNOWN, failure, success,
};

/// The actions of `one.vm.action`, each of which is refused in some state by a text of its own.
pub(crate) const ACTIONS: [&str; 15] = [
    "terminate",
    "terminate-hard",
    "undeploy",
    "undeploy-hard",
    "poweroff",
    "poweroff-hard",
    "reboot",
    "reboot-hard",
    "hold",
    "release",
    "stop",
    "suspend",
    "resume",
    "resched",
    "unresched",
];

/// Returns where an action leads from a place, which may be that place; nothing if it is refused there.
pub(crate) fn act(action: &str, place: Place) -> Option<Place> {
    let to = |lcm| Some(Place::active(lcm));
    match action {
        "terminate" => terminate(place),
        "terminate-hard" if place == Place::active(Lcm::Shutdown) => to(Lcm::Epilog),
        "terminate-hard" => terminate(place),
        "undeploy" | "undeploy-hard" => match place {
            RUNNING | UNKNOWN => to(Lcm::ShutdownUndeploy),
            POWEROFF => to(Lcm::EpilogUndeploy),
            _ if action == "undeploy-hard" && place == Place::active(Lcm::ShutdownUndeploy) => {
                to(Lcm::EpilogUndeploy)
            }
            _ => None,
        },
        "poweroff" | "poweroff-hard" => match place {
            RUNNING | UNKNOWN => to(Lcm::ShutdownPoweroff),
            _ if action == "poweroff-hard" && place == Place::active(Lcm::ShutdownPoweroff) => Some(POWEROFF),
            _ => None,
        },
        "reboot" | "reboot-hard" => (place == RUNNING).then_some(place),
        "hold" => (place == PENDING).then_some(HOLD),
        "release" => (place == HOLD).then_some(PENDING),
        "stop" => match place {
            RUNNING => to(Lcm::SaveStop),
            SUSPENDED => to(Lcm::EpilogStop),
            _ => None,
        },
        "suspend" => {
            if place == RUNNING {
                to(Lcm::SaveSuspend)
            } else {
                None
            }
        }
        "resume" => match place {
            UNKNOWN => to(Lcm::BootUnknown),
            SUSPENDED => to(Lcm::BootSuspended),
            POWEROFF => to(Lcm::BootPoweroff),
            STOPPED | UNDEPLOYED => Some(PENDING),
            _ => None,
        },
        "resched" | "unresched" => matches!(place, RUNNING | UNKNOWN | POWEROFF).then_some(place),
        _ => None,
    }
}

fn terminate(place: Place) -> Option<Place> {
    match place {
        CLONING | CLONING_FAILURE | PENDING | HOLD | DONE => Some(DONE),
        RUNNING | UNKNOWN => Some(Place::active(Lcm::Shutdown)),
        STOPPED | SUSPENDED | POWEROFF | UNDEPLOYED => Some(Place::active(Lcm::Epilog)),
        _ if place.is_failure() => Some(Place::active(Lcm::CleanupDelete)),
        _ => None,
    }
}

/// Returns whether a VM can be deployed; where that leads depends on where it comes from.
pub(crate) fn can_deploy(place: Place) -> bool {
    matches!(place, PENDING | HOLD | STOPPED | UNDEPLOYED)
}

/// Returns where a migration leads.
pub(crate) fn migrate(place: Place, is_live: bool) -> Option<Place> {
    Some(Place::active(match place {
        RUNNING if is_live => Lcm::Migrate,
        RUNNING => Lcm::SaveMigrate,
        UNKNOWN => Lcm::PrologMigrateUnknown,
        SUSPENDED => Lcm::PrologMigrateSuspend,
        POWEROFF => Lcm::PrologMigratePoweroff,
        _ => return None,
    }))
}

/// An operation of `one.vm.recover`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    Failure,
    Success,
    Retry,
    Delete,
    Recreate,
    DeleteRecord,
}

impl Recovery {
    pub(crate) fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Failure,
            1 => Self::Success,
            2 => Self::Retry,
            3 => Self::Delete,
            4 => Self::Recreate,
            5 => Self::DeleteRecord,
            _ => return None,
        })
    }
}

/// Returns where a recovery leads.
pub(crate) fn recover(recovery: Recovery, place: Place) -> Option<Place> {
    match recovery {
        Recovery::Failure => match place {
            CLONING_FAILURE | RUNNING => Some(place),
            UNKNOWN => Some(RUNNING),
            _ if place.is_failure() => Some(place),
            _ => place.active_lcm().and_then(failure),
        },
        Recovery::Success => match place {
            CLONING_FAILURE | RUNNING => Some(place),
            UNKNOWN => Some(RUNNING),
            _ => place.active_lcm().and_then(|lcm| after_failure(lcm).or_else(|| success(lcm))),
        },
        Recovery::Retry => match place {
            RUNNING | UNKNOWN => Some(place),
            Place { state: VmState::Active, lcm: Lcm::Prolog | Lcm::BootFailure } => {
                Some(Place::active(Lcm::Boot))
            }
            Place { state: VmState::Active, lcm: Lcm::PrologFailure } => Some(Place::active(Lcm::Prolog)),
            _ if place.is_failure() => place.active_lcm().and_then(after_failure),
            _ => place.active_lcm().and_then(success).map(|_| place),
        },
        Recovery::Delete => Some(match place.state {
            VmState::Active => Place::active(Lcm::CleanupDelete),
            _ => DONE,
        }),
        Recovery::Recreate => match place {
            DONE => None,
            CLONING | CLONING_FAILURE | PENDING => Some(place),
            HOLD | STOPPED | UNDEPLOYED => Some(PENDING),
            _ => Some(Place::active(Lcm::CleanupResubmit)),
        },
        Recovery::DeleteRecord => Some(DONE),
    }
}

/// Returns where a VM goes on when what had failed is said to have succeeded after all.
fn after_failure(lcm: Lcm) -> Option<Place> {
    Some(match lcm {
        Lcm::PrologFailure
        | Lcm::BootFailure
        | Lcm::BootMigrateFailure
        | Lcm::BootStoppedFailure
        | Lcm::BootUndeployFailure
        | Lcm::PrologMigrateUnknownFailure => RUNNING,
        Lcm::PrologMigrateFailure => Place::active(Lcm::BootMigrate),
        Lcm::PrologResumeFailure => Place::active(Lcm::BootStopped),
        Lcm::PrologUndeployFailure => Place::active(Lcm::BootUndeploy),
        Lcm::PrologMigratePoweroffFailure => POWEROFF,
        Lcm::PrologMigrateSuspendFailure => SUSPENDED,
        Lcm::EpilogFailure => Place::active(Lcm::Epilog),
        Lcm::EpilogStopFailure => Place::active(Lcm::EpilogStop),
        Lcm::EpilogUndeployFailure => Place::active(Lcm::EpilogUndeploy),
        _ => return None,
    })
}

/// Something that is done to the devices of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A snapshot of the whole VM is made, gone back to or deleted.
    Snapshot,
    /// A disk is attached or detached.
    Disk { detaches: bool },
    /// A network card is attached, detached or updated.
    Nic,
    /// A disk is saved as an image.
    SaveDisk,
    /// A snapshot of a disk is made.
    DiskSnapshot,
    /// A disk goes back to a snapshot.
    DiskRevert,
    /// A snapshot of a disk is deleted.
    DiskSnapshotDelete,
    /// A disk grows.
    DiskResize,
    /// Processors and memory change.
    Resize,
    /// It is copied to a datastore for backups.
    Backup,
    /// Its disks are brought back from a backup.
    Restore,
}

/// Returns where a change of the devices leads.
pub(crate) fn change(change: Change, place: Place) -> Option<Place> {
    let lcm = match (change, place) {
        (Change::Snapshot, RUNNING) => Lcm::HotplugSnapshot,
        (Change::Disk { .. }, RUNNING) => Lcm::Hotplug,
        (Change::Disk { detaches: false }, POWEROFF) => Lcm::HotplugPrologPoweroff,
        (Change::Disk { detaches: true }, POWEROFF) => Lcm::HotplugEpilogPoweroff,
        (Change::Nic, RUNNING) => Lcm::HotplugNic,
        (Change::Nic, POWEROFF) => Lcm::HotplugNicPoweroff,
        (Change::SaveDisk, RUNNING) => Lcm::HotplugSaveas,
        (Change::SaveDisk, STOPPED) => Lcm::HotplugSaveasStopped,
        (Change::SaveDisk, SUSPENDED) => Lcm::HotplugSaveasSuspended,
        (Change::SaveDisk, POWEROFF) => Lcm::HotplugSaveasPoweroff,
        (Change::SaveDisk, UNDEPLOYED) => Lcm::HotplugSaveasUndeployed,
        (Change::DiskSnapshot, RUNNING) => Lcm::DiskSnapshot,
        (Change::DiskSnapshot, SUSPENDED) => Lcm::DiskSnapshotSuspended,
        (Change::DiskSnapshot, POWEROFF) => Lcm::DiskSnapshotPoweroff,
        (Change::DiskRevert, POWEROFF) => Lcm::DiskSnapshotRevertPoweroff,
        (Change::DiskSnapshotDelete, RUNNING) => Lcm::DiskSnapshotDelete,
        (Change::DiskSnapshotDelete, SUSPENDED) => Lcm::DiskSnapshotDeleteSuspended,
        (Change::DiskSnapshotDelete, POWEROFF) => Lcm::DiskSnapshotDeletePoweroff,
        (Change::DiskResize, RUNNING) => Lcm::DiskResize,
        (Change::DiskResize, POWEROFF) => Lcm::DiskResizePoweroff,
        (Change::DiskResize, UNDEPLOYED) => Lcm::DiskResizeUndeployed,
        (Change::Backup, RUNNING) => Lcm::Backup,
        (Change::Backup, POWEROFF) => Lcm::BackupPoweroff,
        (Change::Restore, POWEROFF) => Lcm::Restore,
        (Change::Resize, RUNNING) => Lcm::HotplugResize,
        (Change::Resize, CLONING | CLONING_FAILURE | PENDING | HOLD | POWEROFF | UNDEPLOYED) => {
            return Some(place);
        }
        _ => return None,
    };
    Some(Place::active(lcm))
}
