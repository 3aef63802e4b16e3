//! Making drivers of the options in a configuration.

use std::sync::Arc;

use serde::Deserialize;
use vmpool_driver::{
    Driver, DriverFactory, FactoryContext, OpenError, async_trait, model::config::DriverOptions,
};

use crate::{ShelfDriver, cloud::Shelf};

/// What a provider with this driver can be told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShelfOptions {
    /// How many places the shelf has. Default: 8.
    #[serde(default = "eight")]
    pub places: usize,
}

fn eight() -> usize {
    8
}

/// Makes drivers, each with a shelf of its own.
#[derive(Debug)]
pub struct ShelfFactory;

/// Returns the factory, for a registry.
#[must_use]
pub fn factory() -> Arc<dyn DriverFactory> {
    Arc::new(ShelfFactory)
}

#[async_trait]
impl DriverFactory for ShelfFactory {
    fn name(&self) -> &'static str {
        "shelf"
    }

    fn check(&self, options: &DriverOptions) -> Result<(), OpenError> {
        OpenError::parse::<ShelfOptions>(options).map(drop)
    }

    async fn open(
        &self,
        context: FactoryContext,
        options: &DriverOptions,
    ) -> Result<Arc<dyn Driver>, OpenError> {
        let options: ShelfOptions = OpenError::parse(options)?;
        let endpoint = format!("shelf://{}", context.provider);
        Ok(Arc::new(ShelfDriver::new(Arc::new(Shelf::new(options.places)), &endpoint)))
    }
}
