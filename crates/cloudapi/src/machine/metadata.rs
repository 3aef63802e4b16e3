//! The metadata of a machine, and its boot script.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};
use vmpool_http::Method;
use vmpool_model::{Certainty, FailureKind};

use super::Machine;
use crate::{client::CloudApiError, types::Metadata};

/// The entry that is run when the machine boots.
const BOOT_SCRIPT: &str = "user-script";

impl Machine {
    /// Asks the server for the metadata; the machine then shows it, too.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn metadata(&mut self) -> Result<&Metadata, CloudApiError> {
        self.data.metadata = self.datacenter.ask(self.call(Method::Get, &["metadata"])).await?;
        Ok(&self.data.metadata)
    }

    /// Asks the server for the metadata together with the passwords.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn metadata_with_credentials(&mut self) -> Result<&Metadata, CloudApiError> {
        let call = self.call(Method::Get, &["metadata"]).with_query("credentials", "true");
        self.data.metadata = self.datacenter.ask(call).await?;
        Ok(&self.data.metadata)
    }

    /// Asks the server for one entry.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there is none.
    pub async fn metadatum(&self, key: &str) -> Result<Value, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["metadata", key])).await
    }

    /// Adds entries and overwrites those that are there; returns all, as they will be.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`]; values are texts, numbers or booleans.
    pub async fn update_metadata(
        &mut self,
        entries: &BTreeMap<String, Value>,
    ) -> Result<&Metadata, CloudApiError> {
        let body: Map<String, Value> =
            entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let call = self.call(Method::Post, &["metadata"]).with_body(Value::Object(body));
        self.data.metadata = self.datacenter.ask(call).await?;
        Ok(&self.data.metadata)
    }

    /// Removes an entry, then asks for the others.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there is none.
    pub async fn delete_metadata(&mut self, key: &str) -> Result<&Metadata, CloudApiError> {
        self.datacenter.order(self.call(Method::Delete, &["metadata", key])).await?;
        self.metadata().await
    }

    /// Removes all entries but those that the server keeps, then asks for these.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn delete_all_metadata(&mut self) -> Result<&Metadata, CloudApiError> {
        self.datacenter.order(self.call(Method::Delete, &["metadata"])).await?;
        self.metadata().await
    }

    /// Replaces the script that is run when the machine boots.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn set_boot_script(&mut self, script: &str) -> Result<&Metadata, CloudApiError> {
        self.update_metadata(&BTreeMap::from([(BOOT_SCRIPT.to_owned(), json!(script))])).await
    }

    /// Replaces the script that is run when the machine boots by what is in a file.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `InvalidRequest` if the file cannot be read.
    pub async fn set_boot_script_from(&mut self, file: &Path) -> Result<&Metadata, CloudApiError> {
        let script = std::fs::read_to_string(file).map_err(|err| {
            let message = format!("the boot script {} cannot be read: {err}", file.display());
            let call = self.datacenter.shown(&self.call(Method::Post, &["metadata"]));
            CloudApiError::new(call, FailureKind::InvalidRequest, Certainty::NotApplied, message)
        })?;
        self.set_boot_script(&script).await
    }

    /// Removes the script that is run when the machine boots.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there is none.
    pub async fn delete_boot_script(&mut self) -> Result<(), CloudApiError> {
        self.datacenter.order(self.call(Method::Delete, &["metadata", BOOT_SCRIPT])).await
    }
}
