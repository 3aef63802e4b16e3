//! Hints, out of what the data center says by itself.

use async_trait::async_trait;
use vmpool_driver::{DriverError, Hint, HintStream, Operation};
use vmpool_model::NodeId;

use super::failed;
use crate::{Changefeed, DataCenter};

/// Opens the stream.
pub(super) async fn open(datacenter: &DataCenter) -> Result<Box<dyn HintStream>, DriverError> {
    let feed = datacenter.changefeed().await.map_err(failed(Operation::Hints))?;
    Ok(Box::new(FeedHints(feed)))
}

#[derive(Debug)]
struct FeedHints(Changefeed);

#[async_trait]
impl HintStream for FeedHints {
    async fn next(&mut self) -> Result<Hint, DriverError> {
        let change = self.0.next().await.map_err(failed(Operation::Hints))?;
        let node = change.and_then(|change| NodeId::new(change.id).ok());
        Ok(node.map_or(Hint::Provider, Hint::Node))
    }
}
