//! Looking VMs up.

use std::collections::BTreeMap;

use vmpool_api::{Lease, Vm, VmFilter};

use super::{VmDescriptor, VmError, VmManager, acquire::not_found, states};

/// VMs come by name.
impl VmManager {
    /// Returns all VMs of a group.
    ///
    /// # Errors
    ///
    /// [`VmError::UnknownGroup`], [`VmError::Client`].
    pub async fn get_all_vm_in_group(&self, group: u32) -> Result<Vec<VmDescriptor>, VmError> {
        self.find(VmFilter::default().with_pool(self.pool(group)?)).await
    }

    /// Returns all VMs of all groups.
    ///
    /// # Errors
    ///
    /// [`VmError::Client`].
    pub async fn get_all_vm(&self) -> Result<Vec<VmDescriptor>, VmError> {
        self.find(VmFilter::default()).await
    }

    /// Returns the VMs of a group that can be acquired, or will be once whoever used them lets go of them.
    ///
    /// # Errors
    ///
    /// [`VmError::UnknownGroup`], [`VmError::Client`].
    pub async fn get_ready_vms(&self, group: u32) -> Result<Vec<VmDescriptor>, VmError> {
        self.get_vm_by_group_and_state_list(Some(group), &[states::READY]).await
    }

    /// Returns the VMs of a group, of all groups if `None`, that are in one of some states.
    ///
    /// # Errors
    ///
    /// [`VmError::UnknownGroup`]; [`VmError::Client`] with `invalid_request` if there is no such state.
    pub async fn get_vm_by_group_and_state_list(
        &self,
        group: Option<u32>,
        states: &[&str],
    ) -> Result<Vec<VmDescriptor>, VmError> {
        if states.is_empty() {
            return Ok(Vec::new());
        }
        let mut filter = VmFilter::default().with_states(states.iter().copied());
        if let Some(group) = group {
            filter = filter.with_pool(self.pool(group)?);
        }
        self.find(filter).await
    }

    /// Returns the VM of a name.
    ///
    /// # Errors
    ///
    /// [`VmError::VmDescriptorNotFound`] if there is none in the groups, [`VmError::Client`].
    pub async fn get_vm_by_name(&self, vm_name: &str) -> Result<VmDescriptor, VmError> {
        let vm = self.vm(vm_name).await?;
        self.descriptors(vec![vm]).await?.pop().ok_or_else(|| not_found(vm_name))
    }

    /// Returns the VM that is in use for a task, if there is one; the first by name if there are several.
    ///
    /// # Errors
    ///
    /// [`VmError::Client`].
    pub async fn get_vm_by_task_id(&self, task_id: &str) -> Result<Option<VmDescriptor>, VmError> {
        let in_use = self.get_vm_by_group_and_state_list(None, &[states::IN_USE]).await?;
        Ok(in_use.into_iter().find(|vm| vm.task_id.as_deref() == Some(task_id)))
    }

    /// Returns the VMs that have an IP address.
    ///
    /// # Errors
    ///
    /// [`VmError::Client`] with `invalid_request` if it is no address.
    pub async fn lookup_vms_by_ip(&self, vm_ip: &str) -> Result<Vec<VmDescriptor>, VmError> {
        self.find(VmFilter::default().with_address(vm_ip)).await
    }

    /// Returns whether a user may acquire one more VM of a group, whether one is ready or not.
    ///
    /// # Errors
    ///
    /// [`VmError::UnknownGroup`], [`VmError::Client`].
    pub async fn can_user_acquire_more_vm(&self, username: &str, group: u32) -> Result<bool, VmError> {
        let share = self.client.owner(username, Some(self.pool(group)?)).await?;
        Ok(share.room != Some(0))
    }

    /// Returns when the daemon started, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`VmError::Client`].
    pub async fn server_start_timestamp(&self) -> Result<i64, VmError> {
        Ok(self.client.health().await?.started_at.as_second())
    }

    pub(super) async fn vm(&self, vm_name: &str) -> Result<Vm, VmError> {
        let vm = self.client.vm(vm_name).await.map_err(VmError::of_vm(vm_name))?;
        self.group(&vm.pool).map(|_| vm).ok_or_else(|| not_found(vm_name))
    }

    async fn find(&self, filter: VmFilter) -> Result<Vec<VmDescriptor>, VmError> {
        let vms = self.client.vms(&filter).await?;
        self.descriptors(vms).await
    }

    /// Adds who uses the VMs; those without a group are left out.
    async fn descriptors(&self, vms: Vec<Vm>) -> Result<Vec<VmDescriptor>, VmError> {
        let leases: BTreeMap<String, Lease> = match vms.iter().any(|vm| vm.lease.is_some()) {
            true => self.client.leases().await?.into_iter().map(|lease| (lease.id.clone(), lease)).collect(),
            false => BTreeMap::new(),
        };
        let of = |vm: &Vm| vm.lease.as_ref().and_then(|lease| leases.get(lease));
        let found = vms.iter().filter_map(|vm| Some(VmDescriptor::new(vm, self.group(&vm.pool)?, of(vm))));
        Ok(found.collect())
    }
}
