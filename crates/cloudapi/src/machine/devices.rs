//! Network interfaces, disks and firewall rules of a machine.

use serde_json::json;
use vmpool_http::Method;
use vmpool_model::{Certainty, FailureKind};

use super::Machine;
use crate::{
    client::{CloudApiError, decode},
    types::{Disk, FirewallRule, Nic},
};

impl Machine {
    /// Lists the network interfaces.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn nics(&self) -> Result<Vec<Nic>, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["nics"])).await
    }

    /// Gets a network interface by its hardware address, with colons or without.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn nic(&self, mac: &str) -> Result<Nic, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["nics", &bare(mac)])).await
    }

    /// Begins to put the machine on a network, which reboots it.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `AlreadyExists` if the machine is on it.
    pub async fn add_nic(&self, network: &str) -> Result<Nic, CloudApiError> {
        let call = self.call(Method::Post, &["nics"]).with_body(json!({"network": network}));
        let shown = self.datacenter.shown(&call);
        let answer = self.datacenter.answer_also(call, Some(302)).await?;
        match answer.status {
            302 => {
                let there =
                    answer.header("location").unwrap_or_default().rsplit('/').next().unwrap_or_default();
                let message = format!("the machine is on the network already, with {there}");
                Err(CloudApiError::new(shown, FailureKind::AlreadyExists, Certainty::NotApplied, message))
            }
            _ => decode(shown, &answer),
        }
    }

    /// Begins to take a network interface away, which reboots the machine.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn delete_nic(&self, mac: &str) -> Result<(), CloudApiError> {
        self.datacenter.order(self.call(Method::Delete, &["nics", &bare(mac)])).await
    }

    /// Lists the disks; only machines of the brand bhyve have any.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn disks(&self) -> Result<Vec<Disk>, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["disks"])).await
    }

    /// Gets a disk.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn disk(&self, id: &str) -> Result<Disk, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["disks", id])).await
    }

    /// Begins to add a disk of a size in MiB; the machine must be stopped.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidState` unless it is stopped.
    pub async fn create_disk(&self, size: u64) -> Result<(), CloudApiError> {
        self.datacenter.order(self.call(Method::Post, &["disks"]).with_body(json!({"size": size}))).await
    }

    /// Begins to give a disk another size in MiB; the machine must be stopped, and shrinking loses what is at the end.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidState` unless it is stopped.
    pub async fn resize_disk(&self, id: &str, size: u64, may_shrink: bool) -> Result<(), CloudApiError> {
        let body = match may_shrink {
            true => json!({"size": size, "dangerous_allow_shrink": true}),
            false => json!({"size": size}),
        };
        self.datacenter.order(self.call(Method::Post, &["disks", id]).with_body(body)).await
    }

    /// Begins to take a disk away; the machine must be stopped.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidState` unless it is stopped.
    pub async fn delete_disk(&self, id: &str) -> Result<(), CloudApiError> {
        self.datacenter.order(self.call(Method::Delete, &["disks", id])).await
    }

    /// Lists the firewall rules that concern the machine.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn firewall_rules(&self) -> Result<Vec<FirewallRule>, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["fwrules"])).await
    }
}

/// Returns a hardware address as paths have it.
fn bare(mac: &str) -> String {
    mac.replace([':', '-'], "").to_ascii_lowercase()
}
