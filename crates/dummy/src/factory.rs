//! Making dummy drivers of configurations.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use vmpool_driver::{Driver, DriverError, DriverFactory, FactoryContext, OpenError, Operation};
use vmpool_model::{Certainty, FailureKind, config::DriverOptions};

use crate::{CloudError, DummyCloud, DummyConfig, DummyDriver, JournalError};

/// Returns the factory of the driver `dummy`; its options are those of [`DummyConfig`].
///
/// Each opening makes a cloud of its own, unless `path` names a file.
#[must_use]
pub fn factory() -> Arc<dyn DriverFactory> {
    Arc::new(Factory { cloud: None })
}

/// Returns a factory of the driver `dummy` that opens the given cloud each time, whatever the options
/// say, so that a test can look into the cloud behind a whole program.
#[must_use]
pub fn factory_of(cloud: DummyCloud) -> Arc<dyn DriverFactory> {
    Arc::new(Factory { cloud: Some(cloud) })
}

#[derive(Debug)]
struct Factory {
    cloud: Option<DummyCloud>,
}

#[async_trait]
impl DriverFactory for Factory {
    fn name(&self) -> &'static str {
        "dummy"
    }

    fn check(&self, options: &DriverOptions) -> Result<(), OpenError> {
        let config: DummyConfig = OpenError::parse(options)?;
        match config.libcloud.as_ref().map(|creds| creds.first_nodes()) {
            Some(Err(err)) => {
                Err(OpenError::Options { place: "libcloud".to_owned(), reason: err.to_string() })
            }
            _ => Ok(()),
        }
    }

    async fn open(
        &self,
        context: FactoryContext,
        options: &DriverOptions,
    ) -> Result<Arc<dyn Driver>, OpenError> {
        self.check(options)?;
        let cloud = match &self.cloud {
            Some(cloud) => cloud.clone(),
            None => DummyCloud::open(OpenError::parse(options)?).map_err(cannot_open)?,
        };
        let driver = DummyDriver::new(cloud);
        Ok(match context.pause {
            Some(pause) => Arc::new(driver.with_pause(pause)),
            None => Arc::new(driver),
        })
    }
}

/// Tells the whole story in one line: whoever starts a program sees no more than that.
fn cannot_open(err: CloudError) -> OpenError {
    if let CloudError::Journal(in_use @ JournalError::InUse { .. }) = &err {
        return OpenError::InUse(in_use.to_string());
    }
    let mut story = err.to_string();
    let mut cause = err.source();
    while let Some(err) = cause {
        story = format!("{story}: {err}");
        cause = err.source();
    }
    DriverError::new(Operation::Open, FailureKind::Unavailable)
        .with_certainty(Certainty::NotApplied)
        .with_context(story)
        .into()
}
