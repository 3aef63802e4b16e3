//! Making the driver of a configuration.

use std::sync::Arc;

use async_trait::async_trait;
use vmpool_driver::{Driver, DriverFactory, FactoryContext, OpenError};
use vmpool_model::config::DriverOptions;

use super::{OpenNebulaDriver, OpenNebulaOptions};
use crate::client::{Client, ClientConfig, ConfigError, Session};

/// Returns the factory of the driver `opennebula`; its options are those of [`OpenNebulaOptions`].
///
/// Opening asks the server for its version, so a wrong address or password shows at once.
#[must_use]
pub fn factory() -> Arc<dyn DriverFactory> {
    Arc::new(Factory)
}

#[derive(Debug)]
struct Factory;

#[async_trait]
impl DriverFactory for Factory {
    fn name(&self) -> &'static str {
        "opennebula"
    }

    fn check(&self, options: &DriverOptions) -> Result<(), OpenError> {
        let options: OpenNebulaOptions = OpenError::parse(options)?;
        options.check_events().map_err(|reason| OpenError::Options { place: "events".to_owned(), reason })?;
        let Some(endpoint) = &options.endpoint else { return Ok(()) };
        let mut config = ClientConfig::new(endpoint.as_str(), Session::new(""));
        config.ca_file = options.ca_file;
        Client::new(config).map(drop).map_err(|err| wrong(&err))
    }

    async fn open(&self, _: FactoryContext, options: &DriverOptions) -> Result<Arc<dyn Driver>, OpenError> {
        let options: OpenNebulaOptions = OpenError::parse(options)?;
        let config = options.client_config().map_err(|err| wrong(&err))?;
        let client = Client::new(config).map_err(|err| wrong(&err))?;
        Ok(Arc::new(OpenNebulaDriver::connect_with(client, options).await?))
    }
}

fn wrong(err: &ConfigError) -> OpenError {
    let place = match err {
        ConfigError::Endpoint { .. } | ConfigError::Tls { .. } => "endpoint",
        ConfigError::CaFile { .. } => "ca_file",
        ConfigError::Session { .. } => "auth_file",
        ConfigError::NoSession => "auth",
    };
    OpenError::Options { place: place.to_owned(), reason: err.to_string() }
}
