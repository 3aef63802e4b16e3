//! The account: itself, its keys, its limits, the data centers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vmpool_http::{Method, Request};
use vmpool_model::{Certainty, FailureKind};

use super::{
    CloudApiError, DataCenter,
    call::{Call, decode},
};
use crate::types::{Account, AccountConfig, Key, Ping};

impl DataCenter {
    /// Asks the server for a sign of life and the versions that it has; nothing is signed.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn ping(&self) -> Result<Ping, CloudApiError> {
        let shown = "GET /--ping".to_owned();
        let request = Request::new(Method::Get, &format!("{}/--ping", self.base())).map_err(|err| {
            CloudApiError::new(
                shown.clone(),
                FailureKind::InvalidRequest,
                Certainty::NotApplied,
                err.to_string(),
            )
        })?;
        let request = request
            .with_header("accept", "application/json")
            .with_header("accept-version", &self.config().accept_version);
        let answer =
            self.http().send(request).await.map_err(|err| CloudApiError::transport(shown.clone(), &err))?;
        if !answer.is_success() {
            return Err(CloudApiError::refused(shown, &answer, self.now()));
        }
        let ping: Ping = decode(shown, &answer)?;
        let datacenter = answer.header("triton-datacenter-name").map(str::to_owned);
        Ok(Ping { datacenter, api_version: answer.header("api-version").map(str::to_owned), ..ping })
    }

    /// Gets the account.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn get_account(&self) -> Result<Account, CloudApiError> {
        self.ask(Call::new(Method::Get, &[])).await
    }

    /// Gets what the account may provision; what is in it is the operator's choice.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn limits(&self) -> Result<Value, CloudApiError> {
        self.ask(Call::new(Method::Get, &["limits"])).await
    }

    /// Gets the account's own settings.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn account_config(&self) -> Result<AccountConfig, CloudApiError> {
        self.ask(Call::new(Method::Get, &["config"])).await
    }

    /// Gets the addresses of the services in the data center, by name.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn services(&self) -> Result<BTreeMap<String, String>, CloudApiError> {
        self.ask(Call::new(Method::Get, &["services"])).await
    }

    /// Gets the addresses of the data centers of this cloud, by name.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn datacenters(&self) -> Result<BTreeMap<String, String>, CloudApiError> {
        self.ask(Call::new(Method::Get, &["datacenters"])).await
    }

    /// Gets the address of one data center, which the server tells by a redirect.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there is none of that name.
    pub async fn datacenter_url(&self, name: &str) -> Result<String, CloudApiError> {
        let call = Call::new(Method::Get, &["datacenters", name]);
        let shown = self.shown(&call);
        let answer = self.answer_also(call, Some(302)).await?;
        answer.header("location").map(str::to_owned).ok_or_else(|| {
            let message = "the answer has no address in it".to_owned();
            CloudApiError::new(shown, FailureKind::Protocol, Certainty::NotApplied, message)
        })
    }

    /// Lists the keys of the account.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn keys(&self) -> Result<Vec<Key>, CloudApiError> {
        self.ask(Call::new(Method::Get, &["keys"])).await
    }

    /// Gets a key by its name or its bare MD5 fingerprint.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn key(&self, name_or_fingerprint: &str) -> Result<Key, CloudApiError> {
        self.ask(Call::new(Method::Get, &["keys", name_or_fingerprint])).await
    }

    /// Adds a public key, in OpenSSH's one-line form.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `AlreadyExists` if the account has it.
    pub async fn add_key(&self, name: &str, key: &str) -> Result<Key, CloudApiError> {
        self.ask(Call::new(Method::Post, &["keys"]).with_body(json!({"name": name, "key": key}))).await
    }

    /// Removes a key by its name or its bare MD5 fingerprint.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn delete_key(&self, name_or_fingerprint: &str) -> Result<(), CloudApiError> {
        self.order(Call::new(Method::Delete, &["keys", name_or_fingerprint])).await
    }
}
