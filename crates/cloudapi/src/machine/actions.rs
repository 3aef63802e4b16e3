//! What is done with a machine as a whole.

use serde_json::{Map, Value, json};
use vmpool_http::Method;

use super::Machine;
use crate::{client::CloudApiError, types::AuditEntry};

impl Machine {
    /// Begins to shut the machine down.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidState` while it is provisioning.
    pub async fn stop(&self) -> Result<(), CloudApiError> {
        self.act("stop", []).await
    }

    /// Begins to boot the machine.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidState` while it is provisioning.
    pub async fn start(&self) -> Result<(), CloudApiError> {
        self.act("start", []).await
    }

    /// Begins to reboot the machine.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidState` while it is provisioning.
    pub async fn reboot(&self) -> Result<(), CloudApiError> {
        self.act("reboot", []).await
    }

    /// Begins to give the machine another package, by its id or name.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`]; machines of the brand bhyve must be stopped for it, those of kvm cannot do it.
    pub async fn resize(&self, package: &str) -> Result<(), CloudApiError> {
        self.act("resize", [("package", package)]).await
    }

    /// Begins to rename the machine.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `AlreadyExists` if another machine has the name.
    pub async fn rename(&self, name: &str) -> Result<(), CloudApiError> {
        self.act("rename", [("name", name)]).await
    }

    /// Begins to turn the firewall on.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn enable_firewall(&self) -> Result<(), CloudApiError> {
        self.act("enable_firewall", []).await
    }

    /// Begins to turn the firewall off.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn disable_firewall(&self) -> Result<(), CloudApiError> {
        self.act("disable_firewall", []).await
    }

    /// Begins to protect the machine from deletion.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn enable_deletion_protection(&self) -> Result<(), CloudApiError> {
        self.act("enable_deletion_protection", []).await
    }

    /// Begins to end the protection from deletion.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn disable_deletion_protection(&self) -> Result<(), CloudApiError> {
        self.act("disable_deletion_protection", []).await
    }

    /// Begins to destroy the machine; unlike what old documentation says, in whatever state it is.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidState` if it is protected; [`CloudApiError::is_gone`] if it is destroyed already.
    pub async fn delete(&self) -> Result<(), CloudApiError> {
        self.datacenter.delete_machine(&self.data.id).await
    }

    /// Lists what was done with the machine, the newest first; what is still being done is not in it.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn audit(&self) -> Result<Vec<AuditEntry>, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["audit"])).await
    }

    /// Tags the machine with roles, in place of those that it had; returns them.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn set_role_tags(&self, roles: &[String]) -> Result<Vec<String>, CloudApiError> {
        self.datacenter.tag_with_roles(self.call(Method::Put, &[]), roles).await
    }

    /// Asks what a move to another server would take; what is in the answer is the server's choice.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidState` if the operator does not let this machine move.
    pub async fn estimate_migration(&self) -> Result<Value, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["migrate"])).await
    }

    /// Orders an action. Nothing may follow on a destroyed machine: an action on one can bring the server down, so it is refused
    /// here if the machine was last seen `deleted`.
    async fn act<const N: usize>(
        &self,
        action: &str,
        parameters: [(&str, &str); N],
    ) -> Result<(), CloudApiError> {
        let call = self.call(Method::Post, &[]);
        if self.data.state.node_state().is_terminal() {
            return Err(CloudApiError::gone(self.datacenter.shown(&call)));
        }
        let mut body = Map::new();
        body.insert("action".to_owned(), json!(action));
        body.extend(parameters.map(|(key, value)| (key.to_owned(), json!(value))));
        self.datacenter.order(call.with_body(Value::Object(body))).await
    }
}
