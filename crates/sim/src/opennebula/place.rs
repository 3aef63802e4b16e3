//! Where a VM is in its life, and where it goes from there by itself.

use vmpool_model::states::opennebula::{LcmState as Lcm, VmState};

/// The two states of a VM; the second one counts only while the first one is `ACTIVE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) state: VmState,
    pub(crate) lcm: Lcm,
}

pub(crate) const PENDING: Place = Place::resting(VmState::Pending);
pub(crate) const HOLD: Place = Place::resting(VmState::Hold);
pub(crate) const CLONING: Place = Place::resting(VmState::Cloning);
pub(crate) const CLONING_FAILURE: Place = Place::resting(VmState::CloningFailure);
pub(crate) const STOPPED: Place = Place::resting(VmState::Stopped);
pub(crate) const SUSPENDED: Place = Place::resting(VmState::Suspended);
pub(crate) const POWEROFF: Place = Place::resting(VmState::Poweroff);
pub(crate) const UNDEPLOYED: Place = Place::resting(VmState::Undeployed);
pub(crate) const DONE: Place = Place::resting(VmState::Done);
pub(crate) const RUNNING: Place = Place::active(Lcm::Running);
pub(crate) const UNKNOWN: Place = Place::active(Lcm::Unknown);

impl Place {
    pub(crate) const fn resting(state: VmState) -> Self {
        Self { state, lcm: Lcm::LcmInit }
    }

    pub(crate) const fn active(lcm: Lcm) -> Self {
        Self { state: VmState::Active, lcm }
    }

    /// Returns the name that the server's refusals give it.
    pub(crate) fn name(self) -> &'static str {
        match self.state {
            VmState::Active => self.lcm.str_lcm_state(),
            state => state.str_state(),
        }
    }

    /// Returns the LCM state, if the VM is active.
    pub(crate) fn active_lcm(self) -> Option<Lcm> {
        (self.state == VmState::Active).then_some(self.lcm)
    }

    /// Returns whether the VM is in one of the states in which something failed and somebody must recover it.
    pub(crate) fn is_failure(self) -> bool {
        self.active_lcm().is_some_and(|lcm| lcm.str_lcm_state().ends_with("_FAILURE"))
    }

    /// Returns whether the state is one of booting.
    pub(crate) fn is_booting(self) -> bool {
        self.active_lcm().is_some_and(|lcm| lcm.str_lcm_state().starts_with("BOOT"))
    }
}

/// Returns where a VM is when what this state waits for has succeeded; nothing if it waits for nothing.
pub(crate) fn success(lcm: Lcm) -> Option<Place> {
    Some(match lcm {
        Lcm::LcmInit => Place::active(Lcm::Prolog),
        Lcm::Prolog | Lcm::PrologMigrateUnknown => Place::active(Lcm::Boot),
        Lcm::PrologResume => Place::active(Lcm::BootStopped),
        Lcm::PrologUndeploy => Place::active(Lcm::BootUndeploy),
        Lcm::PrologMigrate => Place::active(Lcm::BootMigrate),
        Lcm::PrologMigrateSuspend => SUSPENDED,
        Lcm::PrologMigratePoweroff => POWEROFF,
        Lcm::Boot
        | Lcm::BootUnknown
        | Lcm::BootPoweroff
        | Lcm::BootSuspended
        | Lcm::BootStopped
        | Lcm::BootUndeploy
        | Lcm::BootMigrate
        | Lcm::Migrate
        | Lcm::Hotplug
        | Lcm::HotplugSnapshot
        | Lcm::HotplugNic
        | Lcm::HotplugSaveas
        | Lcm::HotplugResize
        | Lcm::DiskSnapshot
        | Lcm::DiskSnapshotDelete
        | Lcm::DiskResize
        | Lcm::Backup => RUNNING,
        Lcm::SaveMigrate => Place::active(Lcm::PrologMigrate),
        Lcm::SaveStop => Place::active(Lcm::EpilogStop),
        Lcm::EpilogStop | Lcm::HotplugSaveasStopped => STOPPED,
        Lcm::SaveSuspend
        | Lcm::HotplugSaveasSuspended
        | Lcm::DiskSnapshotSuspended
        | Lcm::DiskSnapshotDeleteSuspended => SUSPENDED,
        Lcm::Shutdown => Place::active(Lcm::Epilog),
        Lcm::Epilog | Lcm::CleanupDelete => DONE,
        Lcm::ShutdownPoweroff
        | Lcm::HotplugSaveasPoweroff
        | Lcm::HotplugPrologPoweroff
        | Lcm::HotplugEpilogPoweroff
        | Lcm::HotplugNicPoweroff
        | Lcm::DiskSnapshotPoweroff
        | Lcm::DiskSnapshotRevertPoweroff
        | Lcm::DiskSnapshotDeletePoweroff
        | Lcm::DiskResizePoweroff
        | Lcm::BackupPoweroff
        | Lcm::Restore => POWEROFF,
        Lcm::ShutdownUndeploy => Place::active(Lcm::EpilogUndeploy),
        Lcm::EpilogUndeploy | Lcm::HotplugSaveasUndeployed | Lcm::DiskResizeUndeployed => UNDEPLOYED,
        Lcm::CleanupResubmit => PENDING,
        _ => return None,
    })
}

/// Returns where a VM is when what this state waits for has failed; nothing if it waits for nothing.
pub(crate) fn failure(lcm: Lcm) -> Option<Place> {
    Some(match lcm {
        Lcm::LcmInit | Lcm::Prolog => Place::active(Lcm::PrologFailure),
        Lcm::PrologResume => Place::active(Lcm::PrologResumeFailure),
        Lcm::PrologUndeploy => Place::active(Lcm::PrologUndeployFailure),
        Lcm::PrologMigrate => Place::active(Lcm::PrologMigrateFailure),
        Lcm::PrologMigrateUnknown => Place::active(Lcm::PrologMigrateUnknownFailure),
        Lcm::PrologMigrateSuspend => Place::active(Lcm::PrologMigrateSuspendFailure),
        Lcm::PrologMigratePoweroff => Place::active(Lcm::PrologMigratePoweroffFailure),
        Lcm::Boot => Place::active(Lcm::BootFailure),
        Lcm::BootMigrate => Place::active(Lcm::BootMigrateFailure),
        Lcm::BootUndeploy => Place::active(Lcm::BootUndeployFailure),
        Lcm::BootStopped => Place::active(Lcm::BootStoppedFailure),
        Lcm::BootUnknown => UNKNOWN,
        Lcm::BootPoweroff => POWEROFF,
        Lcm::BootSuspended => SUSPENDED,
        Lcm::Epilog => Place::active(Lcm::EpilogFailure),
        Lcm::EpilogStop => Place::active(Lcm::EpilogStopFailure),
        Lcm::EpilogUndeploy => Place::active(Lcm::EpilogUndeployFailure),
        Lcm::Migrate
        | Lcm::SaveMigrate
        | Lcm::SaveStop
        | Lcm::SaveSuspend
        | Lcm::Shutdown
        | Lcm::ShutdownPoweroff
        | Lcm::ShutdownUndeploy => RUNNING,
        // What is done to a VM beside its life leaves it where it was; a clean-up never fails.
        lcm => return success(lcm),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_that_passes_ends_in_one_that_rests() {
        for lcm in Lcm::ALL {
            let mut place = Place::active(lcm);
            for _ in 0..5 {
                place = place.active_lcm().and_then(success).unwrap_or(place);
            }
            assert_eq!(place.active_lcm().and_then(success), None, "{lcm}");
            assert_eq!(success(lcm).is_none(), failure(lcm).is_none(), "{lcm}");
        }
    }
}
