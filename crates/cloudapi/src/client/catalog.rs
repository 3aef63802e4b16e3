//! What machines are made of: packages, images, networks.

use vmpool_http::Method;

use super::{CloudApiError, DataCenter, call::Call};
use crate::types::{Image, Migration, Network, Package};

/// Pairs of a query; only what narrows a listing down.
type Filter<'a> = [(&'a str, &'a str)];

impl DataCenter {
    /// Lists the packages that are active, narrowed down by `name`, `memory`, `disk`, `swap`, `lwps`, `version`, `vcpus`,
    /// `group` or `brand`.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn packages(&self, filter: &Filter<'_>) -> Result<Vec<Package>, CloudApiError> {
        self.ask(filtered("packages", filter)).await
    }

    /// Gets a package by its id, or by its name: the newest of that name that is active.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn package(&self, id_or_name: &str) -> Result<Package, CloudApiError> {
        self.ask(Call::new(Method::Get, &["packages", id_or_name])).await
    }

    /// Lists the images, narrowed down by `name`, `os`, `version`, `public`, `state`, `owner` or `type`.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn images(&self, filter: &Filter<'_>) -> Result<Vec<Image>, CloudApiError> {
        self.ask(filtered("images", filter)).await
    }

    /// Gets an image by its id.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn image(&self, id: &str) -> Result<Image, CloudApiError> {
        self.ask(Call::new(Method::Get, &["images", id])).await
    }

    /// Lists the networks.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn networks(&self) -> Result<Vec<Network>, CloudApiError> {
        self.ask(Call::new(Method::Get, &["networks"])).await
    }

    /// Gets a network by its id.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn network(&self, id: &str) -> Result<Network, CloudApiError> {
        self.ask(Call::new(Method::Get, &["networks", id])).await
    }

    /// Lists the migrations of the account's machines.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn migrations(&self) -> Result<Vec<Migration>, CloudApiError> {
        self.ask(Call::new(Method::Get, &["migrations"])).await
    }
}

fn filtered(what: &str, filter: &Filter<'_>) -> Call {
    filter.iter().fold(Call::new(Method::Get, &[what]), |call, (key, value)| call.with_query(key, *value))
}
