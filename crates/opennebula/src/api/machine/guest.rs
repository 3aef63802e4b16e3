//! What is done inside a VM, by the agent of its guest.

use super::VirtualMachine;
use crate::client::CallError;

impl VirtualMachine {
    /// Runs a command in the guest, which gets a text as its input; since OpenNebula 7.2.
    ///
    /// What it comes to is in `TEMPLATE/QEMU_GA_EXEC` of [`info`](Self::info) once it has ended.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn exec(&self, command: &str, input: &str) -> Result<(), CallError> {
        self.run(self.call("one.vm.exec").with(command).with(input)).await
    }

    /// Runs the last command once more; since OpenNebula 7.2.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn exec_retry(&self) -> Result<(), CallError> {
        self.run(self.call("one.vm.retryexec")).await
    }

    /// Ends the command that is under way; since OpenNebula 7.2.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn exec_cancel(&self) -> Result<(), CallError> {
        self.run(self.call("one.vm.cancelexec")).await
    }
}
