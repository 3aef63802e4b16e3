//! What is noted about a VM: its name, its attributes, its owner, and what the server will do with it.

use super::VirtualMachine;
use crate::{
    api::{LockLevel, UpdateMode},
    client::CallError,
    document::{Element, ElementSink},
};

impl VirtualMachine {
    /// Renames the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn rename(&self, name: &str) -> Result<(), CallError> {
        self.run(self.call("one.vm.rename").with(name)).await
    }

    /// Changes the user template, in any state of the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn update(&self, template: impl Into<String>, mode: UpdateMode) -> Result<(), CallError> {
        self.run(self.call("one.vm.update").with(template.into()).with(mode.number())).await
    }

    /// Changes what only the hypervisor and the guest read, such as `CONTEXT`, which the template must have.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn update_conf(&self, template: impl Into<String>, mode: UpdateMode) -> Result<(), CallError> {
        let call = self.call("one.vm.updateconf").with(template.into());
        self.run(call.with(mode.number())).await
    }

    /// Says who may do what; a bit that is not given is kept. They are, for the owner, the group and others: use, manage, administer.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn chmod(&self, bits: [Option<bool>; 9]) -> Result<(), CallError> {
        let numbers = bits.map(|bit| bit.map_or(-1, i32::from));
        self.run(numbers.into_iter().fold(self.call("one.vm.chmod"), |call, bit| call.with(bit))).await
    }

    /// Gives the VM to a user, a group, or both; what is not given is kept.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn chown(&self, user: Option<i32>, group: Option<i32>) -> Result<(), CallError> {
        let call = self.call("one.vm.chown").with(user.unwrap_or(-1));
        self.run(call.with(group.unwrap_or(-1))).await
    }

    /// Locks the VM, with `test` only if nobody has; since OpenNebula 5.6.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn lock(&self, level: LockLevel, test: bool) -> Result<(), CallError> {
        self.run(self.call("one.vm.lock").with(level.number()).with(test)).await
    }

    /// Unlocks the VM; one that is not locked stays so; since OpenNebula 5.6.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn unlock(&self) -> Result<(), CallError> {
        self.run(self.call("one.vm.unlock")).await
    }

    /// Asks for all that was monitored of the VM: a `MONITORING_DATA` document.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn monitoring(&self) -> Result<Element, CallError> {
        self.client.document(self.call("one.vm.monitoring"), ElementSink::default()).await
    }

    /// Tells the server to do something with the VM later by itself, and returns the id of that; since OpenNebula 6.2.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn schedule(&self, template: impl Into<String>) -> Result<i32, CallError> {
        self.made(self.call("one.vm.schedadd").with(template.into())).await
    }

    /// Changes what the server will do with the VM; since OpenNebula 6.2.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn reschedule(&self, scheduled: i32, template: impl Into<String>) -> Result<(), CallError> {
        let call = self.call("one.vm.schedupdate").with(scheduled);
        self.run(call.with(template.into())).await
    }

    /// Takes back what the server was to do with the VM; since OpenNebula 6.2.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn unschedule(&self, scheduled: i32) -> Result<(), CallError> {
        self.run(self.call("one.vm.scheddelete").with(scheduled)).await
    }
}
