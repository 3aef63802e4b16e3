//! Rules of the firewall, which speak of machines by their ids and tags.

use serde_json::{Map, Value, json};
use vmpool_http::Method;

use super::{CloudApiError, DataCenter, call::Call};
use crate::{
    machine::Machine,
    types::{CreateFirewallRule, FirewallRule, MachineData},
};

impl DataCenter {
    /// Lists the firewall rules of the account.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn firewall_rules(&self) -> Result<Vec<FirewallRule>, CloudApiError> {
        self.ask(Call::new(Method::Get, &["fwrules"])).await
    }

    /// Gets a firewall rule.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn firewall_rule(&self, id: &str) -> Result<FirewallRule, CloudApiError> {
        self.ask(Call::new(Method::Get, &["fwrules", id])).await
    }

    /// Makes a firewall rule.
    ///
    /// ```
    /// use vmpool_cloudapi::{CloudApiError, DataCenter, types::CreateFirewallRule};
    /// async fn open_the_web(datacenter: &DataCenter) -> Result<(), CloudApiError> {
    ///     let rule = CreateFirewallRule::new(r#"FROM any TO tag "role" = "web" ALLOW tcp PORT 443"#);
    ///     datacenter.create_firewall_rule(&rule.enabled()).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidRequest` if the server does not understand the rule.
    pub async fn create_firewall_rule(
        &self,
        rule: &CreateFirewallRule,
    ) -> Result<FirewallRule, CloudApiError> {
        self.ask(Call::new(Method::Post, &["fwrules"]).with_body(rule.to_body())).await
    }

    /// Gives a firewall rule another text.
    ///
    /// # Errors
    ///
    /// Those of [`create_firewall_rule`](Self::create_firewall_rule).
    pub async fn update_firewall_rule(&self, id: &str, rule: &str) -> Result<FirewallRule, CloudApiError> {
        self.ask(Call::new(Method::Post, &["fwrules", id]).with_body(json!({"rule": rule}))).await
    }

    /// Lets a firewall rule hold.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn enable_firewall_rule(&self, id: &str) -> Result<FirewallRule, CloudApiError> {
        self.ask(Call::new(Method::Post, &["fwrules", id, "enable"]).with_body(json!({}))).await
    }

    /// Lets a firewall rule hold no more.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn disable_firewall_rule(&self, id: &str) -> Result<FirewallRule, CloudApiError> {
        self.ask(Call::new(Method::Post, &["fwrules", id, "disable"]).with_body(json!({}))).await
    }

    /// Deletes a firewall rule.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn delete_firewall_rule(&self, id: &str) -> Result<(), CloudApiError> {
        self.order(Call::new(Method::Delete, &["fwrules", id])).await
    }

    /// Lists the machines that a firewall rule concerns.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn firewall_rule_machines(&self, id: &str) -> Result<Vec<Machine>, CloudApiError> {
        let machines: Vec<MachineData> =
            self.ask(Call::new(Method::Get, &["fwrules", id, "machines"])).await?;
        Ok(machines.into_iter().map(|data| Machine::new(self.clone(), data)).collect())
    }

    /// Tags all that is listed below the account under a name, such as `machines`, with roles; returns the roles.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn set_role_tags(
        &self,
        resource: &str,
        roles: &[String],
    ) -> Result<Vec<String>, CloudApiError> {
        self.tag_with_roles(Call::new(Method::Put, &[resource]), roles).await
    }

    /// Tags something with roles, in place of those that it had.
    pub(crate) async fn tag_with_roles(
        &self,
        call: Call,
        roles: &[String],
    ) -> Result<Vec<String>, CloudApiError> {
        let answer: Map<String, Value> = self.ask(call.with_body(json!({"role-tag": roles}))).await?;
        let roles = answer.get("role-tag").and_then(Value::as_array).into_iter().flatten();
        Ok(roles.filter_map(Value::as_str).map(str::to_owned).collect())
    }
}
