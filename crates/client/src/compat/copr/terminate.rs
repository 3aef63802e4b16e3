//! Ending VMs.

use vmpool_api::{TerminateRequest, code};

use super::{VmError, VmManager, states};

impl VmManager {
    /// Has a VM destroyed; returns whether that is so now.
    ///
    /// With an allowed state, the VM must be in it. A VM that is being destroyed is asked for again only if that is the
    /// allowed state.
    ///
    /// # Errors
    ///
    /// [`VmError::VmDescriptorNotFound`] if there is no such VM, [`VmError::Client`].
    pub async fn start_vm_termination(
        &self,
        vm_name: &str,
        allowed_pre_state: Option<&str>,
    ) -> Result<bool, VmError> {
        self.vm(vm_name).await?;
        let wish = TerminateRequest::new(Some("start_vm_termination".to_owned()))
            .with_only_if(allowed_pre_state.map(str::to_owned));
        match self.client.terminate_if(vm_name, &wish).await {
            Ok(()) => Ok(true),
            Err(err) if err.problem().is_some_and(|problem| problem.is(code::INVALID_STATE)) => Ok(false),
            Err(err) => Err(VmError::of_vm(vm_name)(err)),
        }
    }

    /// Has the daemon forget a VM that is being destroyed, without proof that it is gone.
    ///
    /// Nobody needs to call it: the daemon forgets a VM by itself once it is proven gone.
    ///
    /// # Errors
    ///
    /// [`VmError::WrongState`] if the VM is not being destroyed, [`VmError::VmDescriptorNotFound`] if there is none,
    /// [`VmError::Client`].
    pub async fn remove_vm_from_pool(&self, vm_name: &str) -> Result<(), VmError> {
        let vm = self.vm(vm_name).await?;
        if vm.state != states::TERMINATING {
            let message = "only a VM that is being destroyed is removed".to_owned();
            return Err(VmError::WrongState { vm_name: vm_name.to_owned(), state: vm.state, message });
        }
        self.client.forget(vm_name, "remove_vm_from_pool").await.map_err(VmError::of_vm(vm_name))
    }
}
