//! Making drivers of configurations.

use std::sync::Arc;

use async_trait::async_trait;
use vmpool_driver::{Driver, DriverError, DriverFactory, FactoryContext, OpenError, Operation};
use vmpool_model::{Certainty, FailureKind, config::DriverOptions};

use super::{CloudApiDriver, CloudApiOptions};
use crate::{ConfigError, DataCenter};

/// Returns the factory of the driver `cloudapi`; its options are those of [`CloudApiOptions`].
#[must_use]
pub fn factory() -> Arc<dyn DriverFactory> {
    Arc::new(Factory)
}

#[derive(Debug)]
struct Factory;

#[async_trait]
impl DriverFactory for Factory {
    fn name(&self) -> &'static str {
        "cloudapi"
    }

    fn check(&self, options: &DriverOptions) -> Result<(), OpenError> {
        let options: CloudApiOptions = OpenError::parse(options)?;
        match options.problem() {
            Some((place, reason)) => Err(OpenError::Options { place, reason }),
            None => Ok(()),
        }
    }

    async fn open(
        &self,
        _context: FactoryContext,
        options: &DriverOptions,
    ) -> Result<Arc<dyn Driver>, OpenError> {
        self.check(options)?;
        let options: CloudApiOptions = OpenError::parse(options)?;
        let config = options.config(&|name| std::env::var(name).ok()).map_err(cannot_open)?;
        let datacenter = DataCenter::open(config).await.map_err(cannot_open)?;
        let driver = CloudApiDriver::new(datacenter, options.templates);
        #[cfg(feature = "events")]
        let driver = driver.with_events(options.events);
        Ok(Arc::new(driver))
    }
}

fn cannot_open(err: ConfigError) -> DriverError {
    let kind = match &err {
        ConfigError::Key(_) => FailureKind::Authentication,
        _ => FailureKind::InvalidRequest,
    };
    DriverError::new(Operation::Open, kind)
        .with_certainty(Certainty::NotApplied)
        .with_context(err.to_string())
}
