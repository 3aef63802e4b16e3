//! The life of a VM: where it is, whether it runs, and its end.

use super::{DeployOptions, MigrateOptions, VirtualMachine};
use crate::{
    api::{Action, RecoverOperation},
    client::CallError,
    rpc::Call,
};

impl VirtualMachine {
    /// Does something that needs nothing but the VM.
    ///
    /// # Errors
    ///
    /// If the call fails; a state that does not allow it is [`RefusalKind::WrongState`](crate::client::RefusalKind::WrongState).
    pub async fn act(&self, action: Action) -> Result<(), CallError> {
        // The one method that takes the VM second.
        self.run(Call::new("one.vm.action").with(action.as_str()).with(self.id)).await
    }

    /// Ends the VM; a running one is shut down by its guest first, and runs on if the guest does not.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn terminate(&self) -> Result<(), CallError> {
        self.act(Action::Terminate).await
    }

    /// Ends the VM at once; refused while it is being moved, saved, booted or changed.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn terminate_hard(&self) -> Result<(), CallError> {
        self.act(Action::TerminateHard).await
    }

    /// Shuts a running VM down and moves its disks off the host.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn undeploy(&self) -> Result<(), CallError> {
        self.act(Action::Undeploy).await
    }

    /// Switches a running VM off and moves its disks off the host.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn undeploy_hard(&self) -> Result<(), CallError> {
        self.act(Action::UndeployHard).await
    }

    /// Shuts a running VM down and keeps it on its host.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn poweroff(&self) -> Result<(), CallError> {
        self.act(Action::Poweroff).await
    }

    /// Switches a running VM off and keeps it on its host.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn poweroff_hard(&self) -> Result<(), CallError> {
        self.act(Action::PoweroffHard).await
    }

    /// Lets the guest of a running VM reboot.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn reboot(&self) -> Result<(), CallError> {
        self.act(Action::Reboot).await
    }

    /// Resets a running VM.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn reboot_hard(&self) -> Result<(), CallError> {
        self.act(Action::RebootHard).await
    }

    /// Keeps a pending VM from being placed.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn hold(&self) -> Result<(), CallError> {
        self.act(Action::Hold).await
    }

    /// Lets a held VM be placed.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn release(&self) -> Result<(), CallError> {
        self.act(Action::Release).await
    }

    /// Saves the memory of a running VM and moves everything off the host.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn stop(&self) -> Result<(), CallError> {
        self.act(Action::Stop).await
    }

    /// Saves the memory of a running VM on its host.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn suspend(&self) -> Result<(), CallError> {
        self.act(Action::Suspend).await
    }

    /// Starts a VM that is stopped, suspended, powered off, undeployed or unknown.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn resume(&self) -> Result<(), CallError> {
        self.act(Action::Resume).await
    }

    /// Asks for a better host; needs the right to administer the VM.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn resched(&self) -> Result<(), CallError> {
        self.act(Action::Resched).await
    }

    /// Takes the wish for a better host back; needs the right to administer the VM.
    ///
    /// # Errors
    ///
    /// If the call fails, as for [`act`](Self::act).
    pub async fn unresched(&self) -> Result<(), CallError> {
        self.act(Action::Unresched).await
    }

    /// Puts a pending or held VM on a host; needs the right to administer the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn deploy(&self, host: i32, options: &DeployOptions) -> Result<(), CallError> {
        let call = self.call("one.vm.deploy").with(host).with(options.enforce);
        self.run(call.with(options.datastore.unwrap_or(-1)).with(options.nic_template.as_str())).await
    }

    /// Moves the VM to another host; needs the right to administer the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn migrate(&self, host: i32, options: &MigrateOptions) -> Result<(), CallError> {
        let call = self.call("one.vm.migrate").with(host).with(options.live).with(options.enforce);
        self.run(call.with(options.datastore.unwrap_or(-1)).with(options.kind.number())).await
    }

    /// Moves the running VM to another host while it runs; needs the right to administer the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn live_migrate(&self, host: i32) -> Result<(), CallError> {
        self.migrate(host, &MigrateOptions { live: true, ..MigrateOptions::default() }).await
    }

    /// Gets the VM out of a state in which it is stuck; needs the right to administer the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn recover(&self, operation: RecoverOperation) -> Result<(), CallError> {
        self.run(self.call("one.vm.recover").with(operation.number())).await
    }

    /// Deletes the VM in any state; needs the right to administer the VM.
    ///
    /// Where [`terminate_hard`](Self::terminate_hard) is allowed it does the same with less rights.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn delete(&self) -> Result<(), CallError> {
        self.recover(RecoverOperation::Delete).await
    }

    /// Deletes what there is of the VM and makes it anew, under the same id; needs the right to administer the VM.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn resubmit(&self) -> Result<(), CallError> {
        self.recover(RecoverOperation::Recreate).await
    }
}
