//! The tags of a machine; the server changes them a moment after it has answered.

use serde_json::Value;
use vmpool_http::Method;

use super::Machine;
use crate::{
    client::CloudApiError,
    types::{TagValue, Tags},
};

impl Machine {
    /// Asks the server for the tags.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn tags(&self) -> Result<Tags, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["tags"])).await
    }

    /// Asks the server for the value of a tag; of numbers and booleans it is empty, which [`tags`](Self::tags) shows as they are.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there is none.
    pub async fn tag(&self, key: &str) -> Result<TagValue, CloudApiError> {
        self.datacenter.ask(self.call(Method::Get, &["tags", key])).await
    }

    /// Adds tags and overwrites those that are there; returns all, as they will be.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`]; values are texts, numbers or booleans, and there must be one.
    pub async fn add_tags(&self, tags: &Tags) -> Result<Tags, CloudApiError> {
        self.datacenter.ask(self.call(Method::Post, &["tags"]).with_body(object(tags))).await
    }

    /// Replaces all tags, also those that other tools have set; returns them as they will be.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn replace_tags(&self, tags: &Tags) -> Result<Tags, CloudApiError> {
        self.datacenter.ask(self.call(Method::Put, &["tags"]).with_body(object(tags))).await
    }

    /// Removes a tag.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`], `NotFound` if there is none.
    pub async fn delete_tag(&self, key: &str) -> Result<(), CloudApiError> {
        self.datacenter.order(self.call(Method::Delete, &["tags", key])).await
    }

    /// Removes all tags.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn delete_all_tags(&self) -> Result<(), CloudApiError> {
        self.datacenter.order(self.call(Method::Delete, &["tags"])).await
    }
}

fn object(tags: &Tags) -> Value {
    Value::Object(tags.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect())
}
