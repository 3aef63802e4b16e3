//! Hints, out of what the server says by itself.

use async_trait::async_trait;
use vmpool_driver::{DriverError, Hint, HintStream, Operation};
use vmpool_model::{FailureKind, NodeId};

use super::marks::TOKEN;
use crate::events::{EventsEndpoint, VmEvents};

/// Opens the stream.
pub(super) async fn open(endpoint: &EventsEndpoint) -> Result<Box<dyn HintStream>, DriverError> {
    let events = VmEvents::connect(endpoint).await.map_err(|err| broken(endpoint, err))?;
    Ok(Box::new(EventHints { endpoint: endpoint.clone(), events }))
}

#[derive(Debug)]
struct EventHints {
    endpoint: EventsEndpoint,
    events: VmEvents,
}

#[async_trait]
impl HintStream for EventHints {
    async fn next(&mut self) -> Result<Hint, DriverError> {
        loop {
            match self.events.next().await.map_err(|err| broken(&self.endpoint, err))? {
                // The stream tells of the VMs of all accounts.
                Some(event) if !event.may_mention(TOKEN) => {}
                Some(event) => {
                    return Ok(NodeId::new(event.id.to_string()).map_or(Hint::Provider, Hint::Node));
                }
                None => return Ok(Hint::Provider),
            }
        }
    }
}

fn broken(endpoint: &EventsEndpoint, err: std::io::Error) -> DriverError {
    let kind = match err.kind() {
        std::io::ErrorKind::InvalidData => FailureKind::Protocol,
        _ => FailureKind::Unavailable,
    };
    DriverError::new(Operation::Hints, kind)
        .with_context(format!("the events at {endpoint}"))
        .with_source(err)
}
