//! Snapshots and backups of a VM.

use super::VirtualMachine;
use crate::client::CallError;

impl VirtualMachine {
    /// Takes a snapshot of the whole running VM, and returns its number.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn snapshot_create(&self, name: &str) -> Result<i32, CallError> {
        self.made(self.call("one.vm.snapshotcreate").with(name)).await
    }

    /// Takes the VM back to a snapshot.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn snapshot_revert(&self, snapshot: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.snapshotrevert").with(snapshot)).await
    }

    /// Deletes a snapshot of the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn snapshot_delete(&self, snapshot: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.snapshotdelete").with(snapshot)).await
    }

    /// Takes a snapshot of a disk, and returns its number.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn disk_snapshot_create(&self, disk: i32, name: &str) -> Result<i32, CallError> {
        self.made(self.call("one.vm.disksnapshotcreate").with(disk).with(name)).await
    }

    /// Takes a disk back to a snapshot.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn disk_snapshot_revert(&self, disk: i32, snapshot: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.disksnapshotrevert").with(disk).with(snapshot)).await
    }

    /// Deletes a snapshot of a disk.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn disk_snapshot_delete(&self, disk: i32, snapshot: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.disksnapshotdelete").with(disk).with(snapshot)).await
    }

    /// Renames a snapshot of a disk; since OpenNebula 5.8.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn disk_snapshot_rename(&self, disk: i32, snapshot: i32, name: &str) -> Result<(), CallError> {
        let call = self.call("one.vm.disksnapshotrename").with(disk).with(snapshot);
        self.run(call.with(name)).await
    }

    /// Backs the VM up to a datastore, with `reset` as a new full one; needs the right to administer it; since OpenNebula 6.6.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn backup(&self, datastore: i32, reset: bool) -> Result<(), CallError> {
        self.run(self.call("one.vm.backup").with(datastore).with(reset)).await
    }

    /// Ends the backup that is under way; since OpenNebula 6.8.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn backup_cancel(&self) -> Result<(), CallError> {
        self.run(self.call("one.vm.backupcancel")).await
    }

    /// Restores one disk, or all, from an increment, or the last one, of a backup image; needs the right to administer the VM; since OpenNebula 6.10.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn restore(
        &self,
        image: i32,
        increment: Option<i32>,
        disk: Option<i32>,
    ) -> Result<(), CallError> {
        let call = self.call("one.vm.restore").with(image).with(increment.unwrap_or(-1));
        self.run(call.with(disk.unwrap_or(-1))).await
    }
}
