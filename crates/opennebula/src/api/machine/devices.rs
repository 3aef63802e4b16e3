//! The disks, network cards and other devices of a VM.

use super::{SaveDiskOptions, VirtualMachine};
use crate::{api::UpdateMode, client::CallError};

impl VirtualMachine {
    /// Adds a disk, given as a template such as `DISK=[IMAGE_ID=5]`.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn attach_disk(&self, template: impl Into<String>) -> Result<(), CallError> {
        self.run(self.call("one.vm.attach").with(template.into())).await
    }

    /// Takes a disk away, by its number in the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn detach_disk(&self, disk: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.detach").with(disk)).await
    }

    /// Makes a disk larger; the size is in MiB.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn disk_resize(&self, disk: i32, size: u64) -> Result<(), CallError> {
        self.run(self.call("one.vm.diskresize").with(disk).with(size.to_string())).await
    }

    /// Saves a disk as a new image, and returns the id of the image; it can be used once the VM is done saving it.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn save_disk(
        &self,
        disk: i32,
        name: &str,
        options: &SaveDiskOptions,
    ) -> Result<i32, CallError> {
        let call = self.call("one.vm.disksaveas").with(disk).with(name).with(options.image_type.as_str());
        self.made(call.with(options.snapshot.unwrap_or(-1))).await
    }

    /// Adds a network card, given as a template such as `NIC=[NETWORK_ID=1]`.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn attach_nic(&self, template: impl Into<String>) -> Result<(), CallError> {
        self.run(self.call("one.vm.attachnic").with(template.into())).await
    }

    /// Takes a network card away, by its number in the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn detach_nic(&self, nic: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.detachnic").with(nic)).await
    }

    /// Changes a network card, by its number in the VM; since OpenNebula 6.6.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn update_nic(
        &self,
        nic: i32,
        template: impl Into<String>,
        mode: UpdateMode,
    ) -> Result<(), CallError> {
        let call = self.call("one.vm.updatenic").with(nic).with(template.into());
        self.run(call.with(mode.number())).await
    }

    /// Adds a device of the host, given as a template such as `PCI=[CLASS=0300]`; since OpenNebula 6.10.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn attach_pci(&self, template: impl Into<String>) -> Result<(), CallError> {
        self.run(self.call("one.vm.attachpci").with(template.into())).await
    }

    /// Takes a device of the host away, by its number in the VM; since OpenNebula 6.10.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn detach_pci(&self, device: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.detachpci").with(device)).await
    }

    /// Adds a security group to a network card; since OpenNebula 6.4.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn attach_security_group(&self, nic: i32, group: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.attachsg").with(nic).with(group)).await
    }

    /// Takes a security group from a network card; since OpenNebula 6.4.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn detach_security_group(&self, nic: i32, group: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.detachsg").with(nic).with(group)).await
    }

    /// Changes CPU and memory, given as a template; with `enforce` only within the capacity of the host.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn resize(&self, template: impl Into<String>, enforce: bool) -> Result<(), CallError> {
        self.run(self.call("one.vm.resize").with(template.into()).with(enforce)).await
    }
}
