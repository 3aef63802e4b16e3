//! All VMs as a text for people.

use std::fmt::Write as _;

use super::{VmError, VmManager};

impl VmManager {
    /// Returns a text that shows every group with its VMs, and of each VM every field that has a value.
    ///
    /// # Errors
    ///
    /// [`VmError::Client`].
    pub async fn info(&self) -> Result<String, VmError> {
        let all = self.get_all_vm().await?;
        let mut text = String::new();
        for (group, pool) in &self.groups {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "VM group {group} ({pool})");
            for vm in all.iter().filter(|vm| vm.group == *group) {
                let _ = writeln!(text, "\t{}, ip: {}", vm.vm_name, vm.vm_ip.as_deref().unwrap_or("none"));
                for (field, value) in vm.to_dict() {
                    let _ = writeln!(text, "\t\t{field}: {value}");
                }
            }
        }
        Ok(text)
    }
}
