//! The calls of the first generation, where they differ.

use super::{Job, VmDescriptor, VmError, VmManager, states};

/// [`VmManager`] as its documentation describes it, which is how it was until 2018; made by [`VmManager::generation_a`].
///
/// What is the same in both is on the manager.
#[derive(Debug, Clone, Copy)]
pub struct GenerationA<'a> {
    manager: &'a VmManager,
}

impl<'a> GenerationA<'a> {
    pub(super) fn new(manager: &'a VmManager) -> Self {
        Self { manager }
    }

    /// Acquires a VM of a group: one that the same user used, or else one that nobody used; no sandboxes are told apart.
    ///
    /// # Errors
    ///
    /// Those of [`VmManager::acquire_vm`].
    pub async fn acquire_vm(
        &self,
        group: u32,
        username: &str,
        pid: u32,
        job: &Job,
    ) -> Result<VmDescriptor, VmError> {
        self.manager.acquire(&[group], username, None, pid, job).await
    }

    /// Has a VM destroyed as [`VmManager::start_vm_termination`] does, but one that is in use only if `in_use` is the
    /// allowed state.
    ///
    /// # Errors
    ///
    /// Those of [`VmManager::start_vm_termination`].
    pub async fn start_vm_termination(
        &self,
        vm_name: &str,
        allowed_pre_state: Option<&str>,
    ) -> Result<bool, VmError> {
        if allowed_pre_state.is_some() {
            return self.manager.start_vm_termination(vm_name, allowed_pre_state).await;
        }
        let state = self.manager.vm(vm_name).await?.state;
        match state.as_str() {
            states::IN_USE | states::TERMINATING => Ok(false),
            // Who acquires it meanwhile keeps it.
            state => self.manager.start_vm_termination(vm_name, Some(state)).await,
        }
    }
}
